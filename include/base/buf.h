/* SPDX-License-Identifier: MIT */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A growing byte buffer with a ceiling. What would pass the ceiling is not added, `over` is set,
 * and every later addition is refused until buf_reset(): build freely, then look at `over` once.
 */
struct buf {
	char *p;
	size_t n;
	size_t cap;
	size_t max;
	bool over;
};

/* An empty buffer that may grow to `max` octets. Nothing is allocated yet. */
void buf_init(struct buf *b, size_t max);

/* Give the memory back; the buffer is empty with the same ceiling. */
void buf_free(struct buf *b);

/* Empty it, keep the memory, clear `over`. */
void buf_reset(struct buf *b);

/* Append octets, a view, a C string, one octet, a formatted text. */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_cstr(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Append `v` as an unsigned LEB128 integer (7 bits an octet, low ones first). */
void buf_varint(struct buf *b, uint64_t v);

/* Remove the first `n` octets (at most all). */
void buf_consume(struct buf *b, size_t n);

/* The content as a view, valid until the next change. */
struct str buf_view(const struct buf *b);

/* The content NUL-terminated, valid until the next addition, also a refused one; the NUL is not part of `n`. */
const char *buf_text(struct buf *b);

/* Take an integer written by buf_varint() from the front of `*s`. False when `*s` holds no whole
 * one. */
bool varint_next(struct str *s, uint64_t *v);

#endif
