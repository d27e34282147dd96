/* SPDX-License-Identifier: MIT */
#include "import_run.h"

#include "base/enc.h"

#include <inttypes.h>
#include <stdlib.h>

/* Reading: the rows of a file become subscribers, who are on no list yet, and a journal of what is to happen. */

enum { LEFT_MAX = 256 * 1024 * 1024 };

static void count(struct import *i, const struct import_row *row, int64_t *class)
{
	*(row->again ? &i->counts.unchanged : class) += 1;
	i->counts.unchanged += row->repeats;
	i->counts.repeats += row->repeats + row->again;
}

/* What is there of a row's reader. */
struct known {
	int64_t id;
	int64_t status; /* -1 = not on the list */
	int64_t planned; /* what an earlier row of the file is to make of it; -1 = nothing */
	bool hushed; /* an earlier row of the file suppresses the address */
	struct str email, first_name, last_name, attributes;
};

/* Count who gets mail from now on: `status` is what a row gives to somebody who had `k` (NULL = who is new), -1 that it
 * gives none. A dry run looks at the first row of each alone, since it does not remember what that gave. */
static void count_mailed(struct import *i, const struct import_row *row,
	const struct batch_mark *mark, const struct known *k, int64_t status)
{
	if (row->again && i->dry_run)
		return;
	if (k && k->planned == SUBSCRIPTION_ACTIVE)
		i->counts.mailed -= !k->hushed && (import_is_ended(status) || row->suppress.n);
	else if (status == SUBSCRIPTION_ACTIVE && !row->suppress.n)
		i->counts.mailed += !k || k->status != SUBSCRIPTION_ACTIVE || mark->lifted.n;
}

/* ---- who is new ---- */

/* All of a slice in one statement. Ids are given out from `*before` + 1 on, by the row's place; `*added` is how many
 * they are. */
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
		" AND NOT found"
		" ON CONFLICT (email_key) DO NOTHING",
		VALS(INT(*before), INT(i->now)), added, e);
}

/* ---- who is known ---- */

static bool differs(struct str new, struct str old)
{
	return new.n && !str_eq(new, old);
}

/* Lay the row over what is known of the person: 1 when that changes it, 0, or -1. */
static int lay_over_person(
	struct import *i, const struct import_row *row, struct known *k, struct err *e)
{
	struct str attributes;
	bool changed;

	if (attributes_merge(&i->a, k->attributes, row->attributes, &attributes, &changed, e) < 0)
		return -1;
	if (!changed && !differs(row->email, k->email) &&
		!differs(row->first_name, k->first_name) && !differs(row->last_name, k->last_name))
		return 0;
	if (row->email.n)
		k->email = row->email;
	if (row->first_name.n)
		k->first_name = row->first_name;
	if (row->last_name.n)
		k->last_name = row->last_name;
	k->attributes = attributes;
	return 1;
}

/* The status that the row gives; -1 = it stays. By a file a status only climbs, unless there is proof. Where that lifts
 * a suppression, the status is given also when it was the same before: the consent tells of the proof. */
static int64_t status_given(const struct import *i, const struct import_row *row,
	const struct batch_mark *mark, const struct known *k)
{
	if (k->planned >= 0) {
		enum subscription_status both =
			import_stricter((enum subscription_status)k->planned, row->status);

		return both == (enum subscription_status)k->planned ? -1 : (int64_t)both;
	}
	if (k->status < (int64_t)row->status ||
		(i->proof.n && import_is_ended(k->status) && !import_is_ended(row->status)))
		return (int64_t)row->status;
	return mark->lifted.n ? k->status : -1;
}

/* What was there before the first row of the file that changed it is what counts. */
static int journal_known(struct import *i, const struct import_row *row,
	const struct batch_mark *mark, const struct known *k, int64_t status, bool person,
	struct err *e)
{
	return db_run(i->s,
		"INSERT INTO import_rows (import_id, subscriber_id, line, created, status,"
		" status_before, detail, suppress, lifted, before)"
		" SELECT ?1, id, ?3, 0, ?4, ?5, ?6, ?7, ?8, CASE WHEN ?9 THEN"
		" json_object('email', email, 'first_name', first_name, 'last_name', last_name,"
		" 'attributes', attributes) END FROM subscribers WHERE id = ?2"
		" ON CONFLICT DO UPDATE SET line = excluded.line,"
		" status = coalesce(excluded.status, status),"
		" status_before = coalesce(status_before, excluded.status_before),"
		" detail = coalesce(excluded.detail, detail),"
		" suppress = coalesce(excluded.suppress, suppress),"
		" lifted = coalesce(excluded.lifted, lifted),"
		" before = CASE WHEN NOT created THEN coalesce(before, excluded.before) END",
		VALS(INT(i->id), INT(k->id), INT((int64_t)row->line),
			status < 0 ? (struct val){.type = VAL_NULL} : INT(status),
			k->status < 0 || status < 0 ? (struct val){.type = VAL_NULL}
						    : INT(k->status),
			TEXT_OR_NULL(row->detail),
			TEXT_OR_NULL(mark->suppressed ? STR("") : row->suppress),
			TEXT_OR_NULL(mark->lifted), INT(person)),
		e);
}

static int write_person(
	struct import *i, const struct import_row *row, const struct known *k, struct err *e)
{
	return db_run(i->s,
		"UPDATE subscribers SET email = ?2, first_name = ?3, last_name = ?4,"
		" attributes = ?5 WHERE id = ?1",
		VALS(INT(k->id), TEXT_OR_NULL(str_eq(k->email, row->key) ? STR("") : k->email),
			TEXT(k->first_name), TEXT(k->last_name), attributes_val(k->attributes)),
		e);
}

static int apply_known(struct import *i, const struct import_row *row, struct batch_mark *mark,
	struct known *k, struct err *e)
{
	bool suppresses = row->suppress.n && !mark->suppressed;
	int64_t status;
	int person;

	if (import_is_ended(k->status) && !import_is_ended(row->status) && !i->proof.n) {
		count(i, row, &i->counts.suppressed);
		mark->left = row->again ? STR("") : str_of(consent_status_name((int)k->status));
		return 0;
	}
	status = status_given(i, row, mark, k);
	person = lay_over_person(i, row, k, e);
	if (person < 0)
		return -1;
	count(i, row,
		k->status < 0           ? &i->counts.added
		: person || status >= 0 ? &i->counts.updated
					: &i->counts.unchanged);
	count_mailed(i, row, mark, k, status);
	if (i->dry_run)
		return 0;
	if ((person || status >= 0 || suppresses || mark->lifted.n) &&
		journal_known(i, row, mark, k, status, person, e) < 0)
		return -1;
	return person ? write_person(i, row, k, e) : 0;
}

/* Those who were there before the slice, whose ids end with `before`. */
static int update_known(struct import *i, struct import_row *rows, struct batch_mark *marks,
	int64_t before, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(i->s,
		    "SELECT b.rowid, s.id, coalesce(s.email, b.key), s.first_name, s.last_name,"
		    " s.attributes, coalesce(p.status, -1), coalesce(r.status, -1),"
		    " r.suppress <> ''"
		    " FROM batch AS b CROSS JOIN subscribers AS s ON s.email_key = b.key"
		    " LEFT JOIN subscriptions AS p ON p.list_id = ?1 AND p.subscriber_id = s.id"
		    " LEFT JOIN import_rows AS r ON r.import_id = iif(b.again, ?3, NULL)"
		    " AND r.subscriber_id = s.id"
		    " WHERE s.id <= ?2",
		    VALS(INT(i->list), INT(before), INT(i->id)), &st, e) < 0)
		return -1;
	while ((rc = db_row(i->s, st, e)) == 1) {
		size_t at = (size_t)sqlite3_column_int64(st, 0);
		struct known k = {
			.id = sqlite3_column_int64(st, 1),
			.email = db_text(st, 2),
			.first_name = db_text(st, 3),
			.last_name = db_text(st, 4),
			.attributes = db_text(st, 5),
			.status = sqlite3_column_int64(st, 6),
			.planned = sqlite3_column_int64(st, 7),
			.hushed = sqlite3_column_int(st, 8),
		};

		marks[at].found = true;
		if (marks[at].suppressed && !import_is_ended(rows[at].status))
			continue;
		if (apply_known(i, &rows[at], &marks[at], &k, e) < 0) {
			rc = -1;
			break;
		}
	}
	db_end(st);
	return rc;
}

/* ---- a batch ---- */

/* Count those whom update_known() has not seen. */
static void count_rest(
	struct import *i, const struct import_row *rows, struct batch_mark *marks, size_t n)
{
	for (size_t at = 0; at < n; at++) {
		bool left = marks[at].suppressed &&
			    (!marks[at].found || !import_is_ended(rows[at].status));

		if (left) {
			count(i, &rows[at], &i->counts.suppressed);
		} else if (!marks[at].found) {
			count(i, &rows[at], &i->counts.added);
			count_mailed(i, &rows[at], &marks[at], NULL, (int64_t)rows[at].status);
		}
		if (marks[at].suppressed && (!left || rows[at].again))
			marks[at].left = STR("");
	}
}

/* Write down which rows are left alone: all of a slice in one row, since a file may have nobody else. */
static int journal_left(struct import *i, const struct import_row *rows,
	const struct batch_mark *marks, size_t n, struct err *e)
{
	struct buf all;
	int rc = 0;

	buf_init(&all, LEFT_MAX);
	for (size_t at = 0; at < n; at++) {
		if (!marks[at].left.n)
			continue;
		buf_printf(&all, "%s[%" PRIu64 ",", all.n ? "," : "[", rows[at].line);
		enc_json(&all, marks[at].left);
		buf_char(&all, ']');
	}
	if (all.n) {
		buf_char(&all, ']');
		rc = all.over ? err_set(e, ERR_INPUT,
					"the reasons of suppressions are larger than %d octets",
					LEFT_MAX)
			      : db_run(i->s,
					"INSERT INTO import_left (import_id, n, rows) VALUES (?1, "
					"?2, ?3)",
					VALS(INT(i->id), INT(++i->left), TEXT(buf_view(&all))), e);
	}
	buf_free(&all);
	return rc;
}

/* What the file says again of readers whom it has made is laid over their rows of the journal. Packs of other imports
 * stay as they are. */
static int unpack_repeats(struct import *i, const struct import_row *rows, size_t n, struct err *e)
{
	struct import_pack pack;
	int64_t before;
	size_t at = 0;
	int rc;

	while (at < n && !rows[at].again)
		at++;
	if (at == n)
		return 0;
	while ((rc = db_int(i->s,
			"SELECT p.last - 1 FROM batch AS b"
			" CROSS JOIN subscribers AS s ON s.email_key = b.key"
			" CROSS JOIN import_packs AS p ON p.last = (SELECT last FROM import_packs"
			"  WHERE last >= s.id ORDER BY last LIMIT 1) AND s.id > p.last - p.n"
			" AND p.import_id = ?1 WHERE b.again LIMIT 1",
			VALS(INT(i->id)), &before, e)) == 1) {
		if (import_pack_read(i->s, i->id, before, &pack, e) < 0)
			return -1;
		rc = import_unpack(i->s, &pack, e);
		arena_free(&pack.a);
		if (rc < 0)
			break;
	}
	return rc;
}

/* Look first where most are known, else try first: an import of nobody but new people, or of nobody new, looks
 * for each of them once. */
static int write_slice(struct import *i, struct import_row *rows, struct batch_mark *marks,
	size_t n, struct err *e)
{
	int64_t before, added, wanted = 0;

	for (size_t at = 0; at < n; at++)
		wanted += !marks[at].suppressed;
	if (unpack_repeats(i, rows, n, e) < 0)
		return -1;
	if (i->look_first && update_known(i, rows, marks, INT64_MAX, e) < 0)
		return -1;
	if (add_new(i, &before, &added, e) < 0)
		return -1;
	if (!i->look_first && (added < wanted || wanted < (int64_t)n) &&
		update_known(i, rows, marks, before, e) < 0)
		return -1;
	i->look_first = added < wanted / 2;
	count_rest(i, rows, marks, n);
	if (journal_left(i, rows, marks, n, e) < 0)
		return -1;
	return import_pack(i->s, i->id, before, e);
}

static int look_at_slice(struct import *i, struct import_row *rows, struct batch_mark *marks,
	size_t n, struct err *e)
{
	if (update_known(i, rows, marks, INT64_MAX, e) < 0)
		return -1;
	count_rest(i, rows, marks, n);
	return 0;
}

static int take_slice(struct import *i, struct import_row *rows, struct batch_mark *marks, size_t n,
	struct err *e)
{
	int rc;

	i->s->batch = (struct batch){rows, marks, n};
	rc = store_begin(i->s, e);
	if (rc == 0)
		rc = import_prepare(i, rows, marks, n, e);
	if (rc == 0)
		rc = i->dry_run ? look_at_slice(i, rows, marks, n, e)
				: write_slice(i, rows, marks, n, e);
	/* Even a look may have found out that an address is on another site's list. */
	if (i->dry_run)
		store_rollback(i->s);
	else
		rc = tx_close(i->s, true, rc, e);
	import_pause(i->s);
	i->s->batch.n = 0;
	return rc;
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
	if (room_for(i, n, e) < 0)
		return -1;
	arena_reset(&i->a);
	for (size_t from = 0; from < n; from += IMPORT_SLICE) {
		size_t some = n - from < IMPORT_SLICE ? n - from : IMPORT_SLICE;

		if (take_slice(i, rows + from, i->mark + from, some, e) < 0)
			return -1;
	}
	return 0;
}
