/* SPDX-License-Identifier: MIT */
#include "base/embed.h"
#include "base/enc.h"
#include "base/file.h"
#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MODE = 0640,
	SECRET_SIZE = 32,
	SCHEMA_FOLDED =
		7, /* the first whose suppressions are those of an address in whatever case */
};

/* ---- the schema's number ---- */

/* The migrations are numbered from 1 without a gap, so their number is the newest schema's. */
int db_schema_newest(void)
{
	int n = 0;

	while (embedded_sql[n].name)
		n++;
	return n;
}

int db_schema_number(struct store *s, int *number, struct err *e)
{
	int64_t application, version;

	if (db_int(s, "PRAGMA application_id", NULL, &application, e) < 0 ||
		db_int(s, "PRAGMA user_version", NULL, &version, e) < 0)
		return -1;
	if (application != DB_APPLICATION_ID)
		return err_set(e, ERR_INPUT, "'%s' is not a Lettermill database", s->path);
	if (version > db_schema_newest())
		return err_set(e, ERR_CONFIG,
			"the database '%s' has schema %d, made by a newer lettermill (this one "
			"knows "
			"%d): use that one",
			s->path, (int)version, db_schema_newest());
	*number = (int)version;
	return 0;
}

/* All migrations behind `from`, inside the open transaction. */
static int apply(struct store *s, int from, struct err *e)
{
	char pragma[64];

	for (int i = from; i < db_schema_newest(); i++)
		if (sqlite3_exec(s->db, embedded_sql[i].data, NULL, NULL, NULL) != SQLITE_OK) {
			db_fail(s, e);
			return err_prefix(e, "%s: ", embedded_sql[i].name);
		}
	snprintf(pragma, sizeof pragma, "PRAGMA user_version=%d", db_schema_newest());
	if (sqlite3_exec(s->db, pragma, NULL, NULL, NULL) != SQLITE_OK)
		return db_fail(s, e);
	return from < SCHEMA_FOLDED && db_schema_newest() >= SCHEMA_FOLDED
		       ? suppressions_refold(s, e)
		       : 0;
}

/* ---- files ---- */

int db_sync_path(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	if (fsync(fd) < 0)
		rc = err_sys(e, "cannot write '%s'", path);
	close(fd);
	return rc;
}

int db_sync_name(const char *path, struct err *e)
{
	char folder[4096];

	snprintf(folder, sizeof folder, "%s", path);
	return db_sync_path(dirname(folder), e);
}

/* ---- create ---- */

/* The key under which suppressions are hashed: whoever has only a copy of the table learns
 * nothing. */
static int put_hash_key(struct store *s, struct err *e)
{
	unsigned char secret[SECRET_SIZE];
	struct buf hex;
	int rc;

	buf_init(&hex, 2 * SECRET_SIZE);
	if (RAND_bytes(secret, sizeof secret) != 1)
		return err_set(e, ERR_IO, "the system gives no random octets");
	enc_hex(&hex, (struct str){(const char *)secret, sizeof secret});
	rc = store_setting_put(s, "hash_key", buf_view(&hex), e);
	buf_free(&hex);
	return rc;
}

static int fill(struct store *s, struct err *e)
{
	char pragma[64];

	snprintf(pragma, sizeof pragma, "PRAGMA application_id=%d", DB_APPLICATION_ID);
	if (store_begin(s, e) < 0)
		return -1;
	if (sqlite3_exec(s->db, pragma, NULL, NULL, NULL) != SQLITE_OK)
		return db_fail(s, e);
	if (apply(s, 0, e) < 0 || put_hash_key(s, e) < 0 || store_commit(s, e) < 0)
		return -1;
	/* WAL from the first: the mode is kept in the file. */
	return db_run(s, "PRAGMA journal_mode=WAL", NULL, e);
}

/* The database is made under another name and linked when it is whole: a crash leaves none, not
 * half of one. */
int store_create(const char *path, struct store **out, struct err *e)
{
	struct store *s = NULL;
	char temp[4096];
	int fd, rc = -1;

	*out = NULL;
	if (snprintf(temp, sizeof temp, "%s.new-%ld", path, (long)getpid()) >= (int)sizeof temp)
		return err_set(e, ERR_INPUT, "the path '%s' is too long", path);
	if (access(path, F_OK) == 0)
		return err_set(e, ERR_EXISTS, "the database '%s' exists already", path);
	fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
	if (fd < 0)
		return err_sys(e, "cannot create '%s'", temp);
	close(fd);
	if (db_open(temp, SQLITE_OPEN_READWRITE, &s, e) == 0)
		rc = fill(s, e);
	store_close(s);
	if (rc == 0 && link(temp, path) < 0)
		rc = errno == EEXIST
			     ? err_set(e, ERR_EXISTS, "the database '%s' exists already", path)
			     : err_sys(e, "cannot create '%s'", path);
	unlink(temp);
	if (rc == 0)
		rc = db_sync_name(path, e);
	return rc < 0 ? -1 : store_open(path, out, e);
}

/* ---- open ---- */

/* Open without looking at the schema's number. */
static int open_any(const char *path, struct store **out, struct err *e)
{
	struct stat st;

	*out = NULL;
	if (stat(path, &st) < 0)
		return errno == ENOENT ? err_set(e, ERR_MISSING,
						 "there is no database '%s': create the site with "
						 "'lettermill init'",
						 path)
				       : err_sys(e, "cannot open '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, "'%s' is not a Lettermill database", path);
	if (access(path, R_OK | W_OK) < 0)
		return err_sys(e, "cannot open '%s'", path);
	return db_open(path, SQLITE_OPEN_READWRITE, out, e);
}

int store_open(const char *path, struct store **out, struct err *e)
{
	int number = 0;

	if (open_any(path, out, e) < 0)
		return -1;
	if (db_schema_number(*out, &number, e) < 0)
		goto failed;
	if (number < db_schema_newest()) {
		err_set(e, ERR_CONFIG,
			"the database '%s' has schema %d, this lettermill needs %d: run "
			"'lettermill db migrate'",
			path, number, db_schema_newest());
		goto failed;
	}
	/* A restored copy may have lost the mode. */
	if (db_run(*out, "PRAGMA journal_mode=WAL", NULL, e) < 0)
		goto failed;
	return 0;
failed:
	store_close(*out);
	*out = NULL;
	return -1;
}

/* ---- migrate ---- */

/* The copy appears under its name when it is whole and durable. It replaces one of the same
 * number: that was left by a migration that did not come to its end, and is older. */
static int copy_before(const char *path, const char *copy, struct err *e)
{
	struct store *reader = NULL;
	char temp[4096];
	int fd, rc = -1;

	if (snprintf(temp, sizeof temp, "%s.new-%ld", copy, (long)getpid()) >= (int)sizeof temp)
		return err_set(e, ERR_INPUT, "the path '%s' is too long", path);
	fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
	if (fd < 0)
		return err_sys(e, "cannot create '%s'", temp);
	close(fd);
	if (open_any(path, &reader, e) < 0 ||
		db_run(reader, "VACUUM INTO ?1", VALS(TEXT(str_of(temp))), e) < 0 ||
		db_sync_path(temp, e) < 0)
		goto out;
	if (rename(temp, copy) < 0) {
		err_sys(e, "cannot create '%s'", copy);
		goto out;
	}
	rc = db_sync_name(copy, e);
out:
	store_close(reader);
	if (rc < 0)
		unlink(temp);
	return rc;
}

int store_migrate(const char *path, bool dry_run, struct store_migration *out, struct err *e)
{
	struct store *s = NULL;
	int rc = -1;

	*out = (struct store_migration){.to = db_schema_newest()};
	if (open_any(path, &s, e) < 0)
		return -1;
	/* The write lock comes first: no other process can change what the copy is to keep. */
	if (db_schema_number(s, &out->from, e) < 0 || store_begin(s, e) < 0 ||
		db_schema_number(s, &out->from, e) < 0)
		goto out;
	if (out->from == out->to) {
		rc = 0;
		goto out;
	}
	if (snprintf(out->copy, sizeof out->copy, "%s.before-%d", path, out->from) >=
		(int)sizeof out->copy) {
		err_set(e, ERR_INPUT, "the path '%s' is too long", path);
		goto out;
	}
	if (dry_run)
		rc = 0;
	else if (copy_before(path, out->copy, e) == 0 && apply(s, out->from, e) == 0)
		rc = store_commit(s, e);
out:
	store_close(s);
	return rc;
}
