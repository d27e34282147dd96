/* SPDX-License-Identifier: MIT */
#include "../../../src/app/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { NOW = 1795500000 }; /* 2026-11-24 06:00:00 UTC */

static void test_instants(void **state)
{
	static const struct {
		const char *text;
		int64_t at; /* -1 = refused */
	} c[] = {
		{"now", NOW},
		{"2026-12-01 06:00", 1796104800},
		{"2026-12-01T06:00:00+01:00", 1796101200},
		{"2026-12-01 06:00 Europe/Berlin", 1796101200},
		{"2026-12-01 06:00 America/New_York", 1796122800},
		{"2027-03-28 02:30 Europe/Berlin", 1806195600}, /* there is no 02:30: 03:00 */
		{"06:00 UTC", NOW},
		{"05:59 UTC", NOW + 86400 - 60},
		{"2026-02-30 06:00 Europe/Berlin", -1},
		{"2026-12-01 25:00 Europe/Berlin", -1},
		{"2026-12-01 06:00 Nowhere/Here", -1},
		{"2026-12-01 Europe/Berlin", -1},
		{"local", -1},
		{"", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		struct err e = {0};
		struct when w;

		assert_int_equal(when_parse(str_of(c[i].text), NOW, &w, &e), c[i].at < 0 ? -1 : 0);
		if (c[i].at >= 0 && w.at != c[i].at)
			fail_msg("%s: %lld", c[i].text, (long long)w.at);
	}
}

static void test_local(void **state)
{
	struct err e = {0};
	struct zone *z;
	struct when w;

	(void)state;
	assert_int_equal(zone_open(STR("Asia/Tokyo"), &z, &e), 0);
	assert_int_equal(when_parse(STR("06:00 local"), NOW, &w, &e), 0);
	assert_true(w.local && !w.dated);
	assert_int_equal(when_in(&w, z, NOW), NOW + 15 * 3600); /* it is 15:00 there */
	assert_int_equal(when_parse(STR("2026-11-25 06:00 local"), NOW, &w, &e), 0);
	assert_true(w.local && w.dated);
	assert_int_equal(when_in(&w, z, NOW), NOW + 15 * 3600);
	zone_close(z);
}

static void test_over(void **state)
{
	static const struct {
		const char *text;
		bool over;
	} c[] = {
		{"now", false},
		{"2026-11-24T05:59:59Z", true},
		{"2026-11-24 07:00 Europe/Berlin", false},
		{"2026-11-24 06:59 Europe/Berlin", true},
		{"05:59 Europe/Berlin", false},
		{"05:59 local", false},
		{"2026-11-24 01:00 local", false}, /* 13:00 UTC on Baker Island */
		{"2026-11-23 17:59 local", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		struct when w;

		assert_int_equal(when_parse(str_of(c[i].text), NOW, &w, NULL), 0);
		if (when_is_over(&w, NOW) != c[i].over)
			fail_msg("%s", c[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_instants),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
