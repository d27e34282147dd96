/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_slices(void **state)
{
	struct str s = STR("hello"), rest = STR("a,,b"), head;

	(void)state;
	assert_true(str_eq(str_slice(s, 1, 3), STR("el")));
	assert_true(str_eq(str_slice(s, 4, 99), STR("o")));
	assert_int_equal(str_slice(s, 9, 12).n, 0);
	assert_true(str_eq(str_trim(STR(" \t x y\r\n")), STR("x y")));
	assert_int_equal(str_find(s, 'l'), 2);
	assert_int_equal(str_find(s, 'z'), 5);
	assert_int_equal(str_search(s, STR("lo")), 3);
	assert_int_equal(str_search(s, STR("lox")), 5);
	assert_true(str_next(&rest, ',', &head) && str_eq(head, STR("a")));
	assert_true(str_next(&rest, ',', &head) && head.n == 0);
	assert_true(str_next(&rest, ',', &head) && str_eq(head, STR("b")));
	assert_false(str_next(&rest, ',', &head));
}

static void test_compare(void **state)
{
	(void)state;
	assert_true(str_eq_nocase(STR("Straße"), STR("sTRAße")));
	assert_false(str_eq_nocase(STR("Ä"), STR("ä")));
	assert_true(str_cmp(STR("a"), STR("ab")) < 0);
	assert_true(str_cmp(STR("b"), STR("ab")) > 0);
	assert_int_equal(str_cmp(STR(""), str_of(NULL)), 0);
	assert_true(str_has_prefix_nocase(STR("Re: x"), STR("re:")));
	assert_false(str_has_prefix(STR("re"), STR("re:")));
	assert_true(str_has_suffix(STR("a.md"), STR(".md")));
	assert_false(str_has_suffix(STR("md"), STR(".md")));
}

static void test_integers(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
		bool good;
	} c[] = {
		{"0", 0, true},
		{"-42", -42, true},
		{"9223372036854775807", INT64_MAX, true},
		{"-9223372036854775808", INT64_MIN, true},
		{"9223372036854775808", 0, false},
		{"-9223372036854775809", 0, false},
		{"", 0, false},
		{"-", 0, false},
		{"+1", 0, false},
		{"1 ", 0, false},
		{"0x10", 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		int64_t v = 0;

		assert_int_equal(
			str_to_int(str_of(c[i].text), INT64_MIN, INT64_MAX, &v), c[i].good);
		assert_int_equal(v, c[i].value);
	}
	int64_t v = 7;

	assert_false(str_to_int(STR("65536"), 1, 65535, &v));
	assert_int_equal(v, 7);
}

static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		size_t invalid_at;
	} c[] = {
		{"plain", 5},
		{"gr\xc3\xbc\xc3\x9f"
		 "e",
			7},
		{"\xf0\x9f\x9a\x80", 4},
		{"\xf4\x8f\xbf\xbf", 4},
		{"\xf4\x90\x80\x80", 0}, /* past U+10FFFF */
		{"a\xed\xa0\x80", 1}, /* surrogate */
		{"\xc0\xaf", 0}, /* overlong */
		{"\xe0\x80\x80", 0}, /* overlong */
		{"12345678\xff", 8},
		{"1234567\xc3", 7}, /* cut short */
		{"\x80", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++)
		assert_int_equal(utf8_invalid_at(str_of(c[i].text)), c[i].invalid_at);
	assert_int_equal(utf8_code_point(STR("\xf0\x9f\x9a\x80")), 0x1f680);
	assert_int_equal(utf8_code_point(STR("\xe2\x82\xac")), 0x20ac);
	assert_int_equal(utf8_prefix(STR("\xc3\xbc"
					 "ab"),
				 2),
		3);
	assert_int_equal(utf8_prefix(STR("ab"), 9), 2);
}

static void test_nearest(void **state)
{
	static const char *const names[] = {"schedule", "status", "subscriber", "import"};

	(void)state;
	assert_string_equal(str_nearest(STR("statsu"), names, 4), "status");
	assert_string_equal(str_nearest(STR("Imprt"), names, 4), "import");
	assert_null(str_nearest(STR("deliver"), names, 4));
	assert_null(str_nearest(STR("x"), names, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
