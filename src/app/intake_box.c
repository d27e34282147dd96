/* SPDX-License-Identifier: MIT */
#include "app/intake.h"
#include "base/file.h"
#include "intake_run.h"
#include "net/mailbox.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Whole mailboxes: some messages in one transaction, and only then are they removed. Killed in between, they are
 * read again, known by their hash, and removed then. */
enum { BATCH = 50, PATH_SIZE = 4096 };

struct batch {
	struct intake *in;
	struct arena arena; /* names */
	struct {
		const char *name; /* Maildir: path from its folder */
		int64_t id; /* server: number */
		bool filed;
	} item[BATCH];
	size_t n;
};

/* Take one message into the open batch; too large ones are filed unread where the caller says so. */
static int batch_take(
	struct batch *b, struct str message, const char *name, int64_t id, struct err *e)
{
	bool filed = false;

	if (intake_message(b->in, message, STR(""), &filed, e) < 0)
		return -1;
	b->item[b->n].name = name;
	b->item[b->n].id = id;
	b->item[b->n++].filed = filed;
	return 0;
}

/* ---- Maildir ---- */

static int make_filed(const char *folder, struct err *e)
{
	static const char *const sub[] = {"", "/tmp", "/cur", "/new"};
	char path[PATH_SIZE];

	for (size_t i = 0; i < sizeof sub / sizeof *sub; i++) {
		snprintf(path, sizeof path, "%s/.Filed%s", folder, sub[i]);
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return err_sys(e, "cannot create '%s'", path);
	}
	return 0;
}

static int maildir_finish(struct batch *b, const char *folder, struct err *e)
{
	char from[PATH_SIZE], to[PATH_SIZE];

	for (size_t i = 0; i < b->n; i++) {
		snprintf(from, sizeof from, "%s/%s", folder, b->item[i].name);
		snprintf(to, sizeof to, "%s/.Filed/new/%s", folder, b->item[i].name + 4);
		if (b->item[i].filed && make_filed(folder, e) < 0)
			return -1;
		/* Another reader of the Maildir may have moved it: then it is read again, and known. */
		if ((b->item[i].filed ? rename(from, to) : remove(from)) < 0 && errno != ENOENT)
			return err_sys(e, "cannot remove '%s'", from);
	}
	b->n = 0;
	return 0;
}

static int maildir_commit(struct batch *b, const char *folder, struct err *e)
{
	if (store_commit(b->in->site->store, e) < 0 || maildir_finish(b, folder, e) < 0)
		return -1;
	arena_reset(&b->arena);
	return 0;
}

/* One message: 1 when taken, 0 when it has gone meanwhile. */
static int maildir_take(
	struct batch *b, const char *folder, const char *name, struct buf *message, struct err *e)
{
	struct err why = {0};
	char path[PATH_SIZE];

	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return err_set(e, ERR_INPUT, "the path '%s' is too long", folder);
	buf_reset(message);
	if (file_read(path, message, &why) < 0 && why.code != ERR_INPUT)
		return why.code == ERR_MISSING ? 0 : err_set(e, why.code, "%s", why.text);
	if (b->n == 0 && store_begin(b->in->site->store, e) < 0)
		return -1;
	/* Over the cap: its beginning is filed. */
	if (batch_take(b, buf_view(message), arena_cstr(&b->arena, str_of(name)), 0, e) < 0) {
		store_rollback(b->in->site->store);
		b->n = 0;
		return -1;
	}
	return 1;
}

static int maildir_part(struct batch *b, const char *folder, const char *part,
	const volatile sig_atomic_t *stop, struct err *e)
{
	char path[PATH_SIZE], name[PATH_SIZE];
	struct dirent *entry;
	struct buf message;
	DIR *d;
	int rc = 0;

	snprintf(path, sizeof path, "%s/%s", folder, part);
	d = opendir(path);
	if (!d)
		return err_sys(e, "cannot open '%s'", path);
	buf_init(&message, REPORT_BYTES_MAX);
	while (rc >= 0 && !*stop && (entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", part, entry->d_name);
		rc = maildir_take(b, folder, name, &message, e);
		if (rc >= 0 && b->n == BATCH)
			rc = maildir_commit(b, folder, e);
	}
	if (rc >= 0 && b->n)
		rc = maildir_commit(b, folder, e);
	buf_free(&message);
	closedir(d);
	return rc < 0 ? -1 : 0;
}

int intake_maildir(
	struct intake *in, const char *folder, const volatile sig_atomic_t *stop, struct err *e)
{
	struct batch b = {.in = in};
	int rc = maildir_part(&b, folder, "new", stop, e);

	if (rc == 0)
		rc = maildir_part(&b, folder, "cur", stop, e);
	arena_free(&b.arena);
	return rc;
}

/* ---- mbox ---- */

/* Take the next message out of `*rest`: behind a line "From ", up to the next one after an empty line. */
static bool next_in_mbox(struct str *rest, struct str *message)
{
	size_t start = str_find(*rest, '\n') + 1, end;

	if (!str_has_prefix(*rest, STR("From ")) || start > rest->n)
		return false;
	*rest = str_slice(*rest, start, rest->n);
	end = str_search(*rest, STR("\n\nFrom "));
	*message = str_slice(*rest, 0, end + 1);
	*rest = str_slice(*rest, end + 2, rest->n);
	return true;
}

int intake_mbox(
	struct intake *in, const char *file, const volatile sig_atomic_t *stop, struct err *e)
{
	struct str rest, message;
	struct batch b = {.in = in};
	struct buf text;
	int rc = -1;

	buf_init(&text, (size_t)1 << 30);
	if (file_read(file, &text, e) < 0)
		goto out;
	rest = buf_view(&text);
	if (rest.n && !str_has_prefix(rest, STR("From "))) {
		err_set(e, ERR_INPUT, "%s:1: no mbox file: it does not begin with 'From '", file);
		goto out;
	}
	rc = 0;
	while (rc == 0 && !*stop && next_in_mbox(&rest, &message)) {
		if (b.n == 0 && store_begin(in->site->store, e) < 0)
			goto out;
		rc = batch_take(&b, message, NULL, 0, e);
		if (rc == 0 && b.n == BATCH) {
			rc = store_commit(in->site->store, e);
			b.n = 0;
		}
	}
	if (rc == 0 && b.n)
		rc = store_commit(in->site->store, e);
	store_rollback(in->site->store);
out:
	buf_free(&text);
	return rc;
}

/* ---- a mailbox on a server ---- */

/* One message: read into its own transaction, then removed or filed there. */
static int server_take(struct intake *in, struct mailbox_link *m, const struct mailbox_message *at,
	struct buf *message, struct err *e)
{
	bool filed = true;

	buf_reset(message);
	if (at->size > REPORT_BYTES_MAX) {
		in->totals.read++;
		in->totals.filed++;
		return mailbox_file(m, at->id, e);
	}
	if (mailbox_fetch(m, at->id, message, e) < 0 || store_begin(in->site->store, e) < 0)
		return -1;
	if (intake_message(in, buf_view(message), STR(""), &filed, e) < 0) {
		store_rollback(in->site->store);
		return -1;
	}
	if (store_commit(in->site->store, e) < 0)
		return -1;
	return filed ? mailbox_file(m, at->id, e) : mailbox_remove(m, at->id, e);
}

int intake_mailbox(struct intake *in, const volatile sig_atomic_t *stop, struct err *e)
{
	struct config *c = &in->site->config;
	struct mailbox_message *message;
	struct mailbox_link *m = NULL;
	struct buf octets;
	int rc = -1;
	size_t n;

	buf_init(&octets, REPORT_BYTES_MAX);
	if (config_mailbox_secret(&in->site->arena, c, e) < 0 ||
		mailbox_open(&c->mailbox.account, &m, e) < 0)
		goto out;
	in->source = mailbox_protocol(m);
	rc = mailbox_list(m, &message, &n, e);
	for (size_t i = 0; rc == 0 && i < n && !*stop; i++)
		rc = server_take(in, m, &message[i], &octets, e);
out:
	mailbox_close(m);
	buf_free(&octets);
	return rc;
}
