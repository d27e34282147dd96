/* SPDX-License-Identifier: MIT */
#ifndef STORE_RETURNS_H
#define STORE_RETURNS_H

#include "mail/policy.h"
#include "store/store.h"

/*
 * What comes back: messages (arrivals), each once, and what they say about a copy (returns), at most one
 * bounce and one complaint each. A return moves the ledger and, by the policy, suppresses.
 */
enum return_kind { RETURN_BOUNCE, RETURN_COMPLAINT };

struct returned {
	int64_t issue, subscriber;
	enum return_kind kind;
	int64_t at; /* when it was learnt */
	int64_t arrival; /* the message that said it; 0 = the relay, while sending */
	struct str key; /* what named the copy: "verp", "envid", …; "smtp" for the relay */
	struct finding finding; /* of a bounce */
	int code; /* 0 = none */
	struct str status, text;
};

/* What a return did. */
struct return_effect {
	bool moved; /* the row of the ledger */
	bool suppressed; /* the address, now and by this */
};

/*
 * Record a return: the ledger's row goes sent, in_doubt or sending → bounced, any of these or bounced →
 * complained (other rows stay); the event is counted; the policy is asked. Counted are the events of the
 * policy's line since the reader's last accepted copy: one that was sent after them and has not come back
 * `RETURN_GRACE` seconds later. 1 when it was new or harder than the one known of this copy, 0 when it was
 * known, ERR_MISSING where the ledger has no such copy, or -1.
 */
enum { RETURN_GRACE = 6 * 86400 };
int return_apply(struct store *s, const struct policy *policy, const struct returned *r,
	struct return_effect *out, struct err *e);

/* Take back what the message `arrival` did: its returns, their moves, the suppressions they made. Returns
 * that the operator has undone stay. How many were taken back, or -1. */
int returns_withdraw(struct store *s, int64_t arrival, struct err *e);

/* Which returns an undo means. */
struct return_filter {
	int64_t since, until; /* learnt within, both included */
	struct str reason; /* a reason's word, or "complaint" */
	struct str domain; /* of the address, lower case; empty = any */
};
struct return_undone {
	int64_t returns, lifted; /* taken back; suppressions lifted */
};

/* Take back events and the suppressions they made, after a provider's bad day: they count no more, now or in
 * a replay. The ledger stays: the copies did come back. A later suppression by hand stays. */
int returns_undo(struct store *s, const struct return_filter *filter, int64_t now, bool dry_run,
	struct return_undone *out, struct err *e);

/* ---- arrivals ---- */

enum arrival_fate { ARRIVAL_NOTHING, ARRIVAL_APPLIED, ARRIVAL_FILED };
/* "nothing", "applied", "filed". */
const char *arrival_fate_name(enum arrival_fate fate);

enum { ARRIVAL_HASH_SIZE = 32, ARRIVAL_RAW_MAX = 64 * 1024 };

struct arrival {
	int64_t id, at;
	unsigned char hash[ARRIVAL_HASH_SIZE];
	struct str source, kind, rule, key, words;
	enum arrival_fate fate;
	int64_t issue, subscriber; /* 0 = none */
	struct str raw; /* its first ARRIVAL_RAW_MAX octets; only from arrival_get() */
};

/* The message of that hash, without `raw`, views in `a`: 1, 0 when it has not arrived, or -1. */
int arrival_find(struct store *s, const unsigned char hash[ARRIVAL_HASH_SIZE], struct arena *a,
	struct arrival *out, struct err *e);

/* Keep a new arrival (its id is filled), or write back what was read of a known one: kind, rule, fate, key,
 * words, issue, subscriber. */
int arrival_add(struct store *s, struct arrival *arrival, struct err *e);
int arrival_update(struct store *s, const struct arrival *arrival, struct err *e);

/* By number, views in `a`. ERR_MISSING. */
int arrival_get(struct store *s, int64_t id, struct arena *a, struct arrival *out, struct err *e);

/* Those behind number `after`, oldest first (only filed ones where `filed`): an array of *n <= limit in `a`,
 * without `raw`. */
int arrivals_get(struct store *s, int64_t after, bool filed, size_t limit, struct arena *a,
	struct arrival **out, size_t *n, struct err *e);

/* Drop those that arrived before `at`. How many, or -1. */
int64_t arrivals_drop(struct store *s, int64_t at, struct err *e);

#endif
