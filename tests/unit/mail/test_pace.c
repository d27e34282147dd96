/* SPDX-License-Identifier: MIT */
#include "mail/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

enum { NOW = 1800000000 }; /* a slot and a UTC day begin at other times */
static const int64_t NOW_MS = NOW * INT64_C(1000);

static uint64_t seed;

static int64_t any(int64_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (int64_t)(seed >> 33) % below;
}

/* ---- rates ---- */

/* Whoever asks as often as possible gets no more than the rate in any stretch of time, and no less in
 * the long run. */
static void test_rate(void **state)
{
	static const struct {
		int64_t count, seconds;
	} c[] = {{1, 1}, {3, 1}, {14, 1}, {1000, 1}, {20000, 1}, {1, 60}, {10, 60}, {600, 60}};
	enum { MAX = 100000 };
	int64_t *left = calloc(MAX, sizeof *left);

	(void)state;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		struct pace_rate r = {0};
		int64_t span = c[i].seconds * 4000, n = 0, lowest = 0;

		seed = i;
		for (int64_t ms = NOW_MS; ms < NOW_MS + span; ms += 1 + any(5)) {
			int64_t room = pace_rate_room(&r, c[i].count, c[i].seconds, ms);

			for (; room > 0; room--) {
				pace_rate_take(&r, c[i].count, c[i].seconds, ms);
				left[n++] = ms;
			}
			assert_int_equal(pace_rate_room(&r, c[i].count, c[i].seconds, ms), 0);
		}
		/* For each message, those within every stretch that ends with it. */
		for (int64_t j = 0; j < n; j++)
			for (int64_t k = j; k >= 0 && k > j - 300; k--)
				assert_true((j - k) * c[i].seconds * 1000 <=
					    (left[j] - left[k] + PACE_BURST_MS) * c[i].count);
		lowest = c[i].count * span / 1000 / c[i].seconds;
		assert_in_range(n, lowest, lowest + lowest / 50 + 2);
	}
	free(left);
}

static void test_rate_next(void **state)
{
	struct pace_rate r = {0};
	int64_t ms = NOW_MS;

	(void)state;
	seed = 1;
	assert_int_equal(pace_rate_next(&r, 0, 1, ms), ms);
	assert_int_equal(pace_rate_room(&r, 0, 1, ms), INT64_MAX);
	for (int i = 0; i < 1000; i++) {
		int64_t next = pace_rate_next(&r, 7, 60, ms);

		if (next > ms)
			assert_int_equal(pace_rate_room(&r, 7, 60, next - 2), 0);
		assert_true(pace_rate_room(&r, 7, 60, next) >= 1);
		pace_rate_take(&r, 7, 60, next);
		ms = next + any(20000);
	}
	/* A clock that is set back does not stop the mail for the hours it was wrong. */
	assert_int_equal(pace_rate_room(&r, 7, 60, ms - 3600000), 1);
}

/* ---- quotas ---- */

/* Against a model that keeps every count. */
static void check_window(enum pace_span span)
{
	enum { EVENTS = 4000 };
	struct {
		int64_t slot;
		int n;
	} *event = calloc(EVENTS, sizeof *event);
	struct pace_window w = {0};
	int64_t length = pace_slot_seconds(span), count = pace_slot_count(span), at = NOW;

	for (int i = 0; i < EVENTS; i++) {
		int64_t now, newest = 0, used = 0, oldest = INT64_MAX;

		at += any(10) == 0 ? any(length * 3) : any(40);
		if (any(500) == 0)
			at += length * count * 2;
		now = at -
		      (any(20) == 0 ? any(length * count) : 0); /* a late word about an old one */
		event[i].slot = now / length;
		event[i].n = (int)any(50) + 1;
		pace_window_add(&w, span, now, event[i].n);
		for (int j = 0; j <= i; j++)
			newest = event[j].slot > newest ? event[j].slot : newest;
		for (int j = 0; j <= i; j++)
			used += event[j].slot > newest - count ? event[j].n : 0;
		assert_int_equal(pace_window_used(&w, span, now), used);
		/* Later, with nothing new. */
		at += any(length * 4);
		newest = at / length > newest ? at / length : newest;
		used = 0;
		for (int j = 0; j <= i; j++)
			if (event[j].slot > newest - count) {
				used += event[j].n;
				oldest = event[j].slot < oldest ? event[j].slot : oldest;
			}
		assert_int_equal(pace_window_used(&w, span, at), used);
		assert_int_equal(
			pace_window_next(&w, span, at), used ? (oldest + count) * length : at);
	}
	free(event);
}

static void test_window(void **state)
{
	(void)state;
	seed = 2;
	check_window(PACE_HOUR);
	check_window(PACE_DAY);
}

static void test_window_takes_back(void **state)
{
	struct pace_window w = {0};

	(void)state;
	pace_window_add(&w, PACE_HOUR, NOW, 5);
	pace_window_add(&w, PACE_HOUR, NOW + 600, 1);
	pace_window_add(&w, PACE_HOUR, NOW, -2);
	assert_int_equal(pace_window_used(&w, PACE_HOUR, NOW + 600), 4);
	assert_int_equal(pace_window_slot(&w, PACE_HOUR, NOW / PACE_HOUR_SLOT), 3);
	pace_window_add(&w, PACE_HOUR, NOW + 9000, 1);
	pace_window_add(&w, PACE_HOUR, NOW, -3); /* gone already */
	assert_int_equal(pace_window_used(&w, PACE_HOUR, NOW + 9000), 1);
}

/* Sending as fast as the quota allows: no stretch of an hour (a day) holds more than it. */
static void test_quota(void **state)
{
	enum { QUOTA = 500, MAX = 20000 };
	static const int seconds[PACE_SPAN_N] = {3600, 86400};
	int64_t *left = calloc(MAX, sizeof *left);

	(void)state;
	for (enum pace_span span = 0; span < PACE_SPAN_N; span++) {
		struct pace_window w = {0};
		int64_t n = 0, from = 0;

		seed = span;
		for (int64_t at = NOW; at < NOW + 6 * seconds[span]; at += 1 + any(30))
			for (int64_t burst = any(200); burst > 0; burst--) {
				if (pace_window_used(&w, span, at) >= QUOTA)
					break;
				pace_window_add(&w, span, at, 1);
				left[n++] = at;
			}
		for (int64_t i = 0; i < n; i++) {
			while (left[i] - left[from] >= seconds[span])
				from++;
			assert_true(i - from + 1 <= QUOTA);
		}
		assert_true(n > 5 * QUOTA);
	}
	free(left);
}

/* ---- warm-up ---- */

static void test_warm_up(void **state)
{
	const struct pace_growth g = {100, 50};
	struct pace_warm w = {0};
	const int64_t day = 86400, noon = NOW / day * day + day / 2;

	(void)state;
	assert_int_equal(pace_growth_cap(&g, 0), 100);
	assert_int_equal(pace_growth_cap(&g, 2), 225);
	assert_int_equal(pace_growth_cap(&(struct pace_growth){0}, 7), INT64_MAX);
	assert_int_equal(pace_growth_cap(&(struct pace_growth){1, 1}, 3), 4);
	assert_int_equal(pace_growth_cap(&g, 100000), INT64_MAX);

	pace_warm_add(&w, &g, noon, 49);
	assert_int_equal(pace_warm_at(&w, &g, noon + day / 3).used, 49);
	assert_int_equal(pace_warm_at(&w, &g, noon + day).used, 0);
	assert_int_equal(pace_warm_at(&w, &g, noon + day).level, 0); /* too little for more */
	pace_warm_add(&w, &g, noon, 1);
	assert_int_equal(pace_warm_at(&w, &g, noon).level, 0);
	assert_int_equal(pace_warm_at(&w, &g, noon + 9 * day).level, 1); /* waiting adds nothing */
	pace_warm_add(&w, &g, noon + 9 * day, 80);
	assert_int_equal(w.level, 1);
	assert_int_equal(w.used, 80);
	pace_warm_add(&w, &g, noon, -1); /* of a day that is over */
	assert_int_equal(w.used, 80);
	assert_int_equal(pace_warm_at(&w, &g, noon + 10 * day).level, 2);
}

/* ---- throttles ---- */

#define RATE(...)  ((struct finding){REASON_RATE, REACT_THROTTLE, .rule = "x", __VA_ARGS__})
#define BLOCK(...) ((struct finding){REASON_BLOCK, REACT_PAUSE_DOMAIN, .rule = "x", __VA_ARGS__})

static void test_strikes(void **state)
{
	const struct finding rate = RATE(0), other = {REASON_FULL, REACT_RETRY, .rule = "x"};
	struct pace_throttle t = {0};

	(void)state;
	assert_int_equal(pace_throttle_rate(&t, 0, NOW), 0);
	assert_int_equal(pace_throttle_rate(&t, 300, NOW), 300);
	for (int i = 0; i < 10; i++)
		assert_false(pace_throttle_note(&t, &other, 0, 50, NOW, NOW));
	assert_false(pace_throttle_note(&t, &rate, 0, 50, NOW - 1, NOW));
	assert_false(pace_throttle_note(&t, &rate, 0, 50, NOW, NOW + 1800));
	assert_false(pace_throttle_note(&t, &rate, 0, 50, NOW, NOW + 3601)); /* the third, late */
	assert_true(pace_throttle_note(&t, &rate, 0, 50, NOW, NOW + 3602));
	assert_int_equal(pace_throttle_rate(&t, 0, NOW + 3602), 25);
	/* What was on its way tells nothing new; what left since does, each once. */
	assert_false(pace_throttle_note(&t, &rate, 0, 50, NOW + 3602, NOW + 3603));
	assert_true(pace_throttle_note(&t, &rate, 0, 50, NOW + 3603, NOW + 3604));
	assert_int_equal(pace_throttle_rate(&t, 0, NOW + 3604), 12);
	assert_true(pace_throttle_note(&t, &rate, 0, 50, NOW + 3605, NOW + 3606));
	assert_int_equal(pace_throttle_rate(&t, 0, NOW + 3606), 6);
}

static void test_recovery(void **state)
{
	const struct finding rate = RATE(0);
	struct pace_throttle t = {0}, limited = {0};

	(void)state;
	for (int i = 0; i < PACE_STRIKES; i++) {
		pace_throttle_note(&t, &rate, 0, 0, NOW - 1, NOW);
		pace_throttle_note(&limited, &rate, 60, 60, NOW - 1, NOW);
	}
	for (int i = 0, expected = PACE_SLOW; i < 20; i++, expected *= 2) {
		int64_t at = NOW + (int64_t)i * PACE_RECOVER;

		if (expected >= PACE_FAST)
			expected = 0;
		assert_int_equal(pace_throttle_rate(&t, 0, at), expected);
		assert_int_equal(pace_throttle_rate(&t, 0, at + PACE_RECOVER - 1), expected);
	}
	assert_int_equal(pace_throttle_rate(&limited, 60, NOW), 30);
	assert_int_equal(pace_throttle_rate(&limited, 60, NOW + PACE_RECOVER), 60);
	/* Free again, it takes as many strikes as at first. */
	assert_false(pace_throttle_note(&t, &rate, 0, 0, NOW + 80000, NOW + 80001));
	assert_int_equal(pace_throttle_rate(&t, 0, NOW + 80001), 0);
}

static void test_told(void **state)
{
	const struct finding slow = RATE(.wait_s = 1800, .per_minute = 10),
			     two_hours = RATE(.wait_s = 7200),
			     alone = RATE(.wait_s = 3600, .connections = 1),
			     ages = RATE(.wait_s = 90000);
	struct pace_throttle t = {0};

	(void)state;
	assert_true(pace_throttle_note(&t, &slow, 0, 5000, NOW - 1, NOW));
	assert_int_equal(t.wait_until, 0);
	assert_int_equal(pace_throttle_rate(&t, 0, NOW + 1799), 10);
	assert_int_equal(pace_throttle_rate(&t, 0, NOW + 1800), 20);
	assert_int_equal(pace_throttle_rate(&t, 5, NOW + 1800), 5);

	t = (struct pace_throttle){0};
	assert_true(pace_throttle_note(&t, &two_hours, 0, 400, NOW - 1, NOW));
	assert_int_equal(t.wait_until, NOW + 7200);
	assert_int_equal(pace_throttle_rate(&t, 0, NOW + 7200), 200);

	t = (struct pace_throttle){0};
	assert_true(pace_throttle_note(&t, &alone, 0, 400, NOW - 1, NOW));
	assert_int_equal(pace_throttle_at_once(&t, 20, NOW), 1);
	assert_int_equal(pace_throttle_at_once(&t, 0, NOW + 3599), 1);
	assert_int_equal(pace_throttle_at_once(&t, 20, NOW + 3600), 20);
	assert_int_equal(pace_throttle_at_once(&t, 0, NOW + 3600), 0);
	assert_int_equal(pace_throttle_rate(&t, 0, NOW), 0);

	t = (struct pace_throttle){0};
	assert_true(pace_throttle_note(&t, &ages, 0, 400, NOW - 1, NOW));
	assert_int_equal(t.wait_until, NOW + PACE_WAIT_MAX);
}

static void test_blocks(void **state)
{
	const struct finding block = BLOCK(0);
	struct pace_throttle t = {0};
	int64_t at = NOW;
	static const int waits[] = {1800, 3600, 7200, 14400, 14400};

	(void)state;
	for (int i = 0; i < PACE_STRIKES - 1; i++)
		assert_false(pace_throttle_note(&t, &block, 0, 0, at - 1, at));
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		assert_true(pace_throttle_note(&t, &block, 0, 0, at - 1, at));
		assert_int_equal(t.wait_until, at + waits[i]);
		at = t.wait_until + 2;
	}
	at += 100000; /* free again: from the start */
	for (int i = 0; i < PACE_STRIKES; i++)
		pace_throttle_note(&t, &block, 0, 0, at - 1, at);
	assert_int_equal(t.wait_until, at + 1800);
}

/* ---- circuits ---- */

static void test_circuit(void **state)
{
	static const int rests[] = {30, 60, 120, 240, 480, 960, 1800, 1800};
	struct pace_circuit c = {0};
	int64_t at = NOW;

	(void)state;
	assert_int_equal(pace_circuit_at(&c, false, at), PACE_CLOSED);
	for (size_t i = 0; i < sizeof rests / sizeof *rests; i++) {
		assert_int_equal(pace_circuit_fail(&c, at), rests[i]);
		assert_int_equal(pace_circuit_fail(&c, at + 1), 0); /* met by another connection */
		assert_int_equal(pace_circuit_at(&c, true, at + rests[i] - 1), PACE_OPEN);
		at += rests[i];
		assert_int_equal(pace_circuit_at(&c, false, at), PACE_HALF_OPEN);
		c.probe_until = at + PACE_PROBE;
		assert_int_equal(pace_circuit_at(&c, false, at), PACE_PROBED);
		assert_int_equal(pace_circuit_at(&c, true, at), PACE_HALF_OPEN);
		assert_int_equal(pace_circuit_at(&c, false, at + PACE_PROBE), PACE_HALF_OPEN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_rate_next),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_window_takes_back),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_warm_up),
		cmocka_unit_test(test_strikes),
		cmocka_unit_test(test_recovery),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_circuit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
