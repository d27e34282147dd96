/* SPDX-License-Identifier: MIT */
#include "db.h"

#include <string.h>

/* ---- intent ---- */

#define READER                                                                                     \
	" FROM issues LEFT JOIN subscribers AS s ON s.id = ?2"                                     \
	" LEFT JOIN subscriptions AS p ON p.list_id = issues.list_id AND p.subscriber_id = ?2"     \
	" WHERE issues.id = ?1"

/* The row is held but was not to be sent: its issue stands still, or its reader has left. */
static int put_down(struct store *s, int64_t issue, int64_t subscriber, int64_t now, struct err *e)
{
	enum delivery_state to = DELIVERY_SKIPPED;
	enum skip_reason reason = SKIP_NONE;
	int confirmation = is_confirmation(s, issue, e), rc;
	sqlite3_stmt *st;
	bool sending;

	if (confirmation < 0 || db_query(s, "SELECT issues.state, suppressed, status" READER,
					VALS(INT(issue), INT(subscriber)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc;
	sending = sqlite3_column_int(st, 0) == ISSUE_DELIVERING;
	if (sqlite3_column_type(st, 1) == SQLITE_NULL)
		reason = SKIP_ERASED;
	else if (confirmation)
		reason = skip_confirmation(sqlite3_column_int(st, 1), sqlite3_column_int(st, 2));
	else
		reason = sqlite3_column_int(st, 1) ? SKIP_SUPPRESSED : SKIP_UNSUBSCRIBED;
	db_end(st);
	if (!sending) {
		reason = SKIP_NONE;
		if (resting_state(s, issue, &to, e) < 0)
			return -1;
	}
	return row_rest(s, issue, subscriber, DELIVERY_CLAIMED, to, now, reason, now, e);
}

int ledger_intend(struct store *s, const struct lease *l, int64_t issue, int64_t subscriber,
	int64_t lane, struct str relay, int64_t now, struct err *e)
{
	int64_t made, held, by;
	bool own;
	int rc;

	/* A worker that was stopped past its lease must not send: the row may be another's soon. */
	if (now >= l->until)
		return 0;
	if (tx_open(s, &own, e) < 0)
		return -1;
	if (relay_id(s, relay, &by, e) < 0)
		return tx_close(s, own, -1, e);
	/* The lane is the caller's: RETURNING would open a table of its own each time, and a SELECT before it
	 * takes a third of the time again. */
	rc = db_change(s,
		"UPDATE deliveries SET state = 2, relay_id = ?4"
		" WHERE issue_id = ?1 AND subscriber_id = ?2"
		" AND lease = ?3 AND state = 1 AND EXISTS (SELECT 1" READER
		" AND issues.state = 1 AND (status = 1 AND suppressed = 0 OR"
		"  status IN (0, 2) AND suppressed <> 1 AND"
		"  EXISTS (SELECT 1 FROM notices AS c WHERE c.issue_id = ?1 AND kind <> 2)))",
		VALS(INT(issue), INT(subscriber), INT(l->id), INT(by)), &made, e);
	if (rc == 0 && made) {
		rc = counts_move(s, issue, lane, DELIVERY_CLAIMED, DELIVERY_SENDING, 1, e) < 0 ? -1
											       : 1;
	} else if (rc == 0) {
		rc = db_int(s,
			"SELECT 1 FROM deliveries WHERE issue_id = ?1 AND subscriber_id = ?2"
			" AND lease = ?3 AND state = 1",
			VALS(INT(issue), INT(subscriber), INT(l->id)), &held, e);
		if (rc == 1)
			rc = put_down(s, issue, subscriber, now, e);
	}
	return tx_close(s, own, rc, e);
}

int ledger_release(struct store *s, const struct lease *l, int64_t issue, int64_t subscriber,
	int64_t now, struct err *e)
{
	return ledger_postpone(s, l, issue, subscriber, now, now, e);
}

int ledger_postpone(struct store *s, const struct lease *l, int64_t issue, int64_t subscriber,
	int64_t due_at, int64_t now, struct err *e)
{
	enum delivery_state to;
	int64_t from;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = db_int(s,
		"SELECT state FROM deliveries WHERE issue_id = ?1 AND subscriber_id = ?2"
		" AND lease = ?3 AND lease > 0",
		VALS(INT(issue), INT(subscriber), INT(l->id)), &from, e);
	if (rc == 1)
		rc = resting_state(s, issue, &to, e) < 0
			     ? -1
			     : row_rest(s, issue, subscriber, (enum delivery_state)from, to, due_at,
				       SKIP_NONE, now, e);
	return tx_close(s, own, rc, e);
}

int ledger_hold(struct store *s, const struct lease *l, int64_t issue, int64_t subscriber,
	int64_t now, struct err *e)
{
	int64_t doubts;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = db_int(s,
		"SELECT doubts FROM deliveries WHERE issue_id = ?1 AND subscriber_id = ?2"
		" AND lease = ?3 AND state = 1",
		VALS(INT(issue), INT(subscriber), INT(l->id)), &doubts, e);
	/* As after a second doubt, which is not sent again by itself. */
	if (rc == 1 && (row_rest(s, issue, subscriber, DELIVERY_CLAIMED, DELIVERY_IN_DOUBT, now,
				SKIP_NONE, now, e) < 0 ||
			       db_run(s,
				       "UPDATE deliveries SET doubts = max(doubts, 2)"
				       " WHERE issue_id = ?1 AND subscriber_id = ?2",
				       VALS(INT(issue), INT(subscriber)), e) < 0))
		rc = -1;
	return tx_close(s, own, rc < 0 ? -1 : 0, e);
}

/* ---- outcome ---- */

#define ADD_ATTEMPT(n)                                                                             \
	"INSERT INTO attempts (issue_id, subscriber_id, n, at, relay_id, phase, code,"             \
	" state, took_ms, due_at, status, text)"                                                   \
	" VALUES (?1, ?2, " n ", ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"

/* Nearly all are a copy's first: it is tried as that, and counted only where it is not. */
int attempt_add(struct store *s, const struct attempt *a, struct err *e)
{
	int64_t relay = 0, first;

	if (a->relay.n && relay_id(s, a->relay, &relay, e) < 0)
		return -1;
	const struct val row[] = {INT(a->issue), INT(a->subscriber), INT(a->at), INT_OR_NULL(relay),
		INT(a->phase), INT(a->code), INT(a->state), INT(a->took_ms),
		INT_OR_NULL(a->state == DELIVERY_DEFERRED ? a->due_at : 0), TEXT(a->status),
		TEXT(a->text), {.type = VAL_END}};

	if (db_change(s, ADD_ATTEMPT("1") " ON CONFLICT DO NOTHING", row, &first, e) < 0)
		return -1;
	return first ? 0
		     : db_run(s,
			       ADD_ATTEMPT("(SELECT max(n) + 1 FROM attempts"
					   " WHERE issue_id = ?1 AND subscriber_id = ?2)"),
			       row, e);
}

/* The lease does not hold the row. Either this very outcome was written before (its commit was
 * reported as failed and had succeeded), or the row was taken away: then only the attempt is
 * told. */
static int settle_stale(struct store *s, const struct attempt *a, struct err *e)
{
	int64_t known;
	int rc = db_int(s,
		"SELECT deliveries.state = ?5 FROM deliveries"
		" JOIN attempts USING (issue_id, subscriber_id)"
		" WHERE issue_id = ?1 AND subscriber_id = ?2 AND phase = ?3 AND code = ?4"
		" AND attempts.state = ?5 AND took_ms = ?6 AND text = ?7 LIMIT 1",
		VALS(INT(a->issue), INT(a->subscriber), INT(a->phase), INT(a->code), INT(a->state),
			INT(a->took_ms), TEXT(a->text)),
		&known, e);

	if (rc != 0)
		return rc < 0 ? -1 : (int)known;
	return attempt_add(s, a, e);
}

/* Whether a row may go from sending to this state by an outcome. */
static bool is_outcome(enum delivery_state state)
{
	return state == DELIVERY_SENT || state == DELIVERY_DEFERRED || state == DELIVERY_FAILED ||
	       state == DELIVERY_EXPIRED || state == DELIVERY_IN_DOUBT;
}

static int settle(struct store *s, const struct lease *l, const struct attempt *a, struct err *e)
{
	enum delivery_state state = a->state, rest;
	int64_t made;

	/* Nothing is put off in an issue that was cancelled meanwhile. */
	if (state == DELIVERY_DEFERRED) {
		if (resting_state(s, a->issue, &rest, e) < 0)
			return -1;
		if (rest == DELIVERY_CANCELLED)
			state = rest;
	}
	if (db_change(s,
		    "UPDATE deliveries SET state = ?3, lease = 0, attempts = attempts + ?6,"
		    " due_at = coalesce(?4, due_at), doubts = doubts + (?3 = 4), settled_at = ?5"
		    " WHERE issue_id = ?1 AND subscriber_id = ?2 AND lease = ?7 AND state = 2",
		    VALS(INT(a->issue), INT(a->subscriber), INT(state),
			    INT_OR_NULL(state == DELIVERY_DEFERRED ? a->due_at : 0),
			    INT_OR_NULL(state == DELIVERY_DEFERRED ? 0 : a->at), INT(!a->spared),
			    INT(l->id)),
		    &made, e) < 0)
		return -1;
	if (!made)
		return settle_stale(s, a, e);
	if (attempt_add(s, a, e) < 0 ||
		counts_move(s, a->issue, a->lane, DELIVERY_SENDING, state, 1, e) < 0 ||
		care_settle(s, a, a->lane, a->finding, e) < 0)
		return -1;
	return 1;
}

int ledger_settle(struct store *s, const struct lease *l, const struct attempt *a, struct err *e)
{
	bool own;

	if (!is_outcome(a->state))
		return err_set(e, ERR_BUG, "an attempt cannot lead to the state '%s'",
			delivery_state_name(a->state));
	if (tx_open(s, &own, e) < 0)
		return -1;
	return tx_close(s, own, settle(s, l, a, e), e);
}

int ledger_next_due(struct store *s, int64_t *at, struct err *e)
{
	*at = 0;
	return counts_flush(s, e) < 0 || db_int(s,
						 "SELECT min((SELECT min(due_at) FROM deliveries "
						 "AS d INDEXED BY deliveries_due"
						 "  WHERE d.issue_id = issues.id AND d.lane = "
						 "c.lane AND d.state IN (0, 3)))"
						 " FROM issues JOIN issue_counts AS c ON "
						 "c.issue_id = issues.id"
						 "  AND c.state IN (0, 3) AND n > 0 WHERE "
						 "issues.state IN (0, 1)",
						 NULL, at, e) < 0
		       ? -1
		       : 0;
}
