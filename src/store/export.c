/* SPDX-License-Identifier: MIT */
#include "store/export.h"

#include "segment.h"

#define ASKED                                                                                      \
	" WHERE p.list_id = ?1 AND ?2 IN (-1, p.status) AND"                                       \
	" (NOT ?3 OR s.id IN (SELECT id FROM temp.segments WHERE n = 0))"
#define ASKED_VALS(q) VALS(INT((q)->list), INT((q)->status), INT((q)->segment))

static int give_fields(struct store *s, const struct export_query *q,
	int (*fields)(void *user, const struct export_field *field, size_t n, struct err *e),
	void *user, struct err *e)
{
	struct export_field *field;
	struct arena a = {0};
	int64_t most = 0;
	sqlite3_stmt *st;
	size_t n = 0;
	int rc = -1;

	if (db_int(s, "SELECT count(*) FROM fields", NULL, &most, e) < 0 ||
		db_query(s,
			"SELECT key, min(type = 'text' AND atom <> ''"
			" AND atom = trim(atom, char(9, 10, 11, 12, 13, 32)))"
			" FROM subscriptions AS p CROSS JOIN subscribers AS s ON s.id ="
			" p.subscriber_id CROSS JOIN json_each(s.attributes)" ASKED
			" GROUP BY key ORDER BY key",
			ASKED_VALS(q), &st, e) < 0)
		goto out;
	field = arena_array(&a, (size_t)most + 1, sizeof *field);
	while ((rc = db_row(s, st, e)) == 1) {
		if (n == (size_t)most) {
			rc = err_set(e, ERR_BUG, "a subscriber has an attribute that is no field");
			break;
		}
		field[n++] = (struct export_field){db_copy(st, 0, &a), sqlite3_column_int(st, 1)};
	}
	db_end(st);
	if (rc == 0)
		rc = fields(user, field, n, e);
out:
	arena_free(&a);
	return rc;
}

static int give_row(struct store *s, sqlite3_stmt *st, struct arena *a,
	int (*row)(void *user, const struct export_row *row, struct err *e), void *user,
	struct err *e)
{
	struct export_row r = {
		.person =
			{
				.id = sqlite3_column_int64(st, 0),
				.email = db_text(st, 1),
				.first_name = db_text(st, 2),
				.last_name = db_text(st, 3),
				.attributes = db_text(st, 4),
				.created_at = sqlite3_column_int64(st, 5),
			},
		.status = (enum subscription_status)sqlite3_column_int(st, 6),
	};
	int64_t at;

	arena_reset(a);
	if (sqlite3_column_int(st, 7) &&
		suppression_get(s, db_text(st, 8), a, &r.suppressed, &at, e) < 0)
		return -1;
	return row(user, &r, e);
}

static int give_rows(struct store *s, const struct export_query *q,
	int (*row)(void *user, const struct export_row *row, struct err *e), void *user,
	struct err *e)
{
	struct arena a = {0};
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT s.id, coalesce(email, email_key), first_name, last_name,"
		    " coalesce(attributes, '{}'), created_at, p.status, suppressed, email_key"
		    " FROM subscriptions AS p CROSS JOIN subscribers AS s ON s.id ="
		    " p.subscriber_id" ASKED " ORDER BY p.subscriber_id",
		    ASKED_VALS(q), &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1)
		if (give_row(s, st, &a, row, user, e) < 0) {
			rc = -1;
			break;
		}
	db_end(st);
	arena_free(&a);
	return rc;
}

int export_people(struct store *s, const struct export_query *query,
	int (*fields)(void *user, const struct export_field *field, size_t n, struct err *e),
	int (*row)(void *user, const struct export_row *row, struct err *e), void *user,
	struct err *e)
{
	int rc;

	/* A reader's transaction: one moment, and no lock that others wait for. */
	if (db_run(s, "BEGIN", NULL, e) < 0)
		return -1;
	rc = give_fields(s, query, fields, user, e);
	if (rc == 0)
		rc = give_rows(s, query, row, user, e);
	db_run(s, "END", NULL, NULL);
	return rc;
}
