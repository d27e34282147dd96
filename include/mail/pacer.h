/* SPDX-License-Identifier: MIT */
#ifndef MAIL_PACER_H
#define MAIL_PACER_H

#include "base/err.h"
#include "mail/pace.h"
#include "mail/verdict.h"

#include <stddef.h>

/*
 * Who may send how much now: relays by their weights, rates, quotas and circuits, lanes (where copies
 * queue up, one a provider) by their rates and throttles. Pure: times go in, and what is decided is counted
 * here. What all workers share is read and written by store/pace.h in the transaction of a turn; should
 * that be rolled back, pacer_undo() takes the turn's decisions back, too.
 */
enum {
	PACER_NAME_SIZE = 64,
	PACER_WORDS_SIZE = 160,
	PACER_ANY = -1, /* no particular relay */
};

/* What the configuration says of a relay and of a lane; 0 = no limit, except for the weight. */
struct pace_relay_limits {
	int weight; /* its share, beside those of the others */
	int64_t per_second, per_hour, per_day;
	struct pace_growth warm_up;
};
struct pace_lane_limits {
	int per_minute;
	int at_once; /* copies under way */
};

struct pacer_relay {
	char name[PACER_NAME_SIZE];
	struct pace_relay_limits limit;
	/* In the database. */
	struct pace_rate rate;
	struct pace_window window[PACE_SPAN_N];
	struct pace_warm warm;
	struct pace_circuit circuit;
	char reason[PACER_WORDS_SIZE]; /* of its trouble */
	int64_t changed_from; /* since when its counts differ from those in the database; INT64_MAX =
				 nothing does */
	/* This worker's. */
	bool probing; /* the probe is ours */
	size_t room; /* what its transport takes now: set before each choice, counted down by it */
	int under_way;
	int64_t answered_ms; /* its last answer, or when it got something to answer */
	double pass; /* whose turn it is: the lowest */
};

struct pacer_lane {
	int64_t id;
	char name[PACER_NAME_SIZE];
	struct pace_lane_limits limit;
	bool mixed; /* of many domains: the trouble of one is not the others', so it is never throttled
		     */
	/* In the database. */
	struct pace_rate rate;
	struct pace_throttle throttle;
	int64_t throttled; /* replies about rate or block, ever */
	struct {
		int64_t at; /* 0 = none */
		int code;
		char words[PACER_WORDS_SIZE];
	} refusal; /* the last reply that refused or put off a copy */
	bool changed;
	/* This worker's. */
	int64_t waiting; /* in the ledger: with the stock, its weight beside the other lanes */
	size_t stock; /* claimed and not yet begun: set by the caller, counted down by pacer_begin() */
	int under_way;
	int64_t minute; /* Unix time / 60 ... */
	int begun, begun_before; /* ... and how many left in it and in the one before */
	double pass;
};

struct pacer {
	struct pacer_relay *relay;
	size_t relay_n;
	struct pacer_lane *lane;
	size_t lane_n, lane_room;
	double relay_pass, lane_pass; /* how far the turns have come */
	int64_t known; /* store/pace.h: which state of the database this is; -1 = none */
	struct pacer *kept; /* for pacer_undo() */
};

/* An empty pacer with room for `relay_n` relays, to be named and limited by the caller before use. */
void pacer_init(struct pacer *p, size_t relay_n);
void pacer_free(struct pacer *p);

/* The index of lane `id`, or -1. */
int pacer_lane_find(const struct pacer *p, int64_t id);

/* Add a lane that is not there yet; its index. What the database knows of it comes with the next
 * store/pace.h load. */
int pacer_lane_add(struct pacer *p, int64_t id, const char *name,
	const struct pace_lane_limits *limit, bool mixed);

/* Keep the state, and go back to it: counts, and what is under way. After an undo the database is read
 * again. Lanes that were added since stay. */
void pacer_keep(struct pacer *p);
void pacer_undo(struct pacer *p);

/* How many copies of a lane are worth claiming, when `limit` may be claimed of all lanes together: its share
 * by what waits, no more than its rate lets go within some seconds, less its stock. */
size_t pacer_share(const struct pacer *p, int lane, size_t limit, int64_t now_ms);

/* The lane whose copy leaves next, of those with stock: each gets its turns in proportion to what waits in
 * it, so that no provider gets a burst and all are done at about the same time. -1 when none may. */
int pacer_lane_next(const struct pacer *p, int64_t now_ms);

/* The relay for a copy: each in proportion to its weight, so the others wait for one that has no room and
 * goes on answering; not for one that is stuck. `bound`: the copy may go to no other than this
 * one (it was in doubt there), or PACER_ANY. -1 when none may. */
int pacer_relay_next(const struct pacer *p, int bound, int64_t now_ms);

/* Whether a relay has its hands full and goes on: its share waits for it then. */
bool pacer_relay_busy(const struct pacer *p, size_t relay, int64_t now_ms);

/* A copy of `lane` leaves by `relay`, as the two above have said: count it. */
void pacer_begin(struct pacer *p, int lane, int relay, int64_t now_ms);

/* The answer to a copy that began at `begun_ms`. Returns what became of it for others. */
struct pacer_outcome {
	int lane, relay;
	enum verdict_action action;
	const struct finding *finding;
	int code; /* of the reply */
	const char *words; /* of the reply or about it */
	int64_t begun_ms;
};
enum pacer_event {
	PACER_NOTHING,
	PACER_RELAY_RESTS, /* its circuit has opened */
	PACER_RELAY_BACK, /* its circuit has closed: the relay may be used in full */
	PACER_LANE_SLOWER, /* the lane goes slower, or waits */
};
enum pacer_event pacer_end(struct pacer *p, const struct pacer_outcome *o, int64_t now_ms);

/* When a copy that was put off by its lane's trouble is due again, with no attempt used; 0 where it has to go
 * by its own schedule (retry_at()), since the lane is of many domains. */
int64_t pacer_again_at(const struct pacer *p, int lane, int64_t now);

/* What a relay's circuit is for this worker; whether it may be used at all. */
enum pace_circuit_state pacer_circuit(const struct pacer *p, size_t relay, int64_t now);

/* How many messages a relay may still take at `now_ms` under its quotas, rate and warm-up, whatever its
 * room and circuit: INT64_MAX without a limit. */
int64_t pacer_relay_left(const struct pacer_relay *r, int64_t now_ms);

/* When something of what is in stock may leave that may not now, in Unix ms: `now_ms` when something may
 * already, INT64_MAX when only an answer can change it, or when there is no stock. With `any`: as if every lane
 * with waiting copies had stock. */
int64_t pacer_ready_at(const struct pacer *p, bool any, int64_t now_ms);

#endif
