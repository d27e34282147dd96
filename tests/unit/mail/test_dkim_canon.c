/* SPDX-License-Identifier: MIT */
#include "../../../src/mail/dkim_canon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "corpus.h"

static void to_buf(void *user, struct str piece)
{
	buf_str(user, piece);
}

/* Whole, octet by octet, and cut in two anywhere. */
static void body_is(struct str body, struct str expected)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	for (size_t cut = 0; cut <= body.n + 1; cut++) {
		struct dkim_relaxer r = {.take = to_buf, .user = &out};

		buf_reset(&out);
		if (cut <= body.n) {
			struct str two[] = {str_slice(body, 0, cut), str_slice(body, cut, body.n)};

			for (size_t i = 0; i < 2; i++)
				dkim_relax_body(&r, two[i], dkim_is_relaxed(two[i]));
		} else {
			for (size_t i = 0; i < body.n; i++)
				dkim_relax_body(&r, str_slice(body, i, i + 1), false);
		}
		dkim_relax_end(&r);
		assert_true(str_eq(buf_view(&out), expected));
	}
	buf_free(&out);
}

static void test_body(void **state)
{
	(void)state;
	body_is(STR(""), STR(""));
	body_is(STR("\r\n"), STR(""));
	body_is(STR("\r\n \t\r\n\r\n"), STR(""));
	body_is(STR("a"), STR("a\r\n"));
	body_is(STR("a \t"), STR("a\r\n"));
	body_is(STR("a\r\n"), STR("a\r\n"));
	body_is(STR("a \r\n\r\n \r\n"), STR("a\r\n"));
	body_is(STR(" a  b\tc \td\t\r\n\r\ne"), STR(" a b c d\r\n\r\ne\r\n"));
	body_is(STR("a \rb \n\r\n"), STR("a \rb \n\r\n"));
	body_is(STR("a\r"), STR("a\r\r\n"));
	body_is(STR("\r\n\r"), STR("\r\n\r\r\n"));
	body_is(STR(" C \r\nD \t E\r\n\r\n\r\n"), STR(" C\r\nD E\r\n"));
}

/* RFC 6376 section 3.4.4, octet by octet. */
static void relax_slowly(struct str body, struct buf *out)
{
	bool blank = false;

	for (size_t i = 0; i < body.n; i++) {
		bool line_end = i + 1 < body.n && body.p[i] == '\r' && body.p[i + 1] == '\n';

		if (body.p[i] == ' ' || body.p[i] == '\t') {
			blank = true;
			continue;
		}
		if (blank && !line_end)
			buf_char(out, ' ');
		blank = false;
		buf_char(out, body.p[i]);
	}
	if (out->n && !str_has_suffix(buf_view(out), STR("\r\n")))
		buf_cstr(out, "\r\n");
	while (str_has_suffix(buf_view(out), STR("\r\n\r\n")))
		out->n -= 2;
	if (str_eq(buf_view(out), STR("\r\n")))
		out->n = 0;
}

static void test_body_at_random(void **state)
{
	static const char *const piece[] = {" ", " ", "\t", "\r\n", "\r\n\r\n", "\r", "\n", "a",
		"word",
		"a long run of words that fills more than a block of the fast path, it does"};
	struct buf body, expected;
	unsigned seed = 1;
	size_t n;

	(void)state;
	buf_init(&body, 1 << 20);
	buf_init(&expected, 1 << 20);
	for (int turn = 0; turn < 10000; turn++) {
		buf_reset(&body);
		buf_reset(&expected);
		for (n = (size_t)rand_r(&seed) % 40; n > 0; n--)
			buf_cstr(&body, piece[rand_r(&seed) % 10]);
		n = body.n;
		/* The oracle strips blanks at the very end only before a line end. */
		if (n && !str_has_suffix(buf_view(&body), STR("\r\n")))
			buf_cstr(&body, "\r\n");
		relax_slowly(buf_view(&body), &expected);
		body_is(str_slice(buf_view(&body), 0, n), buf_view(&expected));
	}
	buf_free(&body);
	buf_free(&expected);
}

static void test_fields(void **state)
{
	struct str s =
		STR("A: X\r\nB : Y\t\r\n\tZ  \r\nSubject:\r\n folded\r\n text\r\n\r\nbody: x");
	struct str name, value;
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	while (dkim_next_field(&s, &name, &value))
		dkim_relax_field(name, value, &out);
	assert_string_equal(buf_text(&out), "a:X\r\nb:Y Z\r\nsubject:folded text\r\n");
	assert_true(str_eq(s, STR("\r\nbody: x")));
	buf_free(&out);
}

/* The vectors of RFC 6376 section 3.4.5. */
static void test_rfc6376(void **state)
{
	struct buf input, expected, out;
	struct str rest, name, value;

	(void)state;
	buf_init(&input, 4096);
	buf_init(&expected, 4096);
	buf_init(&out, 4096);
	if (!corpus_read("rfc-vectors/rfc6376-3.4.5.input.bin", &input))
		goto out;
	rest = buf_view(&input);
	while (dkim_next_field(&rest, &name, &value))
		dkim_relax_field(name, value, &out);
	assert_true(corpus_read("rfc-vectors/rfc6376-3.4.5.relaxed_header.bin", &expected));
	assert_true(str_eq(buf_view(&out), buf_view(&expected)));
	buf_reset(&expected);
	assert_true(corpus_read("rfc-vectors/rfc6376-3.4.5.relaxed_body.bin", &expected));
	body_is(str_slice(rest, 2, rest.n), buf_view(&expected));
out:
	buf_free(&input);
	buf_free(&expected);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_body_at_random),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_rfc6376),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
