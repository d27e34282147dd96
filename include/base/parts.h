/* SPDX-License-Identifier: MIT */
#ifndef BASE_PARTS_H
#define BASE_PARTS_H

#include "base/buf.h"

/*
 * A text of which most is there already: octets that are made for it are appended to `made`, what is the same
 * in many texts is referred to and copied by nobody but the kernel. Complete after parts_end().
 */
struct parts {
	struct buf made; /* append here, as to any buffer; its ceiling is that of the whole */
	struct buf list; /* of struct str; what is in `made` has its address since parts_end() */
	size_t listed; /* octets of `made` that are in the list */
	size_t n; /* octets in all that are in the list */
};

/* An empty one of at most `max` octets. Nothing is allocated yet. */
void parts_init(struct parts *p, size_t max);

/* Give the memory back. */
void parts_free(struct parts *p);

/* Empty it, keep the memory. */
void parts_reset(struct parts *p);

/* Append a text that stays where it is until the whole is done with; a short one is copied. */
void parts_refer(struct parts *p, struct str text);

/* Append another whole: what it has made is copied, what it refers to is referred to. */
void parts_append(struct parts *p, const struct parts *whole);

/* All is there: nothing more is appended until parts_reset(). */
void parts_end(struct parts *p);

/* The parts in their order, none of them empty, valid until the next change. */
const struct str *parts_list(const struct parts *p, size_t *n);

/* Append the whole text to `out`. */
void parts_join(const struct parts *p, struct buf *out);

#endif
