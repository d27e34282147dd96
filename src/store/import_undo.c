/* SPDX-License-Identifier: MIT */
#include "import_run.h"

#include <inttypes.h>
#include <unistd.h>

/*
 * Taking back what an import did, slice by slice. First each row is asked whether something has happened since, which
 * is left as it is; the answer, `kept`, stays in the journal and rules what follows.
 */
const char *import_kept_words(enum import_kept bit)
{
	switch (bit) {
	case IMPORT_KEPT_SUBSCRIPTION:
		return "the subscription has changed since";
	case IMPORT_KEPT_DATA:
		return "something has happened to the reader since";
	case IMPORT_KEPT_MAIL:
		return "mail was sent since";
	case IMPORT_KEPT_LIST:
		return "on another list, too";
	}
	return "";
}

/* ?1 is the import, ?2 and ?3 the slice. */
#define SLICE " import_id = ?1 AND subscriber_id > ?2 AND subscriber_id <= ?3"

/* The consent that the subscription on list ?4 names; NULL = there is none. */
#define NAMED                                                                                      \
	"(SELECT consent_id FROM subscriptions AS p WHERE p.list_id = ?4"                          \
	" AND p.subscriber_id = r.subscriber_id)"

/* The source that it names. */
#define STANDS "(SELECT source_id FROM consents WHERE consents.id = " NAMED ")"

/* What is said there by whoever still stands by it: neither an import whose state is `from` or a later one nor the
 * undoing of one, but the consent before these. NULL = nobody did. */
#define SAID(what, from)                                                                           \
	"(WITH RECURSIVE said(source_id, status, previous) AS ("                                   \
	"SELECT source_id, status, previous FROM consents WHERE id = " NAMED                       \
	" UNION ALL SELECT c.source_id, c.status, c.previous"                                      \
	" FROM said JOIN consents AS c ON c.id = said.previous"                                    \
	" WHERE said.source_id IN " TAKEN_BACK from ")) SELECT " what " FROM said"                 \
	" WHERE source_id NOT IN " TAKEN_BACK from "))"
#define TAKEN_BACK                                                                                 \
	"(SELECT sources.id FROM imports CROSS JOIN sources ON words IN"                           \
	" ('import ' || imports.id, 'undo of import ' || imports.id) WHERE imports.state >= "

/* While an import is being undone (3): who stands behind the subscription, and what it is without that import. */
#define SOURCE_SAID SAID("source_id", "4")
#define STATUS_SAID SAID("status", "3")

/* ?5 the import's source, ?6 its words, ?7 the last event before it, ?8 when it was. */
static const char ask[] =
	"UPDATE import_rows AS r SET kept ="
	" CASE WHEN status IS NOT NULL AND " STANDS " <> ?5"
	" AND " SOURCE_SAID " <> ?5 THEN 1 ELSE 0 END"
	" + CASE WHEN (created OR before IS NOT NULL) AND (EXISTS (SELECT 1 FROM events AS v"
	" WHERE v.subscriber_id = r.subscriber_id AND v.id > ?7"
	" AND v.detail <> ?6 || ' line ' || r.line)"
	" OR EXISTS (SELECT 1 FROM asks WHERE asks.subscriber_id = r.subscriber_id AND asks.at >= "
	"?8))"
	" THEN 2 ELSE 0 END"
	" + CASE WHEN created AND EXISTS (SELECT 1 FROM issues CROSS JOIN deliveries AS d"
	" ON d.issue_id = issues.id AND d.subscriber_id = r.subscriber_id"
	" WHERE issues.done_at IS NULL OR issues.done_at >= ?8) THEN 4 ELSE 0 END"
	" + CASE WHEN created AND EXISTS (SELECT 1 FROM lists CROSS JOIN subscriptions AS p"
	" ON p.list_id = lists.id AND p.subscriber_id = r.subscriber_id WHERE lists.id <> ?4)"
	" THEN 8 ELSE 0 END WHERE" SLICE;

#define TO_END SLICE " AND r.status IS NOT NULL AND r.status_before IS NULL AND NOT r.kept & 1"

/* ?5 is the source of the undoing, ?6 its words, ?7 now, ?8 the list's slug. */
static const char say_removed[] =
	"INSERT INTO consents (subscriber_id, list_id, status, at, source_id, previous, hash)"
	" SELECT r.subscriber_id, ?4, -1, ?7, ?5, p.consent_id,"
	" consent_hash(who.email_key, ?8, ?6, -1, ?7, NULL, NULL)"
	" FROM import_rows AS r CROSS JOIN subscriptions AS p"
	" ON p.list_id = ?4 AND p.subscriber_id = r.subscriber_id"
	" CROSS JOIN subscribers AS who ON who.id = r.subscriber_id"
	" WHERE r.import_id = ?1 AND r.subscriber_id > ?2 AND r.subscriber_id <= ?3"
	" AND r.status IS NOT NULL AND r.status_before IS NULL AND NOT r.kept & 1";

static const char remove_subscriptions[] =
	"DELETE FROM subscriptions WHERE list_id = ?4 AND subscriber_id IN (SELECT subscriber_id"
	" FROM import_rows AS r WHERE" TO_END ")";

static const char restore_data[] =
	"UPDATE subscribers SET email = r.before ->> '$.email',"
	" first_name = r.before ->> '$.first_name', last_name = r.before ->> '$.last_name',"
	" attributes = r.before ->> '$.attributes' FROM import_rows AS r"
	" WHERE r.import_id = ?1 AND r.subscriber_id > ?2 AND r.subscriber_id <= ?3"
	" AND r.before IS NOT NULL AND NOT r.kept & 2 AND subscribers.id = r.subscriber_id";

static const char remove_people[] =
	"DELETE FROM subscribers WHERE id IN (SELECT subscriber_id FROM import_rows"
	" WHERE" SLICE " AND created AND kept = 0)";

struct taking {
	struct store *s;
	bool undoing; /* or only reading had begun */
	int64_t id, list, source, event, at, own_source, now;
	struct str words, own_words, slug;
	struct import_slice slice;
	struct import_undone *out;
	struct arena a;
};

#define SLICE_OF(t) INT((t)->id), INT((t)->slice.from), INT((t)->slice.to)

static int load(struct taking *t, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	t->words = str_of(arena_printf(&t->a, "import %" PRId64, t->id));
	t->own_words = str_of(arena_printf(&t->a, "undo of import %" PRId64, t->id));
	if (db_query(t->s,
		    "SELECT list_id, slug, event_id, at, coalesce((SELECT id FROM sources WHERE "
		    "words"
		    " = ?2), 0), state FROM imports JOIN lists ON lists.id = list_id WHERE "
		    "imports.id = ?1",
		    VALS(INT(t->id), TEXT(t->words)), &st, e) < 0)
		return -1;
	rc = db_row(t->s, st, e);
	if (rc == 1) {
		t->list = sqlite3_column_int64(st, 0);
		t->slug = db_copy(st, 1, &t->a);
		t->event = sqlite3_column_int64(st, 2);
		t->at = sqlite3_column_int64(st, 3);
		t->source = sqlite3_column_int64(st, 4);
		t->undoing = sqlite3_column_int(st, 5) == IMPORT_UNDOING;
		db_end(st);
	}
	return rc < 0 ? -1 : 0;
}

/* Statuses that were changed become what they were. Those from an import that was itself undone meanwhile, when they
 * had changed and so were kept, are nobody's any more: what was before that one counts, or the subscription ends. */
static int restore_status(struct taking *t, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(t->s,
		    "SELECT r.subscriber_id, coalesce(" STATUS_SAID ", -1)"
		    " FROM import_rows AS r WHERE" SLICE
		    " AND status IS NOT NULL AND status_before IS NOT NULL AND NOT kept & 1"
		    " AND " NAMED " IS NOT NULL",
		    VALS(SLICE_OF(t), INT(t->list)), &st, e) < 0)
		return -1;
	while ((rc = db_row(t->s, st, e)) == 1) {
		if (consent_add(t->s, sqlite3_column_int64(st, 0), t->list,
			    sqlite3_column_int(st, 1), t->own_source, 0, (struct str){NULL, 0},
			    t->now, e) < 0) {
			rc = -1;
			break;
		}
		t->out->ended++;
	}
	db_end(st);
	return rc;
}

static int restore_suppressions(struct taking *t, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(t->s,
		    "SELECT email_key, lifted FROM import_rows AS r"
		    " CROSS JOIN subscribers AS who ON who.id = r.subscriber_id WHERE" SLICE
		    " AND (suppress IS NOT NULL OR lifted IS NOT NULL)",
		    VALS(SLICE_OF(t)), &st, e) < 0)
		return -1;
	while ((rc = db_row(t->s, st, e)) == 1) {
		struct str key = db_text(st, 0), lifted = db_text(st, 1);

		rc = lifted.n ? suppression_put(t->s, key, arena_cstr(&t->a, lifted), t->own_words,
					t->now, e)
			      : suppression_take_back(t->s, key, t->words, e);
		if (rc < 0)
			break;
	}
	db_end(st);
	return rc < 0 ? -1 : 0;
}

static int end_subscriptions(struct taking *t, struct err *e)
{
	int64_t ended;

	if (source_id(t->s, t->own_words, &t->own_source, e) < 0 || consent_begin(t->s, e) < 0 ||
		db_change(t->s, say_removed,
			VALS(SLICE_OF(t), INT(t->list), INT(t->own_source), TEXT(t->own_words),
				INT(t->now), TEXT(t->slug)),
			&ended, e) < 0 ||
		db_run(t->s, remove_subscriptions, VALS(SLICE_OF(t), INT(t->list)), e) < 0)
		return -1;
	t->out->ended += ended;
	return restore_status(t, e) < 0 || restore_suppressions(t, e) < 0 ? -1 : 0;
}

static int take_rows(struct taking *t, struct err *e)
{
	int64_t restored, removed, kept = 0;

	if (db_run(t->s, ask,
		    VALS(SLICE_OF(t), INT(t->list), INT(t->source), TEXT(t->words), INT(t->event),
			    INT(t->at)),
		    e) < 0 ||
		(t->undoing && end_subscriptions(t, e) < 0) ||
		db_change(t->s, restore_data, VALS(SLICE_OF(t)), &restored, e) < 0 ||
		db_change(t->s, remove_people, VALS(SLICE_OF(t)), &removed, e) < 0 ||
		db_run(t->s, "DELETE FROM import_rows WHERE" SLICE " AND kept = 0",
			VALS(SLICE_OF(t)), e) < 0 ||
		db_int(t->s, "SELECT count(*) FROM import_rows WHERE" SLICE, VALS(SLICE_OF(t)),
			&kept, e) < 0)
		return -1;
	t->out->restored += restored;
	t->out->removed += removed;
	t->out->kept += kept;
	return db_run(t->s, "UPDATE imports SET passed = ?2 WHERE id = ?1",
		VALS(INT(t->id), INT(t->slice.to)), e);
}

/* 1, 0 when there is nothing left, or -1. */
static int take_slice(struct taking *t, struct err *e)
{
	int rc = import_next(t->s, t->id, &t->slice, e);

	if (rc <= 0)
		return rc;
	if (t->slice.pack.n) {
		rc = import_unpack(t->s, &t->slice.pack, e);
		arena_free(&t->slice.pack.a);
	}
	return rc < 0 || take_rows(t, e) < 0 ? -1 : 1;
}

static int take_all(struct taking *t, struct err *e)
{
	int rc;

	do {
		if (store_begin(t->s, e) < 0)
			return -1;
		rc = tx_close(t->s, true, take_slice(t, e), e);
		import_pause(t->s);
	} while (rc == 1);
	return rc;
}

static int conclude(struct taking *t, struct err *e)
{
	if (!t->undoing)
		return 0;
	if (db_run(t->s, "UPDATE imports SET state = ?2 WHERE id = ?1",
		    VALS(INT(t->id), INT(IMPORT_UNDONE)), e) < 0 ||
		db_run(t->s,
			"DELETE FROM foreign_suppressions WHERE at = ?2"
			" AND key_id = (SELECT id FROM foreign_keys WHERE secret = ?1)",
			VALS(TEXT(SUPPRESSION_SHA512), INT(t->at)), e) < 0)
		return -1;
	return store_event(t->s, t->now, "undo", 0, t->words, e);
}

int import_take_back(
	struct store *s, int64_t id, int64_t now, struct import_undone *out, struct err *e)
{
	struct taking t = {.s = s, .id = id, .now = now, .out = out};
	int rc = -1;

	*out = (struct import_undone){0};
	if (import_pace(s, false, e) == 0 && load(&t, e) == 0 && take_all(&t, e) == 0 &&
		import_pace(s, true, e) == 0 && store_begin(s, e) == 0)
		rc = tx_close(s, true, conclude(&t, e), e);
	arena_free(&t.a);
	return rc;
}

static int forget(struct store *s, int64_t id, struct err *e)
{
	static const char *const sql[] = {
		"DELETE FROM import_rows WHERE import_id = ?1",
		"DELETE FROM import_packs WHERE import_id = ?1",
		"DELETE FROM import_rejects WHERE import_id = ?1",
		"DELETE FROM import_left WHERE import_id = ?1",
		"DELETE FROM imports WHERE id = ?1",
	};

	for (size_t i = 0; i < sizeof sql / sizeof *sql; i++)
		if (db_run(s, sql[i], VALS(INT(id)), e) < 0)
			return -1;
	return 0;
}

int import_forget(struct store *s, int64_t id, struct err *e)
{
	if (store_begin(s, e) < 0)
		return -1;
	return tx_close(s, true, forget(s, id, e), e);
}

/* ---- the operator's word ---- */

static int begin_undo(struct store *s, int64_t id, struct err *e)
{
	int64_t state;
	int rc = db_int(s, "SELECT state FROM imports WHERE id = ?1", VALS(INT(id)), &state, e);

	if (rc == 0)
		return err_set(e, ERR_MISSING,
			"there is no import %" PRId64 ": 'lettermill import ls' shows them", id);
	if (rc == 1 && state == IMPORT_UNDONE)
		return err_set(e, ERR_DENIED, "import %" PRId64 " was undone before", id);
	if (rc < 0)
		return -1;
	return db_run(s, "UPDATE imports SET state = ?2, passed = 0 WHERE id = ?1",
		VALS(INT(id), INT(IMPORT_UNDOING)), e);
}

int import_undo(struct store *s, int64_t id, int64_t now, struct import_undone *out, struct err *e)
{
	bool finished;
	int64_t other;
	int lock, rc;

	if (import_recover(s, now, &other, &finished, e) < 0)
		return -1;
	rc = import_lock(s, &lock, e);
	if (rc == 0)
		return err_set(e, ERR_BUSY, "an import is under way: wait until it has ended");
	if (rc < 0)
		return -1;
	rc = begin_undo(s, id, e);
	if (rc == 0)
		rc = import_take_back(s, id, now, out, e);
	close(lock);
	return rc;
}
