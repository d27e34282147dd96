/* SPDX-License-Identifier: MIT */
#include "compose_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The theme "sheet" with one of its files replaced. */
static int parse(struct fixture *f, const char *conf, const char *blocks, const char *html,
	struct theme *out)
{
	struct theme_files files = {.name = "mail-templates/t",
		.theme_conf = str_of(conf ? conf : ""),
		.blocks_html = blocks ? str_of(blocks)
				      : fixture_file(&f->a, "mail-templates/sheet/blocks.html"),
		.layout_html = str_of(html ? html : ""),
		.layout_txt = STR("x")};

	memset(&f->e, 0, sizeof(f->e));
	return theme_parse(&f->a, &files, out, &f->e);
}

static void test_default(void **state)
{
	struct fixture f;
	const struct theme_entry *block;

	(void)state;
	fixture_init(&f);
	assert_true(str_eq(theme_token(&f.theme, "ink"), STR("#262b33")));
	assert_int_equal(theme_token(&f.theme, "nothing").n, 0);
	block = theme_block(&f.theme, "break");
	assert_non_null(block);
	assert_true(str_eq(block->value, STR("<br>")));
	assert_null(theme_block(&f.theme, "nothing"));
	assert_true(str_has_prefix(f.theme.layout_html, STR("<!DOCTYPE html>")));
	assert_true(f.theme.layout_html_line > 20);
	assert_true(str_has_prefix(f.theme.layout_txt, STR("{{ publication.name }}")));
	arena_free(&f.a);
}

static void test_places(void **state)
{
	struct fixture f;
	struct theme t;

	(void)state;
	fixture_init(&f);
	assert_int_equal(parse(&f, "# c\r\n\n a = b = c \r\n", NULL,
				 "<!-- {{ not }}\nread -->\n\n<html>", &t),
		0);
	assert_int_equal(t.token_n, 1);
	assert_true(str_eq(t.token[0].name, STR("a")));
	assert_true(str_eq(t.token[0].value, STR("b = c")));
	assert_int_equal(t.token[0].line, 3);
	assert_true(str_eq(t.layout_html, STR("<html>")));
	assert_int_equal(t.layout_html_line, 4);
	assert_int_equal(t.layout_txt_line, 1);
	arena_free(&f.a);
}

static void test_refused(void **state)
{
	static const struct {
		const char *conf, *blocks, *html, *message;
	} bad[] = {
		{"a\n", NULL, NULL, "mail-templates/t/theme.conf:1: 'a' is not of the form"},
		{"A b = c\n", NULL, NULL, "mail-templates/t/theme.conf:1: 'A b = c' is not"},
		{"a = 1\nb = 2\na = 3", NULL, NULL,
			"mail-templates/t/theme.conf:3: 'a' is given already on line 1"},
		{NULL, "<!-- x -->\ntext\n=== section", NULL,
			"mail-templates/t/blocks.html:2: text before the first"},
		{NULL, "\n=== sectoin\n", NULL,
			"mail-templates/t/blocks.html:2: unknown block 'sectoin', did you mean "
			"'section'?"},
		{NULL, "=== break\n<br>\n=== break\n", NULL,
			"mail-templates/t/blocks.html:3: 'break' is given already on line 1"},
		{NULL, "=== break\n<br>", NULL,
			"mail-templates/t/blocks.html:1: the block 'section' is missing"},
		{NULL, NULL, "a\n\xee\x80\x80h0\xee\x80\x81",
			"mail-templates/t/layout.html:2: there is a private-use character"},
	};
	struct fixture f;
	struct theme t;

	(void)state;
	fixture_init(&f);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(&f, bad[i].conf, bad[i].blocks, bad[i].html, &t), -1);
		if (strncmp(f.e.text, bad[i].message, strlen(bad[i].message)) != 0)
			fail_msg("'%s' instead of '%s'", f.e.text, bad[i].message);
	}
	arena_free(&f.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
