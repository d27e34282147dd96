/* SPDX-License-Identifier: MIT */
#include "db.h"

/* What the ledger tells about one reader, and about the copies that failed. */

static int attempts_of(struct store *s, int64_t issue, int64_t subscriber, struct arena *a,
	struct delivery *out, struct err *e)
{
	int64_t count = 0;
	sqlite3_stmt *st;
	int rc;

	if (db_int(s, "SELECT count(*) FROM attempts WHERE issue_id = ?1 AND subscriber_id = ?2",
		    VALS(INT(issue), INT(subscriber)), &count, e) < 0 ||
		db_query(s,
			"SELECT at, coalesce(name, ''), phase, code, status, text, took_ms, state,"
			" coalesce(due_at, 0)"
			" FROM attempts LEFT JOIN relays ON relays.id = relay_id"
			" WHERE issue_id = ?1 AND subscriber_id = ?2 ORDER BY n LIMIT ?3",
			VALS(INT(issue), INT(subscriber), INT(count)), &st, e) < 0)
		return -1;
	out->attempt = arena_array(a, (size_t)count + 1, sizeof *out->attempt);
	while ((rc = db_row(s, st, e)) == 1)
		out->attempt[out->attempt_n++] = (struct attempt){
			.issue = issue,
			.subscriber = subscriber,
			.at = sqlite3_column_int64(st, 0),
			.relay = db_copy(st, 1, a),
			.phase = (enum smtp_phase)sqlite3_column_int(st, 2),
			.code = sqlite3_column_int(st, 3),
			.status = db_copy(st, 4, a),
			.text = db_copy(st, 5, a),
			.took_ms = sqlite3_column_int64(st, 6),
			.state = (enum delivery_state)sqlite3_column_int(st, 7),
			.due_at = sqlite3_column_int64(st, 8),
		};
	return rc;
}

int subscriber_deliveries(struct store *s, int64_t subscriber, int64_t issue, struct arena *a,
	struct delivery **out, size_t *n, struct err *e)
{
	int64_t count = 0;
	sqlite3_stmt *st;
	int rc;

	*n = 0;
	if (db_int(s, "SELECT count(*) FROM issues", NULL, &count, e) < 0 ||
		db_query(s,
			"SELECT issues.id, slug, subject, d.state, d.due_at,"
			" coalesce(settled_at, 0), coalesce(reason, 0), lane"
			" FROM issues JOIN deliveries AS d ON issue_id = issues.id"
			" WHERE subscriber_id = ?1 AND ?2 IN (0, issues.id)"
			" ORDER BY issues.id DESC LIMIT ?3",
			VALS(INT(subscriber), INT(issue), INT(count)), &st, e) < 0)
		return -1;
	*out = arena_array(a, (size_t)count + 1, sizeof **out);
	while ((rc = db_row(s, st, e)) == 1)
		(*out)[(*n)++] = (struct delivery){
			.issue = sqlite3_column_int64(st, 0),
			.issue_slug = db_copy(st, 1, a),
			.issue_subject = db_copy(st, 2, a),
			.state = (enum delivery_state)sqlite3_column_int(st, 3),
			.due_at = sqlite3_column_int64(st, 4),
			.settled_at = sqlite3_column_int64(st, 5),
			.skip_reason = str_of(skip_reason_name(sqlite3_column_int64(st, 6))),
			.lane = sqlite3_column_int64(st, 7),
		};
	for (size_t i = 0; rc == 0 && i < *n; i++)
		rc = lane_name(s, (*out)[i].lane, a, &(*out)[i].lane_name, e) < 0
			     ? -1
			     : attempts_of(s, (*out)[i].issue, subscriber, a, &(*out)[i], e);
	return rc;
}

int issue_failed_each(struct store *s, int64_t issue,
	bool (*each)(void *user, const struct failed_copy *copy), void *user, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT coalesce(email, email_key, ''), d.state, coalesce(settled_at, a.at, 0),"
		    " d.attempts, coalesce(phase, 0), coalesce(code, 0), coalesce(a.status, ''),"
		    " coalesce(text, '') FROM deliveries AS d"
		    " LEFT JOIN subscribers ON id = d.subscriber_id LEFT JOIN attempts AS a"
		    "  ON a.issue_id = d.issue_id AND a.subscriber_id = d.subscriber_id AND n ="
		    "  (SELECT max(n) FROM attempts WHERE issue_id = d.issue_id"
		    "   AND subscriber_id = d.subscriber_id)"
		    " WHERE d.issue_id = ?1 AND d.state IN (6, 7, 10, 11)",
		    VALS(INT(issue)), &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		const struct failed_copy copy = {
			.email = db_text(st, 0),
			.state = (enum delivery_state)sqlite3_column_int(st, 1),
			.at = sqlite3_column_int64(st, 2),
			.attempts = sqlite3_column_int(st, 3),
			.phase = (enum smtp_phase)sqlite3_column_int(st, 4),
			.code = sqlite3_column_int(st, 5),
			.status = db_text(st, 6),
			.text = db_text(st, 7),
		};

		if (!each(user, &copy))
			break;
	}
	db_end(st);
	return rc < 0 ? -1 : 0;
}
