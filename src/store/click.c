/* SPDX-License-Identifier: MIT */
#include "db.h"
#include "store/pages.h"

/* Who followed the links of an issue. */

int click_look(struct store *s, const struct click *c, struct arena *a, struct str *url,
	bool *counts, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT url, clicks FROM links JOIN issues ON issues.id = issue_id"
		    " JOIN lists ON lists.id = list_id WHERE issue_id = ?1 AND n = ?2",
		    VALS(INT(c->issue), INT(c->n)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 1) {
		*url = db_copy(st, 0, a);
		*counts = sqlite3_column_int(st, 1) != 0;
		db_end(st);
	}
	return rc;
}

/* Whether the copy had hardly arrived: filters follow every link before they let a mail pass. */
static int hardly_arrived(struct store *s, const struct click *c, int64_t now, struct err *e)
{
	int64_t at;

	return db_int(s,
		"SELECT settled_at FROM deliveries WHERE issue_id = ?1 AND subscriber_id = ?2"
		" AND settled_at > ?3",
		VALS(INT(c->issue), INT(c->subscriber), INT(now - CLICK_MOMENT)), &at, e);
}

int click_put(struct store *s, const struct click *c, int64_t now, struct err *e)
{
	int64_t many = 0;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = c->robot ? 1 : hardly_arrived(s, c, now, e);
	if (rc >= 0)
		rc = db_run(s,
			"INSERT INTO clicks (issue_id, n, subscriber_id, at, robot)"
			" SELECT ?1, ?2, id, ?4, ?5 FROM subscribers WHERE id = ?3"
			" ON CONFLICT DO UPDATE SET at = ?4, robot = min(robot, ?5)",
			VALS(INT(c->issue), INT(c->n), INT(c->subscriber), INT(now), INT(rc > 0)),
			e);
	if (rc == 0)
		rc = db_int(s,
			"SELECT count(*) FROM clicks"
			" WHERE issue_id = ?1 AND subscriber_id = ?2 AND at > ?3",
			VALS(INT(c->issue), INT(c->subscriber), INT(now - CLICK_MOMENT)), &many, e);
	if (rc >= 0)
		rc = many < CLICK_MANY
			     ? 0
			     : db_run(s,
				       "UPDATE clicks SET robot = 1"
				       " WHERE issue_id = ?1 AND subscriber_id = ?2 AND at > ?3",
				       VALS(INT(c->issue), INT(c->subscriber),
					       INT(now - CLICK_MOMENT)),
				       e);
	return tx_close(s, own, rc, e);
}

int issue_clicks(struct store *s, int64_t issue, struct arena *a, struct link_clicks **out,
	size_t *n, struct err *e)
{
	int64_t count = 0;
	sqlite3_stmt *st;
	int rc;

	*n = 0;
	if (db_int(s, "SELECT count(*) FROM links WHERE issue_id = ?1", VALS(INT(issue)), &count,
		    e) < 0 ||
		db_query(s,
			"SELECT url, coalesce(sum(robot = 0), 0), coalesce(sum(robot), 0)"
			" FROM links LEFT JOIN clicks USING (issue_id, n)"
			" WHERE issue_id = ?1 GROUP BY n ORDER BY n LIMIT ?2",
			VALS(INT(issue), INT(count)), &st, e) < 0)
		return -1;
	*out = arena_array(a, (size_t)count + 1, sizeof **out);
	while ((rc = db_row(s, st, e)) == 1)
		(*out)[(*n)++] = (struct link_clicks){
			.url = db_copy(st, 0, a),
			.readers = sqlite3_column_int64(st, 1),
			.robots = sqlite3_column_int64(st, 2),
		};
	return rc;
}

#define OF_READER                                                                                  \
	" FROM issues JOIN clicks ON issue_id = issues.id AND subscriber_id = ?1 AND robot = 0"

int reader_clicks(struct store *s, int64_t subscriber, struct arena *a, struct reader_click **out,
	size_t *n, struct err *e)
{
	int64_t count = 0;
	sqlite3_stmt *st;
	int rc;

	*n = 0;
	if (db_int(s, "SELECT count(*)" OF_READER, VALS(INT(subscriber)), &count, e) < 0 ||
		db_query(s,
			"SELECT slug, url, at" OF_READER
			" JOIN links USING (issue_id, n) ORDER BY at DESC LIMIT ?2",
			VALS(INT(subscriber), INT(count)), &st, e) < 0)
		return -1;
	*out = arena_array(a, (size_t)count + 1, sizeof **out);
	while ((rc = db_row(s, st, e)) == 1)
		(*out)[(*n)++] = (struct reader_click){
			.issue = db_copy(st, 0, a),
			.url = db_copy(st, 1, a),
			.at = sqlite3_column_int64(st, 2),
		};
	return rc;
}
