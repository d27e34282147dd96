/* SPDX-License-Identifier: MIT */
#include "mail/msgid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const unsigned char issue[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* The expected texts were made with Python's uuid.uuid5(). */
static void test_known(void **state)
{
	static const struct {
		int64_t subscriber;
		const char *text;
	} known[] = {
		{42, "<7cf235ef-712f-5bd7-8ae4-a8862d8e40e9@news.example.org>"},
		{INT64_MAX, "<158cc322-203b-599d-90cc-0e09f91b2d64@news.example.org>"},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		buf_reset(&out);
		msgid_make(issue, known[i].subscriber, STR("news.example.org"), &out);
		assert_string_equal(buf_text(&out), known[i].text);
	}
	buf_free(&out);
}

static void test_differs(void **state)
{
	unsigned char other[16] = {1};
	struct buf a, b;

	(void)state;
	buf_init(&a, 1024);
	buf_init(&b, 1024);
	msgid_make(issue, 1, STR("x.example"), &a);
	msgid_make(other, 1, STR("x.example"), &b);
	assert_string_not_equal(buf_text(&a), buf_text(&b));
	buf_free(&a);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
