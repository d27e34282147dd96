/* SPDX-License-Identifier: MIT */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

#include <stddef.h>

/*
 * An arena: many small allocations that end together. One arena a job. Out of memory aborts the
 * program (input is bounded before it gets here, and the ledger makes an abort harmless).
 * Zero-initialised is empty and ready.
 */
struct arena {
	struct arena_block *head;
};

/* Zeroed memory of `n` octets, aligned for any type; lives until arena_free() or arena_reset(). */
void *arena_alloc(struct arena *a, size_t n);

/* An array of `count` zeroed items of `size` octets; aborts when the product overflows. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* A NUL-terminated copy of `s` as a C string, and as a view (also NUL-terminated behind its end).
 */
char *arena_cstr(struct arena *a, struct str s);
struct str arena_str(struct arena *a, struct str s);

/* A formatted, NUL-terminated string. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Forget all allocations but keep the newest block for reuse: for a loop with one job a turn. */
void arena_reset(struct arena *a);

/* Give all memory back; the arena is empty and usable again. */
void arena_free(struct arena *a);

#endif
