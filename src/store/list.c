/* SPDX-License-Identifier: MIT */
#include "db.h"
#include "store/people.h"

#include <string.h>

enum { LISTS_MAX = 1000 }; /* looked at for a near slug */

int list_add(struct store *s, struct list *list, int64_t now, struct err *e)
{
	int64_t taken;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = db_int(s, "SELECT id FROM lists WHERE slug = ?1", VALS(TEXT(list->slug)), &taken, e);
	if (rc == 1)
		rc = err_set(e, ERR_EXISTS, "there is a list '%.*s' already", STR_ARG(list->slug));
	if (rc == 0)
		rc = db_run(s,
			"INSERT INTO lists"
			" (slug, name, \"from\", reply_to, theme, double_opt_in, created_at, "
			"public, clicks, welcome, goodbye)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
			VALS(TEXT(list->slug), TEXT(list->name), TEXT(list->from),
				TEXT(list->reply_to), TEXT(list->theme), INT(list->double_opt_in),
				INT(now), INT(list->public), INT(list->clicks), INT(list->welcome),
				INT(list->goodbye)),
			e);
	if (rc == 0)
		list->id = sqlite3_last_insert_rowid(s->db);
	return tx_close(s, own, rc, e);
}

int list_update(struct store *s, const struct list *list, struct err *e)
{
	int64_t changed;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = db_change(s,
		"UPDATE lists SET name = ?2, \"from\" = ?3, reply_to = ?4, theme = ?5,"
		" double_opt_in = ?6, public = ?7, clicks = ?8, welcome = ?9, goodbye = ?10 WHERE "
		"id = ?1",
		VALS(INT(list->id), TEXT(list->name), TEXT(list->from), TEXT(list->reply_to),
			TEXT(list->theme), INT(list->double_opt_in), INT(list->public),
			INT(list->clicks), INT(list->welcome), INT(list->goodbye)),
		&changed, e);
	if (rc == 0 && changed == 0)
		rc = err_set(e, ERR_MISSING, "there is no list number %lld", (long long)list->id);
	return tx_close(s, own, rc, e);
}

/* ---- reading ---- */

#define LIST_COLUMNS                                                                               \
	"SELECT id, slug, name, \"from\", reply_to, theme, double_opt_in,"                         \
	" (SELECT count(*) FROM subscriptions WHERE list_id = lists.id AND status = 1), public, "  \
	"clicks"                                                                                   \
	" FROM lists"

static void list_row(sqlite3_stmt *st, struct list *out)
{
	*out = (struct list){
		.id = sqlite3_column_int64(st, 0),
		.slug = db_text(st, 1),
		.name = db_text(st, 2),
		.from = db_text(st, 3),
		.reply_to = db_text(st, 4),
		.theme = db_text(st, 5),
		.double_opt_in = sqlite3_column_int(st, 6) != 0,
		.subscribed = sqlite3_column_int64(st, 7),
		.public = sqlite3_column_int(st, 8) != 0,
		.clicks = sqlite3_column_int(st, 9) != 0,
		.welcome = sqlite3_column_int(st, 10) != 0,
		.goodbye = sqlite3_column_int(st, 11) != 0,
	};
}

static int missing(struct store *s, struct str slug, struct err *e)
{
	const char *name[LISTS_MAX];
	struct arena a = {0};
	sqlite3_stmt *st;
	const char *near;
	size_t n = 0;
	int rc;

	if (db_query(s, "SELECT slug FROM lists ORDER BY slug", NULL, &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1 && n < LISTS_MAX)
		name[n++] = arena_cstr(&a, db_text(st, 0));
	db_end(st);
	near = str_nearest(slug, name, n);
	if (rc >= 0 && near)
		err_set(e, ERR_MISSING, "there is no list '%.*s'; did you mean '%s'?",
			STR_ARG(slug), near);
	else if (rc >= 0)
		err_set(e, ERR_MISSING,
			"there is no list '%.*s': add it with 'lettermill list add'",
			STR_ARG(slug));
	arena_free(&a);
	return -1;
}

int list_get(struct store *s, struct str slug, struct arena *a, struct list *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s, LIST_COLUMNS " WHERE slug = ?1", VALS(TEXT(slug)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc < 0 ? -1 : missing(s, slug, e);
	list_row(st, out);
	out->slug = arena_str(a, out->slug);
	out->name = arena_str(a, out->name);
	out->from = arena_str(a, out->from);
	out->reply_to = arena_str(a, out->reply_to);
	out->theme = arena_str(a, out->theme);
	db_end(st);
	return 0;
}

int list_lacking(struct store *s, int64_t list, struct str name, int64_t *n, struct err *e)
{
#define ON_LIST                                                                                    \
	"SELECT count(*) FROM subscriptions JOIN subscribers ON subscribers.id = subscriber_id"    \
	" WHERE list_id = ?1 AND status = 1 AND "
	static const struct {
		const char *name, *sql;
	} columns[] = {
		{"subscriber.first_name", ON_LIST "first_name = ''"},
		{"subscriber.last_name", ON_LIST "last_name = ''"},
		{"subscriber.name", ON_LIST "first_name = '' AND last_name = ''"},
	};
	const size_t prefix = STR("subscriber.").n;

	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
		if (str_eq(name, str_of(columns[i].name)))
			return db_int(s, columns[i].sql, VALS(INT(list)), n, e) < 0 ? -1 : 0;
	return db_int(s, ON_LIST "ifnull(json_extract(attributes, '$.\"' || ?2 || '\"'), '') = ''",
		       VALS(INT(list), TEXT(str_slice(name, prefix, name.n))), n, e) < 0
		       ? -1
		       : 0;
#undef ON_LIST
}

int list_each(struct store *s, bool (*each)(void *user, const struct list *list), void *user,
	struct err *e)
{
	sqlite3_stmt *st;
	struct list list;
	int rc;

	if (db_query(s, LIST_COLUMNS " ORDER BY slug", NULL, &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		list_row(st, &list);
		if (!each(user, &list))
			break;
	}
	db_end(st);
	return rc < 0 ? -1 : 0;
}
