/* SPDX-License-Identifier: MIT */
#include "compose_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static struct fixture f;

/* How often `needle` stands in `s`. */
static size_t count(struct str s, const char *needle)
{
	size_t n = 0, at;

	while ((at = str_search(s, str_of(needle))) < s.n) {
		s = str_slice(s, at + 1, s.n);
		n++;
	}
	return n;
}

/* The issue's own part of the HTML or the text, marks readable. */
static struct str html_of(const char *body)
{
	struct str html;
	size_t from;

	if (fixture_body(&f, body) < 0)
		fail_msg("%s", f.e.text);
	html = fixture_show(&f, f.out.html);
	from = str_search(html, STR("</h1>"));
	from += str_search(str_slice(html, from, html.n), STR("</td></tr></table></td></tr>\n"));
	html = str_slice(html, from, str_search(html, STR("News that keeps")));
	return html;
}

static const char *text_of(const char *body)
{
	struct str text,
		line = STR("------------------------------------------------------------\n\n");
	size_t from;

	if (fixture_body(&f, body) < 0)
		fail_msg("%s", f.e.text);
	text = fixture_show(&f, f.out.text);
	from = str_search(text, line) + line.n;
	return arena_cstr(&f.a, str_slice(text, from,
					str_search(text, STR("\n\n-----------------------"
							     "-------------------------"
							     "------------\n\nNews"))));
}

static void assert_in(struct str s, const char *needle)
{
	if (!count(s, needle))
		fail_msg("'%s' is not in: %.*s", needle, STR_ARG(s));
}

static void test_text(void **state)
{
	static const char *const cases[][2] = {
		{"a *b* **c** `d` ~~e~~\nf  \ng", "a b c `d` ~~e~~ f\ng"},
		{"[a](https://b.c/d) <https://e.f> <g@h.example> [i](mailto:g@h.example)",
			"a <https://b.c/d> https://e.f g@h.example i <g@h.example>"},
		{"- a\n- b\n  1. c\n  2. d\n", "* a\n* b\n\n  1. c\n  2. d"},
		{"- a\n- b\n\n  c\n", "* a\n* b\n\n  c"},
		{"> a\n>\n> b", "> a\n>\n> b"},
		{"```\na\n  b\n```", "    a\n      b"},
		{"![alt text](https://a.b/c.png \"Caption\")", "[Image: alt text]\nCaption"},
		{"x ![](https://a.b/c.png) y", "x  y"},
		{"[![alt](https://a.b/c.png)](https://d.e)", "[Image: alt] <https://d.e>"},
		{"[a](https://b.c){.button}\n[d](https://e.f){.button}",
			"a <https://b.c>\nd <https://e.f>"},
		{"|a|bb|\n|---|---:|\n|ccc|d|\n", "a    bb\n-------\nccc   d"},
		{"::: sponsor Acme\nx\n:::", "Presented by Acme\n\nx"},
		{"::: toc It's\n- a\n:::", "It’s\n\n* a"},
		{"a\n\n## b\n\n### c\n\nd",
			"a\n\n------------------------------------------------------------"
			"\n\nb\n=\n\nc\n-\n\nd"},
		{"**a:**\n\n- b", "a:\n\n* b"},
		{"{{ subscriber.city | default: \"x\" }} [a](https://b.c/?d={{ subscriber.city }}) "
		 "[e]({{ web_url }}#x)",
			"⟦t subscriber.city|x⟧ a <https://b.c/?d=⟦u subscriber.city⟧> "
			"e <⟦t web_url⟧#x>"},
		{"a\n\n{% if subscriber.plan %}\n- b\n{% else %}\nc\n{% endif %}\n\nd",
			"a\n\n⟦if subscriber.plan⟧* b\n\n⟦else⟧c\n\n⟦endif⟧d"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(text_of(cases[i][0]), cases[i][1]);
}

static void test_smart(void **state)
{
	static const char *const cases[][2] = {
		{"\"a\" 'b' it's (\"c\") '90s \"'d' e\"", "“a” ‘b’ it’s (“c”) ’90s “‘d’ e”"},
		{"a -- b --- c... d--e ---- f", "a – b — c… d–e ---- f"},
		{"`it's \"--\"` --json", "`it's \"--\"` --json"},
		{"**\"a\"** *b*'s \"*c*\"", "“a” b’s “c”"},
		{"{{ subscriber.city }}'s \"{{ subscriber.city }}\"",
			"⟦t subscriber.city⟧’s “⟦t subscriber.city⟧”"},
		{"a\n\"b\"", "a “b”"},
		{"https://a.b/c--d'e", "https://a.b/c--d'e"},
		{"[it's](https://a.b/it's--x)", "it’s <https://a.b/it's--x>"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(text_of(cases[i][0]), cases[i][1]);
	f.sender.lang = STR("de");
	assert_string_equal(text_of("\"a\" 'b' geht's - - x..."), "\"a\" 'b' geht’s - - x…");
	f.sender.lang = STR("en");
}

static void test_shape(void **state)
{
	struct str html;

	(void)state;
	html = html_of(
		"Hello {{ subscriber.first_name }}!\n\nText.\n\n## One\n\n**In brief:** a\n\n"
		"**why it MATTERS:** b\n\n**List:**\n\n- c\n\n**Other:** d\n\n### e\n\nf");
	assert_in(html, "font-size:20px;line-height:28px;font-weight:700;color:#0b1020\">Hello "
			"⟦h subscriber.first_name⟧!</p>");
	assert_in(html, "<strong class=\"accent\" style=\"color:#2747e8\">In brief:</strong> a");
	assert_in(html,
		"border-left:3px solid #2747e8;border-radius:0 10px 10px 0;padding:16px "
		"20px;color:#262b33;font-size:16px;line-height:26px\"><p style=\"margin:0\">"
		"<strong class=\"head\" style=\"color:#0b1020\">why it MATTERS:</strong> b</p>");
	assert_in(html, "font-weight:700;color:#0b1020\">List:</p><ul");
	assert_in(html, "<strong class=\"head\" style=\"color:#0b1020\">Other:</strong> d");
	assert_int_equal(count(html, "class=\"sheet line ink\""), 2);
	assert_int_equal(count(html, "class=\"sheet line ink\" style=\"border-top:"), 1);
	/* a heading that is listed takes what follows it into its box */
	html = html_of("a\n\n### Bottom line\n\nb\n\nc\n\n### d\n\ne");
	assert_in(html, "Bottom line</h3><p style=\"margin:0 0 16px\">b</p><p "
			"style=\"margin:0\">c</p></td>");
	/* no greeting: too long, a sentence, alone, or a label */
	assert_int_equal(count(html_of("This is one.\n\nb"), "font-size:20px"), 0);
	assert_int_equal(count(html_of("Hello"), "font-size:20px"), 0);
	assert_int_equal(count(html_of("Hello\n\n## b"), "font-size:20px"), 1);
	assert_int_equal(count(html_of("**Hello:**\n\n- b"), "font-size:20px"), 0);
	/* contents made from the headings, under their conditions */
	html = html_of("::: toc\n:::\n\n## O'ne\n\na\n\n{% if subscriber.plan %}\n## Two\n\nb\n{% "
		       "endif %}");
	assert_int_equal(count(html, "&rarr;"), 2);
	assert_in(html, "O’ne</td></tr>⟦if subscriber.plan⟧<tr>");
	assert_in(html, "Two</td></tr>⟦endif⟧</table>");
}

static void test_blocks(void **state)
{
	struct str html;

	(void)state;
	html = html_of("- a\n- b\n\n  c\n\n  - d\n");
	assert_in(html,
		">b</span><div class=\"ink\" style=\"padding:8px 0 0;color:#262b33\"><p style="
		"\"margin:0 0 16px\">c</p><ul style=\"margin:0;");
	html = html_of("|a|b|\n|---|---:|\n|<|d|\n");
	assert_in(html, "<th scope=\"col\" class=\"head line\" align=\"left\"");
	assert_in(html, "align=\"right\" valign=\"top\" style=\"border-bottom:1px solid "
			"#e3e7ed;padding:9px "
			"0;");
	html = html_of("5. a\n6. b");
	assert_in(html, "<ol start=\"5\"");
	html = html_of("![a \"b\"](https://c.d/e.png?f=1&g=2 \"h & i\"){width=480}");
	assert_in(html, "<img src=\"https://c.d/e.png?f=1&amp;g=2\" alt=\"a “b”\" width=\"480\"");
	assert_in(html, "max-width:480px");
	assert_in(html, ">h &amp; i</p>");
	html = html_of("[a](https://b.c/ü%20|x){.button}");
	assert_in(html, "<a href=\"https://b.c/%C3%BC%20%7Cx\" style=\"display:inline-block");
	html = html_of("a < b & \"c\"");
	assert_in(html, "a &lt; b &amp; “c”");
	html = html_of("```\n\"a\" < b\n```");
	assert_in(html, "&quot;a&quot; &lt; b\n</pre>");
}

static void test_conditions(void **state)
{
	static const char *const bad[][2] = {
		{"{% if subscriber.plan %}a\n\nb{% endif %}",
			"x.md:8: this '{% endif %}' and its '{% if %}' "
			"on line 6 stand in different"},
		{"**{% if subscriber.plan %}a** b{% endif %}", "x.md:6: this '{% endif %}'"},
		{"- {% if subscriber.plan %}a\n- b{% endif %}", "x.md:7: this '{% endif %}'"},
		{"{% if subscriber.plan %}\na {% else %} b\n{% endif %}",
			"x.md:7: this '{% else %}'"},
		{"[a{% if subscriber.plan %}](https://b.c/{% endif %})",
			"x.md:6: this '{% endif %}'"},
		{"a\n\n{% if subscriber.plan %}\n\nb\n\n## c\n\n{% endif %}",
			"x.md:12: a '##' inside a condition must come right after"},
	};
	struct str html;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(fixture_body(&f, bad[i][0]), -1);
		if (strncmp(f.e.text, bad[i][1], strlen(bad[i][1])) != 0)
			fail_msg("'%s' instead of '%s'", f.e.text, bad[i][1]);
	}
	/* inline, and alone on a line: no empty paragraph */
	html = html_of("a{% if subscriber.plan == \"x\" %} b{% endif %}\n\n{% if subscriber.plan "
		       "%}\n\nc\n\n"
		       "{% endif %}\n\nd");
	assert_in(html,
		">a⟦if subscriber.plan == x⟧ b⟦endif⟧</p>⟦if subscriber.plan⟧<p style=\"margin:0 0 "
		"16px\">c</p>⟦endif⟧<p style=\"margin:0\">d</p>");
	/* around a whole paragraph: nothing is left where it does not hold */
	html = html_of(
		"a\n\n{% if subscriber.plan %}b *c* {% if subscriber.city %}{{ subscriber.city "
		"}}{% endif "
		"%}d{% endif %}\n\n{% if subscriber.plan %}[e](https://f.g){.button}{% endif %}");
	assert_in(html,
		"⟦if subscriber.plan⟧<p style=\"margin:0 0 16px\">b <em>c</em> ⟦if subscriber.city⟧"
		"⟦h subscriber.city⟧⟦endif⟧d</p>⟦endif⟧⟦if subscriber.plan⟧<table");
	assert_in(html, "</table>⟦endif⟧</td>");
	html = html_of("{% if subscriber.plan %}a{% endif %}{% if subscriber.city %}b{% else %}c{% "
		       "endif %}");
	assert_in(html, "<p style=\"margin:0\">⟦if subscriber.plan⟧a⟦endif⟧⟦if "
			"subscriber.city⟧b⟦else⟧c⟦endif⟧</p>");
	/* around whole sections */
	html = html_of(
		"a\n\n{% if subscriber.plan %}\n## b\n\nc\n{% else %}\n## d\n{% endif %}\n\n## e");
	assert_in(html, "</td></tr>⟦if subscriber.plan⟧<tr>");
	assert_in(html, "c</p></td></tr>⟦else⟧<tr>");
	assert_in(html, "d</h2></td></tr>⟦endif⟧<tr>");
	/* decided now */
	html = html_of("{% if issue.lang == \"en\" %}\nYes.\n{% else %}\nNo.\n{% endif %}");
	assert_in(html, "Yes.");
	assert_int_equal(count(html, "No."), 0);
	assert_int_equal(
		fixture_body(&f, "{% if issue.lang == \"de\" %}\na\n\nb\n{% endif %}\n{{ x }}"),
		-1);
	assert_string_equal(f.e.text, "x.md:11: unknown name 'x'");
}

static void test_places(void **state)
{
	static const char *const bad[][2] = {
		{"[a]({{ subscriber.city }})", "x.md:6: the link '' must start with https://"},
		{"[a](https:///{{ subscriber.city }})", "x.md:6: 'subscriber.city' would decide"},
		{"[a](https://{{ subscriber.city }}/)",
			"x.md:6: 'subscriber.city' would decide where"},
		{"[a](https://b{{ subscriber.city }}.example/)",
			"x.md:6: 'subscriber.city' would decide"},
		{"[a](https://b.example?x={{ web_url }})", "x.md:6: 'web_url' is a whole address"},
		{"[a]({{ web_url }}{{ subscriber.city }})",
			"x.md:6: 'subscriber.city' would decide"},
		{"[a](javascript:alert(1))",
			"x.md:6: the link 'javascript:alert(1)' must start with"},
		{"a\n[b](c.html)", "x.md:7: the link 'c.html' must start with"},
		{"[b](#c)", "x.md:6: the link '#c' must start with"},
		{"![a](data:image/png;base64,AA)",
			"x.md:6: the image 'data:image/png;base64,AA' must be"},
		{"![a](media/a.png)",
			"x.md:6: the image 'media/a.png': give its whole address, https://"},
		{"![a](mailto:x@y.example)", "x.md:6: the image 'mailto:x@y.example' must be"},
		{"a [b](https://c.d){.button}", "x.md:6: a {.button} needs a paragraph of its own"},
		{"{{ subscriber.sity }}", "x.md:6: unknown name 'subscriber.sity', did you mean "
					  "'subscriber.city'?"},
		{"", "x.md:6: the issue has no text"},
	};
	struct str html;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(fixture_body(&f, bad[i][0]), -1);
		assert_int_equal(f.e.code, ERR_INPUT);
		if (strncmp(f.e.text, bad[i][1], strlen(bad[i][1])) != 0)
			fail_msg("'%s' instead of '%s'", f.e.text, bad[i][1]);
	}
	html = html_of(
		"{{ subscriber.city }} [a](https://b.c/{{ subscriber.city }} \"{{ subscriber.city "
		"}}\") "
		"[d]({{ web_url }}?x={{ subscriber.city }}) [e](mailto:{{ subscriber.email }})");
	assert_in(html,
		">⟦h subscriber.city⟧ <a class=\"accent\" href=\"https://b.c/⟦u subscriber.city⟧\" "
		"title=\"⟦h subscriber.city⟧\"");
	assert_in(html, "href=\"⟦u web_url⟧?x=⟦u subscriber.city⟧\"");
	assert_in(html, "href=\"mailto:⟦u subscriber.email⟧\"");
}

/* A theme cannot put a reader's value where it could become markup or style. */
static void test_theme_places(void **state)
{
	static const char *const bad[] = {
		"<p style=\"color:{{ subscriber.city }}\">",
		"<p onclick='{{ subscriber.city }}'>",
		"<p {{ subscriber.city }}>",
		"<p class={{ subscriber.city }}>",
		"<style>{{ subscriber.city }}</style>",
		"<script>\"{{ subscriber.city }}\"</script>",
		"<!-- {{ subscriber.city }} -->",
		"<a href=\"{{ subscriber.city }}\">",
		"<img src='//{{ subscriber.city }}/x'>",
	};
	struct str layout = f.theme.layout_html;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		f.theme.layout_html = str_of(bad[i]);
		assert_int_equal(fixture_body(&f, "a"), -1);
		assert_true(
			str_has_prefix(str_of(f.e.text), STR("mail-templates/sheet/layout.html:")));
		assert_non_null(strstr(f.e.text, "'subscriber.city'"));
	}
	f.theme.layout_html = STR(
		"<style>a{}</style><p title = '{{ subscriber.city }}' class=\"a\">"
		"{{ subscriber.city }}<!-- x > \" --><A HREF='https://b/?{{ subscriber.city }}'>");
	assert_int_equal(fixture_body(&f, "a"), 0);
	assert_string_equal(arena_cstr(&f.a, fixture_show(&f, f.out.html)),
		"<style>a{}</style><p title = '⟦h subscriber.city⟧' class=\"a\">⟦h subscriber.city⟧"
		"<!-- x > \" --><A HREF='https://b/?⟦u subscriber.city⟧'>");
	f.theme.layout_html = layout;
}

static void test_names(void **state)
{
	static const char source[] =
		"---\nsubject: It's {{ subscriber.first_name | default: \"you\" }} & {{ list.name "
		"}}\n"
		"preheader: <{{ subscriber.city }}>\nlist: daily\ndate: 2026-02-01\ndir: rtl\n---\n"
		"{{ publication.name }} {{ issue.subject }} {{ issue.date_short }}";
	struct str html;

	(void)state;
	f.sender.name = STR("Tom *& Co*");
	assert_int_equal(fixture_compose(&f, "x.md", str_of(source)), 0);
	assert_string_equal(arena_cstr(&f.a, fixture_show(&f, f.out.subject)),
		"It's ⟦t subscriber.first_name|you⟧ & Every day");
	html = fixture_show(&f, f.out.html);
	assert_in(html, "<html lang=\"en\" dir=\"rtl\"");
	assert_in(html, "lang=\"en\" dir=\"rtl\">\n<table");
	assert_in(html, "<title>It&#39;s ⟦h subscriber.first_name|you⟧ &amp; Every day</title>");
	assert_in(html, "aria-label=\"It&#39;s ⟦h subscriber.first_name|you⟧ &amp; Every day\"");
	assert_in(html, "mso-hide:all\">&lt;⟦h subscriber.city⟧&gt;&#847;");
	assert_in(html,
		">Tom\u00a0*&amp;\u00a0<span class=\"accent\" style=\"color:#2747e8\">Co*</span>");
	assert_in(html, ">Tom *&amp; Co* It’s ⟦h subscriber.first_name|you⟧ &amp; Every day Sun, "
			"Feb 1</p>");
	assert_in(html, "<a class=\"muted\" href=\"⟦u unsubscribe_url⟧\"");
	html = fixture_show(&f, f.out.text);
	assert_in(html, "Unsubscribe: ⟦t unsubscribe_url⟧\nPreferences: ⟦t preferences_url⟧\n");
	assert_in(html, "signed up at press.example.org as ⟦t subscriber.email⟧.");
	assert_in(html, "Tom *& Co* · 1 Mill Lane, Ashby\n");
	f.sender.name = STR("The Daily Press");
}

static void test_constructs(void **state)
{
	struct str html;

	(void)state;
	html = html_of("::: poll How was it?\n- Good\n- [Bad](https://a.b/bad)\n:::");
	assert_in(html,
		"How was it?</p><table role=\"presentation\" width=\"100%\" cellpadding=\"0\" "
		"cellspacing=\"0\" style=\"table-layout:fixed\"><tr><td width=\"50%\"");
	assert_in(
		html, "href=\"mailto:editor@press.example.org?subject=How%20was%20it%3F%20Good\"");
	assert_in(html, "href=\"https://a.b/bad\"");
	assert_string_equal(text_of("::: poll How?\n- Good\n:::"),
		"How?\n\n* Good <mailto:editor@press.example.org?subject=How%3F%20Good>");
	assert_string_equal(text_of("a[^x] b[^2].\n\n[^2]: two\n[^x]: one\nmore\n"),
		"a[1] b[2].\n\n1. one more\n2. two");
	assert_string_equal(text_of("`[^x]` a\n"), "`[^x]` a");
	assert_string_equal(text_of("## A {kicker=\"Old days\"}\n\nb"), "Old days\nA\n=\n\nb");
	assert_string_equal(text_of("## A {b}\n\nc"), "A {b}\n=====\n\nc");
	assert_string_equal(text_of("https://youtu.be/abcdefghijk\n"),
		"[Image: Watch the video] <https://youtu.be/abcdefghijk>");
	assert_in(html_of("a\n\nhttps://a.b/c\n"), ">a.b</p><a ");
	html = html_of("a\n\n::: web-only\nb\n:::\n\n::: email-only\nc\n:::");
	assert_in(html, "⟦if view.web⟧<p style=\"margin:0 0 16px\">b</p>⟦endif⟧⟦unless view.web⟧");
	f.sender.utm_source = STR("mill");
	f.sender.utm_medium = STR("email");
	f.sender.utm_hosts = STR("a.b|c.d");
	assert_string_equal(text_of("[x](https://a.b/?y=1#z) [x](https://e.f/)"),
		"x <https://a.b/?y=1&utm_source=mill&utm_medium=email&utm_campaign=s#z> "
		"x <https://e.f/>");
	f.sender.utm_source = STR("");
	f.sender.raw_html = true;
	html = html_of(
		"a\n\n::: html\n<p>b {{ subscriber.city }} {{ publication.name }}</p>\n:::\n\nc");
	assert_in(html, "<p>b ⟦h subscriber.city⟧ The Daily Press</p>");
	f.sender.raw_html = false;
}

/* A small source that would become large, or deep, is an error and not a long wait. */
static void test_bounded(void **state)
{
	char *body = arena_alloc(&f.a, 100001);

	(void)state;
	for (size_t i = 0; i < 18000; i += 3)
		memcpy(body + i, "- \n", 3);
	assert_int_equal(fixture_body(&f, body), -1);
	assert_non_null(strstr(f.e.text, "larger than 524288 octets"));
	memset(body, 0, 100001);
	for (size_t i = 0; i < 60; i += 2)
		memcpy(body + i, "+ ", 2);
	assert_int_equal(fixture_body(&f, body), -1);
	assert_non_null(strstr(f.e.text, "nested too deep"));
	memset(body + 28, 0, 100);
	assert_int_equal(fixture_body(&f, body), 0);
}

static void check_whole(
	const char *path, const char *publication, const char *first, size_t callouts)
{
	struct str text = fixture_file(&f.a, path);

	f.sender.name = str_of(publication);
	f.sender.url = STR("https://news.example.org");
	if (fixture_compose(&f, path, text) < 0)
		fail_msg("%s", f.e.text);
	assert_null(f.out.remark);
	assert_true(f.out.html.n < 20500);
	assert_in(f.out.text, first);
	assert_int_equal(count(f.out.html, "class=\"tint edge"), callouts);
	assert_int_equal(count(f.out.html, "<strong class=\"accent\""), 3);
	assert_int_equal(count(f.out.html, "class=\"sheet line ink\""), 6);
	assert_int_equal(utf8_invalid_at(f.out.html), f.out.html.n);
	f.sender.name = STR("The Daily Press");
}

static void test_sample(void **state)
{
	(void)state;
	check_whole("mail-templates/sample/issue.md", "The Daily Press",
		"In today’s Daily Press:\n\n* A ", 4);
}

/* The real issue that lies beside the repository, and its corpus. */
static void test_real(void **state)
{
	const char *corpus = getenv("LETTERMILL_CORPUS");
	const char *path =
		arena_printf(&f.a, "%s/../design/issue.md", corpus ? corpus : "../shared/corpus");

	(void)state;
	if (access(path, R_OK) < 0) {
		printf("# skipped: no %s\n", path);
		skip();
	}
	check_whole(path, "Next in AI", "In today’s Next in AI:\n\n* ", 4);
}

static int set_up(void **state)
{
	(void)state;
	fixture_init(&f);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(&f.a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_smart),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_theme_places),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_constructs),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_real),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
