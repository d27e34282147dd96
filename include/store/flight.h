/* SPDX-License-Identifier: MIT */
#ifndef STORE_FLIGHT_H
#define STORE_FLIGHT_H

#include "store/ledger.h"

#include <stdatomic.h>

/*
 * What a worker has in flight, in memory that outlives it: a file DATABASE-flight-LEASE that is mapped, with an entry
 * for each slot. An intent in the ledger says that a copy may leave; this says how far it has come, at the cost of a
 * store to memory. So a worker that is killed leaves in doubt what was leaving at that moment and nothing else: what
 * had not left waits again, what the relay had taken is sent.
 *
 * It is believed once, by lease_recover() or lease_close(), only of a process that is gone (which its lock tells), and
 * only until the machine starts again: nothing is synced. Where it cannot be believed, all that was in flight is in
 * doubt.
 */
struct flight;

/* Make the file of a lease, with room for `slot_n` copies. ERR_IO, ERR_DENIED, ERR_INPUT (a path that is too
 * long). */
int flight_open(
	struct store *s, const struct lease *l, size_t slot_n, struct flight **out, struct err *e);

/* The transport is closed, so what the file says is final. It stays, for lease_close() or for others. NULL is allowed. */
void flight_close(struct flight *f);

/* A copy that is about to be intended takes a slot, with FLIGHT_HERE; `attempts` is their number so far. Returns where
 * its stage is kept from now on, for the transport; valid until flight_close(). */
atomic_uchar *flight_put(
	struct flight *f, size_t slot, int64_t issue, int64_t subscriber, int attempts);

/* Its outcome is known elsewhere, or it was not intended after all. */
void flight_drop(struct flight *f, size_t slot);

#endif
