/* SPDX-License-Identifier: MIT */
#include "segment.h"

/* Who is in the sets of segments. */

#define PEOPLE                                                                                     \
	"SELECT subscribers.id, coalesce(email, email_key), first_name, last_name,"                \
	" coalesce(attributes, '{}'), subscribers.created_at"

static int each_row(struct store *s, sqlite3_stmt *st,
	bool (*each)(void *user, const struct subscriber *person), void *user, struct err *e)
{
	int rc;

	while ((rc = db_row(s, st, e)) == 1) {
		const struct subscriber person = {
			.id = sqlite3_column_int64(st, 0),
			.email = db_text(st, 1),
			.first_name = db_text(st, 2),
			.last_name = db_text(st, 3),
			.attributes = db_text(st, 4),
			.created_at = sqlite3_column_int64(st, 5),
		};

		if (!each(user, &person))
			break;
	}
	db_end(st);
	return rc < 0 ? -1 : 0;
}

int segment_each(struct store *s, enum segment_set set, size_t limit,
	bool (*each)(void *user, const struct subscriber *person), void *user, struct err *e)
{
	sqlite3_stmt *st;

	if (db_query(s,
		    PEOPLE
		    " FROM temp.segments AS g CROSS JOIN subscribers ON subscribers.id = g.id"
		    " WHERE g.n = ?1 ORDER BY g.id LIMIT ?2",
		    VALS(INT(set), INT((int64_t)limit)), &st, e) < 0)
		return -1;
	return each_row(s, st, each, user, e);
}

int audience_count(struct store *s, int64_t list, int64_t at, struct audience *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	*out = (struct audience){0};
	if (db_query(s,
		    "SELECT sum(first AND second), sum(first AND NOT second),"
		    " sum(second AND NOT first) FROM (SELECT " IN_SET(
			    0, "subscriber_id") " AS first,"
						" " IN_SET(1, "subscriber_id") " AS second" AUDIENCE
									       ")",
		    VALS(INT(list), INT(0), INT(at)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 1) {
		out->both = sqlite3_column_int64(st, 0);
		out->first = sqlite3_column_int64(st, 1);
		out->second = sqlite3_column_int64(st, 2);
	}
	db_end(st);
	return rc < 0 ? -1 : 0;
}

int audience_sample(struct store *s, int64_t list, int64_t at, size_t limit,
	bool (*each)(void *user, const struct subscriber *person), void *user, struct err *e)
{
	sqlite3_stmt *st;

	/* Fibonacci's multiplier spreads the numbers. */
	if (db_query(s,
		    PEOPLE AUDIENCE IN_SEGMENT
		    " ORDER BY subscriber_id * 2654435769 % 4294967296 LIMIT ?2",
		    VALS(INT(list), INT((int64_t)limit), INT(at)), &st, e) < 0)
		return -1;
	return each_row(s, st, each, user, e);
}
