/* SPDX-License-Identifier: MIT */
#include "mail/qp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What qp.h promises of every line. */
static void check_lines(struct str wire)
{
	assert_true(wire.n == 0 || str_has_suffix(wire, STR("\r\n")));
	while (wire.n) {
		size_t n = str_search(wire, STR("\r\n"));
		struct str line = str_slice(wire, 0, n);

		assert_in_range(line.n, 0, 76);
		for (size_t i = 0; i < line.n; i++)
			assert_in_range(line.p[i], ' ', '~');
		assert_int_equal(str_search(line, STR("  ")), line.n);
		if (line.n) {
			assert_int_not_equal(line.p[line.n - 1], ' ');
			assert_int_not_equal(line.p[0], '.');
			assert_int_not_equal(line.p[0], 'F');
		}
		wire = str_slice(wire, n + 2, wire.n);
	}
}

static void check(struct str text, const char *expected)
{
	struct buf wire, back;
	struct qp q;

	buf_init(&wire, 1 << 20);
	buf_init(&back, 1 << 20);
	qp_init(&q, &wire);
	qp_add(&q, text);
	qp_end(&q);
	check_lines(buf_view(&wire));
	if (expected)
		assert_string_equal(buf_text(&wire), expected);
	qp_decode(buf_view(&wire), &back);
	if (back.n && text.n && text.p[text.n - 1] != '\n')
		back.n--; /* the line end that qp_end() put there */
	assert_true(str_eq(buf_view(&back), text));
	buf_free(&wire);
	buf_free(&back);
}

static void test_known(void **state)
{
	(void)state;
	check(STR(""), "");
	check(STR("\n"), "\r\n");
	check(STR("a=b\n"), "a=3Db\r\n");
	check(STR(".a\n..b\n"), "=2Ea\r\n=2E.b\r\n");
	check(STR("From x\n>From\nFoo"), "=46rom x\r\n>From\r\n=46oo\r\n");
	check(STR("a \nb\t\n \n"), "a=20\r\nb=09\r\n=20\r\n");
	check(STR("a  b   c\n"), "a =20b =20 c\r\n");
	check(STR("é\r\n"), "=C3=A9=0D\r\n");
	check(STR("a "), "a=20\r\n");
	check(STR("a\0b"), "a=00b\r\n");
	/* 75 columns and the soft break; what begins the next line is looked at again */
	check(STR("123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
		  "12345.x\n"),
		"123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
		"12345=\r\n=2Ex\r\n");
	check(STR("123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
		  "123é\n"),
		"123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
		"123=\r\n=C3=A9\r\n");
}

/* Breaks may come anywhere, and pieces may be cut anywhere: the text does not change by it. */
static void test_pieces(void **state)
{
	static const char alphabet[] = "ab .F=\t\n\xc3\xa9-From ";
	unsigned seed = 1;

	(void)state;
	for (int turn = 0; turn < 2000; turn++) {
		struct buf text, wire, back;
		struct qp q;

		buf_init(&text, 4096);
		buf_init(&wire, 1 << 16);
		buf_init(&back, 1 << 16);
		qp_init(&q, &wire);
		for (int piece = 0; piece < 6; piece++) {
			size_t from = text.n;

			for (int n = rand_r(&seed) % 60; n > 0; n--)
				buf_char(&text,
					alphabet[(size_t)rand_r(&seed) % (sizeof alphabet - 1)]);
			qp_add(&q, str_slice(buf_view(&text), from, text.n));
			if (rand_r(&seed) % 2) {
				qp_break(&q);
				assert_int_equal(q.column, 0);
			}
		}
		buf_char(&text, '\n');
		qp_add(&q, STR("\n"));
		qp_end(&q);
		check_lines(buf_view(&wire));
		qp_decode(buf_view(&wire), &back);
		assert_true(str_eq(buf_view(&back), buf_view(&text)));
		buf_free(&text);
		buf_free(&wire);
		buf_free(&back);
	}
}

static void test_octets(void **state)
{
	char text[3 * 256];

	(void)state;
	for (int i = 0; i < 256; i++)
		memcpy(text + 3 * i, (char[]){(char)i, (char)i, 'x'}, 3);
	check((struct str){text, sizeof text}, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
