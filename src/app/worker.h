/* SPDX-License-Identifier: MIT */
#ifndef APP_WORKER_H
#define APP_WORKER_H

#include "app/copy.h"
#include "app/deliver.h"
#include "net/transport.h"
#include "store/ledger.h"

/*
 * A worker: one lease, one transport, and the turns between them. Private to app: deliver.c opens and
 * closes it and decides when to stop, worker.c makes the turns.
 */

/* A message between its intent and its settled outcome; its index is the submission's id. */
struct worker_slot {
	enum { SLOT_FREE, SLOT_INTENDED, SLOT_SUBMITTED } use;
	int64_t issue, subscriber;
	int attempts;
	const struct claim *claim; /* of an intended one */
	struct worker_issue *of;
	struct buf message, sender, recipient;
};

/* An issue whose copies are being made. */
struct worker_issue {
	int64_t id, expires_at;
	struct arena arena; /* holds the packed program */
	struct copy_maker *maker;
	struct worker_issue *next;
};

/*
 * Reading order: what is due is claimed into the stock, a slot is filled from the stock with its intent,
 * the commit makes that durable, the slot is submitted, its outcome lands in `done` and is settled.
 */
struct worker {
	struct site *site;
	struct lease lease;
	const struct relay *relay;
	struct transport *transport;
	struct deliver_totals totals;

	struct worker_slot *slot;
	size_t slot_n;
	size_t in_flight; /* submitted, no outcome yet */
	struct outcome *done; /* came back, not yet committed */
	size_t done_n;

	struct arena stock_arena; /* claimed, not yet intended */
	struct claim *stock;
	size_t stock_n, stock_at;
	bool dry; /* the last claim found nothing due */

	struct worker_issue *issue;
	bool stopping; /* take up nothing new */
	bool cut; /* the transport was told to stop: what is in flight has a few seconds left */
	bool relay_down; /* the relay was paused in this run */
	bool relay_proved; /* it has accepted something in this run */
	int64_t turned_ms, renewed_ms,
		recovered_ms; /* when issues, lease, others' leases were seen to */
};

/* Take a lease and make room for `relay`'s messages. */
int worker_open(struct worker *w, struct site *s, const struct relay *relay, struct err *e);

/* One turn: collect outcomes (waiting a little when there is nothing else to do), commit them with the
 * next intents and claims, submit. After an error nothing of the turn's transaction has happened; the
 * outcomes are kept for the next try. */
int worker_turn(struct worker *w, struct err *e);

/* Whether there is nothing in flight, nothing in stock and nothing due. */
bool worker_idle(const struct worker *w);

/* Give back lease, stock and memory; what was in flight without an outcome stays `sending` and is found
 * to be in doubt when the lease is over. */
void worker_close(struct worker *w);

#endif
