/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "db.h"
#include "store/pages.h"

#include <stdio.h>

/* What readers choose for themselves. */

int choices_get(struct store *s, int64_t subscriber, struct arena *a, struct choice **out,
	size_t *n, struct err *e)
{
	int64_t count = 0;
	sqlite3_stmt *st;
	int rc;

	*n = 0;
	if (db_int(s, "SELECT count(*) FROM lists", NULL, &count, e) < 0 ||
		db_query(s,
			"SELECT id, slug, name, coalesce(status, -1) FROM lists"
			" LEFT JOIN subscriptions ON list_id = id AND subscriber_id = ?1"
			" WHERE public OR status IS NOT NULL ORDER BY name, id LIMIT ?2",
			VALS(INT(subscriber), INT(count)), &st, e) < 0)
		return -1;
	*out = arena_array(a, (size_t)count + 1, sizeof **out);
	while ((rc = db_row(s, st, e)) == 1)
		(*out)[(*n)++] = (struct choice){
			.list = sqlite3_column_int64(st, 0),
			.slug = db_copy(st, 1, a),
			.name = db_copy(st, 2, a),
			.status = sqlite3_column_int(st, 3),
		};
	return rc;
}

int subscriber_pause_get(
	struct store *s, int64_t subscriber, int64_t *until, bool *suppressed, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	*until = 0;
	*suppressed = false;
	if (db_query(s,
		    "SELECT coalesce(paused_until, 0), suppressed FROM subscribers WHERE id = ?1",
		    VALS(INT(subscriber)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 1) {
		*until = sqlite3_column_int64(st, 0);
		*suppressed = sqlite3_column_int(st, 1) != 0;
		db_end(st);
	}
	return rc < 0 ? -1 : 0;
}

int subscriber_pause(struct store *s, int64_t subscriber, int64_t until, int64_t now, struct err *e)
{
	char detail[64] = "ended", at[CLOCK_ISO_SIZE];
	bool own;
	int rc;

	if (until)
		snprintf(detail, sizeof detail, "until %s", clock_iso(until, at));
	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = db_run(s, "UPDATE subscribers SET paused_until = ?2 WHERE id = ?1",
		VALS(INT(subscriber), INT_OR_NULL(until)), e);
	if (rc == 0)
		rc = store_event(s, now, "pause", subscriber, str_of(detail), e);
	return tx_close(s, own, rc, e);
}

int subscriber_rename(
	struct store *s, int64_t subscriber, struct str first, struct str last, struct err *e)
{
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = db_run(s, "UPDATE subscribers SET first_name = ?2, last_name = ?3 WHERE id = ?1",
		VALS(INT(subscriber), TEXT(first), TEXT(last)), e);
	return tx_close(s, own, rc, e);
}
