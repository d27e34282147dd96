/* SPDX-License-Identifier: MIT */
#include "segment.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 30000, BUSY_STEP_NS = 500000 };

/* ---- errors ---- */

int db_fail(struct store *s, struct err *e)
{
	int rc = sqlite3_extended_errcode(s->db);

	s->broken = true;
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_BUSY,
			"the database '%s' is locked by another process: try again later", s->path);
	case SQLITE_FULL:
		return err_set(e, ERR_IO, "the database '%s' cannot be written: the disk is full",
			s->path);
	case SQLITE_NOTADB:
		return err_set(e, ERR_INPUT, "'%s' is not a database", s->path);
	case SQLITE_READONLY:
		return err_set(e, ERR_DENIED, "the database '%s' may not be written", s->path);
	case SQLITE_CORRUPT:
		return err_set(e, ERR_IO,
			"the database '%s' is damaged (%s): restore a backup, or run 'lettermill "
			"db check'",
			s->path, sqlite3_errmsg(s->db));
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_NOMEM:
	case SQLITE_PERM:
	case SQLITE_PROTOCOL:
		return err_set(e, ERR_IO, "the database '%s' failed: %s (%d, %s)", s->path,
			sqlite3_errmsg(s->db), rc, strerror(sqlite3_system_errno(s->db)));
	default:
		return err_set(e, ERR_BUG, "the database '%s' refused a statement: %s (%d)",
			s->path, sqlite3_errmsg(s->db), rc);
	}
}

/* Steps of half a millisecond: SQLite's own handler sleeps up to 100 ms and starves under load. */
static int wait_busy(void *user, int count)
{
	const struct timespec step = {0, BUSY_STEP_NS};
	struct store *s = user;
	int64_t now = clock_mono_ms();

	if (count == 0)
		s->busy_since = now;
	if (now - s->busy_since >= s->patience_ms)
		return 0;
	nanosleep(&step, NULL);
	return 1;
}

/* ---- opening ---- */

static int configure(struct store *s, struct err *e)
{
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_handler(s->db, wait_busy, s);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	if (batch_register(s->db, &s->batch) != SQLITE_OK || consent_register(s) != SQLITE_OK ||
		suppression_register(s) != SQLITE_OK ||
		sqlite3_exec(s->db,
			"PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON; PRAGMA "
			"synchronous=FULL;"
			"PRAGMA secure_delete=ON; PRAGMA cache_size=-16384; PRAGMA "
			"temp_store=MEMORY;"
			"PRAGMA journal_size_limit=67108864",
			NULL, NULL, NULL) != SQLITE_OK ||
		segment_register(s) != SQLITE_OK)
		return db_fail(s, e);
	return 0;
}

/* SQLite counts every allocation under a mutex; nobody reads the counts. */
static void dont_count(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int db_open(const char *path, int flags, struct store **out, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct store *s = calloc(1, sizeof *s);
	int rc = -1;

	pthread_once(&once, dont_count);
	if (!s || !(s->path = strdup(path))) {
		err_set(e, ERR_IO, "out of memory");
		goto out;
	}
	s->patience_ms = PATIENCE_MS;
	if (sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		if (s->db)
			db_fail(s, e);
		else
			err_set(e, ERR_IO, "out of memory");
		goto out;
	}
	rc = configure(s, e);
out:
	if (rc < 0) {
		store_close(s);
		s = NULL;
	}
	*out = s;
	return rc;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	store_rollback(s);
	sweep_end(s->sweep);
	for (size_t i = 0; i < DB_STATEMENTS; i++)
		sqlite3_finalize(s->statement[i].st);
	sqlite3_close(s->db);
	EVP_MAC_CTX_free(s->mac);
	EVP_MD_CTX_free(s->sha);
	free(s->path);
	free(s);
}

const char *db_place(const struct store *s)
{
	return s->stands_for ? s->stands_for : s->path;
}

int db_belong(const struct store *s, const char *path, int fd, struct err *e)
{
	struct stat st;

	if (geteuid() != 0 || stat(db_place(s), &st) < 0)
		return 0;
	return (fd < 0 ? lchown(path, st.st_uid, st.st_gid) : fchown(fd, st.st_uid, st.st_gid)) == 0
		       ? 0
		       : err_sys(e, "cannot give '%s' to the owner of '%s'", path, s->path);
}

void store_patience(struct store *s, int ms)
{
	s->patience_ms = ms;
}

/* ---- statements ---- */

struct val db_text_or_null(struct str s)
{
	return (struct val){.type = s.n ? VAL_TEXT : VAL_NULL, .s = s};
}

struct val db_int_or_null(int64_t i)
{
	return (struct val){.type = i ? VAL_INT : VAL_NULL, .i = i};
}

static int bind(sqlite3_stmt *st, const struct val *v)
{
	int rc = SQLITE_OK;

	for (int i = 1; v && v->type != VAL_END && rc == SQLITE_OK; i++, v++) {
		const char *p = v->s.p ? v->s.p : "";

		switch (v->type) {
		case VAL_INT:
			rc = sqlite3_bind_int64(st, i, v->i);
			break;
		case VAL_TEXT:
			rc = sqlite3_bind_text64(st, i, p, v->s.n, SQLITE_STATIC, SQLITE_UTF8);
			break;
		case VAL_BLOB:
			rc = sqlite3_bind_blob64(st, i, p, v->s.n, SQLITE_STATIC);
			break;
		default:
			rc = sqlite3_bind_null(st, i);
		}
	}
	return rc;
}

static sqlite3_stmt *prepared(struct store *s, const char *sql, struct err *e)
{
	size_t at = (uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15) >> 56;

	for (size_t i = 0; i < DB_STATEMENTS; i++, at = (at + 1) % DB_STATEMENTS) {
		if (s->statement[at].sql == sql)
			return s->statement[at].st;
		if (s->statement[at].sql)
			continue;
		if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
			    &s->statement[at].st, NULL) != SQLITE_OK) {
			db_fail(s, e);
			return NULL;
		}
		s->statement[at].sql = sql;
		return s->statement[at].st;
	}
	err_set(e, ERR_BUG, "there is no room for another statement");
	return NULL;
}

int db_query(
	struct store *s, const char *sql, const struct val *v, sqlite3_stmt **st, struct err *e)
{
	*st = prepared(s, sql, e);
	if (!*st)
		return -1;
	if (sqlite3_stmt_busy(*st))
		return err_set(e, ERR_BUG, "a statement was started inside itself: %s", sql);
	return bind(*st, v) == SQLITE_OK ? 0 : db_fail(s, e);
}

int db_row(struct store *s, sqlite3_stmt *st, struct err *e)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		db_fail(s, e);
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

void db_end(sqlite3_stmt *st)
{
	sqlite3_reset(st);
}

int db_run(struct store *s, const char *sql, const struct val *v, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s, sql, v, &st, e) < 0)
		return -1;
	do {
		rc = db_row(s, st, e);
	} while (rc == 1);
	return rc;
}

int db_change(
	struct store *s, const char *sql, const struct val *v, int64_t *changed, struct err *e)
{
	if (db_run(s, sql, v, e) < 0)
		return -1;
	*changed = sqlite3_changes64(s->db);
	return 0;
}

int db_int(struct store *s, const char *sql, const struct val *v, int64_t *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s, sql, v, &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 1) {
		rc = sqlite3_column_type(st, 0) != SQLITE_NULL;
		*out = sqlite3_column_int64(st, 0);
		db_end(st);
	}
	return rc;
}

struct str db_text(sqlite3_stmt *st, int column)
{
	const char *p = sqlite3_column_blob(st, column);

	return (struct str){p, p ? (size_t)sqlite3_column_bytes(st, column) : 0};
}

struct str db_copy(sqlite3_stmt *st, int column, struct arena *a)
{
	return arena_str(a, db_text(st, column));
}
