/* SPDX-License-Identifier: MIT */
#include "journal.h"
#include "base/file.h"
#include "base/log.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_MODE = 0640,
	FOLDER_MODE = 0750,
	RECORD = 32,
	CHUNK = 64 * 1024,
	ADDED_MAX = 4 * 1024 * 1024,
	KEPT = 30 * 86400,
};

/* What a file begins with. */
struct head {
	char magic[8];
	unsigned char site[JOURNAL_ID_SIZE]; /* a hash under the database's key */
	unsigned char issue[JOURNAL_ID_SIZE]; /* the same, of list and slug */
	unsigned char file[JOURNAL_ID_SIZE]; /* random */
	unsigned char uuid[16]; /* of the issue */
};
static const char magic[8] = {'L', 't', 'm', 'l', 'J', 'r', 'n', '1'};

/* ---- names ---- */

int journal_folder(const char *path, char folder[JOURNAL_PATH_SIZE], struct err *e)
{
	if (snprintf(folder, JOURNAL_PATH_SIZE, "%s.journal", path) < JOURNAL_PATH_SIZE)
		return 0;
	return err_set(e, ERR_INPUT, "the path '%s' is too long", path);
}

static int file_name(const struct store *s, const struct journal_owner *owner,
	char path[JOURNAL_PATH_SIZE], struct err *e)
{
	char folder[JOURNAL_PATH_SIZE];

	if (journal_folder(db_place(s), folder, e) < 0)
		return -1;
	if (snprintf(path, JOURNAL_PATH_SIZE, "%s/%s.%s", folder, owner->list, owner->slug) <
		JOURNAL_PATH_SIZE)
		return 0;
	return err_set(e, ERR_INPUT, "the path '%s' is too long", folder);
}

/* ---- owners ---- */

int journal_owner_of(struct store *s, int64_t issue, struct journal_owner *out, struct err *e)
{
	sqlite3_stmt *st;
	struct str uuid;
	int rc;

	*out = (struct journal_owner){0};
	if (db_query(s,
		    "SELECT lists.slug, issues.slug, uuid FROM issues JOIN lists ON lists.id = "
		    "list_id"
		    " WHERE issues.id = ?1 AND issues.id NOT IN (SELECT issue_id FROM notices)",
		    VALS(INT(issue)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc;
	snprintf(out->list, sizeof out->list, "%.*s", STR_ARG(db_text(st, 0)));
	snprintf(out->slug, sizeof out->slug, "%.*s", STR_ARG(db_text(st, 1)));
	uuid = db_text(st, 2);
	if (uuid.n == sizeof out->uuid)
		memcpy(out->uuid, uuid.p, sizeof out->uuid);
	db_end(st);
	return 1;
}

/* ---- heads ---- */

static int head_for(
	struct store *s, const struct journal_owner *owner, struct head *out, struct err *e)
{
	char name[sizeof owner->list + sizeof owner->slug];

	_Static_assert((int)KEY_HASH_SIZE == (int)JOURNAL_ID_SIZE, "another size of hashes");
	snprintf(name, sizeof name, "%s/%s", owner->list, owner->slug);
	*out = (struct head){0};
	memcpy(out->magic, magic, sizeof magic);
	memcpy(out->uuid, owner->uuid, sizeof out->uuid);
	return key_hash(s, STR("send journal"), out->site, e) < 0 ||
			       key_hash(s, str_of(name), out->issue, e) < 0
		       ? -1
		       : 0;
}

static int check_head(
	const char *path, const struct head *found, const struct head *ours, struct err *e)
{
	if (memcmp(found->magic, ours->magic, sizeof found->magic) != 0)
		return err_set(e, ERR_INPUT,
			"'%s' is no send journal, or one of a newer lettermill: put the right "
			"file there, or move it away where nothing of this issue has left",
			path);
	if (memcmp(found->site, ours->site, sizeof found->site) != 0)
		return err_set(e, ERR_INPUT,
			"the send journal '%s' belongs to another database: put that in place, or "
			"move the journal away to begin anew",
			path);
	if (memcmp(found->issue, ours->issue, sizeof found->issue) != 0)
		return err_set(e, ERR_INPUT,
			"'%s' is the send journal of another issue: give it its own name back",
			path);
	return 0;
}

static ssize_t read_at(int fd, void *out, size_t n, int64_t at)
{
	size_t had = 0;

	while (had < n) {
		ssize_t k = pread(fd, (char *)out + had, n - had, at + (int64_t)had);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (k == 0)
			break;
		had += (size_t)k;
	}
	return (ssize_t)had;
}

static int read_head(const struct journal *j, struct head *out, struct err *e)
{
	*out = (struct head){0};
	return read_at(j->fd, out, sizeof *out, 0) < 0 ? err_sys(e, "cannot read '%s'", j->path)
						       : 0;
}

int journal_find(
	struct store *s, const struct journal_owner *owner, struct journal **out, struct err *e)
{
	struct journal *j = calloc(1, sizeof *j);
	struct head found, ours;
	int rc = -1;

	*out = NULL;
	if (!j)
		return err_set(e, ERR_IO, "out of memory");
	buf_init(&j->more, ADDED_MAX);
	j->fd = -1;
	if (file_name(s, owner, j->path, e) < 0)
		goto out;
	j->fd = open(j->path, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	if (j->fd < 0) {
		rc = errno == ENOENT ? 0 : err_sys(e, "cannot open '%s'", j->path);
		goto out;
	}
	if (head_for(s, owner, &ours, e) < 0 || read_head(j, &found, e) < 0 ||
		check_head(j->path, &found, &ours, e) < 0)
		goto out;
	memcpy(j->id, found.file, sizeof j->id);
	j->end = sizeof found;
	*out = j;
	return 1;
out:
	journal_close(j);
	return rc;
}

int journal_make(
	struct store *s, const struct journal_owner *owner, struct journal **out, struct err *e)
{
	char folder[JOURNAL_PATH_SIZE], path[JOURNAL_PATH_SIZE];
	struct head head;

	if (journal_folder(db_place(s), folder, e) < 0 || file_name(s, owner, path, e) < 0 ||
		head_for(s, owner, &head, e) < 0)
		return -1;
	if (RAND_bytes(head.file, sizeof head.file) != 1)
		return err_set(e, ERR_IO, "the system gives no random octets");
	if (mkdir(folder, FOLDER_MODE) == 0) {
		if (db_belong(s, folder, -1, e) < 0)
			return -1;
	} else if (errno != EEXIST) {
		return err_sys(e, "cannot create '%s'", folder);
	}
	if (file_create(path, (struct str){(const char *)&head, sizeof head}, FILE_MODE, e) < 0 ||
		journal_find(s, owner, out, e) < 0)
		return -1;
	if (*out && db_belong(s, path, (*out)->fd, e) == 0)
		return 0;
	journal_close(*out);
	*out = NULL;
	return -1;
}

int journal_uuid(const struct journal *j, unsigned char uuid[16], struct err *e)
{
	struct head head;

	if (read_head(j, &head, e) < 0)
		return -1;
	memcpy(uuid, head.uuid, sizeof head.uuid);
	return 0;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	if (j->fd >= 0)
		close(j->fd);
	buf_free(&j->more);
	free(j);
}

/* ---- records ---- */

/* FNV-1a: against what is torn, not against anybody. */
static uint32_t sum_of(const void *p, size_t n)
{
	const unsigned char *c = p;
	uint32_t sum = 2166136261U;

	for (size_t i = 0; i < n; i++)
		sum = (sum ^ c[i]) * 16777619U;
	return sum;
}

uint32_t journal_relay_hash(struct str name)
{
	return sum_of(name.p, name.n);
}

/* As it stands in the file, little-endian. */
struct wire {
	uint64_t subscriber, mark;
	uint32_t at, relay;
	uint16_t attempt;
	uint8_t kind, zero;
	uint32_t sum; /* of all before */
};
_Static_assert(sizeof(struct wire) == RECORD, "records have another size");

void journal_add(struct journal *j, const struct journal_entry *entry)
{
	struct wire w = {
		.subscriber = htole64((uint64_t)entry->subscriber),
		.mark = htole64(entry->mark),
		.at = htole32((uint32_t)entry->at),
		.relay = htole32(journal_relay_hash(entry->relay)),
		.attempt = htole16(
			(uint16_t)(entry->attempt < UINT16_MAX ? entry->attempt : UINT16_MAX)),
		.kind = (uint8_t)entry->kind,
	};

	w.sum = htole32(sum_of(&w, offsetof(struct wire, sum)));
	buf_add(&j->more, &w, sizeof w);
}

/* Whether a whole record stands here. */
static bool take(const char *p, struct journal_record *out)
{
	struct wire w;

	memcpy(&w, p, sizeof w);
	if (le32toh(w.sum) != sum_of(&w, offsetof(struct wire, sum)))
		return false;
	*out = (struct journal_record){
		.subscriber = (int64_t)le64toh(w.subscriber),
		.mark = le64toh(w.mark),
		.at = le32toh(w.at),
		.relay = le32toh(w.relay),
		.attempt = le16toh(w.attempt),
		.kind = (enum journal_kind)w.kind,
	};
	return true;
}

int journal_write(struct journal *j, struct err *e)
{
	struct str left = buf_view(&j->more);
	int rc = 0;

	if (j->more.over)
		rc = err_set(e, ERR_BUG, "too much was added to '%s' at once", j->path);
	while (rc == 0 && left.n) {
		ssize_t n = write(j->fd, left.p, left.n);

		if (n >= 0)
			left = str_slice(left, (size_t)n, left.n);
		else if (errno != EINTR)
			rc = err_sys(e, "cannot write the send journal '%s'", j->path);
	}
	if (rc == 0 && j->more.n) {
		j->end = lseek(j->fd, 0, SEEK_CUR);
		rc = 1;
	}
	buf_reset(&j->more);
	return rc;
}

int journal_scan(struct journal *j, int64_t from,
	int (*each)(void *user, const struct journal_record *r, struct err *e), void *user,
	struct err *e)
{
	char *chunk = malloc(CHUNK);
	struct journal_record r;
	ssize_t n;
	int rc = 0;

	if (!chunk)
		return err_set(e, ERR_IO, "out of memory");
	if (from < (int64_t)sizeof(struct head))
		from = sizeof(struct head);
	while (rc == 0 && (n = read_at(j->fd, chunk, CHUNK, from)) >= RECORD) {
		ssize_t at = 0;

		while (rc == 0 && at + RECORD <= n) {
			if (!take(chunk + at, &r)) {
				at++;
				continue;
			}
			rc = each(user, &r, e);
			at += RECORD;
		}
		from += at;
	}
	if (rc == 0 && n < 0)
		rc = err_sys(e, "cannot read '%s'", j->path);
	j->end = from;
	free(chunk);
	return rc;
}

/* ---- one answer ---- */

/* What an entry says of a row, the relay's name in `a`: 1, 0 where its reader was erased, or -1. */
static int entry_of(struct store *s, int64_t issue, int64_t subscriber, struct arena *a,
	struct journal_entry *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT email_key, relays.name FROM deliveries"
		    " JOIN subscribers ON subscribers.id = subscriber_id"
		    " LEFT JOIN relays ON relays.id = relay_id"
		    " WHERE issue_id = ?1 AND subscriber_id = ?2",
		    VALS(INT(issue), INT(subscriber)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc;
	out->subscriber = subscriber;
	out->relay = db_copy(st, 1, a);
	rc = journal_mark(s, db_text(st, 0), &out->mark, e);
	db_end(st);
	return rc < 0 ? -1 : 1;
}

int journal_note(struct store *s, int64_t issue, int64_t subscriber, int attempt,
	enum journal_kind kind, int64_t now, struct err *e)
{
	struct journal_entry entry = {.at = now, .attempt = attempt, .kind = kind};
	struct journal_owner owner;
	struct journal *j = NULL;
	struct arena a = {0};
	struct err bad = {0};
	int rc = journal_owner_of(s, issue, &owner, e);

	if (rc == 1)
		rc = entry_of(s, issue, subscriber, &a, &entry, e);
	if (rc == 1 && journal_find(s, &owner, &j, &bad) == 1) {
		journal_add(j, &entry);
		journal_write(j, &bad);
	}
	if (bad.code != ERR_NONE)
		log_msg(LOG_LEVEL_WARNING, "journal", "%s", bad.text);
	journal_close(j);
	arena_free(&a);
	return rc < 0 ? -1 : 0;
}

/* ---- all of them ---- */

/* The issue that a file is named after: 1 with its state, 0 when the database has none, or -1. */
static int issue_of(struct store *s, const char *name, int64_t *state, struct err *e)
{
	size_t dot = str_find(str_of(name), '.');

	return db_int(s,
		"SELECT state FROM issues JOIN lists ON lists.id = list_id"
		" WHERE lists.slug = ?1 AND issues.slug = ?2",
		VALS(TEXT(str_slice(str_of(name), 0, dot)),
			TEXT(str_slice(str_of(name), dot + 1, SIZE_MAX))),
		state, e);
}

/* Remove the files that are older than `before` and of no issue that may still send, or be made to; count
 * those of no issue in `unknown`. */
static int walk(struct store *s, int64_t before, int64_t *unknown, struct err *e)
{
	char folder[JOURNAL_PATH_SIZE];
	struct dirent *one;
	int64_t state = 0;
	struct stat st;
	DIR *d;
	int rc = 0;

	*unknown = 0;
	if (journal_folder(db_place(s), folder, e) < 0)
		return -1;
	d = opendir(folder);
	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, "cannot open '%s'", folder);
	while (rc >= 0 && (one = readdir(d))) {
		if (fstatat(dirfd(d), one->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISREG(st.st_mode))
			continue;
		rc = issue_of(s, one->d_name, &state, e);
		*unknown += rc == 0;
		if (rc < 0 || st.st_mtime >= before ||
			(rc == 1 && state != ISSUE_DONE && state != ISSUE_CANCELLED))
			continue;
		if (unlinkat(dirfd(d), one->d_name, 0) < 0 && errno != ENOENT)
			rc = err_sys(e, "cannot remove '%s/%s'", folder, one->d_name);
	}
	closedir(d);
	return rc < 0 ? -1 : 0;
}

int journals_drop(struct store *s, int64_t now, struct err *e)
{
	int64_t unknown;

	return walk(s, now - KEPT, &unknown, e);
}

int journals_unknown(struct store *s, int64_t *n, struct err *e)
{
	return walk(s, INT64_MIN, n, e);
}
