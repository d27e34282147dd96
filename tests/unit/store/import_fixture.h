/* SPDX-License-Identifier: MIT */
#ifndef IMPORT_FIXTURE_H
#define IMPORT_FIXTURE_H

#include "store/import.h"

#include "fixture.h"

/* A fixture with what tests of imports share. */

static struct import_row row(const char *key, const char *first, const char *attributes,
	enum subscription_status status, uint64_t line)
{
	return (struct import_row){.key = str_of(key),
		.email = str_of(key),
		.first_name = str_of(first),
		.attributes = str_of(attributes),
		.status = status,
		.line = line};
}

#define ACTIVE SUBSCRIPTION_ACTIVE
#define ROWS(...)                                                                                  \
	(struct import_row[]){__VA_ARGS__},                                                        \
		sizeof((struct import_row[]){__VA_ARGS__}) / sizeof(struct import_row)

static inline struct import *begin(struct fixture *f, int64_t now)
{
	const struct import_start start = {.list = f->list, .file = STR("people.csv"), .now = now};
	struct import *i;

	OK(f, import_begin(f->s, &start, &i, &f->e));
	return i;
}

/* A file of one batch, or the next one of several. */
static inline void add_sorted(struct fixture *f, struct import *i, struct import_sorter *sorter,
	struct import_row *rows, size_t n)
{
	OK(f, import_sort(sorter, rows, &n, &f->a, &f->e));
	OK(f, import_batch(i, rows, n, &f->e));
}

static inline void add(struct fixture *f, struct import *i, struct import_row *rows, size_t n)
{
	struct import_sorter *sorter = import_sorter_new();

	add_sorted(f, i, sorter, rows, n);
	import_sorter_free(sorter);
}

static inline struct import_counts import(
	struct fixture *f, const struct import_row *rows, size_t n, int64_t now)
{
	struct import_row copy[16];
	struct import_counts counts;
	struct import *i;
	int64_t id;

	assert_true(n <= 16);
	memcpy(copy, rows, n * sizeof *rows);
	i = begin(f, now);
	add(f, i, copy, n);
	OK(f, import_commit(i, STR(""), STR(""), &id, &counts, &f->e));
	assert_int_equal(counts.rows, n);
	assert_int_equal(counts.added + counts.updated + counts.unchanged + counts.suppressed, n);
	assert_sound(f);
	return counts;
}

static inline void assert_counts(struct import_counts c, int64_t added, int64_t updated,
	int64_t unchanged, int64_t suppressed)
{
	assert_int_equal(c.added, added);
	assert_int_equal(c.updated, updated);
	assert_int_equal(c.unchanged, unchanged);
	assert_int_equal(c.suppressed, suppressed);
}

static inline struct subscriber person(struct fixture *f, const char *key)
{
	struct subscriber p;

	OK(f, subscriber_get(f->s, str_of(key), &f->a, &p, &f->e));
	return p;
}

static inline struct subscription subscription(struct fixture *f, const char *key)
{
	struct subscription *s;
	size_t n;

	OK(f, subscriber_subscriptions(f->s, person(f, key).id, &f->a, &s, &n, &f->e));
	assert_int_equal(n, 1);
	return s[0];
}

/* All that an undo has to restore, as one text. */
static inline char *picture(struct fixture *f)
{
	static const char sql[] =
		"SELECT group_concat(line, char(10)) FROM (SELECT email_key || '|' || "
		"coalesce(email, '') ||"
		" '|' || first_name || '|' || last_name || '|' || coalesce(attributes, '') || '|' "
		"||"
		" suppressed || '|' || coalesce((SELECT group_concat(list_id || '=' || status) FROM"
		" subscriptions WHERE subscriber_id = subscribers.id), '') AS line FROM subscribers"
		" UNION ALL SELECT hex(hash) || reason FROM suppressions ORDER BY 1)";
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	char *text;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	text = strdup(sqlite3_column_text(st, 0) ? (const char *)sqlite3_column_text(st, 0) : "");
	sqlite3_finalize(st);
	sqlite3_close(db);
	return text;
}

#endif
