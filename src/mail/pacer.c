/* SPDX-License-Identifier: MIT */
#include "mail/pacer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MS = 1000,
	MINUTE = 60,
	CLAIM_S = 10, /* of what a lane's rate allows, so much may be in stock */
	BUSY_MS = 2000, /* a relay that has answered within this is busy, not stuck */
	AGAIN_S = 60, /* a copy refused for the lane's sake is not tried before */
};

/* ---- the tables ---- */

static void *grow(void *old, size_t n, size_t size)
{
	void *p = realloc(old, n * size);

	if (!p)
		abort(); /* as the arenas do */
	return p;
}

void pacer_init(struct pacer *p, size_t relay_n)
{
	*p = (struct pacer){.relay_n = relay_n, .known = -1};
	p->relay = grow(NULL, relay_n + 1, sizeof *p->relay);
	memset(p->relay, 0, relay_n * sizeof *p->relay);
	for (size_t i = 0; i < relay_n; i++) {
		p->relay[i].limit.weight = 1;
		p->relay[i].changed_from = INT64_MAX;
	}
}

void pacer_free(struct pacer *p)
{
	if (p->kept)
		pacer_free(p->kept);
	free(p->kept);
	free(p->relay);
	free(p->lane);
	*p = (struct pacer){0};
}

int pacer_lane_find(const struct pacer *p, int64_t id)
{
	for (size_t i = 0; i < p->lane_n; i++)
		if (p->lane[i].id == id)
			return (int)i;
	return -1;
}

static void make_room(struct pacer *p, size_t n)
{
	if (n <= p->lane_room)
		return;
	p->lane_room = n + n / 2 + 16;
	p->lane = grow(p->lane, p->lane_room, sizeof *p->lane);
}

int pacer_lane_add(struct pacer *p, int64_t id, const char *name,
	const struct pace_lane_limits *limit, bool mixed)
{
	struct pacer_lane *l;

	make_room(p, p->lane_n + 1);
	l = &p->lane[p->lane_n++];
	*l = (struct pacer_lane){.id = id, .limit = *limit, .mixed = mixed, .pass = p->lane_pass};
	snprintf(l->name, sizeof l->name, "%s", name);
	p->known = -1;
	return (int)p->lane_n - 1;
}

void pacer_keep(struct pacer *p)
{
	struct pacer *to = p->kept;

	if (!to) {
		to = p->kept = grow(NULL, 1, sizeof *to);
		pacer_init(to, p->relay_n);
	}
	make_room(to, p->lane_n);
	to->lane_n = p->lane_n;
	to->relay_pass = p->relay_pass;
	to->lane_pass = p->lane_pass;
	memcpy(to->relay, p->relay, p->relay_n * sizeof *p->relay);
	if (p->lane_n)
		memcpy(to->lane, p->lane, p->lane_n * sizeof *p->lane);
}

void pacer_undo(struct pacer *p)
{
	const struct pacer *from = p->kept;

	p->known = -1;
	if (!from)
		return;
	p->relay_pass = from->relay_pass;
	p->lane_pass = from->lane_pass;
	memcpy(p->relay, from->relay, p->relay_n * sizeof *p->relay);
	if (from->lane_n)
		memcpy(p->lane, from->lane, from->lane_n * sizeof *p->lane);
	for (size_t i = from->lane_n; i < p->lane_n; i++) {
		p->lane[i].under_way = 0;
		p->lane[i].stock = 0;
	}
}

/* ---- relays ---- */

enum pace_circuit_state pacer_circuit(const struct pacer *p, size_t relay, int64_t now)
{
	return pace_circuit_at(&p->relay[relay].circuit, p->relay[relay].probing, now);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t quota(const struct pacer_relay *r, enum pace_span span)
{
	return span == PACE_HOUR ? r->limit.per_hour : r->limit.per_day;
}

int64_t pacer_relay_left(const struct pacer_relay *r, int64_t now_ms)
{
	int64_t now = now_ms / MS, left = pace_rate_room(&r->rate, r->limit.per_second, 1, now_ms);
	struct pace_warm warm = pace_warm_at(&r->warm, &r->limit.warm_up, now);

	for (enum pace_span span = 0; span < PACE_SPAN_N; span++)
		if (quota(r, span))
			left = least(left,
				quota(r, span) - pace_window_used(&r->window[span], span, now));
	if (r->limit.warm_up.first)
		left = least(left, pace_growth_cap(&r->limit.warm_up, warm.level) - warm.used);
	return left > 0 ? left : 0;
}

/* Whether the relay may take a message now, beside what its quotas say. */
static bool is_usable(const struct pacer *p, size_t relay, int64_t now)
{
	const struct pacer_relay *r = &p->relay[relay];

	switch (pacer_circuit(p, relay, now)) {
	case PACE_CLOSED:
		return r->room > 0;
	case PACE_HALF_OPEN:
		return r->room > 0 && r->under_way == 0;
	default:
		return false;
	}
}

bool pacer_relay_busy(const struct pacer *p, size_t relay, int64_t now_ms)
{
	const struct pacer_relay *r = &p->relay[relay];

	return !r->room && r->under_way && now_ms - r->answered_ms < BUSY_MS &&
	       pacer_circuit(p, relay, now_ms / MS) == PACE_CLOSED;
}

int pacer_relay_next(const struct pacer *p, int bound, int64_t now_ms)
{
	double turn = 0;
	int best = -1;

	for (size_t i = 0; i < p->relay_n; i++) {
		const struct pacer_relay *r = &p->relay[i];
		double pass = r->pass > p->relay_pass ? r->pass : p->relay_pass;

		if (bound != PACER_ANY && bound != (int)i)
			continue;
		if ((best >= 0 && pass >= turn) || pacer_relay_left(r, now_ms) == 0 ||
			(!is_usable(p, i, now_ms / MS) && !pacer_relay_busy(p, i, now_ms)))
			continue;
		best = (int)i;
		turn = pass;
	}
	return best >= 0 && is_usable(p, (size_t)best, now_ms / MS) ? best : -1;
}

/* When a relay may take a message, for all that its circuit, rate and quotas say. */
static int64_t relay_ready_at(const struct pacer *p, size_t relay, int64_t now_ms)
{
	const struct pacer_relay *r = &p->relay[relay];
	struct pace_warm warm = pace_warm_at(&r->warm, &r->limit.warm_up, now_ms / MS);
	int64_t at = pace_rate_next(&r->rate, r->limit.per_second, 1, now_ms);

	switch (pacer_circuit(p, relay, now_ms / MS)) {
	case PACE_OPEN:
		at = most(at, r->circuit.rest_until * MS);
		break;
	case PACE_PROBED:
		at = most(at, r->circuit.probe_until * MS);
		break;
	case PACE_HALF_OPEN:
		if (r->under_way)
			return INT64_MAX;
		break;
	case PACE_CLOSED:
		if (!r->room)
			return INT64_MAX;
	}
	for (enum pace_span span = 0; span < PACE_SPAN_N; span++)
		if (quota(r, span) &&
			pace_window_used(&r->window[span], span, now_ms / MS) >= quota(r, span))
			at = most(at, pace_window_next(&r->window[span], span, now_ms / MS) * MS);
	if (warm.used >= pace_growth_cap(&r->limit.warm_up, warm.level))
		at = most(at, (warm.day + 1) * 86400 * MS);
	return at;
}

/* ---- lanes ---- */

static int lane_rate(const struct pacer_lane *l, int64_t now)
{
	return pace_throttle_rate(&l->throttle, l->limit.per_minute, now);
}

/* How many of a lane may leave now, were they alone. */
static int64_t lane_left(const struct pacer_lane *l, int64_t now_ms)
{
	int64_t now = now_ms / MS;
	int at_once = pace_throttle_at_once(&l->throttle, l->limit.at_once, now);
	int64_t left = pace_rate_room(&l->rate, lane_rate(l, now), MINUTE, now_ms);

	if (now < l->throttle.wait_until)
		return 0;
	if (at_once)
		left = least(left, at_once - l->under_way);
	return left > 0 ? left : 0;
}

/* What is left of a lane. */
static int64_t weight(const struct pacer_lane *l)
{
	return l->waiting + (int64_t)l->stock;
}

size_t pacer_share(const struct pacer *p, int lane, size_t limit, int64_t now_ms)
{
	const struct pacer_lane *l = &p->lane[lane];
	int64_t now = now_ms / MS, all = 0, share, rate = lane_rate(l, now);
	int at_once = pace_throttle_at_once(&l->throttle, l->limit.at_once, now);

	for (size_t i = 0; i < p->lane_n; i++)
		all += weight(&p->lane[i]);
	if (now < l->throttle.wait_until || l->waiting <= 0)
		return 0;
	share = (int64_t)((double)limit * (double)weight(l) / (double)all) + 1;
	if (rate)
		share = least(share, rate * CLAIM_S / MINUTE + 1);
	if (at_once)
		share = least(share, 2 * (int64_t)at_once);
	share = least(share, (int64_t)limit) - (int64_t)l->stock;
	return share > 0 ? (size_t)share : 0;
}

int pacer_lane_next(const struct pacer *p, int64_t now_ms)
{
	double turn = 0;
	int best = -1;

	for (size_t i = 0; i < p->lane_n; i++) {
		const struct pacer_lane *l = &p->lane[i];
		double pass = l->pass > p->lane_pass ? l->pass : p->lane_pass;

		if (!l->stock || (best >= 0 && pass >= turn) || lane_left(l, now_ms) == 0)
			continue;
		best = (int)i;
		turn = pass;
	}
	return best;
}

static int64_t lane_ready_at(const struct pacer_lane *l, int64_t now_ms)
{
	int64_t now = now_ms / MS;
	int at_once = pace_throttle_at_once(&l->throttle, l->limit.at_once, now);

	if (at_once && l->under_way >= at_once)
		return INT64_MAX;
	return most(pace_rate_next(&l->rate, lane_rate(l, now), MINUTE, now_ms),
		l->throttle.wait_until * MS);
}

int64_t pacer_ready_at(const struct pacer *p, bool any, int64_t now_ms)
{
	int64_t lane = INT64_MAX, relay = INT64_MAX;

	for (size_t i = 0; i < p->lane_n; i++)
		if (p->lane[i].stock || (any && p->lane[i].waiting > 0))
			lane = least(lane, lane_ready_at(&p->lane[i], now_ms));
	for (size_t i = 0; i < p->relay_n; i++)
		relay = least(relay, relay_ready_at(p, i, now_ms));
	/* Not before those that are busy have answered, or are found to be stuck. */
	for (size_t i = 0; i < p->relay_n; i++)
		if (relay <= now_ms && pacer_relay_busy(p, i, now_ms) &&
			pacer_relay_next(p, PACER_ANY, now_ms) < 0)
			relay = p->relay[i].answered_ms + BUSY_MS;
	return most(lane, relay);
}

/* ---- a copy ---- */

static void count(struct pacer_relay *r, int64_t at, int n)
{
	for (enum pace_span span = 0; span < PACE_SPAN_N; span++)
		pace_window_add(&r->window[span], span, at, n);
	pace_warm_add(&r->warm, &r->limit.warm_up, at, n);
	r->changed_from = least(r->changed_from, at);
}

void pacer_begin(struct pacer *p, int lane, int relay, int64_t now_ms)
{
	struct pacer_relay *r = &p->relay[relay];
	struct pacer_lane *l = &p->lane[lane];
	int64_t now = now_ms / MS;
	int rate = lane_rate(l, now);

	if (pacer_circuit(p, (size_t)relay, now) == PACE_HALF_OPEN) {
		r->probing = true;
		r->circuit.probe_until = now + PACE_PROBE;
	}
	p->relay_pass = r->pass > p->relay_pass ? r->pass : p->relay_pass;
	r->pass = p->relay_pass + 1.0 / r->limit.weight;
	r->room -= r->room > 0;
	if (!r->under_way++)
		r->answered_ms = now_ms;
	pace_rate_take(&r->rate, r->limit.per_second, 1, now_ms);
	count(r, now, 1);
	p->lane_pass = l->pass > p->lane_pass ? l->pass : p->lane_pass;
	l->pass = p->lane_pass + 1.0 / (double)most(weight(l), 1);
	l->stock -= l->stock > 0;
	l->under_way++;
	if (rate) {
		pace_rate_take(&l->rate, rate, MINUTE, now_ms);
		l->changed = true;
	}
	if (l->minute != now / MINUTE) {
		l->begun_before = l->minute == now / MINUTE - 1 ? l->begun : 0;
		l->begun = 0;
		l->minute = now / MINUTE;
	}
	l->begun++;
}

/* Whether an answer shows that the relay takes mail: whatever it said of the copy. */
static bool is_proof(enum verdict_action action)
{
	return action == VERDICT_SENT || action == VERDICT_RETRY || action == VERDICT_FAIL ||
	       action == VERDICT_THROTTLE;
}

static enum pacer_event end_relay(
	struct pacer_relay *r, const struct pacer_outcome *o, int64_t now_ms)
{
	int64_t now = now_ms / MS;

	r->answered_ms = now_ms;
	r->under_way -= r->under_way > 0;
	if (o->action == VERDICT_AGAIN || o->action == VERDICT_PAUSE_RELAY)
		count(r, o->begun_ms / MS, -1); /* the relay has taken nothing */
	if (o->action == VERDICT_PAUSE_RELAY) {
		if (pace_circuit_fail(&r->circuit, now) == 0)
			return PACER_NOTHING;
		r->probing = false;
		snprintf(r->reason, sizeof r->reason, "%s", o->words);
		r->changed_from = least(r->changed_from, now);
		return PACER_RELAY_RESTS;
	}
	/* What left before the trouble proves nothing about the time after it. */
	if (!r->probing || (!is_proof(o->action) && o->action != VERDICT_AGAIN))
		return PACER_NOTHING;
	r->changed_from = least(r->changed_from, now);
	r->probing = false;
	if (o->action == VERDICT_AGAIN) { /* a probe that told nothing: another one, not at once */
		r->circuit.rest_until = now + PACE_REST_MIN;
		r->circuit.probe_until = 0;
		return PACER_NOTHING;
	}
	r->circuit = (struct pace_circuit){0};
	r->reason[0] = '\0';
	return PACER_RELAY_BACK;
}

static enum pacer_event end_lane(struct pacer_lane *l, const struct pacer_outcome *o, int64_t now)
{
	int recent = l->begun > l->begun_before ? l->begun : l->begun_before;

	l->under_way -= l->under_way > 0;
	if (o->action != VERDICT_RETRY && o->action != VERDICT_FAIL &&
		o->action != VERDICT_THROTTLE)
		return PACER_NOTHING;
	l->refusal.at = now;
	l->refusal.code = o->code;
	snprintf(l->refusal.words, sizeof l->refusal.words, "%s", o->words);
	l->changed = true;
	if (o->action != VERDICT_THROTTLE)
		return PACER_NOTHING;
	l->throttled++;
	return !l->mixed && pace_throttle_note(&l->throttle, o->finding, l->limit.per_minute,
				    recent, o->begun_ms / MS, now)
		       ? PACER_LANE_SLOWER
		       : PACER_NOTHING;
}

enum pacer_event pacer_end(struct pacer *p, const struct pacer_outcome *o, int64_t now_ms)
{
	enum pacer_event relay = end_relay(&p->relay[o->relay], o, now_ms);
	enum pacer_event lane = end_lane(&p->lane[o->lane], o, now_ms / MS);

	return relay ? relay : lane;
}

int64_t pacer_again_at(const struct pacer *p, int lane, int64_t now)
{
	const struct pacer_lane *l = &p->lane[lane];

	return l->mixed ? 0 : most(l->throttle.wait_until, now + AGAIN_S);
}
