/* SPDX-License-Identifier: MIT */
#include "db.h"

#include <stdio.h>

/* Giving up what no relay would take. */

static int expire(
	struct store *s, int64_t issue, struct str why, int64_t now, int64_t *rows, struct err *e)
{
	char detail[96];
	int64_t n = 0;

	if (db_run(s,
		    "INSERT INTO attempts (issue_id, subscriber_id, n, at, relay_id, phase, code,"
		    " state, took_ms, due_at, status, text) SELECT issue_id, subscriber_id,"
		    " (SELECT coalesce(max(n), 0) + 1 FROM attempts AS a"
		    "  WHERE a.issue_id = d.issue_id AND a.subscriber_id = d.subscriber_id),"
		    " ?2, NULL, ?3, 0, 7, 0, NULL, '', ?4 FROM deliveries AS d"
		    " WHERE issue_id = ?1 AND state IN (0, 3)",
		    VALS(INT(issue), INT(now), INT(PHASE_CONNECT), TEXT(why)), e) < 0 ||
		lanes_end(s, issue, DELIVERY_QUEUED, DELIVERY_EXPIRED, now, &n, e) < 0 ||
		lanes_end(s, issue, DELIVERY_DEFERRED, DELIVERY_EXPIRED, now, &n, e) < 0)
		return -1;
	*rows += n;
	snprintf(detail, sizeof detail, "issue %lld: %lld copies, no relay takes mail",
		(long long)issue, (long long)n);
	return store_event(s, now, "expire", 0, str_of(detail), e);
}

int ledger_expire(
	struct store *s, int64_t before, struct str why, int64_t now, int64_t *rows, struct err *e)
{
	int64_t issue = 0;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = counts_flush(s, e);
	/* Notices come in all day long: each expires by its own tries. */
	while (rc == 0 &&
		(rc = db_int(s,
			 "SELECT min(id) FROM issues JOIN issue_care AS k ON k.issue_id = id"
			 " WHERE id > ?1 AND state = 1 AND due_last < ?2 AND word_at < ?2"
			 " AND id NOT IN (SELECT issue_id FROM notices)"
			 " AND EXISTS (SELECT 1 FROM issue_counts AS c"
			 "  WHERE c.issue_id = id AND c.state IN (0, 3) AND n > 0)",
			 VALS(INT(issue), INT(before)), &issue, e)) == 1)
		rc = expire(s, issue, why, now, rows, e);
	return tx_close(s, own, rc, e);
}
