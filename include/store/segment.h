/* SPDX-License-Identifier: MIT */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

#include "mail/segment.h"
#include "store/people.h"

/*
 * Who is in a segment, found once: the numbers of its readers are put into a set of this handle. The SQL that
 * finds them is made here of fixed pieces and parameters, and is prepared behind an authorizer that lets it read
 * the few tables it needs, and nothing else.
 */
enum segment_set { SEGMENT_FIRST, SEGMENT_SECOND };

/* Fill `set` with the subscribers in `segment` (NULL = all), whether they are mailed or not. `list` is what
 * `status` and clicked_any() refer to; 0 = any. ERR_INPUT, with the nearest name, where an attribute, a list
 * or an issue is named that there is not. */
int segment_find(struct store *s, const struct segment *segment, int64_t list, enum segment_set set,
	int64_t *n, struct err *e);

/* Those of `set`, by id, at most `limit`. */
int segment_each(struct store *s, enum segment_set set, size_t limit,
	bool (*each)(void *user, const struct subscriber *person), void *user, struct err *e);

/* How many of an issue's audience (list `list`, due at `at`) are in both sets and in one alone. */
struct audience {
	int64_t both, first, second; /* `first`: in the first set and not in the second */
};
int audience_count(struct store *s, int64_t list, int64_t at, struct audience *out, struct err *e);

/* Some of the audience that are in the first set: spread over all of it, and the same each time. */
int audience_sample(struct store *s, int64_t list, int64_t at, size_t limit,
	bool (*each)(void *user, const struct subscriber *person), void *user, struct err *e);

#endif
