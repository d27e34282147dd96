/* SPDX-License-Identifier: MIT */
#include "import_run.h"

#include <inttypes.h>

/* What imports there were, and what each of them did. */

#define RECORD                                                                                     \
	"SELECT imports.id, at, slug, file, rows, added, updated, unchanged, rejected,"            \
	" suppressed, hash, proof, report, state FROM imports JOIN lists ON lists.id = list_id"

static struct import_record record_row(sqlite3_stmt *st)
{
	return (struct import_record){
		.id = sqlite3_column_int64(st, 0),
		.at = sqlite3_column_int64(st, 1),
		.list = db_text(st, 2),
		.file = db_text(st, 3),
		.counts = {.rows = sqlite3_column_int64(st, 4),
			.added = sqlite3_column_int64(st, 5),
			.updated = sqlite3_column_int64(st, 6),
			.unchanged = sqlite3_column_int64(st, 7),
			.rejected = sqlite3_column_int64(st, 8),
			.suppressed = sqlite3_column_int64(st, 9)},
		.hash = db_text(st, 10),
		.proof = db_text(st, 11),
		.report = db_text(st, 12),
		.undone = sqlite3_column_int(st, 13) >= IMPORT_UNDOING,
	};
}

int import_each(struct store *s, bool (*each)(void *user, const struct import_record *r),
	void *user, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s, RECORD " WHERE state > 0 ORDER BY imports.id", NULL, &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		const struct import_record r = record_row(st);

		if (!each(user, &r))
			break;
	}
	db_end(st);
	return rc < 0 ? -1 : 0;
}

int import_get(
	struct store *s, int64_t id, struct arena *a, struct import_record *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s, RECORD " WHERE state > 0 AND imports.id = ?1", VALS(INT(id)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 0)
		return err_set(e, ERR_MISSING,
			"there is no import %" PRId64 ": 'lettermill import ls' shows them", id);
	if (rc < 0)
		return -1;
	*out = record_row(st);
	out->list = arena_str(a, out->list);
	out->file = arena_str(a, out->file);
	out->hash = arena_str(a, out->hash);
	out->proof = arena_str(a, out->proof);
	out->report = arena_str(a, out->report);
	db_end(st);
	return 0;
}

int import_same(struct store *s, int64_t id, int64_t *before, int64_t *at, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT old.id, old.at FROM imports AS new JOIN imports AS old"
		    " ON old.hash = new.hash AND old.list_id = new.list_id AND old.id < new.id"
		    " WHERE new.id = ?1 AND new.hash <> '' AND old.state = ?2"
		    " ORDER BY old.id DESC LIMIT 1",
		    VALS(INT(id), INT(IMPORT_DONE)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 1) {
		*before = sqlite3_column_int64(st, 0);
		*at = sqlite3_column_int64(st, 1);
		db_end(st);
	}
	return rc;
}

/* ---- effects ---- */

static const char *status_words(sqlite3_stmt *st, int column)
{
	return consent_status_name(sqlite3_column_int(st, column));
}

/* Columns: line, email, created, status, status_before, suppress, lifted, before is there, kept, reason. */
static struct import_effect effect_row(sqlite3_stmt *st, struct arena *a)
{
	bool created = sqlite3_column_int(st, 2), changed = sqlite3_column_int(st, 7);
	struct str suppress = db_text(st, 5), lifted = db_text(st, 6), reason = db_text(st, 9);
	int kept = sqlite3_column_int(st, 8);
	struct import_effect effect = {
		.line = sqlite3_column_int64(st, 0), .email = db_text(st, 1)};
	struct buf words;

	buf_init(&words, 4096);
	if (reason.n)
		buf_str(&words, reason);
	else if (created)
		buf_printf(&words, "added as %s", status_words(st, 3));
	else if (sqlite3_column_type(st, 3) == SQLITE_NULL)
		buf_cstr(&words, changed ? "" : "known");
	else if (sqlite3_column_type(st, 4) == SQLITE_NULL)
		buf_printf(&words, "put on the list as %s", status_words(st, 3));
	else if (sqlite3_column_int(st, 3) == sqlite3_column_int(st, 4))
		buf_printf(&words, "%s anew", status_words(st, 3));
	else
		buf_printf(&words, "%s, was %s", status_words(st, 3), status_words(st, 4));
	if (changed)
		buf_cstr(&words, words.n ? ", data changed" : "data changed");
	if (suppress.n)
		buf_printf(&words, ", suppressed (%.*s)", STR_ARG(suppress));
	if (lifted.n)
		buf_printf(&words, ", suppression lifted (%.*s)", STR_ARG(lifted));
	effect.words = arena_str(a, buf_view(&words));
	buf_reset(&words);
	for (int bit = 1; bit <= IMPORT_KEPT_LIST; bit *= 2)
		if (kept & bit)
			buf_printf(&words, "%s%s", words.n ? ", " : "", import_kept_words(bit));
	effect.kept = arena_str(a, buf_view(&words));
	buf_free(&words);
	return effect;
}

#define EFFECTS(rows)                                                                              \
	"SELECT line, coalesce(email, email_key, ''), created, status, status_before, suppress,"   \
	" lifted, before IS NOT NULL, coalesce(kept, 0), '' FROM " rows                            \
	" LEFT JOIN subscribers ON subscribers.id = subscriber_id WHERE import_id = ?1"

/* Rows of which nothing came, and why. */
#define NOTHING(line, why) " UNION ALL SELECT " line ", '', 0, NULL, NULL, NULL, NULL, 0, 0, " why
#define REJECTED           NOTHING("line", "'rejected: ' || reason FROM import_rejects WHERE import_id = ?1")
#define LEFT_ALONE                                                                                 \
	NOTHING("value ->> 0", "'left alone: ' || (value ->> 1)"                                   \
			       " FROM import_left, json_each(rows) WHERE import_id = ?1")

static const char effects[] = EFFECTS("import_rows") " UNION ALL " EFFECTS("temp.shown_rows")
	REJECTED LEFT_ALONE " ORDER BY 1";

int import_effects(struct store *s, int64_t id,
	bool (*each)(void *user, const struct import_effect *effect), void *user, struct err *e)
{
	struct arena a = {0};
	sqlite3_stmt *st;
	int rc;

	if (import_show_packs(s, id, e) < 0 || db_query(s, effects, VALS(INT(id)), &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		const struct import_effect effect = effect_row(st, &a);

		if (!each(user, &effect))
			break;
		arena_reset(&a);
	}
	db_end(st);
	arena_free(&a);
	return rc < 0 ? -1 : 0;
}
