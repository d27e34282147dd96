/* SPDX-License-Identifier: MIT */
#include "dkim_canon.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool crlf_at(struct str s, size_t i)
{
	return i + 1 < s.n && s.p[i] == '\r' && s.p[i + 1] == '\n';
}

/* The end of the run from `i` on that stays as it is: words, and single spaces between them. */
static size_t run_end(struct str value, size_t i)
{
	for (; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (c > ' ')
			continue;
		if (c == ' ' && i + 1 < value.n && (unsigned char)value.p[i + 1] > ' ')
			continue;
		if (is_blank(value.p[i]) || crlf_at(value, i))
			break;
	}
	return i;
}

void dkim_relax_field(struct str name, struct str value, struct buf *out)
{
	size_t begin = out->n;
	bool blank = false, begun = false;

	buf_str(out, name);
	for (; begin < out->n; begin++)
		if (out->p[begin] >= 'A' && out->p[begin] <= 'Z')
			out->p[begin] |= 0x20;
	buf_char(out, ':');
	for (size_t i = 0; i < value.n;) {
		size_t end;

		if (crlf_at(value, i)) { /* a fold: what counts is the blank behind it */
			i += 2;
			continue;
		}
		if (is_blank(value.p[i])) {
			blank = true;
			i++;
			continue;
		}
		end = run_end(value, i);
		if (blank && begun)
			buf_char(out, ' ');
		buf_str(out, str_slice(value, i, end));
		blank = false;
		begun = true;
		i = end;
	}
	buf_add(out, "\r\n", 2);
}

/* The index of the first CRLF from `from` on, or s.n. By its LF: to look for two octets takes three times as long. */
static size_t line_end(struct str s, size_t from)
{
	for (size_t at = from; at < s.n; at++) {
		at += str_find(str_slice(s, at, s.n), '\n');
		if (at < s.n && at > from && s.p[at - 1] == '\r')
			return at - 1;
	}
	return s.n;
}

bool dkim_next_field(struct str *fields, struct str *name, struct str *value)
{
	struct str s = *fields;
	size_t colon = str_find(s, ':'), end;

	*name = str_slice(s, 0, colon);
	if (colon == 0 || colon == s.n || str_find(*name, '\n') < colon)
		return false;
	while (name->n && is_blank(name->p[name->n - 1]))
		name->n--;
	end = line_end(s, colon);
	while (end + 2 < s.n && is_blank(s.p[end + 2]))
		end = line_end(s, end + 2);
	*value = str_slice(s, colon + 1, end);
	*fields = str_slice(s, end + 2, s.n);
	return true;
}

/*
 * Whether the first BLOCK octets of `p`, behind which one more may be read, surely need no change: no tab, and
 * no space before anything but a visible character. Stricter than need be: what fails is looked at octet by octet.
 * Written without branches so that the compiler makes vector instructions of it.
 */
enum { BLOCK = 64 };
static bool block_is_relaxed(const char *p)
{
	unsigned char bad = 0;

	for (size_t i = 0; i < BLOCK; i++)
		bad |= (unsigned char)((p[i] == '\t') |
				       ((p[i] == ' ') & ((unsigned char)p[i + 1] <= ' ')));
	return !bad;
}

/* Where the next run of blanks from `i` on begins that needs a change, or text.n. The text has neither a blank nor a
 * line end at its ends. */
static size_t next_change(struct str text, size_t i)
{
	while (i < text.n) {
		size_t stop = i + BLOCK < text.n ? i + BLOCK : text.n;

		/* The last octet needs no change, so the last block may end before it, and begin with
		 * what has been looked at. */
		if (text.n > BLOCK &&
			block_is_relaxed(text.p + (stop < text.n ? i : text.n - 1 - BLOCK))) {
			i = stop;
			continue;
		}
		while (i < stop) {
			size_t end = i;

			while (is_blank(text.p[end]))
				end++;
			if (end > i && (end > i + 1 || text.p[i] == '\t' || crlf_at(text, end)))
				return i;
			i = end > i ? end : i + 1;
		}
	}
	return text.n;
}

/* One space for a run of blanks, none at a line's end. */
static void relax_text(struct dkim_relaxer *r, struct str text)
{
	size_t from = 0, at;

	while ((at = next_change(text, from)) < text.n) {
		r->take(r->user, str_slice(text, from, at));
		for (from = at; is_blank(text.p[from]); from++)
			;
		if (!crlf_at(text, from))
			r->take(r->user, STR(" "));
	}
	r->take(r->user, str_slice(text, from, text.n));
}

/* Hand on what is held back: it is not the end. */
static void flush(struct dkim_relaxer *r)
{
	for (; r->lines; r->lines--)
		r->take(r->user, STR("\r\n"));
	if (r->blank)
		r->take(r->user, STR(" "));
	if (r->cr)
		r->take(r->user, STR("\r"));
	r->blank = r->cr = false;
	r->any = true;
}

static bool is_held(char c)
{
	return is_blank(c) || c == '\r' || c == '\n';
}

/* A CR alone, and an LF alone, are text like any other. */
static void hold(struct dkim_relaxer *r, char c)
{
	if (c == '\n' && r->cr) {
		r->blank = r->cr = false;
		r->lines++;
		return;
	}
	if (r->cr || c == '\n')
		flush(r);
	if (c == '\n')
		r->take(r->user, STR("\n"));
	else if (c == '\r')
		r->cr = true;
	else
		r->blank = true;
}

/* The part of a piece that has neither a blank nor a line end at its ends. */
static void find_text(struct str piece, size_t *from, size_t *end)
{
	*from = 0;
	*end = piece.n;
	while (*end && is_held(piece.p[*end - 1]))
		--*end;
	while (*from < *end && is_held(piece.p[*from]))
		++*from;
}

bool dkim_is_relaxed(struct str piece)
{
	size_t from, end;

	find_text(piece, &from, &end);
	return next_change(str_slice(piece, from, end), 0) == end - from;
}

void dkim_relax_body(struct dkim_relaxer *r, struct str piece, bool is_relaxed)
{
	size_t from, end;

	find_text(piece, &from, &end);
	for (size_t i = 0; i < from; i++)
		hold(r, piece.p[i]);
	if (from < end) {
		flush(r);
		if (is_relaxed)
			r->take(r->user, str_slice(piece, from, end));
		else
			relax_text(r, str_slice(piece, from, end));
	}
	for (size_t i = end; i < piece.n; i++)
		hold(r, piece.p[i]);
}

void dkim_relax_end(struct dkim_relaxer *r)
{
	if (r->cr)
		flush(r);
	if (r->any)
		r->take(r->user, STR("\r\n"));
}
