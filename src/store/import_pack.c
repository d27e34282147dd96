/* SPDX-License-Identifier: MIT */
#include "import_pack.h"

#include <inttypes.h>

/*
 * The form of import_packs.rows: for each number, from the first on, a varint that is 0 where nobody has it, or else
 * 1 + status + HAS_* bits; the line as a varint; then the texts that there are, each as its length and its octets.
 */
enum {
	STATUS_MASK = 7,
	HAS_DETAIL = 8,
	HAS_SUPPRESS = 16,
	HAS_LIFTED = 32,
	PACK_MAX = 256 * 1024 * 1024,
};

/* What a pack holds as rows of the journal, for "INSERT INTO journal ..."; ?1 is the import, ?2 the number before the
 * first. */
#define JOURNAL_COLUMNS                                                                            \
	" (import_id, subscriber_id, line, created, status, detail, suppress, lifted)"             \
	" SELECT ?1, ?2 + 1 + rowid, line, 1, status, detail, suppress, lifted FROM batch"         \
	" WHERE NOT suppressed AND NOT found"

static void put_text(struct buf *to, struct str text)
{
	if (!text.n)
		return;
	buf_varint(to, text.n);
	buf_str(to, text);
}

static void put_row(struct buf *to, const struct import_row *row, const struct batch_mark *mark)
{
	if (mark->suppressed || mark->found) {
		buf_varint(to, 0);
		return;
	}
	buf_varint(to, (1 + (unsigned)row->status) | (row->detail.n ? HAS_DETAIL : 0) |
			       (row->suppress.n ? HAS_SUPPRESS : 0) |
			       (mark->lifted.n ? HAS_LIFTED : 0));
	buf_varint(to, row->line);
	put_text(to, row->detail);
	put_text(to, row->suppress);
	put_text(to, mark->lifted);
}

static int put_rows(struct buf *to, const struct batch *b, size_t n, struct err *e)
{
	for (size_t at = 0; at < n; at++)
		put_row(to, &b->row[at], &b->mark[at]);
	return to->over ? err_set(e, ERR_INPUT, "a slice of the import is larger than %d octets",
				  PACK_MAX)
			: 0;
}

int import_pack(struct store *s, int64_t id, int64_t before, struct err *e)
{
	const struct batch *b = &s->batch;
	size_t n = b->n;
	struct buf rows;
	int rc;

	/* What nobody has at the end, the next slice gives out. */
	while (n && (b->mark[n - 1].suppressed || b->mark[n - 1].found))
		n--;
	if (!n)
		return 0;
	buf_init(&rows, PACK_MAX);
	rc = put_rows(&rows, b, n, e);
	if (rc == 0)
		rc = db_run(s,
			"INSERT INTO import_packs (last, n, import_id, rows) VALUES (?1, ?2, ?3, "
			"?4)",
			VALS(INT(before + (int64_t)n), INT((int64_t)n), INT(id),
				BLOB(buf_view(&rows))),
			e);
	buf_free(&rows);
	return rc;
}

/* ---- reading ---- */

static bool take_text(struct str *s, bool there, struct str *out)
{
	uint64_t n;

	if (!there)
		return true;
	if (!varint_next(s, &n) || n > s->n)
		return false;
	*out = str_slice(*s, 0, n);
	*s = str_slice(*s, n, s->n);
	return true;
}

static bool take_row(struct str *s, struct import_row *row, struct batch_mark *mark)
{
	uint64_t head;

	if (!varint_next(s, &head))
		return false;
	mark->found = head == 0;
	if (mark->found)
		return true;
	row->status = (enum subscription_status)((head & STATUS_MASK) - 1);
	return (head & STATUS_MASK) && varint_next(s, &row->line) &&
	       take_text(s, head & HAS_DETAIL, &row->detail) &&
	       take_text(s, head & HAS_SUPPRESS, &row->suppress) &&
	       take_text(s, head & HAS_LIFTED, &mark->lifted);
}

static int take_rows(struct import_pack *p, struct str rows, struct err *e)
{
	p->row = arena_array(&p->a, p->n, sizeof *p->row);
	p->mark = arena_array(&p->a, p->n, sizeof *p->mark);
	for (size_t at = 0; at < p->n; at++) {
		if (!take_row(&rows, &p->row[at], &p->mark[at]))
			return err_set(e, ERR_IO,
				"the journal of import %" PRId64
				" is damaged: put a backup in its place",
				p->import);
		p->suppresses |= p->row[at].suppress.n || p->mark[at].lifted.n;
	}
	return 0;
}

int import_pack_read(
	struct store *s, int64_t import, int64_t from, struct import_pack *out, struct err *e)
{
	struct import_pack p = {0};
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT last, n, import_id, rows FROM import_packs WHERE last > ?1"
		    " AND ?2 IN (0, import_id) ORDER BY last LIMIT 1",
		    VALS(INT(from), INT(import)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 1) {
		p.last = sqlite3_column_int64(st, 0);
		p.n = (size_t)sqlite3_column_int64(st, 1);
		p.import = sqlite3_column_int64(st, 2);
		if (take_rows(&p, db_copy(st, 3, &p.a), e) < 0)
			rc = -1;
		db_end(st);
	}
	if (rc == 1)
		*out = p;
	else
		arena_free(&p.a);
	return rc;
}

struct batch import_pack_batch(const struct import_pack *p)
{
	return (struct batch){p->row, p->mark, p->n};
}

/* ---- making rows of it ---- */

/* `sql` is an INSERT with JOURNAL_COLUMNS. */
static int copy_out(struct store *s, const char *sql, const struct import_pack *p, struct err *e)
{
	const struct batch under_way = s->batch;
	int rc;

	s->batch = import_pack_batch(p);
	rc = db_run(s, sql, VALS(INT(p->import), INT(p->last - (int64_t)p->n)), e);
	s->batch = under_way;
	return rc;
}

int import_unpack(struct store *s, const struct import_pack *p, struct err *e)
{
	if (copy_out(s, "INSERT INTO import_rows" JOURNAL_COLUMNS, p, e) < 0)
		return -1;
	return db_run(s, "DELETE FROM import_packs WHERE last = ?1", VALS(INT(p->last)), e);
}

int import_show_packs(struct store *s, int64_t import, struct err *e)
{
	struct import_pack p = {0};
	int64_t from = 0;
	int rc;

	if (db_run(s,
		    "CREATE TEMP TABLE IF NOT EXISTS shown_rows AS SELECT * FROM main.import_rows"
		    " LIMIT 0",
		    NULL, e) < 0 ||
		db_run(s, "DELETE FROM temp.shown_rows", NULL, e) < 0)
		return -1;
	while ((rc = import_pack_read(s, import, from, &p, e)) == 1) {
		from = p.last;
		rc = copy_out(s, "INSERT INTO temp.shown_rows" JOURNAL_COLUMNS, &p, e);
		arena_free(&p.a);
		if (rc < 0)
			break;
	}
	return rc;
}

int import_pack_forget(struct store *s, int64_t subscriber, struct err *e)
{
	struct import_pack p = {0};
	struct buf rows;
	int rc = import_pack_read(s, 0, subscriber - 1, &p, e);
	int64_t at;

	if (rc <= 0)
		return rc;
	at = subscriber - 1 - (p.last - (int64_t)p.n);
	if (at >= 0) {
		const struct batch b = import_pack_batch(&p);

		p.row[at].detail = (struct str){0};
		buf_init(&rows, PACK_MAX);
		rc = put_rows(&rows, &b, p.n, e);
		if (rc == 0)
			rc = db_run(s, "UPDATE import_packs SET rows = ?2 WHERE last = ?1",
				VALS(INT(p.last), BLOB(buf_view(&rows))), e);
		buf_free(&rows);
	}
	arena_free(&p.a);
	return rc < 0 ? -1 : 0;
}
