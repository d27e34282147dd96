/* SPDX-License-Identifier: MIT */
#include "mail/pace.h"

#include <string.h>

enum { US = 1000000, MS = 1000, DAY = 86400 };

/* ---- rates ---- */

static int64_t interval_us(int64_t count, int64_t seconds)
{
	return seconds * US / count;
}

/* The rate's own time, which never lies further ahead than one interval behind the last message: what does
 * was written by a clock that has since been set back. */
static int64_t free_us(const struct pace_rate *r, int64_t interval, int64_t now_us)
{
	if (r->free_us < now_us || r->free_us > now_us + PACE_BURST_MS * MS + interval)
		return now_us;
	return r->free_us;
}

int64_t pace_rate_room(const struct pace_rate *r, int64_t count, int64_t seconds, int64_t now_ms)
{
	int64_t interval, ahead;

	if (count == 0)
		return INT64_MAX;
	interval = interval_us(count, seconds);
	ahead = now_ms * MS + PACE_BURST_MS * MS - free_us(r, interval, now_ms * MS);
	return ahead < 0 ? 0 : ahead / interval + 1;
}

void pace_rate_take(struct pace_rate *r, int64_t count, int64_t seconds, int64_t now_ms)
{
	int64_t interval;

	if (count == 0)
		return;
	interval = interval_us(count, seconds);
	r->free_us = free_us(r, interval, now_ms * MS) + interval;
}

int64_t pace_rate_next(const struct pace_rate *r, int64_t count, int64_t seconds, int64_t now_ms)
{
	int64_t at;

	if (count == 0)
		return now_ms;
	at = free_us(r, interval_us(count, seconds), now_ms * MS) / MS - PACE_BURST_MS;
	return at < now_ms ? now_ms : at + 1;
}

/* ---- quotas ---- */

int pace_slot_seconds(enum pace_span span)
{
	return span == PACE_HOUR ? PACE_HOUR_SLOT : PACE_DAY_SLOT;
}

int pace_slot_count(enum pace_span span)
{
	return span == PACE_HOUR ? 3600 / PACE_HOUR_SLOT + 1 : PACE_SLOT_MAX;
}

/* The newest slot of the window that ends at `now`. */
static int64_t newest(const struct pace_window *w, enum pace_span span, int64_t now)
{
	int64_t slot = now / pace_slot_seconds(span);

	return slot > w->slot ? slot : w->slot;
}

int64_t pace_window_used(const struct pace_window *w, enum pace_span span, int64_t now)
{
	int count = pace_slot_count(span);
	int64_t gone = newest(w, span, now) - w->slot, used = w->used;

	if (gone >= count)
		return 0;
	for (int64_t slot = w->slot - count + 1; gone > 0; gone--, slot++)
		used -= pace_window_slot(w, span, slot);
	return used;
}

int pace_window_slot(const struct pace_window *w, enum pace_span span, int64_t slot)
{
	int count = pace_slot_count(span);

	return slot < 0 || slot > w->slot || slot <= w->slot - count ? 0 : w->n[slot % count];
}

static void move_on(struct pace_window *w, enum pace_span span, int64_t slot)
{
	int count = pace_slot_count(span);

	if (slot - w->slot >= count) {
		memset(w, 0, sizeof *w);
		w->slot = slot;
	}
	while (w->slot < slot) {
		w->slot++;
		w->used -= w->n[w->slot % count];
		w->n[w->slot % count] = 0;
	}
}

void pace_window_add(struct pace_window *w, enum pace_span span, int64_t at, int n)
{
	int count = pace_slot_count(span);
	int64_t slot = at / pace_slot_seconds(span);

	move_on(w, span, slot);
	if (slot <= w->slot - count)
		return;
	w->n[slot % count] += n;
	w->used += n;
}

int64_t pace_window_next(const struct pace_window *w, enum pace_span span, int64_t now)
{
	int count = pace_slot_count(span);

	for (int64_t slot = newest(w, span, now) - count + 1; slot <= w->slot; slot++)
		if (pace_window_slot(w, span, slot) > 0)
			return (slot + count) * pace_slot_seconds(span);
	return now;
}

/* ---- warm-up ---- */

int64_t pace_growth_cap(const struct pace_growth *g, int level)
{
	int64_t cap = g->first;

	if (!g->first)
		return INT64_MAX;
	for (; level > 0 && cap < INT64_MAX / 1000; level--)
		cap += cap * g->percent / 100 > 0 ? cap * g->percent / 100 : 1;
	return level ? INT64_MAX : cap;
}

struct pace_warm pace_warm_at(const struct pace_warm *w, const struct pace_growth *g, int64_t now)
{
	struct pace_warm at = *w;

	if (now / DAY > w->day) {
		at.level += g->first && w->used >= (pace_growth_cap(g, w->level) + 1) / 2;
		at.day = now / DAY;
		at.used = 0;
	}
	return at;
}

void pace_warm_add(struct pace_warm *w, const struct pace_growth *g, int64_t at, int n)
{
	*w = pace_warm_at(w, g, at);
	if (at / DAY == w->day)
		w->used += n;
}

/* ---- the throttle of a lane ---- */

int pace_throttle_rate(const struct pace_throttle *t, int limit, int64_t now)
{
	int64_t rate = t->per_minute, enough = limit ? limit : PACE_FAST;

	if (!rate)
		return limit;
	for (int64_t at = t->hold_until; at <= now && rate < enough; at += PACE_RECOVER)
		rate *= 2;
	return rate < enough ? (int)rate : limit;
}

int pace_throttle_at_once(const struct pace_throttle *t, int limit, int64_t now)
{
	if (now >= t->at_once_until || (limit && limit < t->at_once))
		return limit;
	return t->at_once;
}

static bool is_slowed(const struct pace_throttle *t, int limit, int64_t now)
{
	return t->wait_until > now || pace_throttle_rate(t, limit, now) != limit;
}

/* Whether enough has come for the lane to be slowed by a reply that says nothing of how. */
static bool enough(struct pace_throttle *t, int64_t now)
{
	memmove(t->strike + 1, t->strike, sizeof t->strike - sizeof t->strike[0]);
	t->strike[0] = now;
	return t->strike[PACE_STRIKES - 1] && t->strike[PACE_STRIKES - 1] > now - PACE_STRIKE_SPAN;
}

static int64_t block_wait(const struct pace_throttle *t)
{
	int64_t wait = PACE_BLOCK_WAIT;

	for (int i = 0; i < t->blocks && wait < PACE_WAIT_MAX; i++)
		wait *= 2;
	return wait;
}

/* Wait as long as was asked for, or as blocks teach. */
static void pause_lane(struct pace_throttle *t, const struct finding *f, int64_t now)
{
	int64_t wait = f->wait_s;

	if (f->action == REACT_PAUSE_DOMAIN) {
		if (wait < block_wait(t))
			wait = block_wait(t);
		t->blocks++;
	}
	if (wait > PACE_WAIT_MAX)
		wait = PACE_WAIT_MAX;
	t->wait_until = now + wait;
}

static int slower(const struct pace_throttle *t, int limit, int recent, int64_t now)
{
	int rate = pace_throttle_rate(t, limit, now);

	if (is_slowed(t, limit, now) && rate)
		return rate > 1 ? rate / 2 : 1;
	rate = recent / 2 > PACE_SLOW ? recent / 2 : PACE_SLOW;
	return limit && rate > limit / 2 ? (limit > 1 ? limit / 2 : 1) : rate;
}

bool pace_throttle_note(struct pace_throttle *t, const struct finding *finding, int limit,
	int recent, int64_t begun, int64_t now)
{
	bool told = finding->wait_s || finding->per_minute || finding->connections;
	bool slowed = is_slowed(t, limit, now);

	if (finding->action != REACT_THROTTLE && finding->action != REACT_PAUSE_DOMAIN)
		return false;
	if (t->acted_at && begun <= t->acted_at)
		return false;
	if (!enough(t, now) && !told && !slowed)
		return false;
	if (!slowed)
		t->blocks = 0;
	t->acted_at = now;
	memset(t->strike, 0, sizeof t->strike);
	if (finding->connections) {
		t->at_once = finding->connections;
		t->at_once_until = now + (finding->wait_s ? finding->wait_s : PACE_STRIKE_SPAN);
		return true;
	}
	t->per_minute = slower(t, limit, recent, now);
	t->wait_until = 0;
	t->hold_until = now + PACE_RECOVER;
	if (finding->per_minute) {
		if (!slowed || finding->per_minute < t->per_minute)
			t->per_minute = finding->per_minute;
		if (finding->wait_s > PACE_RECOVER)
			t->hold_until = now + finding->wait_s;
	} else {
		pause_lane(t, finding, now);
		t->hold_until += t->wait_until - now;
	}
	return true;
}

/* ---- the circuit of a relay ---- */

enum pace_circuit_state pace_circuit_at(const struct pace_circuit *c, bool mine, int64_t now)
{
	if (!c->failures)
		return PACE_CLOSED;
	if (now < c->rest_until)
		return PACE_OPEN;
	return mine || now >= c->probe_until ? PACE_HALF_OPEN : PACE_PROBED;
}

int pace_circuit_fail(struct pace_circuit *c, int64_t now)
{
	int rest = PACE_REST_MIN;

	if (c->failures && now < c->rest_until)
		return 0;
	for (int i = 0; i < c->failures && rest < PACE_REST_MAX; i++)
		rest *= 2;
	if (rest > PACE_REST_MAX)
		rest = PACE_REST_MAX;
	*c = (struct pace_circuit){.rest_until = now + rest,
		.failures = c->failures + 1,
		.since = c->failures ? c->since : now};
	return rest;
}
