/* SPDX-License-Identifier: MIT */
#ifndef STORE_SEEN_H
#define STORE_SEEN_H

#include "base/str.h"

#include <stdint.h>

/*
 * Which addresses a file has had already, in whatever case: a set of 64-bit hashes, 8 to 16 octets an address. Two of five million
 * addresses are taken for one once in a million files; then a count is wrong by one. Private to src/store.
 */
enum { SEEN_PARTS = 256 }; /* they grow one by one: never is there twice the whole */

struct seen {
	struct seen_part {
		uint64_t *slot; /* 0 = free */
		size_t size, n;
	} part[SEEN_PARTS]; /* by the first octet of the hash */
};

/* Add `key`: 1 when it is new, 0 when it was there, -1 when there is no memory. */
int seen_add(struct seen *s, struct str key);

/* Give the memory back. */
void seen_free(struct seen *s);

#endif
