/* SPDX-License-Identifier: MIT */
#include "db.h"

#include <stdio.h>
#include <string.h>

int relay_id(struct store *s, struct str name, int64_t *id, struct err *e)
{
	int rc;

	for (size_t i = 0; i < DB_RELAYS; i++)
		if (s->relay[i].id && str_eq(name, str_of(s->relay[i].name))) {
			*id = s->relay[i].id;
			return 0;
		}
	rc = db_int(s, "SELECT id FROM relays WHERE name = ?1", VALS(TEXT(name)), id, e);
	if (rc < 0)
		return -1;
	if (rc == 0) {
		if (db_run(s,
			    "INSERT INTO relays (name, paused_until, failures, reason)"
			    " VALUES (?1, 0, 0, '')",
			    VALS(TEXT(name)), e) < 0)
			return -1;
		*id = sqlite3_last_insert_rowid(s->db);
	}
	if (name.n < sizeof s->relay[0].name) {
		size_t at = s->relay_at++ % DB_RELAYS;

		snprintf(s->relay[at].name, sizeof s->relay[at].name, "%.*s", STR_ARG(name));
		s->relay[at].id = *id;
	}
	return 0;
}

int relay_state(
	struct store *s, struct str relay, struct arena *a, struct relay_state *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	*out = (struct relay_state){0};
	if (db_query(s, "SELECT paused_until, failures, reason FROM relays WHERE name = ?1",
		    VALS(TEXT(relay)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 1) {
		out->until = sqlite3_column_int64(st, 0);
		out->failures = sqlite3_column_int(st, 1);
		out->reason = db_copy(st, 2, a);
		db_end(st);
	}
	return rc < 0 ? -1 : 0;
}
