/* SPDX-License-Identifier: MIT */
#ifndef STORE_PACE_H
#define STORE_PACE_H

#include "mail/pacer.h"
#include "store/store.h"

/*
 * What pacing remembers (mail/pacer.h): counts, rates and circuits of relays, rates and throttles of lanes.
 * All workers share it: within one transaction of store_begin(), load before deciding and save after it.
 */

/* Fill what the database keeps of p's relays (by name) and lanes (by number). Costs next to nothing when
 * nobody else has written since the last load. */
int pace_load(struct store *s, struct pacer *p, struct err *e);

/* Write what has changed since: a few rows a relay, however many messages they count. */
int pace_save(struct store *s, struct pacer *p, struct err *e);

#endif
