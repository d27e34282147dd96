/* SPDX-License-Identifier: MIT */
#include "import_run.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Applying: the list gets the people of an import that was decided for. And what is done about one that broke
 * off. */

void import_pause(struct store *s)
{
	enum { WORK_MS = 50, PAUSE_NS = 1000 * 1000 };
	const struct timespec pause = {0, PAUSE_NS};

	if (clock_mono_ms() - s->paused_ms < WORK_MS)
		return;
	nanosleep(&pause, NULL);
	s->paused_ms = clock_mono_ms();
}

int import_pace(struct store *s, bool durable, struct err *e)
{
	/* Checkpoints copy what changed into the database, and sorted slices change all of it: in the background, and
	 * seldom in a commit, which then finds little left. The rows that foreign keys would look up, once for
	 * each row, the statements themselves join. */
	const char *sql = durable ? "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;"
				    "PRAGMA wal_autocheckpoint = 1000"
				  : "PRAGMA foreign_keys = OFF; PRAGMA synchronous = NORMAL;"
				    "PRAGMA wal_autocheckpoint = 32000";

	sweep_end(s->sweep);
	s->sweep = durable ? NULL : sweep_begin(s->path);
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_fail(s, e);
}

int import_lock(struct store *s, int *lock, struct err *e)
{
	char path[1024];
	int rc = -1;

	if (snprintf(path, sizeof path, "%s-import", s->path) >= (int)sizeof path)
		return err_set(e, ERR_INPUT, "the name of the database is too long");
	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*lock < 0)
		return err_sys(e, "cannot open '%s'", path);
	if (db_belong(s, path, *lock, e) == 0) {
		if (flock(*lock, LOCK_EX | LOCK_NB) == 0)
			return 1;
		rc = errno == EWOULDBLOCK ? 0 : err_sys(e, "cannot lock '%s'", path);
	}
	close(*lock);
	*lock = -1;
	return rc;
}

int import_next(struct store *s, int64_t id, struct import_slice *out, struct err *e)
{
	struct import_slice slice = {0};
	int64_t to;
	int packed, rc;

	if (db_int(s, "SELECT passed FROM imports WHERE id = ?1", VALS(INT(id)), &slice.from, e) <
		0)
		return -1;
	packed = import_pack_read(s, id, slice.from, &slice.pack, e);
	if (packed < 0)
		return -1;
	rc = db_int(s,
		"SELECT max(subscriber_id) FROM (SELECT subscriber_id FROM import_rows"
		" WHERE import_id = ?1 AND subscriber_id > ?2 AND subscriber_id <= ?4"
		" ORDER BY subscriber_id LIMIT ?3)",
		VALS(INT(id), INT(slice.from), INT(IMPORT_SLICE),
			INT(packed ? slice.pack.last - (int64_t)slice.pack.n : INT64_MAX)),
		&to, e);
	slice.to = rc == 1 ? to : slice.pack.last;
	if (rc != 0) {
		arena_free(&slice.pack.a);
		slice.pack.n = 0;
	}
	*out = slice;
	return rc < 0 ? -1 : rc || packed;
}

/* ---- applying ---- */

struct applying {
	struct store *s;
	int64_t id, list, now, source;
	struct str words, slug, proof; /* of the source, of the list */
	int64_t rows, added;
	const struct import *import; /* NULL = nobody wants to know of progress */
	int64_t done;
	struct import_slice slice;
	struct arena a;
};

#define SLICE_OF(p) INT((p)->id), INT((p)->slice.from), INT((p)->slice.to)

static int load(struct applying *p, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	p->words = str_of(arena_printf(&p->a, "import %" PRId64, p->id));
	if (db_query(p->s,
		    "SELECT list_id, at, slug, rows, added, proof FROM imports"
		    " JOIN lists ON lists.id = list_id WHERE imports.id = ?1",
		    VALS(INT(p->id)), &st, e) < 0)
		return -1;
	rc = db_row(p->s, st, e);
	if (rc == 1) {
		p->list = sqlite3_column_int64(st, 0);
		p->now = sqlite3_column_int64(st, 1);
		p->slug = db_copy(st, 2, &p->a);
		p->rows = sqlite3_column_int64(st, 3);
		p->added = sqlite3_column_int64(st, 4);
		p->proof = db_copy(st, 5, &p->a);
		db_end(st);
	}
	return rc < 0 ? -1 : source_id(p->s, p->words, &p->source, e);
}

/* What the consent says beside its source: the proof, too, where somebody came back who had left or whose address
 * was suppressed. */
#define DETAIL(came_back, proof)                                                                   \
	"iif(" proof " <> '' AND r.status < 2 AND (r.lifted IS NOT NULL" came_back                 \
	"), 'proof: ' || " proof " || ifnull('; ' || r.detail, ''), r.detail)"
#define NEW_DETAIL     DETAIL("", "?10")
#define CHANGED_DETAIL DETAIL(" OR r.status_before >= 2", "?5")

/* Who is new to the list, all at once: SUBSCRIBE, which rows of a journal `r` for which readers `who`, SUBSCRIBE_REST.
 * Whoever has come by another way meanwhile (?9: somebody has) stays as that says. */
#define SUBSCRIBE                                                                                  \
	"INSERT INTO consents (subscriber_id, list_id, status, at, source_id, line, detail, hash)" \
	" SELECT who.id, ?4, r.status, ?5, ?6, r.line, " NEW_DETAIL ","                            \
	" consent_hash(who.email_key, ?7, ?8, r.status, ?5, r.line, " NEW_DETAIL ") FROM "
#define SUBSCRIBE_REST                                                                             \
	" AND NOT (?9 AND EXISTS (SELECT 1 FROM subscriptions"                                     \
	" WHERE list_id = ?4 AND subscriber_id = who.id))"

/* Those of the pack that s->batch shows; ?2 is the number before its first. */
#define PACKED                                                                                     \
	"batch AS r CROSS JOIN subscribers AS who ON who.id = ?2 + 1 + r.rowid WHERE NOT r.found"

static const char subscribe_packed[] = SUBSCRIBE PACKED SUBSCRIBE_REST;
static const char subscribe_rows[] =
	SUBSCRIBE "import_rows AS r CROSS JOIN subscribers AS who ON who.id = r.subscriber_id"
		  " WHERE r.import_id = ?1 AND r.subscriber_id > ?2 AND r.subscriber_id <= ?3"
		  " AND r.status IS NOT NULL AND r.status_before IS NULL" SUBSCRIBE_REST;

static int subscribe_new(struct applying *p, const char *sql, struct err *e)
{
	int64_t last, any = 0;

	if (consent_begin(p->s, e) < 0 ||
		db_int(p->s,
			"SELECT 1 FROM subscriptions WHERE list_id = ?1 AND subscriber_id > ?2"
			" AND subscriber_id <= ?3 LIMIT 1",
			VALS(INT(p->list), INT(p->slice.from), INT(p->slice.to)), &any, e) < 0)
		return -1;
	last = p->s->chain.id;
	if (db_run(p->s, sql,
		    VALS(SLICE_OF(p), INT(p->list), INT(p->now), INT(p->source), TEXT(p->slug),
			    TEXT(p->words), INT(any), TEXT(p->proof)),
		    e) < 0)
		return -1;
	return db_run(p->s,
		"INSERT INTO subscriptions (list_id, subscriber_id, status, consent_id)"
		" SELECT list_id, subscriber_id, status, id FROM consents WHERE id > ?1",
		VALS(INT(last)), e);
}

/* Who was on the list, unless that has changed since the file was read. */
static int change_status(struct applying *p, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(p->s,
		    "SELECT r.subscriber_id, r.status, r.line, " CHANGED_DETAIL
		    " FROM import_rows AS r CROSS JOIN subscriptions AS p ON p.list_id = ?4"
		    " AND p.subscriber_id = r.subscriber_id AND p.status = r.status_before"
		    " WHERE r.import_id = ?1 AND r.subscriber_id > ?2 AND r.subscriber_id <= ?3"
		    " AND r.status IS NOT NULL",
		    VALS(SLICE_OF(p), INT(p->list), TEXT(p->proof)), &st, e) < 0)
		return -1;
	while ((rc = db_row(p->s, st, e)) == 1)
		if (consent_add(p->s, sqlite3_column_int64(st, 0), p->list,
			    sqlite3_column_int(st, 1), p->source, sqlite3_column_int64(st, 2),
			    db_text(st, 3), p->now, e) < 0) {
			rc = -1;
			break;
		}
	db_end(st);
	return rc;
}

#define SUPPRESS      "SELECT email_key, suppress, lifted IS NOT NULL FROM "
#define SUPPRESS_REST " AND (suppress IS NOT NULL OR lifted IS NOT NULL)"

static const char suppress_packed[] = SUPPRESS PACKED SUPPRESS_REST;
static const char suppress_rows[] = SUPPRESS
	"import_rows AS r CROSS JOIN subscribers AS who ON who.id = r.subscriber_id"
	" WHERE r.import_id = ?1 AND r.subscriber_id > ?2 AND r.subscriber_id <= ?3" SUPPRESS_REST;

static int change_suppressions(
	struct applying *p, const char *sql, const struct val *slice, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(p->s, sql, slice, &st, e) < 0)
		return -1;
	while ((rc = db_row(p->s, st, e)) == 1) {
		struct str key = db_text(st, 0), reason = db_text(st, 1);

		rc = reason.n ? suppression_put(
					p->s, key, arena_cstr(&p->a, reason), p->words, p->now, e)
			      : suppression_take_back(p->s, key, (struct str){NULL, 0}, e);
		if (rc < 0)
			break;
	}
	db_end(st);
	return rc < 0 ? -1 : 0;
}

static int apply_rows(struct applying *p, struct err *e)
{
	if (subscribe_new(p, subscribe_rows, e) < 0 || change_status(p, e) < 0 ||
		change_suppressions(p, suppress_rows, VALS(SLICE_OF(p)), e) < 0)
		return -1;
	return db_run(p->s,
		"INSERT INTO events (at, what, subscriber_id, detail) SELECT ?4, 'update',"
		" subscriber_id, ?5 || ' line ' || line FROM import_rows"
		" WHERE import_id = ?1 AND subscriber_id > ?2 AND subscriber_id <= ?3"
		" AND before IS NOT NULL",
		VALS(SLICE_OF(p), INT(p->now), TEXT(p->words)), e);
}

static int apply_pack(struct applying *p, struct err *e)
{
	const struct import_pack *pack = &p->slice.pack;
	int rc;

	p->slice.from = pack->last - (int64_t)pack->n;
	p->s->batch = import_pack_batch(pack);
	rc = subscribe_new(p, subscribe_packed, e);
	if (rc == 0 && pack->suppresses)
		rc = change_suppressions(
			p, suppress_packed, VALS(INT(p->id), INT(p->slice.from)), e);
	p->s->batch.n = 0;
	return rc;
}

/* 1, 0 when there is nothing left, or -1. */
static int apply_slice(struct applying *p, struct err *e)
{
	int rc = import_next(p->s, p->id, &p->slice, e);

	if (rc <= 0)
		return rc;
	rc = p->slice.pack.n ? apply_pack(p, e) : apply_rows(p, e);
	arena_free(&p->slice.pack.a);
	if (rc < 0)
		return -1;
	rc = db_run(p->s, "UPDATE imports SET passed = ?2 WHERE id = ?1",
		VALS(INT(p->id), INT(p->slice.to)), e);
	return rc < 0 ? -1 : 1;
}

static void tell(struct applying *p)
{
	const struct import *i = p->import;

	p->done += p->slice.pack.n ? (int64_t)p->slice.pack.n : IMPORT_SLICE;
	if (i && i->progress)
		i->progress(i->user, p->done, i->counts.added + i->counts.updated);
}

static int apply_all(struct applying *p, struct err *e)
{
	int rc;

	do {
		if (store_begin(p->s, e) < 0)
			return -1;
		rc = tx_close(p->s, true, apply_slice(p, e), e);
		if (rc == 1)
			tell(p);
		import_pause(p->s);
	} while (rc == 1);
	return rc;
}

static int conclude(struct applying *p, struct err *e)
{
	const char *detail =
		arena_printf(&p->a, "import %" PRId64 ": %" PRId64 " rows, %" PRId64 " added",
			p->id, p->rows, p->added);

	if (db_run(p->s, "UPDATE imports SET state = ?2 WHERE id = ?1",
		    VALS(INT(p->id), INT(IMPORT_DONE)), e) < 0)
		return -1;
	return store_event(p->s, p->now, "import", 0, str_of(detail), e);
}

int import_apply(struct store *s, int64_t id, const struct import *i, struct err *e)
{
	struct applying p = {.s = s, .id = id, .import = i};
	int rc = -1;

	if (import_pace(s, false, e) == 0 && load(&p, e) == 0 && apply_all(&p, e) == 0 &&
		import_pace(s, true, e) == 0 && store_begin(s, e) == 0)
		rc = tx_close(s, true, conclude(&p, e), e);
	arena_free(&p.a);
	return rc;
}

/* ---- what broke off ---- */

/* The import that is neither done nor undone: 1, 0, or -1. */
static int unfinished(struct store *s, int64_t *id, int64_t *state, struct err *e)
{
	int rc = db_int(s, "SELECT id FROM imports WHERE state IN (0, 1, 3) LIMIT 1", NULL, id, e);

	return rc == 1 ? db_int(s, "SELECT state FROM imports WHERE id = ?1", VALS(INT(*id)), state,
				 e)
		       : rc;
}

static int recover(struct store *s, int64_t now, int64_t id, int64_t state, struct err *e)
{
	struct import_undone undone;

	switch ((enum import_state)state) {
	case IMPORT_APPLYING:
		return import_apply(s, id, NULL, e);
	case IMPORT_UNDOING:
		return import_take_back(s, id, now, &undone, e);
	default:
		if (import_take_back(s, id, now, &undone, e) < 0)
			return -1;
		return import_forget(s, id, e);
	}
}

int import_recover(struct store *s, int64_t now, int64_t *id, bool *finished, struct err *e)
{
	int64_t state;
	int lock, rc;

	*id = 0;
	rc = unfinished(s, id, &state, e);
	if (rc == 1)
		rc = import_lock(s, &lock, e);
	if (rc <= 0) {
		*id = 0;
		return rc;
	}
	/* Now that nobody else is at it, once more. */
	rc = unfinished(s, id, &state, e);
	if (rc == 1)
		rc = recover(s, now, *id, state, e);
	else
		*id = 0;
	*finished = state != IMPORT_READING;
	/* The command goes on: what it commits has to be durable again. */
	if (rc < 0)
		import_pace(s, true, NULL);
	close(lock);
	return rc < 0 ? -1 : 0;
}
