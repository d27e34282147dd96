/* SPDX-License-Identifier: MIT */
#include "db.h"
#include "flight.h"
#include "journal.h"

#include <stdlib.h>
#include <string.h>

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

/* A row that a lease held. */
struct held {
	int64_t issue, subscriber, due_at;
	enum delivery_state state;
	int attempts;
	struct str relay; /* name; empty = none yet */
};

/* Its final dot has left, or may have: the attempt that nobody wrote down. */
static int ended(struct store *s, const struct held *row, enum delivery_state state, int64_t now,
	struct err *e)
{
	const struct attempt a = {
		.issue = row->issue,
		.subscriber = row->subscriber,
		.at = now,
		.relay = row->relay,
		.phase = PHASE_DOT,
		.state = state,
		.text = state == DELIVERY_SENT
				? STR("the relay took it; the worker ended before it could say "
				      "more")
				: STR("the worker ended before the answer was known"),
	};
	int64_t lane;

	if (db_int(s,
		    "UPDATE deliveries SET state = ?4, lease = 0, attempts = attempts + 1,"
		    " doubts = doubts + (?4 = 4), settled_at = ?3"
		    " WHERE issue_id = ?1 AND subscriber_id = ?2 RETURNING lane",
		    VALS(INT(row->issue), INT(row->subscriber), INT(now), INT(state)), &lane,
		    e) < 0 ||
		attempt_add(s, &a, e) < 0)
		return -1;
	return counts_move(s, row->issue, lane, DELIVERY_SENDING, state, 1, e);
}

/* It has not left: it waits again. */
static int back(struct store *s, const struct held *row, int64_t now, struct err *e)
{
	enum delivery_state rest;

	if (resting_state(s, row->issue, &rest, e) < 0)
		return -1;
	return row_rest(
		s, row->issue, row->subscriber, row->state, rest, row->due_at, SKIP_NONE, now, e);
}

static int take_from(struct store *s, const struct held *row, const struct flight_found *flight,
	int64_t now, struct lease_recovery *out, struct err *e)
{
	enum flight_stage stage = FLIGHT_HERE;

	if (row->state == DELIVERY_SENDING) {
		stage = flight_stage(flight, row->issue, row->subscriber, row->attempts);
		/* An older database learns it, too. */
		if ((stage == FLIGHT_TAKEN || stage == FLIGHT_HERE) &&
			journal_note(s, row->issue, row->subscriber, row->attempts + 1,
				stage == FLIGHT_TAKEN ? JOURNAL_SENT : JOURNAL_NOT_SENT, now,
				e) < 0)
			return -1;
	}
	switch (stage) {
	case FLIGHT_HERE:
		out->queued++;
		return back(s, row, now, e);
	case FLIGHT_TAKEN:
		out->sent++;
		return ended(s, row, DELIVERY_SENT, now, e);
	default: /* nobody can say any more */
		out->in_doubt++;
		return ended(s, row, DELIVERY_IN_DOUBT, now, e);
	}
}

/* The rows of a lease: a look at each row of the issues of which somebody has copies in his hands. No index: each
 * copy would pay for it twice. */
static int held_by(struct store *s, int64_t lease, struct arena *a, struct held **out, size_t *n,
	struct err *e)
{
	static const char query[] =
		"SELECT d.issue_id, subscriber_id, d.state, due_at, attempts,"
		" (SELECT name FROM relays WHERE id = relay_id) FROM"
		" (SELECT DISTINCT issue_id FROM issue_counts WHERE state IN (1, 2) AND n > 0) AS i"
		" CROSS JOIN deliveries AS d ON d.issue_id = i.issue_id WHERE lease = ?1";
	sqlite3_stmt *st;
	size_t room = 0;
	int rc;

	*n = 0;
	if (counts_flush(s, e) < 0 || db_query(s, query, VALS(INT(lease)), &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		if (*n == room) {
			struct held *more = arena_array(a, room * 2 + 64, sizeof *more);

			if (*n)
				memcpy(more, *out, *n * sizeof *more);
			*out = more;
			room = room * 2 + 64;
		}
		(*out)[(*n)++] = (struct held){
			.issue = sqlite3_column_int64(st, 0),
			.subscriber = sqlite3_column_int64(st, 1),
			.state = (enum delivery_state)sqlite3_column_int(st, 2),
			.due_at = sqlite3_column_int64(st, 3),
			.attempts = sqlite3_column_int(st, 4),
			.relay = db_copy(st, 5, a),
		};
	}
	return rc;
}

/* Take all rows from a lease and end it. */
static int clear(
	struct store *s, int64_t lease, int64_t now, struct lease_recovery *out, struct err *e)
{
	struct flight_found *flight = flight_take(s, lease);
	struct held *row = NULL;
	struct arena a = {0};
	size_t n;
	int rc = held_by(s, lease, &a, &row, &n, e);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = take_from(s, &row[i], flight, now, out, e);
	arena_free(&a);
	free(flight);
	return rc < 0 ? -1 : db_run(s, "DELETE FROM leases WHERE id = ?1", VALS(INT(lease)), e);
}

/* The lease behind `*lease`, and whether its time is over: 1, 0 behind the last, or -1. */
static int next_lease(struct store *s, int64_t now, int64_t *lease, int64_t *over, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s, "SELECT id, until <= ?1 FROM leases WHERE id > ?2 ORDER BY id LIMIT 1",
		    VALS(INT(now), INT(*lease)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc;
	*lease = sqlite3_column_int64(st, 0);
	*over = sqlite3_column_int64(st, 1);
	db_end(st);
	return 1;
}

int lease_recover(struct store *s, int64_t now, struct lease_recovery *out, struct err *e)
{
	int64_t lease = 0, over;
	bool own;
	int rc;

	*out = (struct lease_recovery){0};
	if (tx_open(s, &own, e) < 0)
		return -1;
	while ((rc = next_lease(s, now, &lease, &over, e)) == 1)
		if ((over || flight_ended(s, lease)) && clear(s, lease, now, out, e) < 0) {
			rc = -1;
			break;
		}
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
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = in_place(s, e);
	if (rc == 0)
		rc = clear(s, l->id, now, &back, e);
	return tx_close(s, own, rc, e);
}
