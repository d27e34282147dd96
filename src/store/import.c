/* SPDX-License-Identifier: MIT */
#include "store/import.h"

#include "db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct import {
	struct store *s;
	int64_t id, list, now, source;
	struct str words, slug; /* of the source, of the list */
	bool suppressions; /* there are any */
	struct import_counts counts;
	struct batch_mark *mark;
	size_t mark_max;
	struct arena a; /* of one batch */
	struct arena names; /* lives as long as the import */
};

/* ---- begin and end ---- */

static int begin(struct import *i, struct str file, struct err *e)
{
	sqlite3_stmt *st;
	int64_t any;
	int rc;

	if (db_run(i->s,
		    "INSERT INTO imports (list_id, file, at, rows, added, updated, unchanged,"
		    " rejected, suppressed) VALUES (?1, ?2, ?3, 0, 0, 0, 0, 0, 0)",
		    VALS(INT(i->list), TEXT(file), INT(i->now)), e) < 0)
		return -1;
	i->id = sqlite3_last_insert_rowid(i->s->db);
	i->words = str_of(arena_printf(&i->names, "import %lld", (long long)i->id));
	if (db_query(i->s, "SELECT slug FROM lists WHERE id = ?1", VALS(INT(i->list)), &st, e) <
			0 ||
		db_row(i->s, st, e) < 0)
		return -1;
	i->slug = db_copy(st, 0, &i->names);
	db_end(st);
	rc = db_int(i->s,
		"SELECT 1 FROM suppressions UNION ALL SELECT 1 FROM foreign_suppressions"
		" UNION ALL SELECT 1 FROM suppressed_domains LIMIT 1",
		NULL, &any, e);
	i->suppressions = rc == 1;
	return rc < 0 ? -1 : source_id(i->s, i->words, &i->source, e);
}

int import_begin(struct store *s, int64_t list, struct str file, int64_t now, struct import **out,
	int64_t *id, struct err *e)
{
	struct import *i;

	*out = NULL;
	if (store_begin(s, e) < 0)
		return -1;
	i = calloc(1, sizeof *i);
	if (!i) {
		store_rollback(s);
		return err_set(e, ERR_IO, "out of memory");
	}
	*i = (struct import){.s = s, .list = list, .now = now};
	if (begin(i, file, e) < 0) {
		import_rollback(i, NULL);
		return -1;
	}
	*out = i;
	*id = i->id;
	return 0;
}

static void end(struct import *i)
{
	i->s->batch.n = 0;
	arena_free(&i->a);
	arena_free(&i->names);
	free(i->mark);
	free(i);
}

int import_commit(struct import *i, int64_t rejected, struct import_counts *out, struct err *e)
{
	struct import_counts *c = &i->counts;
	char detail[128];
	int rc;

	c->rows += rejected;
	c->rejected = rejected;
	*out = *c;
	snprintf(detail, sizeof detail, "import %lld: %lld rows, %lld added", (long long)i->id,
		(long long)c->rows, (long long)c->added);
	rc = db_run(i->s,
		"UPDATE imports SET rows = ?2, added = ?3, updated = ?4, unchanged = ?5,"
		" rejected = ?6, suppressed = ?7 WHERE id = ?1",
		VALS(INT(i->id), INT(c->rows), INT(c->added), INT(c->updated), INT(c->unchanged),
			INT(c->rejected), INT(c->suppressed)),
		e);
	if (rc == 0)
		rc = store_event(i->s, i->now, "import", 0, str_of(detail), e);
	if (rc == 0)
		rc = store_commit(i->s, e);
	else
		store_rollback(i->s);
	end(i);
	return rc;
}

void import_rollback(struct import *i, struct import_counts *out)
{
	if (!i)
		return;
	if (out)
		*out = i->counts;
	store_rollback(i->s);
	end(i);
}

int import_fields(struct import *i, const struct str *names, size_t n, struct err *e)
{
	for (size_t at = 0; at < n; at++)
		if (field_add(i->s, names[at], e) < 0)
			return -1;
	return 0;
}

/* ---- repeats ---- */

/* COMPLAINED > BOUNCED > UNSUBSCRIBED > PENDING > ACTIVE */
static enum subscription_status stricter(enum subscription_status a, enum subscription_status b)
{
	if (a >= SUBSCRIPTION_UNSUBSCRIBED || b >= SUBSCRIPTION_UNSUBSCRIBED)
		return a > b ? a : b;
	return a < b ? a : b;
}

/* Lay `over` on the earlier `row` of the same key. */
static int lay_over(
	struct import *i, struct import_row *row, const struct import_row *over, struct err *e)
{
	bool changed;

	if (attributes_merge(
		    &i->a, row->attributes, over->attributes, &row->attributes, &changed, e) < 0)
		return -1;
	if (over->email.n)
		row->email = over->email;
	if (over->first_name.n)
		row->first_name = over->first_name;
	if (over->last_name.n)
		row->last_name = over->last_name;
	if (over->suppress.n)
		row->suppress = over->suppress;
	row->status = stricter(row->status, over->status);
	row->line = over->line;
	return 0;
}

/* Leave one row of each key. */
static int merge_repeats(struct import *i, struct import_row *rows, size_t *n, struct err *e)
{
	size_t kept = 0;

	for (size_t at = 0; at < *n; at++) {
		if (kept && str_eq(rows[kept - 1].key, rows[at].key)) {
			if (lay_over(i, &rows[kept - 1], &rows[at], e) < 0)
				return -1;
			i->mark[kept - 1].repeats++;
			continue;
		}
		i->mark[kept] = (struct batch_mark){0};
		rows[kept++] = rows[at];
	}
	*n = kept;
	return 0;
}

/* ---- one batch ---- */

static bool is_ended(int64_t status)
{
	return status >= SUBSCRIPTION_UNSUBSCRIBED;
}

static int mark_suppressed(struct import *i, const struct import_row *rows, size_t n, struct err *e)
{
	int rc = 0;

	for (size_t at = 0; i->suppressions && at < n && rc >= 0; at++) {
		rc = suppression_find(i->s, rows[at].key, e);
		i->mark[at].suppressed = rc == 1;
	}
	return rc < 0 ? -1 : 0;
}

/* Those who are new, all in one statement. Ids are given out from `*before` + 1 on, by the row's
 * place; `*added` is how many they are. */
static int add_new(struct import *i, int64_t *before, int64_t *added, struct err *e)
{
	*before = 0;
	if (db_int(i->s, "SELECT seq FROM sqlite_sequence WHERE name = 'subscribers'", NULL, before,
		    e) < 0)
		return -1;
	return db_change(i->s,
		"INSERT INTO subscribers (id, email_key, email, first_name, last_name, attributes,"
		" suppressed, created_at) SELECT ?1 + 1 + rowid, key, email, first_name, last_name,"
		" attributes, 0, coalesce(created_at, ?2) FROM batch WHERE NOT suppressed"
		" ON CONFLICT (email_key) DO NOTHING",
		VALS(INT(*before), INT(i->now)), added, e);
}

static int subscribe_new(struct import *i, int64_t before, struct err *e)
{
	int64_t last;

	if (consent_begin(i->s, e) < 0)
		return -1;
	last = i->s->chain.id;
	if (db_run(i->s,
		    "INSERT INTO consents (subscriber_id, list_id, status, at, source_id, line,"
		    " hash) SELECT ?2 + 1 + rowid, ?1, status, ?3, ?4, line,"
		    " consent_hash(key, ?5, ?6, status, ?3, line, NULL)"
		    " FROM batch WHERE NOT suppressed AND NOT found",
		    VALS(INT(i->list), INT(before), INT(i->now), INT(i->source), TEXT(i->slug),
			    TEXT(i->words)),
		    e) < 0)
		return -1;
	return db_run(i->s,
		"INSERT INTO subscriptions (list_id, subscriber_id, status, consent_id)"
		" SELECT list_id, subscriber_id, status, id FROM consents WHERE id > ?1",
		VALS(INT(last)), e);
}

/* What is there of a row's reader. */
struct known {
	int64_t id, status; /* status -1 = not on the list */
	struct str email, first_name, last_name, attributes;
};

static bool differs(struct str new, struct str old)
{
	return new.n && !str_eq(new, old);
}

/* 1 when the reader's own data changed, 0, or -1. */
static int update_person(
	struct import *i, const struct import_row *row, const struct known *k, struct err *e)
{
	struct str email = row->email.n ? row->email : k->email;
	struct str attributes;
	bool changed;

	if (attributes_merge(&i->a, k->attributes, row->attributes, &attributes, &changed, e) < 0)
		return -1;
	if (!changed && !differs(row->email, k->email) &&
		!differs(row->first_name, k->first_name) && !differs(row->last_name, k->last_name))
		return 0;
	if (db_run(i->s,
		    "UPDATE subscribers SET email = ?2, first_name = ?3, last_name = ?4,"
		    " attributes = ?5 WHERE id = ?1",
		    VALS(INT(k->id), TEXT_OR_NULL(str_eq(email, row->key) ? STR("") : email),
			    TEXT(row->first_name.n ? row->first_name : k->first_name),
			    TEXT(row->last_name.n ? row->last_name : k->last_name),
			    attributes_val(attributes)),
		    e) < 0)
		return -1;
	return 1;
}

/* As update_person() for the subscription. By a file a status only climbs. */
static int update_subscription(
	struct import *i, const struct import_row *row, const struct known *k, struct err *e)
{
	int64_t line = (int64_t)row->line;

	if ((int64_t)row->status <= k->status)
		return 0;
	return consent_add(i->s, k->id, i->list, (int)row->status, i->source, line,
		       (struct str){NULL, 0}, i->now, e) < 0
		       ? -1
		       : 1;
}

static int note_update(
	struct import *i, const struct import_row *row, const struct known *k, struct err *e)
{
	char detail[64];

	snprintf(detail, sizeof detail, "import %lld line %llu", (long long)i->id,
		(unsigned long long)row->line);
	return store_event(i->s, i->now, "update", k->id, str_of(detail), e);
}

static int apply_known(struct import *i, const struct import_row *row,
	const struct batch_mark *mark, const struct known *k, struct err *e)
{
	int64_t *class = &i->counts.unchanged;
	int person, subscription;

	if (is_ended(k->status) && !is_ended(row->status)) {
		i->counts.suppressed += 1 + mark->repeats;
		return 0;
	}
	person = update_person(i, row, k, e);
	subscription = person < 0 ? -1 : update_subscription(i, row, k, e);
	if (subscription < 0)
		return -1;
	if (k->status < 0) {
		i->counts.added++;
		i->counts.unchanged += mark->repeats;
		return 0;
	}
	if (person || subscription) {
		class = &i->counts.updated;
		if (note_update(i, row, k, e) < 0)
			return -1;
	}
	*class += 1 + mark->repeats;
	return 0;
}

/* Those who were there before the batch, whose ids end with `before`. */
static int update_known(struct import *i, struct import_row *rows, int64_t before, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(i->s,
		    "SELECT b.rowid, s.id, coalesce(s.email, b.key), s.first_name, s.last_name,"
		    " s.attributes, coalesce(p.status, -1) FROM batch AS b"
		    " CROSS JOIN subscribers AS s ON s.email_key = b.key"
		    " LEFT JOIN subscriptions AS p ON p.list_id = ?1 AND p.subscriber_id = s.id"
		    " WHERE s.id <= ?2",
		    VALS(INT(i->list), INT(before)), &st, e) < 0)
		return -1;
	while ((rc = db_row(i->s, st, e)) == 1) {
		size_t at = (size_t)sqlite3_column_int64(st, 0);
		const struct known k = {
			.id = sqlite3_column_int64(st, 1),
			.email = db_text(st, 2),
			.first_name = db_text(st, 3),
			.last_name = db_text(st, 4),
			.attributes = db_text(st, 5),
			.status = sqlite3_column_int64(st, 6),
		};

		i->mark[at].found = true;
		if (i->mark[at].suppressed && !is_ended(rows[at].status))
			continue;
		if (apply_known(i, &rows[at], &i->mark[at], &k, e) < 0) {
			rc = -1;
			break;
		}
	}
	db_end(st);
	return rc;
}

/* The reason for which a row makes its address suppressed; NUL-terminated. */
static struct str suppression_of(const struct import_row *row)
{
	if (row->suppress.n)
		return row->suppress;
	return row->status < SUBSCRIPTION_BOUNCED    ? STR("")
	       : row->status == SUBSCRIPTION_BOUNCED ? STR("bounce")
						     : STR("complaint");
}

/* What is left to count and to suppress once the rows are in. */
static int conclude(struct import *i, const struct import_row *rows, size_t n, struct err *e)
{
	for (size_t at = 0; at < n; at++) {
		const struct batch_mark *mark = &i->mark[at];

		if (mark->suppressed) {
			if (!mark->found || !is_ended(rows[at].status))
				i->counts.suppressed += 1 + mark->repeats;
			continue;
		}
		if (!mark->found) {
			i->counts.added++;
			i->counts.unchanged += mark->repeats;
		}
		if (!suppression_of(&rows[at]).n)
			continue;
		i->suppressions = true;
		if (suppression_put(i->s, rows[at].key, suppression_of(&rows[at]).p, i->words,
			    i->now, e) < 0)
			return -1;
	}
	return 0;
}

static int room_for(struct import *i, size_t n, struct err *e)
{
	struct batch_mark *mark;

	if (n <= i->mark_max)
		return 0;
	mark = realloc(i->mark, n * sizeof *mark);
	if (!mark)
		return err_set(e, ERR_IO, "out of memory");
	i->mark = mark;
	i->mark_max = n;
	return 0;
}

int import_batch(struct import *i, struct import_row *rows, size_t n, struct err *e)
{
	int64_t before, added, wanted = 0;
	size_t whole = n;

	if (room_for(i, n, e) < 0)
		return -1;
	arena_reset(&i->a);
	import_sort(rows, n);
	if (merge_repeats(i, rows, &n, e) < 0 || mark_suppressed(i, rows, n, e) < 0)
		return -1;
	for (size_t at = 0; at < n; at++)
		wanted += !i->mark[at].suppressed;
	i->s->batch = (struct batch){rows, i->mark, n};
	if (add_new(i, &before, &added, e) < 0)
		return -1;
	/* The first import of a file finds nobody: no look-up at all. */
	if ((added < wanted || wanted < (int64_t)n) && update_known(i, rows, before, e) < 0)
		return -1;
	if (subscribe_new(i, before, e) < 0 || conclude(i, rows, n, e) < 0)
		return -1;
	i->s->batch.n = 0;
	i->counts.rows += (int64_t)whole;
	return 0;
}

/* ---- telling ---- */

int import_each(struct store *s, bool (*each)(void *user, const struct import_record *r),
	void *user, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT imports.id, at, slug, file, rows, added, updated, unchanged, rejected,"
		    " suppressed FROM imports JOIN lists ON lists.id = list_id ORDER BY imports.id",
		    NULL, &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		const struct import_record r = {
			.id = sqlite3_column_int64(st, 0),
			.at = sqlite3_column_int64(st, 1),
			.list = db_text(st, 2),
			.file = db_text(st, 3),
			.counts = {sqlite3_column_int64(st, 4), sqlite3_column_int64(st, 5),
				sqlite3_column_int64(st, 6), sqlite3_column_int64(st, 7),
				sqlite3_column_int64(st, 8), sqlite3_column_int64(st, 9)},
		};

		if (!each(user, &r))
			break;
	}
	db_end(st);
	return rc < 0 ? -1 : 0;
}
