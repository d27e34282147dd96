/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_free(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
	b->n = 0;
	b->over = false;
}

enum { CAP_MIN = 256 }; /* most of what is built is shorter */

/* Room for `n` more octets and a NUL; false, and `over`, past the ceiling. */
static bool room(struct buf *b, size_t n)
{
	size_t cap;
	char *p;

	if (b->over || n > b->max - b->n) {
		b->over = true;
		return false;
	}
	if (b->cap > b->n + n)
		return true;
	cap = b->cap ? b->cap : CAP_MIN;
	while (cap <= b->n + n)
		cap *= 2;
	p = realloc(b->p, cap);
	if (!p) {
		fputs("lettermill: out of memory\n", stderr);
		abort();
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || !room(b, n))
		return;
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

void buf_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void buf_cstr(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	if (room(b, 1))
		b->p[b->n++] = c;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t fits = b->over ? 0 : b->cap - b->n;
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(fits ? b->p + b->n : NULL, fits, fmt, ap);
	va_end(ap);
	if (n > 0 && room(b, (size_t)n)) {
		if ((size_t)n >= fits)
			vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
}

void buf_varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_char(b, (char)(v | 0x80));
	buf_char(b, (char)v);
}

void buf_consume(struct buf *b, size_t n)
{
	if (n > b->n)
		n = b->n;
	b->n -= n;
	if (b->n)
		memmove(b->p, b->p + n, b->n);
}

struct str buf_view(const struct buf *b)
{
	return (struct str){b->p, b->n};
}

const char *buf_text(struct buf *b)
{
	if (!b->p)
		return "";
	b->p[b->n] = '\0'; /* room() leaves an octet for it */
	return b->p;
}

bool varint_next(struct str *s, uint64_t *v)
{
	uint64_t value = 0;

	for (size_t i = 0; i < s->n && i < 10; i++) {
		unsigned char c = (unsigned char)s->p[i];

		if (i == 9 && c > 1)
			return false;
		value |= (uint64_t)(c & 0x7f) << (7 * i);
		if (!(c & 0x80)) {
			*s = str_slice(*s, i + 1, s->n);
			*v = value;
			return true;
		}
	}
	return false;
}
