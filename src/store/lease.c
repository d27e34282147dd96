/* SPDX-License-Identifier: MIT */
#include "db.h"

/* ---- rows at rest ---- */

int resting_state(struct store *s, int64_t issue, enum delivery_state *out, struct err *e)
{
	int64_t state;

	if (db_int(s, "SELECT state FROM issues WHERE id = ?1", VALS(INT(issue)), &state, e) < 0)
		return -1;
	*out = state == ISSUE_CANCELLED ? DELIVERY_CANCELLED : DELIVERY_QUEUED;
	return 0;
}

int row_rest(struct store *s, int64_t issue, int64_t subscriber, enum delivery_state from,
	enum delivery_state to, int64_t due_at, enum skip_reason reason, int64_t now, struct err *e)
{
	int64_t lane;

	if (db_int(s,
		    "UPDATE deliveries SET state = ?3, lease = 0, due_at = ?4, reason = ?5,"
		    " settled_at = ?6 WHERE issue_id = ?1 AND subscriber_id = ?2 RETURNING lane",
		    VALS(INT(issue), INT(subscriber), INT(to), INT(due_at), INT_OR_NULL(reason),
			    INT_OR_NULL(to == DELIVERY_QUEUED ? 0 : now)),
		    &lane, e) < 0)
		return -1;
	return counts_move(s, issue, lane, from, to, 1, e);
}

/* ---- what a lease leaves behind ---- */

/* The final dot may have left: nobody can say any more. The attempt says how that came about. */
static int doubt(struct store *s, int64_t issue, int64_t subscriber, int64_t now, struct err *e)
{
	const struct attempt a = {
		.issue = issue,
		.subscriber = subscriber,
		.at = now,
		.phase = PHASE_DOT,
		.state = DELIVERY_IN_DOUBT,
		.text = STR("the worker ended before the answer was known"),
	};

	int64_t lane;

	if (db_int(s,
		    "UPDATE deliveries SET state = 4, lease = 0, attempts = attempts + 1,"
		    " doubts = doubts + 1, settled_at = ?3"
		    " WHERE issue_id = ?1 AND subscriber_id = ?2 RETURNING lane",
		    VALS(INT(issue), INT(subscriber), INT(now)), &lane, e) < 0 ||
		attempt_add(s, &a, e) < 0)
		return -1;
	return counts_move(s, issue, lane, DELIVERY_SENDING, DELIVERY_IN_DOUBT, 1, e);
}

/* Take all rows from a lease and end it. */
static int clear(
	struct store *s, int64_t lease, int64_t now, struct lease_recovery *out, struct err *e)
{
	static const char next[] =
		"SELECT issue_id, subscriber_id, state, due_at FROM deliveries"
		" INDEXED BY deliveries_leased WHERE lease = ?1 AND lease > 0 LIMIT 1";
	enum delivery_state rest;
	sqlite3_stmt *st;
	int rc;

	for (;;) {
		int64_t issue, subscriber, due_at;
		enum delivery_state state;

		if (db_query(s, next, VALS(INT(lease)), &st, e) < 0)
			return -1;
		rc = db_row(s, st, e);
		if (rc != 1)
			break;
		issue = sqlite3_column_int64(st, 0);
		subscriber = sqlite3_column_int64(st, 1);
		state = (enum delivery_state)sqlite3_column_int(st, 2);
		due_at = sqlite3_column_int64(st, 3);
		db_end(st);
		if (state == DELIVERY_SENDING) {
			rc = doubt(s, issue, subscriber, now, e);
			out->in_doubt++;
		} else {
			rc = resting_state(s, issue, &rest, e);
			if (rc == 0)
				rc = row_rest(s, issue, subscriber, state, rest, due_at, SKIP_NONE,
					now, e);
			out->queued++;
		}
		if (rc < 0)
			break;
	}
	return rc < 0 ? -1 : db_run(s, "DELETE FROM leases WHERE id = ?1", VALS(INT(lease)), e);
}

int lease_recover(struct store *s, int64_t now, struct lease_recovery *out, struct err *e)
{
	int64_t lease;
	bool own;
	int rc;

	*out = (struct lease_recovery){0};
	if (tx_open(s, &own, e) < 0)
		return -1;
	while ((rc = db_int(s, "SELECT id FROM leases WHERE until <= ?1 LIMIT 1", VALS(INT(now)),
			&lease, e)) == 1 &&
		(rc = clear(s, lease, now, out, e)) == 0)
		;
	return tx_close(s, own, rc, e);
}

/* ---- leases ---- */

/* A worker that opened the database before it was replaced must not send by what it holds. */
static int in_place(struct store *s, struct err *e)
{
	int moved = 0;

	sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	return moved ? err_set(e, ERR_DENIED,
			       "the database '%s' was replaced by another: this worker stops",
			       s->path)
		     : 0;
}

int lease_open(struct store *s, int64_t now, int seconds, struct lease *out, struct err *e)
{
	struct lease_recovery recovered;
	bool own;
	int rc;

	*out = (struct lease){.until = now + seconds};
	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = in_place(s, e);
	if (rc == 0)
		rc = lease_recover(s, now, &recovered, e);
	if (rc == 0)
		rc = db_run(s, "INSERT INTO leases (until) VALUES (?1)", VALS(INT(out->until)), e);
	if (rc == 0)
		out->id = sqlite3_last_insert_rowid(s->db);
	return tx_close(s, own, rc, e);
}

int lease_renew(struct store *s, struct lease *l, int64_t now, int seconds, struct err *e)
{
	int64_t changed = 0;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = in_place(s, e);
	if (rc == 0)
		rc = db_change(s, "UPDATE leases SET until = ?2 WHERE id = ?1",
			VALS(INT(l->id), INT(now + seconds)), &changed, e);
	if (rc == 0 && changed == 0)
		rc = err_set(e, ERR_DENIED,
			"the lease is over and its copies were taken by another worker: this one "
			"stops");
	rc = tx_close(s, own, rc, e);
	if (rc == 0)
		l->until = now + seconds;
	return rc;
}

int lease_close(struct store *s, struct lease *l, int64_t now, struct err *e)
{
	struct lease_recovery back = {0};
	bool own;

	if (tx_open(s, &own, e) < 0)
		return -1;
	return tx_close(s, own, clear(s, l->id, now, &back, e), e);
}
