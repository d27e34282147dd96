/* SPDX-License-Identifier: MIT */
#include "mail/header.h"

#include "base/enc.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* One field, and nothing that could be a second: CRLF only before a blank and at the end. */
static void check_field(struct str field, size_t width)
{
	assert_true(str_has_suffix(field, STR("\r\n")));
	field.n -= 2;
	while (field.n) {
		size_t n = str_search(field, STR("\r\n"));
		struct str line = str_slice(field, 0, n);

		assert_in_range(line.n, 1, width);
		assert_int_equal(str_find(line, '\r'), line.n);
		assert_int_equal(str_find(line, '\n'), line.n);
		assert_int_not_equal(str_trim(line).n, 0);
		field = str_slice(field, n + 2, field.n);
		if (field.n)
			assert_int_equal(field.p[0], ' ');
	}
}

/* The text of an unfolded field's encoded-words and plain words: enough of a decoder for what
 * header_text() writes. */
static void decode(struct str field, struct buf *out)
{
	bool was_coded = false;

	field = str_slice(field, str_find(field, ':') + 1, field.n - 2);
	while (field.n) {
		struct str word;
		size_t i = 1;

		if (str_has_prefix(field, STR("\r\n")))
			field = str_slice(field, 2, field.n);
		assert_int_equal(field.p[0], ' ');
		while (i < field.n && field.p[i] != ' ' && field.p[i] != '\r')
			i++;
		word = str_slice(field, 1, i);
		field = str_slice(field, i, field.n);
		if (!str_has_prefix(word, STR("=?utf-8?"))) {
			if (out->n)
				buf_char(out, ' ');
			buf_str(out, word);
			was_coded = false;
			continue;
		}
		assert_in_range(word.n, 13, 75);
		if (out->n && !was_coded)
			buf_char(out, ' ');
		was_coded = true;
		if (word.p[8] == 'B') {
			assert_int_equal(dec_base64(out, str_slice(word, 10, word.n - 2)), 0);
			continue;
		}
		for (i = 10; i < word.n - 2; i++) {
			unsigned c;

			if (word.p[i] == '=') {
				assert_int_equal(sscanf(word.p + i + 1, "%2X", &c), 1);
				buf_char(out, (char)c);
				i += 2;
			} else {
				buf_char(out, word.p[i] == '_' ? ' ' : word.p[i]);
			}
		}
	}
}

static void text_is(struct str value, const char *expected)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	header_text(&out, "Subject", value);
	check_field(buf_view(&out), 78);
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
}

static void test_text(void **state)
{
	(void)state;
	text_is(STR("Hello, world"), "Subject: Hello, world\r\n");
	text_is(STR("  a \t b  "), "Subject: a b\r\n");
	text_is(STR("x\r\nBcc: a@b.example"), "Subject: x Bcc: a@b.example\r\n");
	text_is(STR("x\0y"), "Subject: x y\r\n");
	text_is(STR("Grüße"), "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n");
	text_is(STR("日本語"), "Subject: =?utf-8?B?5pel5pys6Kqe?=\r\n");
	text_is(STR("bad \xff utf"), "Subject: =?utf-8?Q?bad_=EF=BF=BD_utf?=\r\n");
	text_is(STR("a\xe2\x80\xa8"
		    "b"),
		"Subject: a b\r\n");
	text_is(STR("=?utf-8?q?x=0D=0ABcc:?="),
		"Subject: =?utf-8?Q?=3D=3Futf-8=3Fq=3Fx=3D0D=3D0ABcc=3A=3F=3D?=\r\n");
	text_is(STR("one two three four five six seven eight nine ten eleven twelve thirteen"),
		"Subject: one two three four five six seven eight nine ten eleven twelve\r\n"
		" thirteen\r\n");
}

/* Whatever the value, its clean form comes back and no line is too long. */
static void test_text_round_trip(void **state)
{
	static const char *const unit[] = {
		"a", "ab ", "é", "日", "🎉", "=?", "x_y?", "é b", "e\xcc\x81"};
	struct buf value, out, back;

	(void)state;
	buf_init(&value, 1 << 16);
	buf_init(&out, 1 << 18);
	buf_init(&back, 1 << 16);
	for (size_t i = 0; i < sizeof unit / sizeof *unit; i++)
		for (size_t n = 1; n < 5000; n += n < 150 ? 1 : 977) {
			struct str clean;

			buf_reset(&value);
			buf_reset(&out);
			buf_reset(&back);
			for (size_t j = 0; j < n; j++)
				buf_cstr(&value, unit[i]);
			header_text(&out, "Subject", buf_view(&value));
			check_field(buf_view(&out), 78);
			decode(buf_view(&out), &back);
			assert_int_equal(utf8_invalid_at(buf_view(&back)), back.n);
			clean = str_trim(buf_view(&value));
			assert_true(str_eq(buf_view(&back), clean));
		}
	buf_free(&value);
	buf_free(&out);
	buf_free(&back);
}

static void mailbox_is(const char *display, const char *email, const char *expected)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	header_mailbox(&out, "From", str_of(display), str_of(email));
	check_field(buf_view(&out), 300);
	if (expected)
		assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
}

static void test_mailbox(void **state)
{
	char longest[255] = {0};

	(void)state;
	mailbox_is("", "a@b.example", "From: <a@b.example>\r\n");
	mailbox_is("Ann Lee", "a@b.example", "From: Ann Lee <a@b.example>\r\n");
	mailbox_is("Ann, (\"A\\\") Lee.", "a@b.example",
		"From: \"Ann, (\\\"A\\\\\\\") Lee.\" <a@b.example>\r\n");
	mailbox_is("Zoë", "a@b.example", "From: =?utf-8?Q?Zo=C3=AB?= <a@b.example>\r\n");
	mailbox_is("Zoë \"Z\", X.", "a@b.example",
		"From: =?utf-8?Q?Zo=C3=AB_=22Z=22=2C_X=2E?= <a@b.example>\r\n");
	mailbox_is("=?utf-8?q?x?=", "a@b.example",
		"From: =?utf-8?Q?=3D=3Futf-8=3Fq=3Fx=3F=3D?= <a@b.example>\r\n");
	mailbox_is("A\r\nBcc: x@y.example", "a@b.example",
		"From: \"A Bcc: x@y.example\" <a@b.example>\r\n");
	mailbox_is("The Daily Newsletter of Everything That Has Happened Today",
		"letters@news.example.org",
		"From: The Daily Newsletter of Everything That Has Happened Today\r\n"
		" <letters@news.example.org>\r\n");
	memset(longest, 'x', 254);
	mailbox_is(longest, "a@b.example", NULL);
	mailbox_is("", longest, NULL);
	mailbox_is("x", longest, NULL);
}

static void test_token(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	header_token(&out, "List-Unsubscribe",
		STR("<https://news.example.org/u/abcdefghijklmnopqrstuvwxyz234567abcdefghijk>, "
		    "<mailto:u-abc@bounces.example.org>"));
	assert_string_equal(buf_text(&out),
		"List-Unsubscribe: "
		"<https://news.example.org/u/abcdefghijklmnopqrstuvwxyz234567abcdefghijk>,\r\n"
		" <mailto:u-abc@bounces.example.org>\r\n");
	buf_reset(&out);
	header_token(&out, "X", STR("a\r\nb: c"));
	assert_string_equal(buf_text(&out), "X: a b: c\r\n");
	buf_free(&out);
}

static void test_date(void **state)
{
	char text[HEADER_DATE_SIZE];

	(void)state;
	setlocale(LC_ALL, "");
	assert_string_equal(header_date(1762149600, text), "Mon, 03 Nov 2025 06:00:00 +0000");
	assert_string_equal(header_date(0, text), "Thu, 01 Jan 1970 00:00:00 +0000");
	assert_string_equal(header_date(-1, text), "Thu, 01 Jan 1970 00:00:00 +0000");
	assert_string_equal(header_date(1709164800, text), "Thu, 29 Feb 2024 00:00:00 +0000");
	assert_string_equal(header_date(INT64_MAX, text), "Fri, 31 Dec 9999 23:59:59 +0000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_round_trip),
		cmocka_unit_test(test_mailbox),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
