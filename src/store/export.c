/* SPDX-License-Identifier: MIT */
#include "store/export.h"

#include "segment.h"

#define ASKED                                                                                      \
	" WHERE p.list_id = ?1 AND ?2 IN (-1, p.status) AND"                                       \
	" (NOT ?3 OR " IN_SET(0, "s.id") ")"
#define ASKED_VALS(q) VALS(INT((q)->list), INT((q)->status), INT((q)->segment))

/* The place of `key` among the sorted names; `n` where it is none of them. */
static size_t place_of(const char *const *names, size_t n, struct str key)
{
	size_t from = 0, to = n;

	while (from < to) {
		size_t middle = (from + to) / 2;
		int order = str_cmp(str_of(names[middle]), key);

		if (order == 0)
			return middle;
		*(order < 0 ? &from : &to) = order < 0 ? middle + 1 : middle;
	}
	return n;
}

/* Which of the names are in use, and how; one pass over the attributes, in room that does not grow. */
static int read_fields(struct store *s, const struct export_query *q, const char *const *names,
	size_t n, bool *used, struct export_field *field, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT key, type = 'text' AND atom <> ''"
		    " AND atom = trim(atom, char(9, 10, 11, 12, 13, 32))"
		    " FROM subscriptions AS p CROSS JOIN subscribers AS s ON s.id ="
		    " p.subscriber_id CROSS JOIN json_each(s.attributes)" ASKED,
		    ASKED_VALS(q), &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		size_t at = place_of(names, n, db_text(st, 0));

		if (at == n) {
			rc = err_set(e, ERR_BUG, "an attribute '%.*s' is no known field",
				STR_ARG(db_text(st, 0)));
			break;
		}
		used[at] = true;
		field[at].plain &= sqlite3_column_int(st, 1) != 0;
	}
	db_end(st);
	return rc;
}

static int give_fields(struct store *s, const struct export_query *q,
	int (*fields)(void *user, const struct export_field *field, size_t n, struct err *e),
	void *user, struct err *e)
{
	struct export_field *field;
	const char **names;
	struct arena a = {0};
	size_t n, kept = 0;
	bool *used;
	int rc = -1;

	if (fields_get(s, &a, &names, &n, e) < 0)
		goto out;
	field = arena_array(&a, n + 1, sizeof *field);
	used = arena_array(&a, n + 1, sizeof *used);
	for (size_t i = 0; i < n; i++) {
		field[i] = (struct export_field){str_of(names[i]), true};
		used[i] = false;
	}
	rc = read_fields(s, q, names, n, used, field, e);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (used[i])
			field[kept++] = field[i];
	if (rc == 0)
		rc = fields(user, field, kept, e);
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
