/* SPDX-License-Identifier: MIT */
#ifndef STORE_FLIGHT_FOUND_H
#define STORE_FLIGHT_FOUND_H

#include "db.h"
#include "store/flight.h"

/* What a worker that is gone had in flight. Private to src/store. */
struct flight_found;

/* Whether the worker of a lease is known to be gone. */
bool flight_ended(struct store *s, int64_t lease);

/* Read the file of a lease, which goes with the transaction's commit: what it says must not be believed a second time,
 * when its rows have gone on. NULL where there is none that can be believed. To be freed with free(). */
struct flight_found *flight_take(struct store *s, int64_t lease);

/* Remove what was read: the transaction is committed. */
void flights_remove(struct store *s);

/* How far a copy had come that is `sending` after so many attempts. */
enum flight_stage flight_stage(
	const struct flight_found *f, int64_t issue, int64_t subscriber, int attempts);

#endif
