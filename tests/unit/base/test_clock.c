/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t t; /* -1 = refused */
	} c[] = {
		{"2026-01-31T06:00:00Z", 1769839200},
		{"2026-01-31 06:00", 1769839200},
		{" 2026-01-31t07:00:00+01:00 ", 1769839200},
		{"2026-01-31T00:30-05:30", 1769839200},
		{"2024-02-29T00:00:00Z", 1709164800},
		{"2038-01-20T00:00:00Z", 2147558400},
		{"2023-02-29T00:00:00Z", -1},
		{"2026-13-01T00:00:00Z", -1},
		{"2026-01-31", -1},
		{"2026-01-31T06:00:00Zx", -1},
		{"2026-01-31T06:00:", -1},
		{"2026-01-31T-6:00:00Z", -1},
		{"tomorrow", -1},
		{"", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		int64_t t = -1;

		assert_int_equal(clock_parse(str_of(c[i].text), &t), c[i].t >= 0);
		assert_int_equal(t, c[i].t);
	}
}

static void test_iso(void **state)
{
	char text[CLOCK_ISO_SIZE];

	(void)state;
	assert_string_equal(clock_iso(0, text), "1970-01-01T00:00:00Z");
	assert_string_equal(clock_iso(2147558400, text), "2038-01-20T00:00:00Z");
	assert_string_equal(clock_iso(INT64_MAX, text), "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_iso),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
