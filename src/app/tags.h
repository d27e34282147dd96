/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_TAGS_H
#define SRC_APP_TAGS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

/*
 * The tags of one row, each once, without regard to the case of ASCII letters.
 */
enum { TAGS_MAX = 200 };
struct tags {
	struct str tag[TAGS_MAX];
	size_t n;
	bool over; /* there were more */
};

/* Add one, unless it is empty. */
void tags_add(struct tags *t, struct str tag);

/* Add what the cell of the column `header` holds, by the column's `how` (format.h). Views of `cell` or in `a`. */
void tags_read(
	struct tags *t, struct arena *a, const char *how, struct str header, struct str cell);

/* Append `"tags":[...]`. */
void tags_write(const struct tags *t, struct buf *out);

#endif
