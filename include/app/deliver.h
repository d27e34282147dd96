/* SPDX-License-Identifier: MIT */
#ifndef APP_DELIVER_H
#define APP_DELIVER_H

#include "app/site.h"
#include "store/ledger.h"

#include <signal.h>
#include <stdbool.h>

/*
 * Delivery: claim ─ render ─ submit ─ settle, until nothing is due. One transaction a turn holds
 * what came back (settle), what may leave next (intend) and, when the stock is low, the next claim,
 * so the network never waits for one row's fsync, and no message is submitted before its intent is
 * durable.
 */
struct deliver_totals {
	int64_t sent, deferred, failed, expired, in_doubt, skipped;
	int64_t recovered_in_doubt; /* found `sending` after a crash */
	int64_t milliseconds;
};

struct deliver_options {
	bool follow; /* go on waiting for what becomes due later */
	bool dry_run; /* tell what is due, send nothing */
	const volatile sig_atomic_t
		*stop; /* becomes non-zero: finish what is in flight, at most 10 s */
	/* A few times a second. May be NULL. */
	void (*progress)(void *user, const struct deliver_totals *so_far, int64_t left);
	void *user;
};

/* Deliver all that is due. ERR_RELAY when the relay is paused or in trouble with copies left (exit
 * 75: the timer tries again), ERR_BUSY, ERR_IO: sending has stopped, what is known is committed. */
int deliver(struct site *s, const struct deliver_options *options, struct deliver_totals *out,
	struct err *e);

#endif
