/* SPDX-License-Identifier: MIT */
#include "csvfile.h"

#include "csvtext.h"
#include "mail/addr.h"

#include <inttypes.h>
#include <string.h>

void csvfile_init(struct csvfile *c, const char *name,
	int (*row)(void *user, const struct str *field, size_t n, uint64_t line, struct err *e),
	void *user)
{
	*c = (struct csvfile){.row = row, .user = user, .name = name, .line = 1};
	buf_init(&c->text, CSV_ROW_MAX);
	buf_init(&c->head, 2 * CSV_FIELD_MAX);
	buf_init(&c->utf8, 4 * CSV_FIELD_MAX);
	/* Every line end is reported, so that empty lines are counted too. */
	csv_init(&c->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL);
	csv_set_blk_size(&c->parser, 4096);
}

void csvfile_free(struct csvfile *c)
{
	buf_free(&c->text);
	buf_free(&c->head);
	buf_free(&c->utf8);
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
	if (utf8_invalid_at(field) == n) {
		buf_str(&c->text, field);
	} else {
		csvtext_windows_1252(&c->text, field);
		if (!c->converted++)
			c->converted_line = c->line;
	}
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

/* ---- a list of addresses ---- */

static void give_address(struct csvfile *c)
{
	struct str line = csvtext_first_line(buf_view(&c->head));

	if (line.n)
		on_field((void *)(uintptr_t)line.p, line.n, c);
	buf_reset(&c->head);
}

static int take_addresses(struct csvfile *c, struct str text)
{
	while (text.n && !c->failed) {
		size_t n = 0;

		while (n < text.n && text.p[n] != '\n' && text.p[n] != '\r')
			n++;
		buf_str(&c->head, str_slice(text, 0, n));
		if (c->head.n > CSV_FIELD_MAX)
			return fail(c, c->line, "a line is larger than 1 MB");
		if (n < text.n) {
			give_address(c);
			on_row(text.p[n], c);
		}
		text = str_slice(text, n + 1, text.n);
	}
	return c->failed ? -1 : 0;
}

/* ---- feeding ---- */

/* Why the parser stopped. Its entry buffer holds what there is of the field it was in. */
static int refuse(struct csvfile *c, const char *what)
{
	const struct csv_parser *p = &c->parser;
	struct str part = {(const char *)p->entry_buf, p->entry_pos};

	return fail(c, c->line + (part.n ? lines_in(part) : 0), what);
}

/* UTF-8, from the start of the first line on. */
static int take_text(struct csvfile *c, struct str text)
{
	if (c->form == CSV_FORM_ADDRESSES)
		return take_addresses(c, text);
	if (csv_parse(&c->parser, text.p, text.n, on_field, on_row, c) < text.n && !c->failed)
		return csv_error(&c->parser) == CSV_EPARSE
			       ? refuse(c, "a quote stands where none may: put the whole field in "
					   "quotes and write each quote inside it twice")
			       : err_set(c->e, ERR_IO, "out of memory");
	if (!c->failed && c->parser.entry_pos > CSV_FIELD_MAX)
		return fail(c, c->line,
			"a field is larger than 1 MB: is the quote in front of it closed?");
	return c->failed ? -1 : 0;
}

/* Whether the file is no table: its first line is one address. */
static bool is_address(struct str line)
{
	struct arena a = {0};
	struct mailbox mailbox;
	struct err e;
	bool is = str_find(line, '@') < line.n &&
		  mailbox_parse_as(&a, line, ADDR_QUOTED, &mailbox, &e) == 0;

	arena_free(&a);
	return is;
}

/* UTF-8 with the first line in it, once. */
static int begin_text(struct csvfile *c, struct str text)
{
	size_t skip;

	c->begun = true;
	c->delimiter = csvtext_delimiter(text, &skip);
	csv_set_delim(&c->parser, (unsigned char)c->delimiter);
	if (skip)
		c->line++;
	text = str_slice(text, skip, text.n);
	if (c->form == CSV_FORM_GUESSED)
		c->form =
			is_address(csvtext_first_line(text)) ? CSV_FORM_ADDRESSES : CSV_FORM_TABLE;
	buf_reset(&c->head);
	return take_text(c, text);
}

/* A pair or a unit may be cut by the end of the piece: what is left of it waits in `odd`. */
static int take_utf16(struct csvfile *c, struct str units, bool first)
{
	bool big = c->encoding[6] == 'B', sound = true;
	struct str text;
	size_t taken;

	buf_reset(&c->utf8);
	while (c->odd_n && units.n && sound) {
		c->odd[c->odd_n++] = (unsigned char)units.p[0];
		units = str_slice(units, 1, units.n);
		sound = csvtext_utf16(
			&c->utf8, (struct str){(char *)c->odd, c->odd_n}, big, &taken);
		if (taken)
			c->odd_n = 0;
	}
	sound = sound && csvtext_utf16(&c->utf8, units, big, &taken);
	text = buf_view(&c->utf8);
	if ((first ? begin_text(c, text) : take_text(c, text)) < 0)
		return -1;
	if (!sound)
		return refuse(c, "the text is not valid UTF-16");
	if (!c->odd_n)
		for (units = str_slice(units, taken, units.n); c->odd_n < units.n; c->odd_n++)
			c->odd[c->odd_n] = (unsigned char)units.p[c->odd_n];
	return 0;
}

static int take(struct csvfile *c, struct str piece, bool first)
{
	if (c->encoding[4] == '1')
		return take_utf16(c, piece, first);
	return first ? begin_text(c, piece) : take_text(c, piece);
}

/* The form is known when so much of the file is there, whatever pieces it comes in. */
static int begin(struct csvfile *c)
{
	struct buf head = c->head;
	size_t mark;
	int rc;

	buf_init(&c->head, 2 * CSV_FIELD_MAX);
	c->encoding = csvtext_encoding(buf_view(&head), &mark);
	rc = take(c, str_slice(buf_view(&head), mark, head.n), true);
	buf_free(&head);
	return rc;
}

int csvfile_feed(struct csvfile *c, struct str piece, struct err *e)
{
	c->e = e;
	if (!c->begun) {
		size_t n = CSV_HEAD - c->head.n;

		buf_str(&c->head, str_slice(piece, 0, n));
		if (c->head.n < CSV_HEAD)
			return 0;
		if (begin(c) < 0)
			return -1;
		piece = str_slice(piece, n, piece.n);
	}
	return piece.n ? take(c, piece, false) : 0;
}

int csvfile_end(struct csvfile *c, struct err *e)
{
	c->e = e;
	if (!c->begun && begin(c) < 0)
		return -1;
	if (c->odd_n)
		return refuse(
			c, "the text is not valid UTF-16: it ends in the middle of a character");
	if (c->form == CSV_FORM_ADDRESSES) {
		give_address(c);
		on_row(-1, c);
	} else if (csv_fini(&c->parser, on_field, on_row, c) != 0 && !c->failed) {
		return fail(c, c->line, "the quote that opens here is never closed");
	}
	return c->failed ? -1 : 0;
}

void csvfile_lax_quotes(struct csvfile *c)
{
	csv_set_opts(&c->parser, CSV_STRICT_FINI | CSV_REPALL_NL);
}
