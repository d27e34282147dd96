/* SPDX-License-Identifier: MIT */
#include "mail/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

/* How `text` is understood, or the sentence that refuses it. */
static const char *read(const char *text)
{
	static char out[20000];
	const struct segment *s;
	struct arena a = {0};
	struct buf printed;
	struct err e;

	buf_init(&printed, sizeof out - 1);
	if (segment_parse(&a, str_of(text), &s, &e) < 0) {
		snprintf(out, sizeof out, "%s", e.text);
	} else {
		segment_print(s, &printed);
		snprintf(out, sizeof out, "%.*s", STR_ARG(buf_view(&printed)));
	}
	buf_free(&printed);
	arena_free(&a);
	return out;
}

static void test_understood(void **state)
{
	static const char *const table[][2] = {
		{"tag=\"vip\"", "tag = \"vip\""},
		{"a = 1 or b = 2 and c = 3", "(a = 1 or (b = 2 and c = 3))"},
		{"a=1 AND b=2 And c=3", "((a = 1 and b = 2) and c = 3)"},
		{"not a=1 and b=2", "(not a = 1 and b = 2)"},
		{"not (a=1 or b=2)", "not (a = 1 or b = 2)"},
		{"not not a!=1", "not not a != 1"},
		{"((((city ~ \"bon\"))))", "city ~ \"bon\""},
		{"x <= -1.5", "x <= -1.5"},
		{"x>=2026-02-28", "x >= 2026-02-28"},
		{"clicked_any( 5 )", "clicked_any(5)"},
		{"received(\"first-light\")", "received(\"first-light\")"},
		{"x = \"a\\\"b\\\\c\"", "x = \"a\\\"b\\\\c\""},
		{"größe < 3", "größe < 3"},
		{"tag = \"vip\" and signup_date > 2025-01-01 and not clicked_any(5)",
			"((tag = \"vip\" and signup_date > 2025-01-01) and not clicked_any(5))"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		assert_string_equal(read(table[i][0]), table[i][1]);
		assert_string_equal(read(table[i][1]), table[i][1]);
	}
}

/* What was tried against others, and what is mistyped: none is understood, each says where. */
static void test_refused(void **state)
{
	static const char *const table[][2] = {
		{"", "at its end"},
		{"city", "behind a field"},
		{"city =", "at its end"},
		{"city = Lisbon", "'Lisbon'"},
		{"city = \"Lisbon", "a value is expected"},
		{"city = 'Lisbon'", "''Lisbon''"},
		{"= 1", "a field is expected"},
		{"(a = 1", "')'"},
		{"a = 1)", "'and' or 'or'"},
		{"a = 1 b = 2", "'b = 2'"},
		{"a = 1; DROP TABLE subscribers", "'; DROP"},
		{"a = 1 -- x", "'-- x'"},
		{"a = 1 /* x */", "'/* x"},
		{"1 = 1", "a field is expected"},
		{"a = 1 or 1 = 1", "'1 = 1'"},
		{"a = 1 union select 1", "'union"},
		{"id in (select id from settings)", "behind a field"},
		{"a = (select 1)", "a value is expected"},
		{"\"a\" = 1", "a field is expected"},
		{"a\" = 1", "behind a field"},
		{"a || b = 1", "behind a field"},
		{"a = 1e9", "a value is expected"},
		{"a = 2026-02-", "a value is expected"},
		{"a = 2026-13-01", "a value is expected"},
		{"a = ?1", "a value is expected"},
		{"a = :x", "a value is expected"},
		{"a ~ 1", "double quotes"},
		{"tag < \"a\"", "= or !="},
		{"status = 1", "= or !="},
		{"load_extension(\"x\")", "there are received"},
		{"opened_any(5)", "clicked_any(5)"},
		{"clicked_any(0)", "from 1 to 10000"},
		{"clicked_any(\"x\")", "number of issues"},
		{"clicked(5)", "slug"},
		{"clicked(\"x\"", "')' is missing"},
		{"a = \"\xff\"", "UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (!strstr(read(table[i][0]), table[i][1]))
			fail_msg("%s: %s", table[i][0], read(table[i][0]));
}

static void test_ceilings(void **state)
{
	char text[SEGMENT_MAX + 200] = "";
	size_t n = 0;

	(void)state;
	for (int i = 0; i < SEGMENT_TESTS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%sa=1", i ? " or " : "");
	assert_null(strstr(read(text), "more than"));
	snprintf(text + n, sizeof text - n, " or a=1");
	assert_non_null(strstr(read(text), "more than 64 tests"));
	memset(text, '(', 100);
	snprintf(text + 100, sizeof text - 100, "a=1");
	assert_non_null(strstr(read(text), "too deeply"));
	memset(text, ' ', sizeof text - 1);
	assert_non_null(strstr(read(text), "longer than"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_understood),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_ceilings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
