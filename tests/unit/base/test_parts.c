/* SPDX-License-Identifier: MIT */
#include "base/parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

enum { LONG = 1000 };
static char text[LONG];

static void fill(struct parts *p)
{
	const struct str whole = {text, LONG};

	buf_cstr(&p->made, "head ");
	parts_refer(p, STR("short "));
	parts_refer(p, whole);
	parts_refer(p, whole);
	buf_cstr(&p->made, "between");
	parts_refer(p, whole);
}

/* Long texts stay where they are, the rest is made, and all of it is there in its order. */
static void test_order(void **state)
{
	struct parts p;
	const struct str *part;
	struct buf out;
	size_t n;

	(void)state;
	memset(text, 'x', LONG);
	parts_init(&p, 10000);
	buf_init(&out, 10000);
	for (int turn = 0; turn < 2; turn++) {
		fill(&p);
		for (int i = 0; i < 1000; i++) /* what was made moves */
			buf_char(&p.made, '.');
		parts_end(&p);
		part = parts_list(&p, &n);
		assert_int_equal(n, 6);
		assert_int_equal(part[0].n, strlen("head short "));
		assert_ptr_equal(part[1].p, text);
		assert_ptr_equal(part[4].p, text);
		assert_int_equal(part[5].n, 1000);
		assert_int_equal(p.n, 11 + 3 * LONG + 7 + 1000);
		parts_join(&p, &out);
		assert_int_equal(out.n, p.n);
		assert_memory_equal(out.p, "head short xxx", 14);
		assert_memory_equal(out.p + 11 + 2 * LONG, "betweenxxx", 10);
		assert_memory_equal(out.p + out.n - 1001, "x.", 2);
		parts_reset(&p);
		buf_reset(&out);
	}
	parts_end(&p);
	parts_list(&p, &n);
	assert_int_equal(n, 0);
	parts_free(&p);
	buf_free(&out);
}

/* Behind another: what was made is copied, what is referred to stays where it is. */
static void test_append(void **state)
{
	struct parts p, whole;
	const struct str *part;
	struct buf out;
	size_t n;

	(void)state;
	memset(text, 'x', LONG);
	parts_init(&p, 10000);
	parts_init(&whole, 10000);
	buf_init(&out, 10000);
	fill(&whole);
	for (int i = 0; i < 1000; i++)
		buf_char(&whole.made, '.');
	parts_end(&whole);
	buf_cstr(&p.made, "first ");
	parts_append(&p, &whole);
	parts_free(&whole);
	parts_end(&p);
	part = parts_list(&p, &n);
	assert_int_equal(n, 6);
	assert_int_equal(part[0].n, strlen("first head short "));
	assert_ptr_equal(part[1].p, text);
	parts_join(&p, &out);
	assert_int_equal(out.n, 6 + 11 + 3 * LONG + 7 + 1000);
	assert_memory_equal(out.p, "first head short xxx", 20);
	assert_memory_equal(out.p + out.n - 1001, "x.", 2);
	parts_free(&p);
	buf_free(&out);
}

/* The ceiling is that of the whole. */
static void test_ceiling(void **state)
{
	struct parts p;

	(void)state;
	parts_init(&p, 3 * LONG + 18);
	fill(&p);
	parts_end(&p);
	assert_false(p.made.over);
	parts_reset(&p);
	fill(&p);
	buf_char(&p.made, '.');
	parts_end(&p);
	assert_true(p.made.over);
	parts_free(&p);
	parts_init(&p, 2 * LONG);
	fill(&p);
	assert_true(p.made.over);
	parts_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
