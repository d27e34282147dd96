/* SPDX-License-Identifier: MIT */
#ifndef APP_DELIVER_H
#define APP_DELIVER_H

#include "app/site.h"

#include <signal.h>
#include <stdbool.h>

/*
 * Delivery: claim ─ intend ─ render ─ submit ─ settle, until nothing is due. One transaction a turn
 * holds what came back (settle), the next claim where the stock is used up, and what may leave next
 * (intend); so the network never waits for one row's fsync, and no message is submitted before its
 * intent is durable.
 */
struct deliver_totals {
	int64_t sent, deferred, failed, expired,
		in_doubt; /* attempts of this run by what they led to */
	int64_t recovered; /* rows taken back from workers that are gone */
	int64_t known_sent,
		known_in_doubt; /* copies an older database learnt of from the send journal */
	int64_t left; /* copies still to be sent in the issues that are being delivered */
	int64_t milliseconds;
	char waits[192]; /* for progress(): what holds back all that is left; "" = nothing does */
};

struct deliver_options {
	bool follow; /* when nothing is due, wait for what becomes due later */
	const volatile sig_atomic_t *stop; /* non-zero: finish what is in flight, within 10 s */
	/* A few times a second. May be NULL. */
	void (*progress)(void *user, const struct deliver_totals *so_far);
	void *user;
};

/* Deliver all that is due. ERR_RELAY when copies are left but every relay is in trouble or paused (the
 * timer tries again later); ERR_BUSY, ERR_IO: the state cannot be written, sending has stopped, and
 * what is known is committed as far as that was possible. `out` is filled in any case. */
int deliver(struct site *s, const struct deliver_options *options, struct deliver_totals *out,
	struct err *e);

/* How many copies are due now or waiting in issues whose time has come: what deliver() would take up.
 * Changes nothing. Returns -1 on error. */
int64_t deliver_due(struct site *s, int64_t now, struct err *e);

#endif
