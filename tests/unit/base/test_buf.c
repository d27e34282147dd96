/* SPDX-License-Identifier: MIT */
#include "base/arena.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

static void test_ceiling(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	buf_cstr(&b, "12345");
	buf_cstr(&b, "67890");
	assert_false(b.over);
	buf_char(&b, 'x');
	assert_true(b.over);
	assert_string_equal(buf_text(&b), "1234567890");
	buf_reset(&b);
	buf_printf(&b, "%s", "elevenbytes");
	assert_true(b.over);
	assert_int_equal(b.n, 0);
	buf_add(&b, "x", 1); /* still refused: a hole in the middle would be worse */
	assert_int_equal(b.n, 0);
	buf_reset(&b);
	buf_printf(&b, "%d-%s", 12, "ab");
	assert_string_equal(buf_text(&b), "12-ab");
	buf_consume(&b, 3);
	assert_string_equal(buf_text(&b), "ab");
	buf_consume(&b, 99);
	assert_int_equal(b.n, 0);
	buf_free(&b);
	assert_string_equal(buf_text(&b), "");
}

static void test_varint(void **state)
{
	static const uint64_t values[] = {0, 1, 127, 128, 300, 1u << 21, UINT64_MAX};
	static const char too_long[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";
	struct str in;
	struct buf b;
	uint64_t v;

	(void)state;
	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		buf_varint(&b, values[i]);
	in = buf_view(&b);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		assert_true(varint_next(&in, &v));
		assert_true(v == values[i]);
	}
	assert_false(varint_next(&in, &v));
	in = STR("\x80");
	assert_false(varint_next(&in, &v));
	in = (struct str){too_long, 10};
	assert_false(varint_next(&in, &v));
	buf_free(&b);
}

static void test_arena(void **state)
{
	struct arena a = {0};
	char *text;

	(void)state;
	for (int turn = 0; turn < 3; turn++) {
		for (size_t n = 1; n < 3000; n += 7) {
			unsigned char *p = arena_alloc(&a, n);

			assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(p[i], 0);
			memset(p, 0xee, n);
		}
		text = arena_printf(&a, "%s %d", "issue", 7);
		assert_string_equal(text, "issue 7");
		assert_string_equal(arena_str(&a, STR("view")).p, "view");
		arena_reset(&a);
	}
	arena_free(&a);
	assert_string_equal(arena_cstr(&a, STR("again")), "again");
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_varint),
		cmocka_unit_test(test_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
