/* SPDX-License-Identifier: MIT */
#include "mail/liquid.h"

#include "base/enc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;
static struct liquid_slots slots;

static const struct liquid_name known[] = {
	{"issue.lang", {"en", 2}, false},
	{"issue.empty", {NULL, 0}, false},
	{"publication.name", {"Tom & Co", 8}, false},
	{"block.content", {"<b>", 3}, true},
};
static const char *const recipient[] = {"subscriber.email", "subscriber.first_name", "web_url"};
static const char *const fields[] = {"plan"};
static const struct liquid_scope scope = {known, 4, recipient, 3, fields, 1};

static int expand(const char *text, bool keep_lines, struct buf *out, struct err *e)
{
	struct liquid_source in = {"x.md", 10, str_of(text), keep_lines};

	memset(&slots, 0, sizeof(slots));
	memset(e, 0, sizeof(*e));
	buf_reset(out);
	return liquid_expand(&arena, &in, &scope, enc_html, &slots, out, e);
}

/* The result with each mark as the letter of its context, index and operation: «t0=», «c1?», «c2:». */
static const char *show(struct buf *b)
{
	struct str rest = buf_view(b), before;
	enum liquid_context context;
	struct buf out;
	const char *text;
	int i;

	buf_init(&out, 10000);
	do {
		i = liquid_next_mark(&rest, &before, &context);
		buf_str(&out, before);
		if (i >= 0)
			buf_printf(&out, "«%c%d%c»", context, i, "=?~:."[slots.slot[i].op]);
	} while (i >= 0);
	text = arena_cstr(&arena, buf_view(&out));
	buf_free(&out);
	return text;
}

static void test_expansion(void **state)
{
	static const struct {
		const char *text, *result;
		bool keep_lines;
	} cases[] = {
		{"plain { % } text {", "plain { % } text {", false},
		{"{{publication.name}} {{ block.content }}", "Tom &amp; Co <b>", false},
		{"{{ issue.empty | default: \"<\" }}", "&lt;", false},
		{"{{ issue.empty }}", "", false},
		{"a {{ subscriber.email }} {{ subscriber.plan | default: 'x' }}", "a «t0=» «t1=»",
			false},
		{"{% if issue.lang == \"en\" %}E{% else %}O{% endif %}", "E", false},
		{"{% if issue.lang != 'en' %}E{% elsif issue.lang contains \"n\" %}N{% endif %}",
			"N", false},
		{"{% if issue.empty %}E{% else %}O{% endif %}", "O", false},
		{"{% unless issue.empty %}U{% endunless %}", "U", false},
		{"{% if subscriber.plan == \"a\" %}A{% elsif web_url %}B{% else %}C{% endif %}",
			"«c0?»A«c1~»B«c2:»C«c3.»", false},
		{"{% unless subscriber.plan %}A{% else %}B{% endunless %}", "«c0?»A«c1:»B«c2.»",
			false},
		/* known and unknown branches in one chain */
		{"{% if issue.empty %}A{% elsif subscriber.plan %}B{% else %}C{% endif %}",
			"«c0?»B«c1:»C«c2.»", false},
		{"{% if subscriber.plan %}A{% elsif issue.lang %}B{% else %}C{% endif %}",
			"«c0?»A«c1:»B«c2.»", false},
		{"{% if issue.lang %}A{% elsif subscriber.plan %}B{% endif %}", "A", false},
		{"{% if issue.empty %}{{ subscriber.email }}{% if web_url %}x{% endif %}{% endif "
		 "%}.",
			".", false},
		{"{% if subscriber.plan %}{% if issue.empty %}x{% endif %}y{% endif %}",
			"«c0?»y«c1.»", false},
		{"{% raw %}{{ x }} {% y {% endraw %}z", "{{ x }} {% y z", false},
		/* lines */
		{"a\n  {% if issue.lang %} \nb\n{% endif %}\nc", "a\nb\nc", false},
		{"a\n{% if issue.empty %}\nb\n{% endif %}\nc", "a\nc", false},
		{"a\n{% if issue.empty %}\nb\n{% endif %}\nc", "a\n\n\n\nc", true},
		{"a\n{% if web_url %}\nb\n{% endif %}\nc", "a\n«c0?»\nb\n«c1.»\nc", true},
		{"a\n{% if web_url %}\nb\n{% endif %}\nc", "a\n«c0?»b\n«c1.»c", false},
	};
	struct err e;
	struct buf out;

	(void)state;
	buf_init(&out, 10000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(expand(cases[i].text, cases[i].keep_lines, &out, &e), 0);
		assert_string_equal(show(&out), cases[i].result);
	}
	buf_free(&out);
}

static void test_slots(void **state)
{
	struct err e;
	struct buf out;

	(void)state;
	buf_init(&out, 10000);
	assert_int_equal(expand("{{ web_url }}\n{% unless subscriber.plan contains \"x y\" %}"
				"{{ web_url | default: 'd' }}{% endunless %}",
				 false, &out, &e),
		0);
	assert_int_equal(slots.n, 4);
	assert_int_equal(slots.vars_n, 2);
	assert_true(str_eq(slots.vars[0], STR("web_url")));
	assert_true(str_eq(slots.vars[1], STR("subscriber.plan")));
	assert_int_equal(slots.slot[0].line, 10);
	assert_string_equal(slots.slot[0].file, "x.md");
	assert_int_equal(slots.slot[1].op, LIQUID_IF);
	assert_int_equal(slots.slot[1].test, LIQUID_CONTAINS);
	assert_int_equal(slots.slot[1].line, 11);
	assert_int_equal(slots.slot[1].var, 1);
	assert_true(slots.slot[1].negate);
	assert_true(str_eq(slots.slot[1].text, STR("x y")));
	assert_int_equal(slots.slot[2].var, 0);
	assert_true(str_eq(slots.slot[2].text, STR("d")));
	assert_int_equal(slots.slot[3].var, -1);
	buf_free(&out);
}

static void test_errors(void **state)
{
	static const char *const bad[][2] = {
		{"{{ subscriber.frist_name }}",
			"x.md:10: unknown name 'subscriber.frist_name', did you "
			"mean 'subscriber.first_name'?"},
		{"a\n\n{{ first_name }}", "x.md:12: unknown name 'first_name', did you mean "
					  "'subscriber.first_name'?"},
		{"{{ zzz }}", "x.md:10: unknown name 'zzz'"},
		{"{% if issue.empty %}{{ zzz }}{% endif %}", "x.md:10: unknown name 'zzz'"},
		{"{% if zzz %}{% endif %}", "x.md:10: unknown name 'zzz'"},
		{"{{ web_url | upcase }}", "x.md:10: unknown filter 'upcase'"},
		{"{{ web_url | default }}", "x.md:10: '{{ web_url | default }}' must read"},
		{"{{ web_url | default: \"x }}",
			"x.md:10: '{{ web_url | default: \"x }}' must read"},
		{"{{ web_url x }}", "x.md:10: 'x ' is not understood"},
		{"{{ }}", "x.md:10: '{{  }}' does not start with a name"},
		{"{{ web_url\n}}", "x.md:10: '{{' is not closed by '}}' on its line"},
		{"{% if web_url", "x.md:10: '{%' is not closed by '%}' on its line"},
		{"{% for x in y %}", "x.md:10: unknown tag '{% for x in y %}'"},
		{"{% if web_url > 3 %}", "x.md:10: '{% if web_url > 3 %}' must read: if name"},
		{"{% if %}", "x.md:10: '{% if %}' must read: if name"},
		{"{% else x %}", "x.md:10: 'x ' is not understood"},
		{"\n{% if web_url %}\n", "x.md:11: this condition is not closed"},
		{"{% endif %}", "x.md:10: '{% endif %}' has no '{% if … %}' before it"},
		{"{% if web_url %}{% else %}{% else %}{% endif %}",
			"x.md:10: '{% else %}' does not fit"},
		{"{% if web_url %}{% endunless %}", "x.md:10: '{% endunless %}' does not fit"},
		{"{% raw %} {% endraww %}", "x.md:10: '{% raw %}' is not closed"},
		{"{%if web_url%}{%if web_url%}{%if web_url%}{%if web_url%}\n{%if web_url%}",
			"x.md:11: conditions are nested more than 4 deep"},
	};
	struct err e;
	struct buf out;

	(void)state;
	buf_init(&out, 10000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(expand(bad[i][0], true, &out, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		if (strncmp(e.text, bad[i][1], strlen(bad[i][1])) != 0)
			fail_msg("'%s' instead of '%s'", e.text, bad[i][1]);
	}
	buf_free(&out);
}

static void test_marks(void **state)
{
	struct str rest =
		STR("\xee\x80\x80 \xee\x80\x80x1\xee\x80\x81 \xee\x80\x80h\xee\x80\x81 "
		    "\xee\x80\x80u-1\xee\x80\x81 \xee\x80\x80u12\xee\x80\x81z\xee\x80\x80h3");
	struct str before;
	enum liquid_context context;

	(void)state;
	assert_int_equal(liquid_next_mark(&rest, &before, &context), 12);
	assert_int_equal(context, LIQUID_URL);
	assert_true(str_has_suffix(before, STR("u-1\xee\x80\x81 ")));
	assert_int_equal(liquid_next_mark(&rest, &before, &context), -1);
	assert_true(str_has_prefix(before, STR("z")));
	assert_int_equal(liquid_next_mark(&rest, &before, &context), -1);
	assert_int_equal(before.n, 0);
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
		cmocka_unit_test(test_expansion),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_marks),
	};

	return cmocka_run_group_tests(tests, NULL, free_all);
}
