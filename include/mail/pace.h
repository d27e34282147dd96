/* SPDX-License-Identifier: MIT */
#ifndef MAIL_PACE_H
#define MAIL_PACE_H

#include "mail/classify.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The arithmetic of pacing: rates, quotas, warm-up, throttles, circuits. Each is a plain value that stands
 * in the database as it is here, so that all workers share it and a restart forgets nothing. No clock:
 * times go in, as Unix seconds, or as Unix milliseconds where the name ends in _ms.
 */

/* ---- rates ---- */

/* So many messages in so many seconds, evenly spaced: one every seconds/count, and after a wait no more
 * at once than PACE_BURST_MS would have carried. Any stretch of T seconds holds at most
 * (T + PACE_BURST_MS / 1000) * count / seconds + 1. */
enum { PACE_BURST_MS = 50 };
struct pace_rate {
	int64_t free_us; /* when the next would be in time, Unix microseconds */
};

/* How many may leave at `now_ms` (`count` 0 = any number: INT64_MAX). */
int64_t pace_rate_room(const struct pace_rate *r, int64_t count, int64_t seconds, int64_t now_ms);

/* One has left. */
void pace_rate_take(struct pace_rate *r, int64_t count, int64_t seconds, int64_t now_ms);

/* When the next one may leave, in ms: `now_ms` when that is now. */
int64_t pace_rate_next(const struct pace_rate *r, int64_t count, int64_t seconds, int64_t now_ms);

/* ---- quotas over a sliding hour or day ---- */

/* Messages are counted in slots, and a window is one slot longer than its name: so no hour (or day),
 * wherever it begins, holds more than the quota. Should the clock go back, what was counted in its future
 * stays counted until then. */
enum pace_span { PACE_HOUR, PACE_DAY, PACE_SPAN_N };
enum {
	PACE_HOUR_SLOT = 150, /* seconds */
	PACE_DAY_SLOT = 900,
	PACE_SLOT_MAX = 86400 / PACE_DAY_SLOT + 1, /* the slots of the longest window */
};
struct pace_window {
	int64_t slot; /* the newest: Unix time / slot length */
	int64_t used; /* the sum of n[] */
	int32_t n[PACE_SLOT_MAX]; /* by slot number, round about */
};

/* The length of a span's slots in seconds, and their number. */
int pace_slot_seconds(enum pace_span span);
int pace_slot_count(enum pace_span span);

/* What is counted in the window that ends at `now`. */
int64_t pace_window_used(const struct pace_window *w, enum pace_span span, int64_t now);

/* Count `n` at `at`; negative where something did not leave after all. What is older than the window is
 * nobody's business any more. */
void pace_window_add(struct pace_window *w, enum pace_span span, int64_t at, int n);

/* The count of a slot: 0 outside the window. */
int pace_window_slot(const struct pace_window *w, enum pace_span span, int64_t slot);

/* When the oldest count of the window leaves it (`now` where there is none). */
int64_t pace_window_next(const struct pace_window *w, enum pace_span span, int64_t now);

/* ---- warm-up ---- */

/* A cap for a UTC day, which grows after a day on which at least half of it was used: reputation comes of
 * mail, not of waiting. */
struct pace_growth {
	int64_t first; /* the cap of the first day; 0 = no warm-up */
	int percent; /* growth from one day to the next */
};
struct pace_warm {
	int64_t day; /* Unix time / 86400 of the last message */
	int64_t used; /* on that day */
	int level; /* how often the cap has grown */
};

/* The cap after it has grown `level` times; INT64_MAX where there is none. */
int64_t pace_growth_cap(const struct pace_growth *g, int level);

/* `w` as it is at `now`, on a new day perhaps with a higher cap. */
struct pace_warm pace_warm_at(const struct pace_warm *w, const struct pace_growth *g, int64_t now);

/* Count `n` at `at`, as pace_window_add(). */
void pace_warm_add(struct pace_warm *w, const struct pace_growth *g, int64_t at, int n);

/* ---- the throttle of a lane ---- */

enum {
	PACE_STRIKES = 3, /* so many replies about rate or block ... */
	PACE_STRIKE_SPAN = 3600, /* ... within this make a lane slower */
	PACE_SLOW = 10, /* messages a minute, at first, where no more were on their way */
	PACE_FAST = 6000, /* a rate at which a lane without a limit is free again */
	PACE_RECOVER =
		600, /* seconds without trouble after which the rate doubles, again and again */
	PACE_BLOCK_WAIT = 1800, /* a block without a word how long; doubles, too */
	PACE_WAIT_MAX = 4 * 3600,
};

struct pace_throttle {
	int64_t strike[PACE_STRIKES]; /* when the last ones came, newest first; 0 = none */
	int64_t acted_at; /* when the lane last became slower; what left before that says nothing new */
	int64_t wait_until;
	int64_t hold_until; /* until then ... */
	int per_minute; /* ... this is the rate, then it doubles; 0 = not slowed */
	int at_once; /* so many at once until ... */
	int64_t at_once_until;
	int blocks; /* pauses for a block since the lane was last free */
};

/* Whether a lane with the limit `limit` (a minute; 0 = none) is slowed at `now`, and its rate then: 0 =
 * any. */
int pace_throttle_rate(const struct pace_throttle *t, int limit, int64_t now);

/* How many may be under way at once, where `limit` (0 = any) is the lane's own: 0 = any. */
int pace_throttle_at_once(const struct pace_throttle *t, int limit, int64_t now);

/* A copy that left at `begun` was answered with `finding`; `recent` is how many a minute were on their way,
 * `limit` the lane's own rate. Replies of other kinds change nothing. True when the lane is slower now, or
 * waits. What the table of replies says (mail/classify.h) holds at once; else PACE_STRIKES of them make
 * the rate half of `recent`, and each one after that halves it. */
bool pace_throttle_note(struct pace_throttle *t, const struct finding *finding, int limit,
	int recent, int64_t begun, int64_t now);

/* ---- the circuit of a relay ---- */

enum {
	PACE_REST_MIN = 30, /* seconds of the first pause; doubles with each that follows */
	PACE_REST_MAX = 1800,
	PACE_PROBE = 300, /* for so long others wait for the one that probes */
};
enum pace_circuit_state {
	PACE_CLOSED, /* in use */
	PACE_OPEN, /* in trouble: rests */
	PACE_HALF_OPEN, /* rested: one worker may try one message */
	PACE_PROBED, /* another worker is trying */
};
struct pace_circuit {
	int64_t rest_until;
	int failures; /* pauses without a success in between */
	int64_t since; /* of the first of them; 0 = not known */
	int64_t probe_until; /* somebody is probing until then, unless an answer comes before */
};

/* `mine`: the probe, if there is one, is that of the one who asks. */
enum pace_circuit_state pace_circuit_at(const struct pace_circuit *c, bool mine, int64_t now);

/* There was trouble: how many seconds the relay will rest, or 0 where it rests already (several
 * connections met the same). */
int pace_circuit_fail(struct pace_circuit *c, int64_t now);

#endif
