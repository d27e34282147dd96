/* SPDX-License-Identifier: MIT */
#ifndef STORE_PAGES_H
#define STORE_PAGES_H

#include "store/people.h"

/*
 * What only the public pages ask of the store.
 */

/* The list of that number, or of that slug where `id` is 0, without its count of subscribers: 1, 0 where there
 * is none, or -1. Views in `a`. */
int list_look(struct store *s, int64_t id, struct str slug, struct arena *a, struct list *out,
	struct err *e);

/* The subscriber of that number: 1, 0 where there is none (any more), or -1. Views in `a`. */
int subscriber_look(
	struct store *s, int64_t id, struct arena *a, struct subscriber *out, struct err *e);

/* Whether deliveries get on, for /healthz: ERR_IO where the database cannot be written (a lock held by another
 * process is no fault), ERR_BUSY with the sentence where copies have been due for longer than `patience`
 * seconds and nothing was tried in that time though no relay is paused. Changes nothing. */
int store_health(struct store *s, int64_t now, int64_t patience, struct err *e);

#endif
