/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_TALLY_H
#define SRC_APP_TALLY_H

#include "base/arena.h"
#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * What the addresses of a file look like: domains that are near a well-known one, and offices. Domains are looked
 * at once each as long as there is room to remember them, and in all no more than a second's worth.
 */
enum { TALLY_TYPOS_MAX = 50, TALLY_EXAMPLES_MAX = 3, TALLY_SLOTS = 4096, TALLY_DOMAIN_MAX = 22 };

struct tally {
	struct {
		struct str domain;
		const char *meant;
		uint64_t rows;
	} typo[TALLY_TYPOS_MAX];
	size_t typo_n;
	struct {
		char domain[TALLY_DOMAIN_MAX];
		unsigned char n; /* 0 = free */
		signed char typo; /* its place above, -1 = sound */
	} slot[TALLY_SLOTS];
	uint64_t looked;
	uint64_t roles;
	struct str example[TALLY_EXAMPLES_MAX];
	struct arena a;
};

/* Count an address, by its key. */
void tally_address(struct tally *t, struct str key);

/* Put "typos" and "roles" into the report of the file. */
void tally_report(const struct tally *t, json_t *file);

#endif
