/* SPDX-License-Identifier: MIT */
#include "mail/forecast.h"

enum { STEP = PACE_HOUR_SLOT, PLENTY = 1 << 30 };

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What a relay can take within `seconds`, and which limit says so. */
static int64_t relay_room(
	const struct pacer_relay *r, int64_t at, int64_t seconds, enum forecast_limit *by)
{
	const struct pace_relay_limits *l = &r->limit;
	struct pace_warm warm = pace_warm_at(&r->warm, &l->warm_up, at);
	const int64_t room[FORECAST_LIMIT_N] = {
		[FORECAST_NONE] = PLENTY,
		[FORECAST_SECOND] = l->per_second ? l->per_second * seconds : PLENTY,
		[FORECAST_HOUR] = l->per_hour
					  ? l->per_hour - pace_window_used(&r->window[PACE_HOUR],
								  PACE_HOUR, at)
					  : PLENTY,
		[FORECAST_DAY] = l->per_day ? l->per_day - pace_window_used(&r->window[PACE_DAY],
								   PACE_DAY, at)
					    : PLENTY,
		[FORECAST_WARM_UP] = l->warm_up.first
					     ? pace_growth_cap(&l->warm_up, warm.level) - warm.used
					     : PLENTY,
	};

	*by = FORECAST_NONE;
	if (at < r->circuit.rest_until)
		return 0;
	for (enum forecast_limit i = 0; i < FORECAST_LIMIT_N; i++)
		if (room[i] < room[*by])
			*by = i;
	return room[*by] > 0 ? room[*by] : 0;
}

static int64_t lane_wish(const struct pacer_lane *l, int64_t at, int64_t seconds)
{
	int64_t rate = pace_throttle_rate(&l->throttle, l->limit.per_minute, at);

	if (at < l->throttle.wait_until)
		return 0;
	/* By the clock, not by the step: what is left of a copy counts in the next step. */
	return rate ? least(l->waiting, rate * (at + seconds) / 60 - rate * at / 60) : l->waiting;
}

/* Divide what the relays take among the lanes, in proportion to what each wishes. */
static int64_t give(struct pacer *p, int64_t wished, int64_t room, int64_t at, int64_t seconds,
	struct forecast *out)
{
	int64_t given = 0;

	for (size_t i = 0; i < p->lane_n; i++) {
		struct pacer_lane *l = &p->lane[i];
		int64_t wish = lane_wish(l, at, seconds), share = wish;

		if (room < wished)
			share = least(
				wish, (int64_t)((double)wish * (double)room / (double)wished) + 1);
		share = least(share, room - given);
		if (wish < l->waiting && room >= wished)
			out->lane_short[i] = true;
		l->waiting -= share;
		given += share;
		if (share && !l->waiting)
			out->lane_done[i] = at + seconds;
	}
	return given;
}

/* Count what was given at the relays: by their weights, then wherever there is room. */
static void take(struct pacer *p, int64_t given, int64_t at, int64_t seconds)
{
	int64_t weights = 0, left = given;

	for (size_t i = 0; i < p->relay_n; i++)
		weights += p->relay[i].limit.weight;
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < p->relay_n; i++) {
			struct pacer_relay *r = &p->relay[i];
			enum forecast_limit by;
			int64_t n = least(left, relay_room(r, at, seconds, &by));

			if (round == 0)
				n = least(n, given * r->limit.weight / weights);
			for (enum pace_span span = 0; span < PACE_SPAN_N; span++)
				pace_window_add(&r->window[span], span, at, (int)n);
			pace_warm_add(&r->warm, &r->limit.warm_up, at, (int)n);
			left -= n;
		}
}

/* How many copies the relays take, and whose limits say so where more are wished. */
static int64_t room_of(
	const struct pacer *p, int64_t wished, int64_t at, int64_t seconds, struct forecast *out)
{
	enum forecast_limit by;
	int64_t room = 0;

	for (size_t i = 0; i < p->relay_n; i++)
		room += relay_room(&p->relay[i], at, seconds, &by);
	for (size_t i = 0; room < wished && i < p->relay_n; i++) {
		relay_room(&p->relay[i], at, seconds, &by);
		out->relay_short[i][by] = true;
	}
	return room;
}

/* The next moment from `at` on at which copies may leave, and for how many seconds of a step. */
static int64_t open_at(const struct forecast_issue *issue, int64_t at, int64_t *seconds)
{
	int64_t from = at, until = INT64_MAX;

	if (issue->zone)
		zone_window_at(issue->zone, issue->hours, at, &from, &until);
	if (from > at)
		at = from;
	*seconds = least(STEP - at % STEP, until - at);
	return at;
}

/* What has become due by `at` waits in its lane. Returns how many wait now; `*left` counts the others, too. */
static int64_t take_up(struct pacer *p, const struct forecast_issue *issue, int64_t at,
	size_t *next, int64_t *left)
{
	int64_t waiting = 0;

	for (; *next < issue->later_n && issue->later[*next].at <= at; ++*next)
		p->lane[issue->later[*next].lane].waiting += issue->later[*next].n;
	for (size_t i = 0; i < p->lane_n; i++)
		waiting += p->lane[i].waiting;
	*left = waiting;
	for (size_t i = *next; i < issue->later_n; i++)
		*left += issue->later[i].n;
	return waiting;
}

void forecast_play(
	struct pacer *p, const struct forecast_issue *issue, int64_t start, struct forecast *out)
{
	int stage = issue->stage;
	size_t next = 0;

	for (int64_t at = start; at < start + FORECAST_DAYS * 86400;) {
		int64_t seconds, wished = 0, left, allowed, room, given,
				 waiting = take_up(p, issue, at, &next, &left);

		if (!left) {
			out->done = at;
			return;
		}
		allowed =
			care_ceiling(&issue->stages, stage, issue->copies) - (issue->copies - left);
		if (allowed <= 0 && stage < issue->stages.n) {
			stage++;
			at += issue->stage_wait;
			continue;
		}
		if (!waiting) {
			at = issue->later[next].at;
			continue;
		}
		at = open_at(issue, at, &seconds);
		for (size_t i = 0; i < p->lane_n; i++)
			wished += lane_wish(&p->lane[i], at, seconds);
		if (stage < issue->stages.n && wished > allowed)
			room = least(allowed, room_of(p, allowed, at, seconds, out));
		else
			room = room_of(p, wished, at, seconds, out);
		given = give(p, wished, room, at, seconds, out);
		take(p, given, at, seconds);
		at += seconds;
	}
}
