/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODE = 0600, PATH_SIZE = 4096 };

/* ---- a whole copy ---- */

/* Copy all of `from` as it is at this moment, in one step: writers go on meanwhile. */
static int copy_pages(struct store *from, struct store *to, struct err *e)
{
	sqlite3_backup *b = sqlite3_backup_init(to->db, "main", from->db, "main");
	int rc;

	if (!b)
		return db_fail(to, e);
	rc = sqlite3_backup_step(b, -1);
	sqlite3_backup_finish(b);
	if (rc == SQLITE_DONE)
		return 0;
	if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		return err_set(e, ERR_BUSY,
			"the database '%s' is locked by another process: try again later",
			from->path);
	return db_fail(to, e);
}

static int check_whole(struct store *s, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s, "PRAGMA integrity_check(1)", NULL, &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 1 && !str_eq(db_text(st, 0), STR("ok")))
		rc = err_set(e, ERR_IO, "the copy '%s' is damaged: %.*s", s->path,
			STR_ARG(db_text(st, 0)));
	db_end(st);
	return rc < 0 ? -1 : 0;
}

/* Make `temp` a checked copy of `from` in one file, which nobody else may read; it stays open. */
static int copy_to(struct store *from, const char *temp, struct store **out, struct err *e)
{
	int fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, MODE);

	*out = NULL;
	if (fd < 0)
		return err_sys(e, "cannot create '%s'", temp);
	close(fd);
	if (db_open(temp, SQLITE_OPEN_READWRITE, out, e) < 0 || copy_pages(from, *out, e) < 0 ||
		db_run(*out, "PRAGMA journal_mode=DELETE", NULL, e) < 0)
		return -1;
	return check_whole(*out, e);
}

static int temp_name(const char *path, char temp[PATH_SIZE], struct err *e)
{
	if (snprintf(temp, PATH_SIZE, "%s.new-%ld", path, (long)getpid()) < PATH_SIZE)
		return 0;
	return err_set(e, ERR_INPUT, "the path '%s' is too long", path);
}

/* ---- backup ---- */

int store_backup(struct store *s, const char *path, struct err *e)
{
	struct store *copy = NULL;
	char temp[PATH_SIZE];
	int rc;

	if (access(path, F_OK) == 0)
		return err_set(e, ERR_EXISTS, "'%s' exists already", path);
	if (temp_name(path, temp, e) < 0)
		return -1;
	rc = copy_to(s, temp, &copy, e);
	store_close(copy);
	if (rc == 0)
		rc = db_sync_path(temp, e);
	if (rc == 0 && link(temp, path) < 0)
		rc = errno == EEXIST ? err_set(e, ERR_EXISTS, "'%s' exists already", path)
				     : err_sys(e, "cannot create '%s'", path);
	unlink(temp);
	return rc < 0 ? -1 : db_sync_name(path, e);
}

/* ---- restore ---- */

/* Be alone with the database that is to be replaced: a database leaves the WAL mode only where nobody
 * else has it open, and then has no WAL any more, which could be taken for the new one's. One that is
 * damaged is replaced as it is. */
static int be_alone(const char *path, struct store **old, struct err *e)
{
	struct err why = {0};

	*old = NULL;
	if (access(path, F_OK) < 0)
		return 0;
	if (db_open(path, SQLITE_OPEN_READWRITE, old, &why) == 0) {
		store_patience(*old, 1000);
		if (db_run(*old, "PRAGMA locking_mode=EXCLUSIVE", NULL, &why) == 0 &&
			db_run(*old, "PRAGMA journal_mode=DELETE", NULL, &why) == 0 &&
			db_run(*old, "BEGIN EXCLUSIVE", NULL, &why) == 0)
			return 0;
	}
	if (why.code == ERR_BUSY)
		return err_set(e, ERR_BUSY,
			"somebody uses the database '%s': stop delivery, the pages and everything "
			"else of this site first",
			path);
	store_close(*old);
	*old = NULL;
	return why.code == ERR_INPUT || why.code == ERR_IO ? 0
							   : err_set(e, why.code, "%s", why.text);
}

/* Issues whose time had come are paused: nobody knows who has left since, nor, where there is no journal, what
 * was sent. */
static int pause_running(struct store *s, int64_t now, struct store_restoration *out, struct err *e)
{
	int64_t issue = 0;
	int rc, found;

	while ((rc = db_int(s,
			"SELECT min(id) FROM issues WHERE id > ?1 AND state IN (0, 1) AND due_at "
			"<= ?2",
			VALS(INT(issue), INT(now)), &issue, e)) == 1) {
		found = journal_exists(s, issue, e);
		if (found < 0 ||
			issue_pause(s, issue,
				found ? STR("restored from a backup: it does not know who has left "
					    "since")
				      : STR("restored from a backup without a send journal: what "
					    "was sent since is not known"),
				now, e) < 0)
			return -1;
		out->paused++;
		out->blind += !found;
	}
	return rc;
}

/* What was running when the backup was made may have been sent since: the journal says what. A database of an
 * older schema learns of that when it is delivered from. */
static int bring_up(
	struct store *s, bool journal, int64_t now, struct store_restoration *out, struct err *e)
{
	struct journal_news news = {0};

	if (store_begin(s, e) < 0)
		return -1;
	if (store_event(s, now, "restore", 0, STR("the database is that of a backup"), e) < 0 ||
		(journal && (journal_replay_all(s, false, now, &news, e) < 0 ||
				    journals_unknown(s, &out->unknown, e) < 0)) ||
		pause_running(s, now, out, e) < 0) {
		store_rollback(s);
		return -1;
	}
	out->sent = news.sent;
	out->in_doubt = news.in_doubt;
	return store_commit(s, e);
}

/* Give the file `from` the name `to` as well, so that `from` is never missing. */
static int keep_as(const char *from, const char *to, struct err *e)
{
	if (link(from, to) == 0 || errno == ENOENT)
		return 0;
	return err_sys(e, "cannot keep '%s' as '%s'", from, to);
}

/* The file belongs to whom the database did, also where root restores. */
static int belong_like(const char *temp, const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "cannot open '%s'", path);
	if (chown(temp, st.st_uid, st.st_gid) < 0 || chmod(temp, st.st_mode & 0777) < 0)
		return err_sys(e, "cannot give '%s' to the owner of '%s'", temp, path);
	return 0;
}

static int replace(const char *path, const char *temp, struct store_restoration *out, struct err *e)
{
	char wal[PATH_SIZE], kept[PATH_SIZE];

	if (access(path, F_OK) < 0)
		out->kept[0] = '\0';
	else if (keep_as(path, out->kept, e) < 0)
		return -1;
	/* Only beside a damaged database: a WAL goes where its database goes. */
	for (size_t i = 0; i < 2; i++) {
		const char *tail = i ? "-shm" : "-wal";

		if (snprintf(wal, sizeof wal, "%s%s", path, tail) >= PATH_SIZE ||
			snprintf(kept, sizeof kept, "%s%s", out->kept, tail) >= PATH_SIZE)
			return err_set(e, ERR_INPUT, "the path '%s' is too long", path);
		if (out->kept[0] ? rename(wal, kept) < 0 && errno != ENOENT
				 : unlink(wal) < 0 && errno != ENOENT)
			return err_sys(e, "cannot move '%s'", wal);
	}
	if (rename(temp, path) < 0)
		return err_sys(e, "cannot replace '%s'", path);
	return db_sync_name(path, e);
}

int store_restore(const char *path, const char *backup, int64_t now, bool dry_run,
	struct store_restoration *out, struct err *e)
{
	struct store *old = NULL, *from = NULL, *copy = NULL;
	char temp[PATH_SIZE], at[CLOCK_ISO_SIZE];
	int number, rc = -1;

	*out = (struct store_restoration){0};
	if (temp_name(path, temp, e) < 0)
		return -1;
	if ((size_t)snprintf(out->kept, sizeof out->kept, "%s.before-restore-%s", path,
		    clock_iso(now, at)) >= sizeof out->kept)
		return err_set(e, ERR_INPUT, "the path '%s' is too long", path);
	if (access(backup, R_OK) < 0)
		return errno == ENOENT ? err_set(e, ERR_MISSING, "there is no '%s'", backup)
				       : err_sys(e, "cannot open '%s'", backup);
	if (db_open(backup, SQLITE_OPEN_READONLY, &from, e) < 0 ||
		db_schema_number(from, &number, e) < 0 ||
		(!dry_run && be_alone(path, &old, e) < 0) || copy_to(from, temp, &copy, e) < 0)
		goto out;
	copy->stands_for = path;
	if (bring_up(copy, number == db_schema_newest(), now, out, e) < 0)
		goto out;
	store_close(copy);
	copy = NULL;
	if (dry_run)
		rc = 0;
	else if (belong_like(temp, path, e) == 0 && db_sync_path(temp, e) == 0)
		rc = replace(path, temp, out, e);
out:
	store_close(copy);
	store_close(from);
	unlink(temp);
	store_close(old);
	return rc;
}
