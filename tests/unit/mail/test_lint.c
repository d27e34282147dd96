/* SPDX-License-Identifier: MIT */
#include "compose_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct fixture f;

/* The rules that fire, with a level and the line each: "w12 long-subject e1 no-unsubscribe". */
static const char *remarks(const char *source)
{
	struct buf out;
	const char *text;

	if (fixture_compose(&f, "x.md", str_of(source)) < 0)
		fail_msg("%s", f.e.text);
	buf_init(&out, 4096);
	for (struct compile_remark *r = f.out.remark; r; r = r->next)
		buf_printf(&out, "%s%c%zu %s", out.n ? " " : "", r->error ? 'e' : 'w', r->line,
			r->rule);
	text = arena_cstr(&f.a, buf_view(&out));
	buf_free(&out);
	return text;
}

#define HEAD                                                                                       \
	"---\nsubject: A quiet day\npreheader: Forty characters and more of what the issue is "    \
	"about"                                                                                    \
	"\nlist: daily\n---\n"

static void test_lint(void **state)
{
	static const char *const cases[][2] = {
		{HEAD "words", ""},
		{"---\nsubject: s\nlist: daily\n---\n# "
		 "a\n\n![](https://b.c/d.png)\n\n[e](http://f.g)",
			"w5 top-heading w7 image-without-alt w9 insecure-link w1 no-preheader w1 "
			"image-only"},
		{"---\nsubject: RE: WIN $100 NOW!!\npreheader: short\nlist: daily\n---\na",
			"w2 subject-capitals w2 subject-marks w2 subject-currency w2 subject-reply "
			"w3 short-preheader"},
		{HEAD "## a\n\n#### b\n\nc", "w8 heading-level"},
		{HEAD "::: toc\n- one\n- two\n:::\n\n## one\n\na", "w6 contents-differ"},
		{HEAD "## one {toc=no}\n\n::: toc\n:::\n\n## two\n\na", ""},
		{HEAD "[click here](https://a.b/c)", "w6 vague-link"},
		{HEAD "[www.bank.com](https://thief.com/)", "w6 deceiving-link"},
		{HEAD "[www.bank.com](https://bank.com/)", ""},
		{HEAD "[a](https://bit.ly/x) [b](https://10.0.0.1/) [c](https://staging.a.b/)",
			"w6 shortened-link w6 numeric-host w6 unreachable-host"},
		{HEAD "[a](https://b.c/) and [a](https://b.c/)", "w6 repeated-link"},
		{HEAD "Write this TODO *|FNAME|*", "w6 left-over w6 foreign-tag"},
		{HEAD "![](https://b.c/d.png){.decorative}\n\n![e](https://b.c/f.svg)\n",
			"e8 image-format w1 image-only"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(remarks(cases[i][0]), cases[i][1]);
	fixture_body(&f, "{{ subscriber.city }} {{ subscriber.plan | default: \"x\" }} "
			 "{% if subscriber.first_name %}{{ subscriber.first_name }}{% endif %}");
	assert_int_equal(f.out.bare_n, 1);
	assert_true(str_eq(f.out.bare[0], STR("subscriber.city")));
}

static void expect_in(const char *words)
{
	if (!strstr(f.e.text, words))
		fail_msg("'%s' is not in: %s", words, f.e.text);
}

static void test_construct_errors(void **state)
{
	static const char *const cases[][2] = {
		{"a[^x]", "x.md:6: the footnote [^x] has no text"},
		{"[^x]: a", "x.md:6: nothing refers to the footnote [^x]"},
		{"a[^x]\n\n[^x]: b\n\n[^x]: c",
			"x.md:10: the footnote [^x] has a text already on line 8"},
		{"::: poll\na\n:::", "x.md:6: a '::: poll QUESTION' holds a list"},
		{"::: web-only\n::: email-only\na\n:::\n:::",
			"x.md:7: '::: email-only' cannot stand inside"},
		{"## a {colour=\"red\"}\n\nb", "x.md:6: unknown attribute 'colour=\"red\"'"},
		{"::: html\n<p>a</p>\n:::", "x.md:6: '::: html' is not allowed on this site"},
		{"::: html\n<p>a</p>", "x.md:6: '::: html' is not closed"},
	};
	static const char *const html[][2] = {
		{"<p>a", "x.md:7: this element is not closed: 'p'"},
		{"a</p>", "x.md:7: nothing before closes with 'p'"},
		{"<p><b>a</p></b>", "'</p>' stands where '<b>' of line 7"},
		{"<script>x</script>", "a mail cannot have the element 'script'"},
		{"<p onclick=\"x\">a</p>", "take out the attribute 'onclick'"},
		{"<a href=\"javascript:x\">a</a>", "an address in a mail starts with"},
		{"<img src=\"a.png\">", "an address in a mail starts with"},
		{"<p>a < b</p>", "write '&lt;'"},
		{"<style>a{}</style>", "only a whole page has the element 'style'"},
		{"<p title=\"a>b</p>", "this quote is not closed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(fixture_body(&f, cases[i][0]), -1);
		expect_in(cases[i][1]);
	}
	f.sender.raw_html = true;
	for (size_t i = 0; i < sizeof(html) / sizeof(html[0]); i++) {
		assert_int_equal(
			fixture_body(&f, arena_printf(&f.a, "::: html\n%s\n:::", html[i][0])), -1);
		expect_in(html[i][1]);
	}
	f.sender.raw_html = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lint),
		cmocka_unit_test(test_construct_errors),
	};
	int failed;

	fixture_init(&f);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&f.a);
	return failed;
}
