/* SPDX-License-Identifier: MIT */
#include "mail/pacer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOW = 1800000000 };
static const int64_t NOW_MS = NOW * INT64_C(1000);

static uint64_t seed;

static int64_t any(int64_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (int64_t)(seed >> 33) % below;
}

/* `relays` relays and `lanes` lanes without a limit, all with plenty of room and stock. */
static void make(struct pacer *p, int relays, int lanes)
{
	pacer_init(p, (size_t)relays);
	for (int i = 0; i < relays; i++) {
		snprintf(p->relay[i].name, PACER_NAME_SIZE, "r%d", i);
		p->relay[i].room = 1000000;
	}
	for (int i = 0; i < lanes; i++) {
		pacer_lane_add(p, i, "lane", &(struct pace_lane_limits){0}, false);
		p->lane[i].stock = 1000000;
		p->lane[i].waiting = 1000;
	}
}

static int send(struct pacer *p, int64_t now_ms, int *relay)
{
	int lane = pacer_lane_next(p, now_ms);

	*relay = lane < 0 ? -1 : pacer_relay_next(p, PACER_ANY, now_ms);
	if (*relay < 0)
		return -1;
	pacer_begin(p, lane, *relay, now_ms);
	return lane;
}

static enum pacer_event answer(
	struct pacer *p, int lane, int relay, enum verdict_action action, int64_t now_ms)
{
	static const struct finding rate = {REASON_RATE, REACT_THROTTLE, .rule = "x"};

	return pacer_end(p,
		&(struct pacer_outcome){.lane = lane,
			.relay = relay,
			.action = action,
			.finding = &rate,
			.code = 451,
			.words = "no",
			.begun_ms = now_ms - 1000},
		now_ms);
}

static void test_weights(void **state)
{
	struct pacer p;
	int n[3] = {0}, relay;

	(void)state;
	make(&p, 3, 1);
	p.relay[0].limit.weight = 5;
	p.relay[1].limit.weight = 3;
	p.relay[2].limit.weight = 2;
	for (int i = 1; i <= 1000; i++) {
		send(&p, NOW_MS, &relay);
		n[relay]++;
		for (int r = 0; r < 3; r++)
			assert_in_range(n[r] * 10 - i * p.relay[r].limit.weight + 20, 0, 40);
	}
	/* What was away does not catch up. */
	p.relay[0].room = 0;
	while (send(&p, NOW_MS + 1999, &relay) >= 0) /* until it is its turn */
		assert_int_not_equal(relay, 0);
	assert_int_equal(pacer_ready_at(&p, false, NOW_MS + 1999), NOW_MS + 2000);
	p.relay[0].answered_ms = 0; /* stuck */
	for (int i = 0; i < 500; i++)
		send(&p, NOW_MS, &relay);
	p.relay[0].room = 1000;
	memset(n, 0, sizeof n);
	for (int i = 0; i < 100; i++) {
		send(&p, NOW_MS, &relay);
		n[relay]++;
	}
	assert_in_range(n[0], 48, 52);
	pacer_free(&p);
}

/* However many wait for one provider, it gets no two in a row more than its share asks for. */
static void test_lanes_are_interleaved(void **state)
{
	static const int waiting[] = {600, 250, 100, 50};
	struct pacer p;
	int n[4] = {0}, relay;

	(void)state;
	make(&p, 1, 4);
	for (int i = 0; i < 4; i++)
		p.lane[i].stock = 10 * (size_t)waiting[i];
	for (int i = 0; i < 4; i++)
		p.lane[i].waiting = 0;
	for (int i = 1; i <= 1000; i++) {
		n[send(&p, NOW_MS, &relay)]++;
		for (int l = 0; l < 4; l++)
			assert_in_range(n[l] * 1000 - i * waiting[l] + 3000, 0, 6000);
	}
	for (int l = 0; l < 4; l++)
		assert_in_range(n[l], waiting[l] - 1, waiting[l] + 1);
	/* A lane that had to wait goes on at its share. */
	p.lane[0].throttle.wait_until = NOW + 60;
	for (int i = 0; i < 100; i++)
		assert_int_not_equal(send(&p, NOW_MS, &relay), 0);
	memset(n, 0, sizeof n);
	for (int i = 0; i < 100; i++)
		n[send(&p, NOW_MS + 60000, &relay)]++;
	assert_in_range(n[0], 58, 62);
	pacer_free(&p);
}

static void test_failover(void **state)
{
	struct pacer p;
	int relay;

	(void)state;
	make(&p, 2, 1);
	assert_int_equal(answer(&p, 0, 0, VERDICT_PAUSE_RELAY, NOW_MS), PACER_RELAY_RESTS);
	assert_int_equal(answer(&p, 0, 0, VERDICT_PAUSE_RELAY, NOW_MS), PACER_NOTHING);
	assert_string_equal(p.relay[0].reason, "no");
	for (int i = 0; i < 50; i++) {
		send(&p, NOW_MS, &relay);
		assert_int_equal(relay, 1);
	}
	/* What was in doubt there does not go elsewhere. */
	assert_int_equal(pacer_relay_next(&p, 0, NOW_MS), -1);
	/* One probe, and nothing else until its answer. */
	assert_int_equal(pacer_relay_next(&p, 0, NOW_MS + 30000), 0);
	pacer_begin(&p, 0, 0, NOW_MS + 30000);
	assert_int_equal(pacer_relay_next(&p, 0, NOW_MS + 30000), -1);
	assert_int_equal(answer(&p, 0, 0, VERDICT_PAUSE_RELAY, NOW_MS + 31000), PACER_RELAY_RESTS);
	assert_int_equal(p.relay[0].circuit.rest_until, NOW + 31 + 60);
	assert_int_equal(pacer_relay_next(&p, 0, NOW_MS + 90000), -1);
	pacer_begin(&p, 0, 0, NOW_MS + 91000);
	/* An answer from before the trouble proves nothing; the probe's does. */
	assert_int_equal(answer(&p, 0, 1, VERDICT_SENT, NOW_MS + 91000), PACER_NOTHING);
	assert_int_equal(pacer_circuit(&p, 0, NOW + 91), PACE_HALF_OPEN);
	assert_int_equal(answer(&p, 0, 0, VERDICT_FAIL, NOW_MS + 91000), PACER_RELAY_BACK);
	assert_int_equal(pacer_circuit(&p, 0, NOW + 91), PACE_CLOSED);
	pacer_free(&p);
}

static void test_probe_of_another(void **state)
{
	struct pacer p;

	(void)state;
	make(&p, 1, 1);
	p.relay[0].circuit =
		(struct pace_circuit){.rest_until = NOW - 1, .failures = 2, .probe_until = NOW + 9};
	assert_int_equal(pacer_relay_next(&p, PACER_ANY, NOW_MS), -1);
	assert_int_equal(pacer_ready_at(&p, false, NOW_MS), NOW_MS + 9000);
	assert_int_equal(pacer_relay_next(&p, PACER_ANY, NOW_MS + 9000), 0);
	pacer_begin(&p, 0, 0, NOW_MS + 9000);
	/* A probe about which nothing was said: a rest, no failure. */
	assert_int_equal(answer(&p, 0, 0, VERDICT_AGAIN, NOW_MS + 9000), PACER_NOTHING);
	assert_int_equal(p.relay[0].circuit.failures, 2);
	assert_int_equal(pacer_circuit(&p, 0, NOW + 9), PACE_OPEN);
	assert_int_equal(pacer_circuit(&p, 0, NOW + 9 + PACE_REST_MIN), PACE_HALF_OPEN);
	pacer_free(&p);
}

/* What the relay did not take is not counted. */
static void test_taken_back(void **state)
{
	struct pacer p;

	(void)state;
	make(&p, 1, 1);
	p.relay[0].limit.per_hour = 2;
	p.relay[0].limit.warm_up = (struct pace_growth){2, 50};
	pacer_begin(&p, 0, 0, NOW_MS);
	pacer_begin(&p, 0, 0, NOW_MS);
	assert_int_equal(pacer_relay_left(&p.relay[0], NOW_MS), 0);
	answer(&p, 0, 0, VERDICT_AGAIN, NOW_MS + 1000);
	assert_int_equal(pacer_relay_left(&p.relay[0], NOW_MS), 1);
	answer(&p, 0, 0, VERDICT_SENT, NOW_MS + 1000);
	assert_int_equal(pacer_relay_left(&p.relay[0], NOW_MS), 1);
	pacer_free(&p);
}

static void test_throttle(void **state)
{
	struct pacer p;
	int relay;

	(void)state;
	make(&p, 1, 2);
	p.lane[1].mixed = true;
	for (int lane = 0; lane < 2; lane++)
		for (int i = 0; i < PACE_STRIKES; i++) {
			pacer_begin(&p, lane, 0, NOW_MS);
			assert_int_equal(answer(&p, lane, 0, VERDICT_THROTTLE, NOW_MS),
				lane == 0 && i == PACE_STRIKES - 1 ? PACER_LANE_SLOWER
								   : PACER_NOTHING);
		}
	assert_int_equal(p.lane[0].throttled, 3);
	assert_int_equal(p.lane[0].refusal.code, 451);
	assert_string_equal(p.lane[0].refusal.words, "no");
	assert_int_equal(pacer_again_at(&p, 0, NOW), NOW + 60);
	assert_int_equal(pacer_again_at(&p, 1, NOW), 0);
	assert_int_equal(pacer_lane_next(&p, NOW_MS), 0);
	pacer_begin(&p, 0, 0, NOW_MS);
	p.lane[1].stock = 0;
	assert_int_equal(send(&p, NOW_MS, &relay), -1);
	assert_in_range(pacer_ready_at(&p, false, NOW_MS), NOW_MS + 5900, NOW_MS + 6000);
	assert_int_equal(send(&p, NOW_MS + 6000, &relay), 0);
	pacer_free(&p);
}

static void test_share(void **state)
{
	struct pacer p;

	(void)state;
	make(&p, 1, 3);
	for (int i = 0; i < 3; i++)
		p.lane[i].stock = 0;
	p.lane[0].waiting = 900;
	p.lane[1].waiting = 90;
	p.lane[2].waiting = 10;
	assert_int_equal(pacer_share(&p, 0, 500, NOW_MS), 451);
	assert_int_equal(pacer_share(&p, 1, 500, NOW_MS), 46);
	assert_int_equal(pacer_share(&p, 2, 500, NOW_MS), 6);
	p.lane[0].stock = 440;
	assert_int_equal(pacer_share(&p, 0, 500, NOW_MS), 26);
	p.lane[1].limit.per_minute = 60;
	assert_int_equal(pacer_share(&p, 1, 500, NOW_MS), 11);
	p.lane[1].limit.at_once = 3;
	assert_int_equal(pacer_share(&p, 1, 500, NOW_MS), 6);
	p.lane[1].throttle.wait_until = NOW + 1;
	assert_int_equal(pacer_share(&p, 1, 500, NOW_MS), 0);
	p.lane[2].waiting = 0;
	assert_int_equal(pacer_share(&p, 2, 500, NOW_MS), 0);
	pacer_free(&p);
}

static void test_undo(void **state)
{
	struct pacer p, before;
	int relay;

	(void)state;
	seed = 3;
	make(&p, 2, 3);
	p.relay[0].limit.per_second = 3;
	pacer_keep(&p);
	make(&before, 2, 3);
	for (int round = 0; round < 100; round++) {
		memcpy(before.relay, p.relay, 2 * sizeof *p.relay);
		memcpy(before.lane, p.lane, 3 * sizeof *p.lane);
		before.lane_pass = p.lane_pass;
		before.relay_pass = p.relay_pass;
		pacer_keep(&p);
		for (int i = 0; i < 5; i++) {
			send(&p, NOW_MS + round * 100, &relay);
			answer(&p, (int)any(3), (int)any(2), (enum verdict_action)any(8),
				NOW_MS + round * 100);
		}
		if (round % 2) {
			int added = pacer_lane_add(
				&p, 100 + round, "new", &(struct pace_lane_limits){0}, false);

			p.known = 7;
			p.lane[added].stock = 5;
			pacer_undo(&p);
			assert_int_equal(p.known, -1);
			assert_int_equal(p.lane[added].stock, 0);
			assert_memory_equal(before.relay, p.relay, 2 * sizeof *p.relay);
			assert_memory_equal(before.lane, p.lane, 3 * sizeof *p.lane);
			assert_true(before.lane_pass == p.lane_pass);
			assert_true(before.relay_pass == p.relay_pass);
		}
	}
	pacer_free(&p);
	pacer_free(&before);
}

/* ---- all limits at once, against a model that keeps every message ---- */

enum { RELAYS = 3, LANES = 4, MAX = 60000 };

struct message {
	int lane, relay;
	int64_t begun_ms;
	bool over;
};

struct model {
	struct pacer p;
	struct message *m;
	int n, open_from; /* all before are over */
};

/* How many of a relay (or lane) left later than `since_ms`. */
static int left_since(const struct model *o, int relay, int lane, int64_t since_ms)
{
	int n = 0;

	for (int i = o->n - 1; i >= 0 && o->m[i].begun_ms > since_ms; i--)
		n += (relay < 0 || o->m[i].relay == relay) && (lane < 0 || o->m[i].lane == lane);
	return n;
}

static int under_way(const struct model *o, int lane)
{
	int n = 0;

	for (int i = o->open_from; i < o->n; i++)
		n += !o->m[i].over && o->m[i].lane == lane;
	return n;
}

/* The message that has just left breaks no limit. */
static void check_limits(const struct model *o)
{
	const struct message *m = &o->m[o->n - 1];
	const struct pace_relay_limits *r = &o->p.relay[m->relay].limit;
	const struct pace_lane_limits *l = &o->p.lane[m->lane].limit;
	int64_t at = m->begun_ms;

	if (r->per_second)
		assert_true(
			left_since(o, m->relay, -1, at - 1000) <= r->per_second * 105 / 100 + 1);
	if (r->per_hour)
		assert_true(left_since(o, m->relay, -1, at - 3600000) <= r->per_hour);
	if (r->per_day)
		assert_true(left_since(o, m->relay, -1, at - 86400000) <= r->per_day);
	if (r->warm_up.first)
		assert_true(left_since(o, m->relay, -1, at / 86400000 * 86400000 - 1) <=
			    pace_growth_cap(&r->warm_up, o->p.relay[m->relay].warm.level));
	if (l->per_minute)
		assert_true(left_since(o, -1, m->lane, at - 60000) <= l->per_minute + 2);
	if (l->at_once)
		assert_true(under_way(o, m->lane) <= l->at_once);
}

static void end_some(struct model *o, int64_t now_ms)
{
	for (int i = o->open_from; i < o->n; i++) {
		struct message *m = &o->m[i];

		if (m->over || any(3))
			continue;
		m->over = true;
		pacer_end(&o->p,
			&(struct pacer_outcome){
				m->lane, m->relay, VERDICT_SENT, NULL, 250, "ok", m->begun_ms},
			now_ms);
	}
	while (o->open_from < o->n && o->m[o->open_from].over)
		o->open_from++;
}

static void test_all_limits(void **state)
{
	struct model o = {.m = calloc(MAX, sizeof *o.m)};
	int64_t ms = NOW_MS;
	int least = MAX;

	(void)state;
	seed = 4;
	make(&o.p, RELAYS, LANES);
	o.p.relay[0].limit = (struct pace_relay_limits){2, 2, 500, 4000, {0}};
	o.p.relay[1].limit = (struct pace_relay_limits){1, 0, 300, 0, {600, 50}};
	o.p.relay[2].limit = (struct pace_relay_limits){1, 5, 0, 2000, {0}};
	o.p.lane[1].limit = (struct pace_lane_limits){30, 0};
	o.p.lane[2].limit = (struct pace_lane_limits){0, 2};
	o.p.lane[3].limit = (struct pace_lane_limits){4, 1};
	while (ms < NOW_MS + INT64_C(3) * 86400000 && o.n < MAX) {
		struct message *m = &o.m[o.n];
		int64_t ready = pacer_ready_at(&o.p, false, ms);

		m->lane = send(&o.p, ms, &m->relay);
		if (m->lane >= 0) {
			assert_int_equal(ready, ms);
			m->begun_ms = ms;
			o.n++;
			check_limits(&o);
			continue;
		}
		assert_true(ready > ms);
		/* Shortly before that nothing can leave, unless an answer comes; after it something can. */
		if (ready < INT64_MAX && any(2)) {
			assert_true(pacer_lane_next(&o.p, ready - 2) < 0 ||
				    pacer_relay_next(&o.p, PACER_ANY, ready - 2) < 0);
			ms = ready;
			assert_true(pacer_lane_next(&o.p, ms) >= 0);
			assert_true(pacer_relay_next(&o.p, PACER_ANY, ms) >= 0);
		} else {
			ms += any(60000);
		}
		end_some(&o, ms);
	}
	/* Three days by the quotas: the limits are not only kept but used. */
	for (int r = 0; r < RELAYS; r++) {
		int n = left_since(&o, r, -1, 0);

		least = n < least ? n : least;
	}
	assert_true(o.n > 3 * (4000 + 600 + 2000) * 9 / 10);
	assert_true(least > 1800);
	pacer_free(&o.p);
	free(o.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_lanes_are_interleaved),
		cmocka_unit_test(test_failover),
		cmocka_unit_test(test_probe_of_another),
		cmocka_unit_test(test_taken_back),
		cmocka_unit_test(test_throttle),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_all_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
