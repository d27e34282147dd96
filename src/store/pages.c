/* SPDX-License-Identifier: MIT */
#include "store/pages.h"
#include "db.h"

int list_look(struct store *s, int64_t id, struct str slug, struct arena *a, struct list *out,
	struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT id, slug, name, \"from\", reply_to, theme, double_opt_in, public,"
		    " welcome, goodbye, clicks FROM lists WHERE CASE ?1 WHEN 0 THEN slug = ?2 ELSE "
		    "id = ?1 END",
		    VALS(INT(id), TEXT(slug)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc;
	*out = (struct list){
		.id = sqlite3_column_int64(st, 0),
		.slug = db_copy(st, 1, a),
		.name = db_copy(st, 2, a),
		.from = db_copy(st, 3, a),
		.reply_to = db_copy(st, 4, a),
		.theme = db_copy(st, 5, a),
		.double_opt_in = sqlite3_column_int(st, 6) != 0,
		.public = sqlite3_column_int(st, 7) != 0,
		.welcome = sqlite3_column_int(st, 8) != 0,
		.goodbye = sqlite3_column_int(st, 9) != 0,
		.clicks = sqlite3_column_int(st, 10) != 0,
	};
	db_end(st);
	return 1;
}

int subscriber_look(
	struct store *s, int64_t id, struct arena *a, struct subscriber *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT id, coalesce(email, email_key), first_name, last_name,"
		    " coalesce(attributes, '{}'), created_at FROM subscribers WHERE id = ?1",
		    VALS(INT(id)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc;
	*out = (struct subscriber){
		.id = sqlite3_column_int64(st, 0),
		.email = db_copy(st, 1, a),
		.first_name = db_copy(st, 2, a),
		.last_name = db_copy(st, 3, a),
		.attributes = db_copy(st, 4, a),
		.created_at = sqlite3_column_int64(st, 5),
	};
	db_end(st);
	return 1;
}

/* ---- health ---- */

/* Taking the write lock is the proof that no full disk or lost permission stands in the way. */
static int writable(struct store *s, struct err *e)
{
	int patience = s->patience_ms;
	struct err bad = {0};

	s->patience_ms = 0;
	if (store_begin(s, &bad) == 0)
		store_rollback(s);
	s->patience_ms = patience;
	return bad.code == ERR_NONE || bad.code == ERR_BUSY ? 0
							    : err_set(e, bad.code, "%s", bad.text);
}

int store_health(struct store *s, int64_t now, int64_t patience, struct err *e)
{
	int64_t due = 0, tried = 0, paused = 0;

	if (writable(s, e) < 0 ||
		db_int(s,
			"SELECT min((SELECT min(d.due_at) FROM deliveries AS d"
			" INDEXED BY deliveries_due WHERE d.issue_id = issues.id"
			" AND d.lane = c.lane AND d.state IN (0, 3)))"
			" FROM issues JOIN issue_counts AS c ON c.issue_id = issues.id"
			" AND c.state IN (0, 3) AND n > 0"
			" LEFT JOIN issue_care AS k ON k.issue_id = issues.id"
			" WHERE issues.state IN (0, 1) AND coalesce(open_from, 0) <= ?1"
			" AND coalesce(open_until, ?1 + 1) > ?1 AND ceiling IS NULL",
			VALS(INT(now)), &due, e) < 0)
		return -1;
	if (!due || now - due <= patience)
		return 0;
	if (db_int(s, "SELECT max(until) FROM leases", NULL, &tried, e) < 0 ||
		db_int(s, "SELECT max(paused_until) FROM relays", NULL, &paused, e) < 0)
		return -1;
	if (tried > now || now - tried <= patience || paused > now - patience)
		return 0;
	return err_set(e, ERR_BUSY,
		"copies have been due for %lld minutes and nothing delivers them: is "
		"lettermill-deliver.timer running?",
		(long long)((now - due) / 60));
}
