/* SPDX-License-Identifier: MIT */
#include "csvfile.h"

#include <inttypes.h>
#include <string.h>

static const char utf8_mark[] = "\xef\xbb\xbf";

void csvfile_init(struct csvfile *c, const char *name,
	int (*row)(void *user, const struct str *field, size_t n, uint64_t line, struct err *e),
	void *user)
{
	*c = (struct csvfile){.row = row, .user = user, .name = name, .line = 1};
	buf_init(&c->text, CSV_ROW_MAX);
	/* Every line end is reported, so that empty lines are counted too. */
	csv_init(&c->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL);
	csv_set_blk_size(&c->parser, 4096);
}

void csvfile_free(struct csvfile *c)
{
	buf_free(&c->text);
	csv_free(&c->parser);
}

/* Returns -1. libcsv cannot be stopped from inside: what still comes of this piece is not
 * looked at. */
static int fail(struct csvfile *c, uint64_t line, const char *what)
{
	c->failed = true;
	return err_set(c->e, ERR_INPUT, "%s:%" PRIu64 ": %s", c->name, line, what);
}

/* ---- what libcsv calls ---- */

/* Line ends inside a quoted field: LF, CRLF, CR. */
static uint64_t lines_in(struct str s)
{
	uint64_t n = 0;

	if (!memchr(s.p, '\n', s.n) && !memchr(s.p, '\r', s.n))
		return 0;
	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n' || (s.p[i] == '\r' && (i + 1 == s.n || s.p[i + 1] != '\n'));
	return n;
}

static void on_field(void *p, size_t n, void *user)
{
	const struct str field = {n ? p : "", n};
	struct csvfile *c = user;

	if (c->failed)
		return;
	if (c->n == 0)
		c->row_line = c->line;
	if (c->n == CSV_COLUMNS_MAX) {
		fail(c, c->row_line, "the row has more than 256 columns");
		return;
	}
	if (n > CSV_FIELD_MAX) {
		fail(c, c->line,
			"a field is larger than 1 MB: is the quote in front of it closed?");
		return;
	}
	if (memchr(field.p, '\0', n)) {
		fail(c, c->line, "the file holds a NUL octet: save it as plain UTF-8 text");
		return;
	}
	if (utf8_invalid_at(field) < n) {
		fail(c, c->line,
			"the text is not UTF-8: convert the file first (as with iconv -f LATIN1 -t "
			"UTF-8)");
		return;
	}
	buf_str(&c->text, field);
	if (c->text.over) {
		fail(c, c->row_line, "the row is larger than 4 MB");
		return;
	}
	c->end[c->n++] = c->text.n;
	c->line += lines_in(field);
	c->cr = false;
}

static void give_row(struct csvfile *c)
{
	struct str field[CSV_COLUMNS_MAX];
	struct str text = buf_view(&c->text);

	for (size_t i = 0; i < c->n; i++)
		field[i] = str_slice(text, i ? c->end[i - 1] : 0, c->end[i]);
	if (c->row(c->user, field, c->n, c->row_line, c->e) < 0)
		c->failed = true;
	c->n = 0;
	buf_reset(&c->text);
}

/* `end` is CR, LF, or -1 at the end of the file. */
static void on_row(int end, void *user)
{
	struct csvfile *c = user;

	if (c->failed)
		return;
	if (c->n)
		give_row(c);
	if (end == '\r' || (end == '\n' && !c->cr))
		c->line++;
	c->cr = end == '\r';
}

/* ---- feeding ---- */

static int begin(struct csvfile *c, struct str *piece)
{
	c->begun = true;
	if (str_has_prefix(*piece, str_of(utf8_mark)))
		*piece = str_slice(*piece, 3, piece->n);
	else if (str_has_prefix(*piece, STR("\xff\xfe")) || str_has_prefix(*piece, STR("\xfe\xff")))
		return fail(c, 1, "the file is UTF-16: save it as CSV in UTF-8");
	return 0;
}

/* Why the parser stopped. Its entry buffer holds what there is of the field it was in. */
static int refuse(struct csvfile *c, const char *what)
{
	const struct csv_parser *p = &c->parser;
	struct str part = {(const char *)p->entry_buf, p->entry_pos};

	return fail(c, c->line + (part.n ? lines_in(part) : 0), what);
}

int csvfile_feed(struct csvfile *c, struct str piece, struct err *e)
{
	c->e = e;
	if (!c->begun && begin(c, &piece) < 0)
		return -1;
	if (csv_parse(&c->parser, piece.p, piece.n, on_field, on_row, c) < piece.n && !c->failed)
		return csv_error(&c->parser) == CSV_EPARSE
			       ? refuse(c, "a quote stands where none may: put the whole field in "
					   "quotes and write each quote inside it twice")
			       : err_set(e, ERR_IO, "out of memory");
	if (!c->failed && c->parser.entry_pos > CSV_FIELD_MAX)
		return fail(c, c->line,
			"a field is larger than 1 MB: is the quote in front of it closed?");
	return c->failed ? -1 : 0;
}

int csvfile_end(struct csvfile *c, struct err *e)
{
	c->e = e;
	if (csv_fini(&c->parser, on_field, on_row, c) != 0 && !c->failed)
		return fail(c, c->line, "the quote that opens here is never closed");
	return c->failed ? -1 : 0;
}
