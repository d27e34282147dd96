/* SPDX-License-Identifier: MIT */
#ifndef APP_PACING_H
#define APP_PACING_H

#include "app/site.h"
#include "mail/pacer.h"
#include "store/ledger.h"

/* The pacer of a site (mail/pacer.h), filled from the configuration: for the worker, and for those who look
 * on. */

/* A pacer with all relays and their limits; pacer_free() frees it. */
void pacing_open(const struct config *c, struct pacer *p);

/* The index of a lane, added with its limits where it is new. */
int pacing_lane(const struct config *c, struct pacer *p, int64_t id, struct str name);

/* All relays, and the lanes of an issue's counts in their order, as they stand now in the database. What is
 * left of each lane is its `waiting`. */
int pacing_look(
	struct site *s, const struct lane_counts *lane, size_t n, struct pacer *out, struct err *e);

#endif
