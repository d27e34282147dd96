/* SPDX-License-Identifier: MIT */
#include "app/pacing.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>

/* Lanes and relays, as tables below an issue. */

static const char *clock_of(struct cmd *c, int64_t t)
{
	return arena_printf(&c->arena, "%.5s", cmd_time(c, t) + 11);
}

const char *status_pace_words(struct cmd *c, const struct pacer_lane *l, int64_t now)
{
	const struct pace_throttle *t = &l->throttle;
	int rate = pace_throttle_rate(t, l->limit.per_minute, now);

	if (t->wait_until > now)
		return arena_printf(&c->arena, "waits until %s", clock_of(c, t->wait_until));
	if (rate != l->limit.per_minute)
		return arena_printf(&c->arena, "slowed to %d a minute", rate);
	if (t->at_once_until > now)
		return arena_printf(&c->arena, "%d at once until %s", t->at_once,
			clock_of(c, t->at_once_until));
	return rate ? arena_printf(&c->arena, "%d a minute", rate) : "-";
}

static const char *refusal_words(struct cmd *c, const struct pacer_lane *l)
{
	if (!l->refusal.at)
		return "-";
	return arena_printf(&c->arena, "%s %s", clock_of(c, l->refusal.at),
		cmd_text(c, str_of(l->refusal.words)));
}

/* What holds a lane back, and its last refusal, in as few words as a narrow terminal has room for. */
static const char *narrow_words(struct cmd *c, const struct pacer_lane *l, int64_t now)
{
	const char *pace = status_pace_words(c, l, now);

	if (!l->refusal.at)
		return pace;
	return arena_printf(&c->arena, "%s%s%s", pace[0] == '-' ? "" : pace,
		pace[0] == '-' ? "" : ", ", cmd_text(c, str_of(l->refusal.words)));
}

/* A lane's line in the table of so many columns. */
static void add_lane(struct cmd *c, struct table *table, const struct pacer_lane *l,
	const struct lane_counts *lane, int64_t now)
{
	const int64_t *in = lane->counts.n;
	const char *name = cmd_text(c, lane->name),
		   *sent = cmd_number(
			   c, in[DELIVERY_SENT] + in[DELIVERY_BOUNCED] + in[DELIVERY_COMPLAINED]),
		   *deferred = cmd_number(c, in[DELIVERY_DEFERRED]),
		   *throttled = cmd_number(c, l->throttled);
	int64_t waits = in[DELIVERY_QUEUED] + in[DELIVERY_CLAIMED] + in[DELIVERY_SENDING], all = 0;

	for (int state = 0; state < DELIVERY_STATE_N; state++)
		all += in[state];
	if (table->columns > 6)
		table_add(table,
			(const char *[]){name, cmd_number(c, all), sent, cmd_number(c, waits),
				deferred, cmd_number(c, in[DELIVERY_FAILED] + in[DELIVERY_EXPIRED]),
				cmd_number(c, in[DELIVERY_IN_DOUBT]), throttled,
				status_pace_words(c, l, now), refusal_words(c, l)});
	else if (table->columns > 4)
		table_add(table, (const char *[]){name, sent, cmd_number(c, waits), deferred,
					 throttled, narrow_words(c, l, now)});
	else
		table_add(table,
			(const char *[]){name, sent, cmd_number(c, waits + in[DELIVERY_DEFERRED]),
				narrow_words(c, l, now)});
}

void status_print_lanes(
	struct cmd *c, const struct pacer *p, const struct lane_counts *lane, size_t n, int64_t now)
{
	enum { WIDE = 120, NARROW = 70 };
	static const char *const wide[] = {"LANE", ">COPIES", ">SENT", ">WAITING", ">DEFERRED",
		">FAILED", ">IN DOUBT", ">THROTTLED", "PACE", "LAST REFUSAL"};
	static const char *const narrow[] = {
		"LANE", ">SENT", ">WAITING", ">DEFERRED", ">THROTTLED", "PACE AND LAST REFUSAL"};
	static const char *const narrowest[] = {"LANE", ">SENT", ">LEFT", "PACE, LAST REFUSAL"};
	size_t room = cmd_columns();
	struct table table;

	if (!room || room >= WIDE)
		table_init(&table, &c->arena, wide, sizeof wide / sizeof wide[0]);
	else if (room >= NARROW)
		table_init(&table, &c->arena, narrow, sizeof narrow / sizeof narrow[0]);
	else
		table_init(&table, &c->arena, narrowest, sizeof narrowest / sizeof narrowest[0]);
	for (size_t i = 0; i < n; i++)
		add_lane(c, &table, &p->lane[pacer_lane_find(p, lane[i].lane)], &lane[i], now);
	table_print(&table);
}

static const char *of_limit(struct cmd *c, int64_t used, int64_t limit)
{
	return limit ? arena_printf(
			       &c->arena, "%s of %s", cmd_number(c, used), cmd_number(c, limit))
		     : cmd_number(c, used);
}

static const char *warm_words(struct cmd *c, const struct pacer_relay *r, int64_t now)
{
	struct pace_warm w = pace_warm_at(&r->warm, &r->limit.warm_up, now);

	return r->limit.warm_up.first
		       ? of_limit(c, w.used, pace_growth_cap(&r->limit.warm_up, w.level))
		       : "-";
}

void status_print_relays(struct cmd *c, const struct pacer *p, int64_t now)
{
	static const char *const head[] = {
		"RELAY", "CIRCUIT", ">THIS HOUR", ">24 HOURS", ">WARM-UP", "TROUBLE"};
	struct table table;

	table_init(&table, &c->arena, head, sizeof head / sizeof head[0]);
	for (size_t i = 0; i < p->relay_n; i++) {
		const struct pacer_relay *r = &p->relay[i];
		const char *circuit = "in use";

		switch (pacer_circuit(p, i, now)) {
		case PACE_CLOSED:
			break;
		case PACE_OPEN:
			circuit = arena_printf(
				&c->arena, "rests until %s", clock_of(c, r->circuit.rest_until));
			break;
		case PACE_HALF_OPEN:
			circuit = "to be tried";
			break;
		case PACE_PROBED:
			circuit = "being tried";
		}
		table_add(&table,
			(const char *[]){r->name, circuit,
				of_limit(c, pace_window_used(&r->window[PACE_HOUR], PACE_HOUR, now),
					r->limit.per_hour),
				of_limit(c, pace_window_used(&r->window[PACE_DAY], PACE_DAY, now),
					r->limit.per_day),
				warm_words(c, r, now),
				r->reason[0] ? cmd_text(c, str_of(r->reason)) : "-"});
	}
	table_print(&table);
}
