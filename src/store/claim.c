/* SPDX-License-Identifier: MIT */
#include "journal.h"

#include <string.h>

/*
 * Claiming: the oldest due rows of all issues that are delivering. The index of due rows begins
 * with the issue, so that a paused issue's million rows are never in the way; a claim merges the
 * issues by taking, again and again, from the one with the oldest row until the next one's is
 * older.
 */
static const char *const skip_name[SKIP_N] = {
	[SKIP_NONE] = "",
	[SKIP_UNSUBSCRIBED] = "unsubscribed",
	[SKIP_SUPPRESSED] = "suppressed",
	[SKIP_ERASED] = "erased",
	[SKIP_PAUSED] = "paused",
	[SKIP_CONFIRMED] = "confirmed",
};

const char *skip_reason_name(int64_t reason)
{
	return reason > 0 && reason < SKIP_N ? skip_name[reason] : "";
}

struct candidate {
	struct claim claim;
	enum delivery_state state;
	int64_t due_at;
	enum skip_reason skip;
};

struct claiming {
	struct store *s;
	const struct lease *lease;
	int64_t now;
	int64_t lane; /* of the share in hand ... */
	size_t limit; /* ... and how many of it are still to be taken */
	struct arena *a;
	struct claim *claim;
	size_t n;
	struct candidate *candidate; /* room for the largest limit */
};

/* ---- in doubt for the first time ---- */

/* Once: the row keeps its count of doubts, and the second holds it. */
static int resend(struct store *s, int64_t now, struct err *e)
{
	static const char next[] = "SELECT issue_id, subscriber_id FROM issues"
				   " JOIN deliveries AS d INDEXED BY deliveries_doubted"
				   "  ON issue_id = issues.id AND d.state = 4 AND doubts = 1"
				   " WHERE issues.state = 1 LIMIT 1";
	sqlite3_stmt *st;
	int rc;

	for (;;) {
		int64_t issue, subscriber;

		if (db_query(s, next, NULL, &st, e) < 0)
			return -1;
		rc = db_row(s, st, e);
		if (rc != 1)
			return rc;
		issue = sqlite3_column_int64(st, 0);
		subscriber = sqlite3_column_int64(st, 1);
		db_end(st);
		if (row_rest(s, issue, subscriber, DELIVERY_IN_DOUBT, DELIVERY_QUEUED, now,
			    SKIP_NONE, now, e) < 0)
			return -1;
	}
}

int ledger_resend(struct store *s, int64_t now, struct err *e)
{
	bool own;

	if (tx_open(s, &own, e) < 0)
		return -1;
	return tx_close(s, own, resend(s, now, e), e);
}

/* ---- choosing ---- */

struct oldest {
	int64_t issue, list, due_at, since;
};

/* The delivering issue whose oldest due row in the lane is the oldest of all, and when the second one's is
 * due. */
static int oldest_issue(struct claiming *c, struct oldest *first, int64_t *second, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	/* The ceiling of a stage is compared with counts that this transaction may have moved. */
	if (counts_flush(c->s, e) < 0 ||
		db_query(c->s,
			"SELECT id, list_id, (SELECT min(due_at) FROM deliveries"
			"  INDEXED BY deliveries_due WHERE issue_id = issues.id AND lane = ?2"
			"  AND state IN (0, 3)) AS due, max(due_at, word_at) FROM issues"
			" WHERE state = 1 AND due <= ?1 AND NOT EXISTS (SELECT 1 FROM issue_care "
			"AS k"
			"  WHERE k.issue_id = issues.id AND (?1 < open_from OR ?1 >= open_until OR"
			"   ceiling <= copies - (SELECT sum(n) FROM issue_counts AS i"
			"    WHERE i.issue_id = issues.id AND i.state = 0)))"
			" ORDER BY due, id LIMIT 2",
			VALS(INT(c->now), INT(c->lane)), &st, e) < 0)
		return -1;
	rc = db_row(c->s, st, e);
	if (rc != 1)
		return rc;
	*first = (struct oldest){sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1),
		sqlite3_column_int64(st, 2), sqlite3_column_int64(st, 3)};
	rc = db_row(c->s, st, e);
	if (rc < 0)
		return -1;
	*second = rc == 1 ? sqlite3_column_int64(st, 2) : c->now;
	db_end(st);
	return 1;
}

enum skip_reason skip_confirmation(int suppressed, int status)
{
	if (suppressed == 1 || status == SUBSCRIPTION_BOUNCED || status == SUBSCRIPTION_COMPLAINED)
		return SKIP_SUPPRESSED;
	return status == SUBSCRIPTION_ACTIVE ? SKIP_CONFIRMED : SKIP_NONE;
}

static enum skip_reason skip_of(sqlite3_stmt *st, bool confirmation, int64_t now)
{
	int suppressed = sqlite3_column_int(st, 4), status = sqlite3_column_int(st, 5);

	if (sqlite3_column_type(st, 4) == SQLITE_NULL)
		return SKIP_ERASED;
	if (confirmation)
		return skip_confirmation(suppressed, status);
	if (suppressed)
		return SKIP_SUPPRESSED;
	if (status != SUBSCRIPTION_ACTIVE)
		return SKIP_UNSUBSCRIBED;
	return sqlite3_column_int64(st, 10) > now ? SKIP_PAUSED : SKIP_NONE;
}

static int candidates(
	struct claiming *c, const struct oldest *of, int64_t until, size_t *n, struct err *e)
{
	sqlite3_stmt *st;
	int64_t room;
	int confirmation = is_confirmation(c->s, of->issue, e), rc;

	*n = 0;
	if (confirmation < 0 || care_room(c->s, of->issue, c->now, &room, e) < 0)
		return -1;
	if (room > (int64_t)c->limit)
		room = (int64_t)c->limit;
	if (db_query(c->s,
		    "SELECT d.subscriber_id, d.state, d.due_at, d.attempts, suppressed, status,"
		    " coalesce(email, email_key), first_name, last_name,"
		    " coalesce(attributes, '{}'), paused_until,"
		    " iif(doubts, (SELECT name FROM relays WHERE relays.id = relay_id), NULL),"
		    " email_key"
		    " FROM deliveries AS d INDEXED BY deliveries_due"
		    " LEFT JOIN subscribers ON id = d.subscriber_id"
		    " LEFT JOIN subscriptions AS p"
		    "  ON p.list_id = ?2 AND p.subscriber_id = d.subscriber_id"
		    " WHERE d.issue_id = ?1 AND d.lane = ?5 AND d.state IN (0, 3)"
		    " AND d.due_at <= ?3 ORDER BY d.due_at LIMIT ?4",
		    VALS(INT(of->issue), INT(of->list), INT(until), INT(room), INT(c->lane)), &st,
		    e) < 0)
		return -1;
	while ((rc = db_row(c->s, st, e)) == 1) {
		struct candidate *one = &c->candidate[(*n)++];

		*one = (struct candidate){
			.claim = {.issue = of->issue,
				.list = of->list,
				.lane = c->lane,
				.since = of->since,
				.subscriber = sqlite3_column_int64(st, 0),
				.attempts = sqlite3_column_int(st, 3)},
			.state = (enum delivery_state)sqlite3_column_int(st, 1),
			.due_at = sqlite3_column_int64(st, 2),
			.skip = skip_of(st, confirmation, c->now),
		};
		if (one->skip)
			continue;
		if (journal_mark(c->s, db_text(st, 12), &one->claim.mark, e) < 0) {
			db_end(st);
			return -1;
		}
		one->claim.email = db_copy(st, 6, c->a);
		one->claim.first_name = db_copy(st, 7, c->a);
		one->claim.last_name = db_copy(st, 8, c->a);
		one->claim.attributes = db_copy(st, 9, c->a);
		one->claim.relay = db_copy(st, 11, c->a);
	}
	return rc;
}

/* ---- taking ---- */

/* How many of `n` candidates, from the first on, can be taken by one statement: readers whose numbers follow
 * each other, as most do that came by one import. */
static size_t run_of(const struct candidate *first, size_t n)
{
	size_t k = 1;

	while (k < n && !first[k].skip && first[k].state == first->state &&
		first[k].claim.subscriber == first->claim.subscriber + (int64_t)k)
		k++;
	return first->skip ? 1 : k;
}

static int take(struct claiming *c, const struct candidate *one, size_t n, struct err *e)
{
	const struct claim *claim = &one->claim;

	if (one->skip)
		return row_rest(c->s, claim->issue, claim->subscriber, one->state, DELIVERY_SKIPPED,
			one->due_at, one->skip, c->now, e);
	if (db_run(c->s,
		    "UPDATE deliveries SET state = 1, lease = ?4"
		    " WHERE issue_id = ?1 AND subscriber_id BETWEEN ?2 AND ?3",
		    VALS(INT(claim->issue), INT(claim->subscriber),
			    INT(claim->subscriber + (int64_t)n - 1), INT(c->lease->id)),
		    e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		c->claim[c->n++] = one[i].claim;
	c->limit -= n;
	return counts_move(
		c->s, claim->issue, c->lane, one->state, DELIVERY_CLAIMED, (int64_t)n, e);
}

static int claim_lane(struct claiming *c, struct err *e)
{
	struct oldest of;
	int64_t until;
	size_t n, run;
	int rc = 0;

	while (rc == 0 && c->limit && (rc = oldest_issue(c, &of, &until, e)) == 1) {
		rc = candidates(c, &of, until, &n, e);
		for (size_t i = 0; rc == 0 && i < n; i += run) {
			run = run_of(&c->candidate[i], n - i);
			rc = take(c, &c->candidate[i], run, e);
		}
	}
	return rc;
}

/* Whether the lease is still there: what is over may be another's already. */
static int lease_held(struct store *s, const struct lease *l, int64_t now, struct err *e)
{
	int64_t until;
	int rc = db_int(s, "SELECT until FROM leases WHERE id = ?1", VALS(INT(l->id)), &until, e);

	if (rc == 0 || (rc == 1 && until <= now))
		return err_set(e, ERR_DENIED, "the lease is over: this worker stops");
	return rc < 0 ? -1 : 0;
}

int ledger_claim(struct store *s, const struct lease *l, int64_t now,
	const struct lane_share *share, size_t share_n, struct arena *a, struct claim **out,
	size_t *n, struct err *e)
{
	struct claiming c = {.s = s, .lease = l, .now = now, .a = a};
	struct arena scratch = {0};
	size_t all = 0, largest = 0;
	bool own;
	int rc;

	*n = 0;
	if (tx_open(s, &own, e) < 0)
		return -1;
	for (size_t i = 0; i < share_n; i++) {
		all += share[i].limit;
		largest = share[i].limit > largest ? share[i].limit : largest;
	}
	*out = c.claim = arena_array(a, all, sizeof *c.claim);
	c.candidate = arena_array(&scratch, largest, sizeof *c.candidate);
	rc = lease_held(s, l, now, e);
	for (size_t i = 0; rc == 0 && i < share_n; i++) {
		c.lane = share[i].lane;
		c.limit = share[i].limit;
		rc = claim_lane(&c, e);
	}
	arena_free(&scratch);
	rc = tx_close(s, own, rc, e);
	if (rc == 0)
		*n = c.n;
	return rc;
}
