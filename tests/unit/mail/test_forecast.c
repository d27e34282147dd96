/* SPDX-License-Identifier: MIT */
#include "mail/forecast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

enum { NOW = 1800000000 / PACE_DAY_SLOT * PACE_DAY_SLOT };

static int64_t done[2];
static bool lane_short[2], relay_short[2][FORECAST_LIMIT_N];

static struct forecast_issue issue;

static struct forecast play(struct pacer *p, int64_t first, int64_t second)
{
	struct forecast f = {
		.lane_done = done, .lane_short = lane_short, .relay_short = relay_short};

	memset(done, 0, sizeof done);
	memset(lane_short, 0, sizeof lane_short);
	memset(relay_short, 0, sizeof relay_short);
	p->lane[0].waiting = first;
	p->lane[1].waiting = second;
	forecast_play(p, &issue, NOW, &f);
	return f;
}

static void make(struct pacer *p, int relays)
{
	pacer_init(p, (size_t)relays);
	for (int i = 0; i < 2; i++)
		pacer_lane_add(p, i, "lane", &(struct pace_lane_limits){0}, false);
}

static void test_without_limits(void **state)
{
	struct pacer p;

	(void)state;
	make(&p, 1);
	assert_int_equal(play(&p, 1000000, 5).done, NOW + PACE_HOUR_SLOT);
	assert_int_equal(done[1], NOW + PACE_HOUR_SLOT);
	assert_false(relay_short[0][FORECAST_HOUR]);
	pacer_free(&p);
}

/* 12.5 copies a step. */
static void test_half_a_copy_is_not_lost(void **state)
{
	struct pacer p;

	(void)state;
	make(&p, 1);
	p.lane[0].limit.per_minute = 5;
	assert_int_equal(play(&p, 1000, 0).done, NOW + 80 * PACE_HOUR_SLOT);
	assert_true(lane_short[0]);
	pacer_free(&p);
}

static void test_quota(void **state)
{
	struct pacer p;

	(void)state;
	make(&p, 2);
	p.relay[0].limit.per_hour = 100;
	p.relay[1].limit.per_second = 1;
	p.relay[1].limit.per_day = 400;
	/* 100 an hour by the first, 400 at once by the second: 300 more are two hours and a bit later. */
	assert_in_range(play(&p, 400, 400).done, NOW + 3 * 3750, NOW + 3 * 3750 + 600);
	assert_true(relay_short[0][FORECAST_HOUR]);
	assert_true(relay_short[1][FORECAST_SECOND]);
	assert_true(relay_short[1][FORECAST_DAY]);
	assert_false(relay_short[1][FORECAST_HOUR]);
	assert_false(lane_short[0]);
	pacer_free(&p);
}

static void test_lane(void **state)
{
	struct pacer p;

	(void)state;
	make(&p, 1);
	p.lane[0].limit.per_minute = 60;
	p.lane[1].throttle.wait_until = NOW + 7200;
	assert_int_equal(play(&p, 3600, 7).done, NOW + 7200 + PACE_HOUR_SLOT);
	assert_int_equal(done[0], NOW + 3600);
	assert_true(lane_short[0]);
	pacer_free(&p);
}

static void test_never(void **state)
{
	struct pacer p;

	(void)state;
	make(&p, 1);
	p.relay[0].limit.per_day = 10;
	assert_int_equal(play(&p, 1000, 0).done, 0);
	assert_int_equal(done[0], 0);
	pacer_free(&p);
}

/* Stages of an audience of 20,000: 200, then 2,000, then all, with a wait behind each of the first two. */
static void test_stages(void **state)
{
	struct forecast f;
	struct pacer p;

	(void)state;
	make(&p, 1);
	issue = (struct forecast_issue){.copies = 20000, .stage_wait = 600};
	assert_true(care_stages_parse(STR("1%,10%"), &issue.stages));
	f = play(&p, 12000, 8000);
	assert_int_equal(f.done, NOW + 3 * PACE_HOUR_SLOT + 2 * 600);
	pacer_free(&p);
	make(&p, 1);
	issue.stage = 2; /* the last one is on */
	f = play(&p, 12000, 6000);
	assert_int_equal(f.done, NOW + PACE_HOUR_SLOT);
	issue = (struct forecast_issue){0};
	pacer_free(&p);
}

/* 120 an hour by the lane's own rate, in a window of two hours a day; NOW is 08:00. */
static void test_window(void **state)
{
	struct forecast f;
	struct zone *utc;
	struct pacer p;

	(void)state;
	assert_int_equal(zone_open(STR("UTC"), &utc, NULL), 0);
	issue = (struct forecast_issue){.zone = utc, .copies = 360};
	assert_true(zone_window_parse(STR("06:00-08:00"), &issue.hours));
	make(&p, 1);
	p.lane[0].limit.per_minute = 2;
	f = play(&p, 360, 0);
	assert_int_equal(f.done, NOW + 47 * 3600);
	assert_int_equal(done[0], f.done);
	issue = (struct forecast_issue){0};
	zone_close(utc);
	pacer_free(&p);
}

/* Readers whose own time comes later: 5 in an hour, 3 in nine, beside one who is put off. */
static void test_later(void **state)
{
	static const struct forecast_later later[] = {
		{NOW + 3600, 1, 5}, {NOW + 5000, 0, 1}, {NOW + 9 * 3600, 1, 3}};
	struct pacer p;

	(void)state;
	issue = (struct forecast_issue){.copies = 20, .later = later, .later_n = 3};
	make(&p, 1);
	assert_int_equal(play(&p, 4, 0).done, NOW + 9 * 3600 + PACE_HOUR_SLOT);
	assert_in_range(done[0], NOW + 5000, NOW + 5000 + 2 * PACE_HOUR_SLOT);
	assert_int_equal(done[1], NOW + 9 * 3600 + PACE_HOUR_SLOT);
	assert_false(lane_short[1]);
	issue = (struct forecast_issue){0};
	pacer_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_limits),
		cmocka_unit_test(test_half_a_copy_is_not_lost),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_lane),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
