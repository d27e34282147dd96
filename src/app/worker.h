/* SPDX-License-Identifier: MIT */
#ifndef APP_WORKER_H
#define APP_WORKER_H

#include "app/copy.h"
#include "app/deliver.h"
#include "mail/pacer.h"
#include "net/transport.h"
#include "store/flight.h"
#include "store/journal.h"
#include "store/ledger.h"

/*
 * A worker: one lease, one transport for all relays, one pacer, and the turns between them. Private to app:
 * deliver.c opens and closes it and decides when to stop, worker.c makes the turns, worker_claim.c chooses
 * what leaves next, worker_make.c makes the copies, worker_settle.c sees to what came back.
 */

/* A claimed copy that waits for its turn, with its strings behind it. */
struct stocked {
	struct claim claim;
	uint64_t turn; /* in which it was claimed */
	struct stocked *next;
};

/* The claimed copies of one lane, oldest first. */
struct stock {
	struct stocked *first, **last;
};

/* A message between its intent and its settled outcome; its index is the submission's id. */
struct worker_slot {
	enum { SLOT_FREE, SLOT_INTENDED, SLOT_SUBMITTED } use;
	int64_t issue, subscriber;
	int attempts;
	uint64_t mark; /* of its address in the journal */
	int lane, relay; /* their indexes in the pacer */
	int64_t begun_ms, expires_at;
	struct stocked *stocked; /* until the copy is made: the slot's own */
	struct worker_issue *of;
	struct parts message;
	struct buf sender, recipient;
	atomic_uchar *stage; /* for the transport, in w->flight */
};

/* An issue whose copies are being made. */
struct worker_issue {
	int64_t id;
	struct arena arena; /* holds the packed program */
	struct copy_maker **maker; /* one for each that makes copies */
	struct journal *journal; /* NULL for a notice */
	uint64_t turn; /* in which it was opened */
	struct worker_issue *next;
};

/*
 * Reading order: what is due is claimed into the stock of its lane, the pacer says whose copy leaves by
 * which relay, a slot is filled with its intent, the commit makes that durable, the slot is submitted, its
 * outcome lands in `done` and is settled.
 */
struct worker {
	struct site *site;
	struct lease lease;
	struct flight *flight; /* an entry for each slot between intent and outcome */
	struct relay *relay; /* those of the configuration, in its order */
	size_t relay_n;
	struct transport *transport;
	bool *down, *probe; /* by relay: the transport has given it up; may try one message */
	struct pacer pacer;
	struct deliver_totals totals;

	struct worker_slot *slot;
	size_t slot_n;
	struct press *press; /* threads that make copies; NULL = the worker makes them */
	size_t makers; /* how many make copies */
	size_t in_flight; /* submitted, or to be so, no outcome yet */
	struct outcome *done; /* came back, not yet committed */
	size_t done_n;

	struct stock *stock; /* by lane, as the pacer numbers them */
	size_t stock_lanes;
	size_t stock_n; /* of all lanes */
	uint64_t turn;

	struct worker_issue *issue;
	struct err journal_bad; /* why a journal could not be written: nothing more leaves */
	bool follow; /* wait for what may leave later */
	bool stopping; /* take up nothing new */
	bool cut; /* the transport was told to stop: what is in flight has a few seconds left */
	bool dry; /* the last claim left nothing that could be claimed */
	bool blocked; /* nothing may leave for some time */
	int wait_ms; /* for so long nothing can leave, unless an answer comes */
	int64_t turned_ms, renewed_ms, recovered_ms,
		claimed_ms; /* when issues, lease, others' leases, stock were seen to */
};

/* Take a lease and make room for the relays' messages. */
int worker_open(struct worker *w, struct site *s, bool follow, struct err *e);

/* Count what a journal has told. */
void worker_count_news(struct worker *w, const struct journal_news *news);

/* One turn: collect outcomes (waiting a little when there is nothing else to do), commit them with the
 * next intents and claims, submit. After an error nothing of the turn's transaction has happened; the
 * outcomes are kept for the next try. */
int worker_turn(struct worker *w, struct err *e);

/* Fetch outcomes, waiting up to `timeout_ms` for the first. */
void worker_collect(struct worker *w, int timeout_ms);

/* Whether there is nothing in flight, and nothing that may leave soon. */
bool worker_idle(const struct worker *w);

/* Whether no relay can be used: until when the first rests, and
 * why: as long as the worker lives. */
bool worker_relays_rest(const struct worker *w, int64_t now, int64_t *until, const char **reason);

/* What holds back all that is left, in words; "" when something is on its way or may leave. */
void worker_waits(const struct worker *w, int64_t now_ms, char *out, size_t size);

/* Give back lease, stock and memory; what was in flight without an outcome is queued, sent or in doubt, by how far it
 * had come. */
void worker_close(struct worker *w);

/* ---- worker_claim.c ---- */

/* Claim when the stock runs low. */
int worker_claim(struct worker *w, int64_t now_ms, struct err *e);

/* Choose what leaves next: claimed → sending, into free slots. */
int worker_intend(struct worker *w, int64_t now_ms, struct err *e);

/* The turn was rolled back: what it claimed and intended has been neither. */
void worker_take_back(struct worker *w);

/* Drop the stock. */
void worker_drop_stock(struct worker *w);

/* Forget the issues that were opened since `turn`. */
void worker_forget_issues(struct worker *w, uint64_t turn);

/* ---- worker_make.c ---- */

/* Start what makes the copies, and end it: what is not made then is dropped. */
int worker_open_makers(struct worker *w, struct err *e);
void worker_close_makers(struct worker *w);

/* Make the copies that were intended and submit them: now, or soon by another thread. */
void worker_submit(struct worker *w);

/* How many copies for a relay are not yet with the transport. */
size_t worker_unsubmitted(struct worker *w, size_t relay);

/* Fetch the outcomes of copies that could not be made. Returns their number. */
size_t worker_unmade(struct worker *w, struct outcome *out);

/* ---- worker_journal.c ---- */

/* In the transaction of a turn: write down what came back. Where that fails, the ledger has it all the same,
 * and the turn's intents are the last. */
int worker_journal_outcomes(struct worker *w, int64_t now, struct err *e);

/* Behind its commit: write down what leaves now. After an error it does not leave: it comes back with
 * VERDICT_AGAIN. */
int worker_journal_intents(struct worker *w, int64_t now, struct err *e);

/* ---- worker_settle.c ---- */

/* Write down what came of a message. */
int worker_settle(struct worker *w, const struct outcome *o, int64_t now_ms, struct err *e);

/* Pause an issue that would do harm, or that nothing can be made of. */
int worker_pause_issue(
	struct worker *w, int64_t issue, const char *reason, int64_t now, struct err *e);

#endif
