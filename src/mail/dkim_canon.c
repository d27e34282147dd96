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

void dkim_relax_field(struct str name, struct str value, struct buf *out)
{
	bool blank = false, begun = false;

	for (size_t i = 0; i < name.n; i++)
		buf_char(out, name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 0x20)
								   : name.p[i]);
	buf_char(out, ':');
	for (size_t i = 0; i < value.n; i++) {
		size_t from = i;

		if (crlf_at(value, i)) {
			i++; /* a fold: what counts is the blank behind it */
			continue;
		}
		if (is_blank(value.p[i])) {
			blank = true;
			continue;
		}
		if (blank && begun)
			buf_char(out, ' ');
		blank = false;
		begun = true;
		while (i + 1 < value.n && !is_blank(value.p[i + 1]) && !crlf_at(value, i + 1))
			i++;
		buf_str(out, str_slice(value, from, i + 1));
	}
	buf_add(out, "\r\n", 2);
}

bool dkim_next_field(struct str *fields, struct str *name, struct str *value)
{
	struct str s = *fields;
	size_t colon = str_find(s, ':'), end = colon;

	*name = str_slice(s, 0, colon);
	if (colon == 0 || colon == s.n || str_find(*name, '\n') < colon)
		return false;
	while (name->n && is_blank(name->p[name->n - 1]))
		name->n--;
	for (;; end += 2) {
		end += str_search(str_slice(s, end, s.n), STR("\r\n"));
		if (end + 2 >= s.n || !is_blank(s.p[end + 2]))
			break;
	}
	*value = str_slice(s, colon + 1, end);
	*fields = str_slice(s, end + 2, s.n);
	return true;
}

/* `body` without the empty lines at its end; lines of blanks count as empty. */
static struct str without_empty_end(struct str body)
{
	for (;;) {
		size_t n = body.n;

		if (n < 2 || !crlf_at(body, n - 2))
			return body;
		n -= 2;
		while (n && is_blank(body.p[n - 1]))
			n--;
		if (n && !(n >= 2 && crlf_at(body, n - 2)))
			return body;
		body.n = n;
	}
}

/*
 * Whether the octets [i, i + BLOCK) of `p`, behind which one more may be read, need no change: no tab,
 * and no space before another or before a CR. Written without branches so that the compiler makes
 * vector instructions of it: it sees every octet of every message.
 */
enum { BLOCK = 64 };
static bool block_is_relaxed(const char *p)
{
	unsigned char bad = 0;

	for (size_t i = 0; i < BLOCK; i++)
		bad |= (unsigned char)((p[i] == '\t') |
				       ((p[i] == ' ') & ((p[i + 1] == ' ') | (p[i + 1] == '\r') |
								(p[i + 1] == '\t'))));
	return !bad;
}

void dkim_relax_body(struct str body, void (*take)(void *user, struct str piece), void *user)
{
	size_t from = 0, i = 0;

	body = without_empty_end(body);
	while (i < body.n) {
		size_t stop = i + BLOCK < body.n ? i + BLOCK : body.n;

		if (stop < body.n && block_is_relaxed(body.p + i)) {
			i = stop;
			continue;
		}
		while (i < stop) {
			size_t end = i;
			bool ends_line;

			while (end < body.n && is_blank(body.p[end]))
				end++;
			ends_line = end == body.n || crlf_at(body, end);
			if (end == i || (end == i + 1 && body.p[i] == ' ' && !ends_line)) {
				i++;
				continue;
			}
			/* One space for the run, none at a line's end. */
			take(user, str_slice(body, from, i));
			if (!ends_line)
				take(user, STR(" "));
			from = i = end;
		}
	}
	take(user, str_slice(body, from, body.n));
	if (body.n && !crlf_at(body, body.n - 2))
		take(user, STR("\r\n"));
}
