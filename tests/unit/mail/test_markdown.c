/* SPDX-License-Identifier: MIT */
#include "mail/markdown.h"

#include "mail/liquid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Marks as liquid_expand() writes them: a value, a condition, its end. */
#define VALUE "\uE000t0\uE001"
#define IF    "\uE000c1\uE001"
#define ENDIF "\uE000c2\uE001"

static struct arena arena;

static int parse(const char *text, struct md_node **doc, struct err *e)
{
	memset(e, 0, sizeof(*e));
	return markdown_parse(&arena, "x.md", 10, str_of(text), doc, e);
}

/* The tree as one line: kind(child child …), with what else a node holds. */
static void show(const struct md_node *n, struct buf *out)
{
	static const char *const kinds[] = {"doc", "p", "h", "list", "item", "quote", "pre", "rule",
		"table", "row", "cell", "box", "control", "html", "", "soft", "br", "note",
		"strong", "em", "del", "code", "a", "img"};
	const char *aligns[] = {"", "<", "=", ">"};

	buf_cstr(out, kinds[n->kind]);
	if (n->level)
		buf_printf(out, "%d", n->level);
	if (n->ordered)
		buf_printf(out, "%d", n->start);
	if (n->width)
		buf_printf(out, "%d", n->width);
	buf_cstr(out, n->header ? "!" : "");
	buf_cstr(out, n->button ? "!" : "");
	buf_cstr(out, aligns[n->align]);
	if (n->kind == MD_TEXT)
		buf_printf(out, "'%.*s'", STR_ARG(n->text));
	else if (n->text.n)
		buf_printf(out, "[%.*s]", STR_ARG(n->text));
	if (n->href.n)
		buf_printf(out, "<%.*s>", STR_ARG(n->href));
	if (n->title.n)
		buf_printf(out, "\"%.*s\"", STR_ARG(n->title));
	if (!n->first)
		return;
	buf_char(out, '(');
	for (const struct md_node *c = n->first; c; c = c->next) {
		assert_ptr_equal(c->parent, n);
		assert_true(c->line >= 10);
		show(c, out);
		if (c->next)
			buf_char(out, ' ');
		else
			assert_ptr_equal(n->last, c);
	}
	buf_char(out, ')');
}

static void check(const char *text, const char *expected)
{
	struct md_node *doc;
	struct err e;
	struct buf out;

	if (parse(text, &doc, &e) < 0)
		fail_msg("%s", e.text);
	buf_init(&out, 100000);
	for (const struct md_node *n = doc->first; n; n = n->next) {
		show(n, &out);
		buf_cstr(&out, n->next ? " " : "");
	}
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
}

static void test_tree(void **state)
{
	(void)state;
	check("", "");
	check("# a\n\nb *c* **d** ~~e~~ `f`\ng\\\nh", "h1('a') p('b ' em('c') ' ' strong('d') ' ' "
						      "del('e') ' ' code[f] soft 'g' br 'h')");
	check("- a\n- b\n  - c\n", "list(item(p('a')) item(p('b') list(item(p('c')))))");
	check("3. a\n\n   b\n4. c", "list3(item(p('a') p('b')) item(p('c')))");
	check("> a\n> b\n\n---\n", "quote(p('a' soft 'b')) rule");
	check("```c\na < b\n  c\n```\n", "pre[a < b\n  c\n]");
	check("|a|b|c|\n|:---|:---:|---:|\n|1|2|\n",
		"table(row(cell!<('a') cell!=('b') cell!>('c')) row(cell<('1') cell=('2') cell>))");
	check("[a](http://x.y/?a=1&amp;b=2 \"t&quot;\") <http://b.c> d@e.org https://f.g",
		"p(a<http://x.y/?a=1&b=2>\"t\"\"('a') ' ' a<http://b.c>('http://b.c') ' ' "
		"a<mailto:d@e.org>('d@e.org') ' ' a<https://f.g>('https://f.g'))");
	check("![b **c**](d.png \"e\")", "p(img<d.png>\"e\"('b ' strong('c')))");
	check("&lt;&#8217;&#x41;&unknown;&nbsp;x", "p('<’A&unknown;\u00a0x')");
	check("    no code", "p('no code')");
	check("http://a.b/c*d* *e*", "p(a<http://a.b/c*d>('http://a.b/c*d') ' ' em('e'))");
	check("a \\* \\[b](c)", "p('a * [b](c)')");
}

static void test_containers(void **state)
{
	(void)state;
	check("::: toc In today's:\n- a\n:::\nb",
		"box[toc]\"In today's:\"(list(item(p('a')))) p('b')");
	check("a\n::: sponsor  A & B \nb\n\n::: callout\nc\n:::\n:::",
		"p('a') box[sponsor]\"A & B\"(p('b') box[callout](p('c')))");
	check("- a\n\n  ::: callout\n  b\n  :::\n- c",
		"list(item(p('a') box[callout](p('b'))) item(p('c')))");
	check("- a\n  ::: callout\n  b\n  :::", "list(item(p('a') box[callout](p('b'))))");
	check("```\n::: toc\n```\n~~~\n:::\n```\n:::\n~~~", "pre[::: toc\n] pre[:::\n```\n:::\n]");
	check("> ```\n> ::: x\n> ```\n", "quote(pre[::: x\n])");
	check("- ```\n  ::: x\n  ```\n", "list(item(pre[::: x\n]))");
	check("::: toc\n:::\n[x]\n\n[x]: http://a.b", "box[toc] p(a<http://a.b>('x'))");
}

static void test_marks(void **state)
{
	(void)state;
	check("a " VALUE ", " IF "b" ENDIF, "p('a " VALUE ", " IF "b" ENDIF "')");
	check(VALUE, "p('" VALUE "')");
	check("a\n" IF "\nb\n  " ENDIF " \nc",
		"p('a') control[" IF "] p('b') control[" ENDIF "] p('c')");
	check(IF " " ENDIF, "control[" IF "] control[" ENDIF "]");
	check("[a](http://b/" VALUE " \"" VALUE "\")",
		"p(a<http://b/" VALUE ">\"" VALUE "\"('a'))");
	check("|" VALUE "|b|\n|---|---|\n", "table(row(cell!('" VALUE "') cell!('b')))");
	check("```\n" IF "\nx\n" ENDIF "\n```", "pre[" IF "\nx\n" ENDIF "\n]");
}

static void test_attributes(void **state)
{
	(void)state;
	check("[a](http://b){.button}", "p(a!<http://b>('a'))");
	check("[a](http://b){ .button } c", "p(a!<http://b>('a') ' c')");
	check("![a](b.png){width=480}![c](d.png)", "p(img480<b.png>('a') img<d.png>('c'))");
	check("[a](b) {x}", "p(a<b>('a') ' {x}')");
	check("{x} **b**{y}", "p('{x} ' strong('b') '{y}')");
}

static void test_literal(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	buf_cstr(&b, "a ");
	markdown_literal(&b, STR("*x* [y](z) {.button} <b>\n# Ö&amp;|`"));
	buf_cstr(&b, " [l](http://h/");
	markdown_literal(&b, STR("a b)"));
	buf_cstr(&b, ") `");
	markdown_literal(&b, STR("`*"));
	buf_cstr(&b, "`");
	check(buf_text(&b), "p('a *x* [y](z) {.button} <b> # Ö&amp;|` ' a<http://h/a b)>('l') ' ' "
			    "code[`*])");
	buf_free(&b);
}

static void test_lines(void **state)
{
	struct md_node *doc, *n;
	struct err e;

	(void)state;
	assert_int_equal(parse("a\n\n## b\n\n- c\n- d\n  e [f](g)\n\n::: toc\n:::\n" IF "\n" ENDIF,
				 &doc, &e),
		0);
	n = doc->first;
	assert_int_equal(n->line, 10);
	assert_int_equal(n->next->line, 12);
	n = n->next->next;
	assert_int_equal(n->line, 14);
	assert_int_equal(n->first->next->line, 15);
	assert_int_equal(n->first->next->first->last->line, 16);
	assert_int_equal(n->next->line, 18);
	assert_int_equal(n->next->next->line, 20);
}

static void test_refused(void **state)
{
	static const char *const bad[][2] = {
		{"a <b>c</b>", "x.md:10: raw HTML such as '<b>' is not allowed"},
		{"a\n\n<div>\nx", "x.md:12: raw HTML such as '<div>' is not allowed"},
		{"<!-- c -->", "x.md:10: raw HTML"},
		{"a\n::: box x", "x.md:11: unknown container '::: box', there are: toc"},
		{"a\n::: toc x\nb", "x.md:11: '::: toc' is not closed"},
		{"a\n\n:::", "x.md:12: this ':::' closes nothing"},
		{"- a\n\n  ::: toc\n\nb\n:::", "x.md:12: '::: toc' is not closed"},
		{"::: toc\n\n- b\n  :::", "x.md:13: this ':::' closes nothing"},
		{"[a](b){.buton}", "x.md:10: unknown attribute '.buton'"},
		{"a\n[a](b){width=3}", "x.md:11: unknown attribute 'width=3'"},
		{"![a](b){width=0}", "x.md:10: unknown attribute 'width=0'"},
		{"[a](b){.button", "x.md:10: '{' behind a link or an image is not closed"},
		{"a&#xE000;", "x.md:10: a numeric entity names a character"},
		{"[a](http://b&#0;)", "x.md:10: a numeric entity names a character"},
		{"a &#x202e;", "x.md:10: a numeric entity names a character"},
		{"a &#xd800;", "x.md:10: a numeric entity names a character"},
	};
	struct md_node *doc;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(bad[i][0], &doc, &e) == 0)
			fail_msg("not refused: %s", bad[i][0]);
		assert_int_equal(e.code, ERR_INPUT);
		if (strncmp(e.text, bad[i][1], strlen(bad[i][1])) != 0)
			fail_msg("'%s' instead of '%s'", e.text, bad[i][1]);
	}
}

static char *repeat(const char *text, size_t n)
{
	size_t len = strlen(text);
	char *all = arena_alloc(&arena, n * len + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(all + i * len, text, len);
	return all;
}

/* What would take the parser or us forever, or all memory, or all stack, is refused. */
static void test_entangled(void **state)
{
	struct md_node *doc;
	struct err e;

	(void)state;
	assert_int_equal(parse(arena_printf(&arena, "[x]: /foo\n\n%s%s", repeat("[`", 20000),
				       repeat("`]", 20000)),
				 &doc, &e),
		-1);
	assert_non_null(strstr(e.text, "square brackets are nested more than 64 deep"));
	assert_int_equal(parse(repeat("[a ", 65), &doc, &e), -1);
	assert_int_equal(parse(repeat("[a ", 64), &doc, &e), 0);
	assert_int_equal(parse(repeat("[a](b) ", 5000), &doc, &e), 0);
	assert_int_equal(parse(repeat("[a\n\n", 1000), &doc, &e), 0);
	assert_int_equal(parse(repeat(">", 60000), &doc, &e), -1);
	assert_non_null(strstr(e.text, "nested too deep"));
	assert_int_equal(parse(arena_printf(&arena, "%s\n%s\n%s", repeat("|a", 2000),
				       repeat("|---", 2000), repeat("a\n", 5000)),
				 &doc, &e),
		-1);
	assert_non_null(strstr(e.text, "too many pieces of markup"));
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
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_containers),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_literal),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_entangled),
	};

	return cmocka_run_group_tests(tests, NULL, free_all);
}
