/* SPDX-License-Identifier: MIT */
#include "db.h"

#include <stdio.h>

/* What becomes of copies in doubt by the operator's word. */
static const struct {
	enum delivery_state to;
	const char *text;
} words[RESOLVE_N] = {
	[RESOLVE_SENT] = {DELIVERY_SENT, "resolved by hand: it arrived"},
	[RESOLVE_FAILED] = {DELIVERY_FAILED,
		"resolved by hand: it did not arrive and stays unsent"},
	[RESOLVE_RESEND] = {DELIVERY_QUEUED, "resolved by hand: to be sent again"},
};

static int resolve_row(struct store *s, int64_t issue, int64_t subscriber, enum resolve_as as,
	int64_t now, struct err *e)
{
	const struct attempt told = {
		.issue = issue,
		.subscriber = subscriber,
		.at = now,
		.phase = PHASE_DOT,
		.state = words[as].to,
		.text = str_of(words[as].text),
	};

	/* By the operator's word any relay may take it. */
	if (attempt_add(s, &told, e) < 0 ||
		(as == RESOLVE_RESEND && db_run(s,
						 "UPDATE deliveries SET relay_id = NULL"
						 " WHERE issue_id = ?1 AND subscriber_id = ?2",
						 VALS(INT(issue), INT(subscriber)), e) < 0))
		return -1;
	return row_rest(
		s, issue, subscriber, DELIVERY_IN_DOUBT, words[as].to, now, SKIP_NONE, now, e);
}

/* The rows in doubt, one after the other: each leaves the state by which it is found. */
static int resolve_rows(struct store *s, int64_t issue, int64_t subscriber, enum resolve_as as,
	int64_t now, int64_t *rows, struct err *e)
{
	int64_t found, after = 0;
	int rc;

	while ((rc = db_int(s,
			"SELECT subscriber_id FROM deliveries WHERE issue_id = ?1 AND state = 4"
			" AND subscriber_id > ?3 AND ?2 IN (0, subscriber_id)"
			" ORDER BY subscriber_id LIMIT 1",
			VALS(INT(issue), INT(subscriber), INT(after)), &found, e)) == 1) {
		if (resolve_row(s, issue, found, as, now, e) < 0)
			return -1;
		after = found;
		++*rows;
	}
	return rc;
}

/* An issue that was done has copies to send again. */
static int reopen(struct store *s, int64_t issue, struct err *e)
{
	int64_t state;

	if (db_int(s, "SELECT state FROM issues WHERE id = ?1", VALS(INT(issue)), &state, e) < 0)
		return -1;
	if (state == ISSUE_CANCELLED)
		return err_set(e, ERR_DENIED,
			"issue %lld is cancelled: nothing of it can be sent again",
			(long long)issue);
	return db_run(s, "UPDATE issues SET state = 1, done_at = NULL WHERE id = ?1 AND state = 3",
		VALS(INT(issue)), e);
}

int issue_resolve(struct store *s, int64_t issue, int64_t subscriber, enum resolve_as as,
	int64_t now, int64_t *rows, struct err *e)
{
	char detail[128];
	bool own;
	int rc;

	*rows = 0;
	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = resolve_rows(s, issue, subscriber, as, now, rows, e);
	if (rc == 0 && *rows && as == RESOLVE_RESEND)
		rc = reopen(s, issue, e);
	if (rc == 0 && *rows) {
		snprintf(detail, sizeof detail, "issue %lld: %lld in doubt %s", (long long)issue,
			(long long)*rows, words[as].text);
		rc = store_event(s, now, "resolve", subscriber, str_of(detail), e);
	}
	return tx_close(s, own, rc, e);
}
