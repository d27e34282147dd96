/* SPDX-License-Identifier: MIT */
#include "mail/issue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int parse(const char *text, struct issue_source *out, struct err *e)
{
	memset(e, 0, sizeof(*e));
	return issue_parse(&arena, "x.md", str_of(text), out, e);
}

#define assert_str(s, text) assert_string_equal(arena_cstr(&arena, s), text)

static void test_all_keys(void **state)
{
	struct issue_source i;
	struct err e;

	(void)state;
	assert_int_equal(
		parse("---\r\n# a remark\r\nsubject: PLUS: it's {{ x }}\r\n"
		      "preheader: \"quoted: value\"\r\nlist:daily\r\nfrom: A <a@b.example>\r\n"
		      "reply_to: 'c@d.example'\r\nsend_at: 2026-01-31T06:00:00Z\r\n"
		      "slug: a-1\r\ndate: 2024-02-29\r\nlang: pt-BR\r\ndir: rtl\r\n"
		      "theme: dark\r\n---\r\nBody\r\nmore\r\n",
			&i, &e),
		0);
	assert_str(i.subject, "PLUS: it's {{ x }}");
	assert_int_equal(i.subject_line, 3);
	assert_str(i.preheader, "quoted: value");
	assert_int_equal(i.preheader_line, 4);
	assert_str(i.list, "daily");
	assert_str(i.from, "A <a@b.example>");
	assert_str(i.reply_to, "c@d.example");
	assert_str(i.send_at, "2026-01-31T06:00:00Z");
	assert_str(i.slug, "a-1");
	assert_str(i.date, "2024-02-29");
	assert_str(i.lang, "pt-BR");
	assert_str(i.dir, "rtl");
	assert_str(i.theme, "dark");
	assert_str(i.body, "Body\nmore\n");
	assert_int_equal(i.body_line, 15);
}

static void test_slug(void **state)
{
	static const char *const slugs[][2] = {
		{"Hello,  World!", "hello-world"},
		{"It's 5 o'clock", "its-5-oclock"},
		{"{{ subscriber.name }}, look", "look"},
		{"a {% if subscriber.x %}b{% endif %} c", "a-b-c"},
		{"aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee fffffffff ggg",
			"aaaaaaaaaa-bbbbbbbbbb-cccccccccc-dddddddddd-eeeeeeeeee-fffff"},
	};
	struct issue_source i;
	struct err e;

	(void)state;
	for (size_t k = 0; k < sizeof(slugs) / sizeof(slugs[0]); k++) {
		assert_int_equal(
			parse(arena_printf(&arena, "\xef\xbb\xbf---\nsubject: %s\nlist: a\n---\nx",
				      slugs[k][0]),
				&i, &e),
			0);
		assert_str(i.slug, slugs[k][1]);
		assert_str(i.dir, "ltr");
	}
}

static void test_refused(void **state)
{
	static const char *const bad[][2] = {
		{"", "x.md:1: an issue starts with front matter"},
		{"subject: s\n", "x.md:1: an issue starts with front matter"},
		{"---\nsubject: s\nlist: a\n", "x.md:1: the front matter is not closed"},
		{"---\nsubject: s\n---\nx", "x.md:1: the front matter lacks 'list: …'"},
		{"---\nlist: a\n---\nx", "x.md:1: the front matter lacks 'subject: …'"},
		{"---\nsubject:\nlist: a\n---\nx", "x.md:1: the front matter lacks 'subject"},
		{"---\nsubjcet: s\n---\nx",
			"x.md:2: unknown key 'subjcet', did you mean 'subject'?"},
		{"---\ncolour: s\n---\nx", "x.md:2: unknown key 'colour', there are: subject"},
		{"---\nsubject: s\nsubject: t\n---\n",
			"x.md:3: 'subject' is given already on line 2"},
		{"---\nno colon\n---\n", "x.md:2: 'no colon' is not of the form: key: value"},
		{"---\ndate: 2023-02-29\n---\n",
			"x.md:2: date is '2023-02-29', but must be a date"},
		{"---\ndate: 2023-13-01\n---\n", "x.md:2: date is"},
		{"---\nslug: A b\n---\n", "x.md:2: slug is 'A b', but must be small letters"},
		{"---\nlang: english_\n---\n", "x.md:2: lang is"},
		{"---\ndir: up\n---\n", "x.md:2: dir is 'up', but must be ltr or rtl"},
		{"---\ntheme: ../etc\n---\n", "x.md:2: theme is"},
		{"---\nsubject: ...\nlist: a\n---\n", "x.md:2: no slug can be made"},
		{"---\nsubject: a\x01z\nlist: a\n---\n",
			"x.md:2: there is a control character (U+0001)"},
		{"---\nsubject: a\rz\n---\n", "x.md:2: there is a control character (U+000D)"},
		{"---\nsubject: s\nlist: a\n---\n\n\xc2\x92",
			"x.md:6: there is a control character (U+0092)"},
		{"---\nsubject: s\nlist: a\n---\n\xe2\x80\xae",
			"x.md:5: there is an invisible character"},
		{"---\nsubject: s\nlist: a\n---\n\xee\x80\x80",
			"x.md:5: there is a private-use character"},
		{"---\nsubject: s\nlist: a\n---\n\xf3\xb0\x80\x80",
			"x.md:5: there is a private-use character"},
		{"---\nsubject: s\nlist: a\n---\n\xff", "x.md:5: this line is not valid UTF-8"},
	};
	struct issue_source i;
	struct err e;

	(void)state;
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		assert_int_equal(parse(bad[k][0], &i, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		if (strncmp(e.text, bad[k][1], strlen(bad[k][1])) != 0)
			fail_msg("'%s' instead of '%s'", e.text, bad[k][1]);
	}
}

static void test_size(void **state)
{
	struct issue_source i;
	struct err e = {0};
	char *big = arena_alloc(&arena, ISSUE_SOURCE_MAX + 2);
	struct str head = STR("---\nsubject: s\nlist: a\n---\n");

	(void)state;
	memset(big, 'x', ISSUE_SOURCE_MAX + 1);
	memcpy(big, head.p, head.n);
	assert_int_equal(
		issue_parse(&arena, "x.md", (struct str){big, ISSUE_SOURCE_MAX}, &i, &e), 0);
	assert_int_equal(i.body.n, ISSUE_SOURCE_MAX - head.n);
	assert_int_equal(
		issue_parse(&arena, "x.md", (struct str){big, ISSUE_SOURCE_MAX + 1}, &i, &e), -1);
	assert_string_equal(e.text,
		"x.md:1: an issue may have 131072 octets at most, this file has "
		"131073");
}

static int free_all(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_slug),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, free_all);
}
