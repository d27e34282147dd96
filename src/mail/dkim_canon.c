/* SPDX-License-Identifier: MIT */
#include "dkim_canon.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool crlf_at(struct str s, size_t i)
{
	return s.n >= 2 && i < s.n - 1 && s.p[i] == '\r' && s.p[i + 1] == '\n';
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

/* The index of the first CRLF from `from` on, or s.n. */
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
 * Whether the octets [i, i + BLOCK) of `p`, behind which one more may be read, need no change: no tab, and no
 * space before a blank, a line end or anything else that is no character of ASCII. By vectors, since it sees
 * every octet of every message.
 */
enum { BLOCK = 128 };
static bool block_is_relaxed(const char *p)
{
	typedef signed char octets __attribute__((vector_size(16)));
	octets bad = {0}, none = {0};

	for (size_t i = 0; i < BLOCK; i += sizeof bad) {
		octets here, next;

		memcpy(&here, p + i, sizeof here);
		memcpy(&next, p + i + 1, sizeof next);
		bad -= (here == '\t') | ((here == ' ') & (next < '!')); /* true is -1 */
	}
	return memcmp(&bad, &none, sizeof bad) == 0;
}

/* The same for text that has neither a blank nor a line end at its ends. */
static void relax_text(struct dkim_relaxer *r, struct str text)
{
	size_t from = 0, i = 0;

	while (i < text.n) {
		size_t stop = i + BLOCK < text.n ? i + BLOCK : text.n;

		/* The last octet needs no change, so the last block may end before it. */
		if (text.n > BLOCK &&
			block_is_relaxed(text.p + (stop < text.n ? i : text.n - 1 - BLOCK))) {
			i = stop;
			continue;
		}
		while (i < stop) {
			size_t end = i;
			bool ends_line;

			while (is_blank(text.p[end]))
				end++;
			if (end == i) {
				i++;
				continue;
			}
			ends_line = crlf_at(text, end);
			if (end == i + 1 && text.p[i] == ' ' && !ends_line) {
				i = end;
				continue;
			}
			/* One space for the run, none at a line's end. */
			r->take(r->user, str_slice(text, from, i));
			if (!ends_line)
				r->take(r->user, STR(" "));
			from = i = end;
		}
	}
	r->take(r->user, str_slice(text, from, text.n));
}

/* What is held back is not the end. */
static void let_go(struct dkim_relaxer *r)
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
		let_go(r);
	if (c == '\n')
		r->take(r->user, STR("\n"));
	else if (c == '\r')
		r->cr = true;
	else
		r->blank = true;
}

void dkim_relax_body(struct dkim_relaxer *r, struct str piece)
{
	size_t i = 0, end = piece.n;

	while (end && is_held(piece.p[end - 1]))
		end--;
	while (i < end && is_held(piece.p[i]))
		hold(r, piece.p[i++]);
	if (i < end) {
		let_go(r);
		relax_text(r, str_slice(piece, i, end));
	}
	for (i = end; i < piece.n; i++)
		hold(r, piece.p[i]);
}

void dkim_relax_end(struct dkim_relaxer *r)
{
	if (r->cr)
		let_go(r);
	if (r->any)
		r->take(r->user, STR("\r\n"));
}
