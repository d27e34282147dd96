/* SPDX-License-Identifier: MIT */
#include "db.h"
#include "store/returns.h"

#include <string.h>

/* Messages that came back, each once. */

_Static_assert(ARRIVAL_NOTHING == 0 && ARRIVAL_FILED == 2, "SQL has other numbers of fates");

const char *arrival_fate_name(enum arrival_fate fate)
{
	static const char *const name[] = {[ARRIVAL_NOTHING] = "nothing",
		[ARRIVAL_APPLIED] = "applied",
		[ARRIVAL_FILED] = "filed"};

	return (unsigned)fate < sizeof name / sizeof *name ? name[fate] : "?";
}

static struct str hash_view(const unsigned char hash[ARRIVAL_HASH_SIZE])
{
	return (struct str){(const char *)hash, ARRIVAL_HASH_SIZE};
}

int arrival_add(struct store *s, struct arrival *arrival, struct err *e)
{
	const struct arrival *x = arrival;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = db_run(s,
		"INSERT INTO arrivals (hash, at, source, kind, rule, fate, key, words, issue_id,"
		" subscriber_id, raw) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
		VALS(BLOB(hash_view(x->hash)), INT(x->at), TEXT(x->source), TEXT(x->kind),
			TEXT(x->rule), INT(x->fate), TEXT(x->key), TEXT(x->words),
			INT_OR_NULL(x->issue), INT_OR_NULL(x->subscriber),
			BLOB(str_slice(x->raw, 0, ARRIVAL_RAW_MAX))),
		e);
	if (rc == 0)
		arrival->id = sqlite3_last_insert_rowid(s->db);
	return tx_close(s, own, rc, e);
}

int arrival_update(struct store *s, const struct arrival *x, struct err *e)
{
	bool own;

	if (tx_open(s, &own, e) < 0)
		return -1;
	return tx_close(s, own,
		db_run(s,
			"UPDATE arrivals SET kind = ?2, rule = ?3, fate = ?4, key = ?5, words = ?6,"
			" issue_id = ?7, subscriber_id = ?8 WHERE id = ?1",
			VALS(INT(x->id), TEXT(x->kind), TEXT(x->rule), INT(x->fate), TEXT(x->key),
				TEXT(x->words), INT_OR_NULL(x->issue), INT_OR_NULL(x->subscriber)),
			e),
		e);
}

#define ARRIVAL_COLUMNS                                                                            \
	"SELECT id, at, source, kind, rule, fate, key, words, coalesce(issue_id, 0),"              \
	" coalesce(subscriber_id, 0)"

static void arrival_row(sqlite3_stmt *st, struct arena *a, struct arrival *out)
{
	*out = (struct arrival){
		.id = sqlite3_column_int64(st, 0),
		.at = sqlite3_column_int64(st, 1),
		.source = db_copy(st, 2, a),
		.kind = db_copy(st, 3, a),
		.rule = db_copy(st, 4, a),
		.fate = (enum arrival_fate)sqlite3_column_int(st, 5),
		.key = db_copy(st, 6, a),
		.words = db_copy(st, 7, a),
		.issue = sqlite3_column_int64(st, 8),
		.subscriber = sqlite3_column_int64(st, 9),
	};
}

int arrival_get(struct store *s, int64_t id, struct arena *a, struct arrival *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s, ARRIVAL_COLUMNS ", hash, raw FROM arrivals WHERE id = ?1", VALS(INT(id)),
		    &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 0)
		return err_set(
			e, ERR_MISSING, "there is no returned message number %lld", (long long)id);
	if (rc < 0)
		return -1;
	arrival_row(st, a, out);
	memcpy(out->hash, db_copy(st, 10, a).p, sizeof out->hash);
	out->raw = db_copy(st, 11, a);
	db_end(st);
	return 0;
}

int arrival_find(struct store *s, const unsigned char hash[ARRIVAL_HASH_SIZE], struct arena *a,
	struct arrival *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s, ARRIVAL_COLUMNS " FROM arrivals WHERE hash = ?1",
		    VALS(BLOB(hash_view(hash))), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 1) {
		arrival_row(st, a, out);
		db_end(st);
	}
	return rc;
}

int arrivals_get(struct store *s, int64_t after, bool filed, size_t limit, struct arena *a,
	struct arrival **out, size_t *n, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	*n = 0;
	if (db_query(s,
		    filed ? ARRIVAL_COLUMNS " FROM arrivals WHERE id > ?1 AND fate = 2"
					    " ORDER BY id LIMIT ?2"
			  : ARRIVAL_COLUMNS " FROM arrivals WHERE id > ?1 ORDER BY id LIMIT ?2",
		    VALS(INT(after), INT((int64_t)limit)), &st, e) < 0)
		return -1;
	*out = arena_array(a, limit + 1, sizeof **out);
	while ((rc = db_row(s, st, e)) == 1)
		arrival_row(st, a, &(*out)[(*n)++]);
	return rc;
}

int64_t arrivals_drop(struct store *s, int64_t at, struct err *e)
{
	int64_t changed = 0;
	bool own;

	if (tx_open(s, &own, e) < 0)
		return -1;
	if (tx_close(s, own,
		    db_change(s, "DELETE FROM arrivals WHERE at < ?1", VALS(INT(at)), &changed, e),
		    e) < 0)
		return -1;
	return changed;
}
