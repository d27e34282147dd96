/* SPDX-License-Identifier: MIT */
#include "../../../src/app/pages.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct site site;
static struct pages pages = {.site = &site};

static int setup(void **state)
{
	struct err e = {0};

	(void)state;
	site.config.templates = "/nonexistent";
	site.config.publication.lang = STR("en");
	if (page_langs_read(&pages, &e) < 0) /* also: every language has every text */
		fail_msg("%s", e.text);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&pages.arena);
	return 0;
}

static void test_language(void **state)
{
	static const struct {
		const char *accept, *lang;
	} cases[] = {
		{"de", "de"},
		{"de-AT, en;q=0.5", "de"},
		{"tlh, FR-ca;q=0.8, en;q=0.9", "en"},
		{"fr;q=0.801,es;q=0.8", "fr"},
		{"en;q=0, ja;q=0.001", "ja"},
		{"ar;q=1.0, en", "ar"},
		{"de;q=0", NULL},
		{"*", NULL},
		{"", NULL},
		{",;q=,;;=,-", NULL},
		{"tlh;q=1,x", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct page_lang *lang = page_lang_choose(&pages, str_of(cases[i].accept));

		if (!cases[i].lang != !lang || (lang && !str_eq(lang->code, str_of(cases[i].lang))))
			fail_msg("'%s' gives '%.*s'", cases[i].accept, lang ? (int)lang->code.n : 0,
				lang ? lang->code.p : "");
	}
}

static void test_parts(void **state)
{
	struct arena a = {0};
	size_t n;
	struct page_entry *part =
		page_parts(&a, STR("not used\n=== one\n\n a\nb \n=== two\n=== three\nc"), &n);

	(void)state;
	assert_int_equal(n, 3);
	assert_true(str_eq(part[0].key, STR("one")) && str_eq(part[0].value, STR("a\nb")));
	assert_int_equal(part[0].line, 3);
	assert_int_equal(part[1].value.n, 0);
	assert_true(str_eq(part[2].value, STR("c")));
	arena_free(&a);
}

static void test_network(void **state)
{
	struct arena a = {0};

	(void)state;
	assert_true(str_eq(page_network(&a, STR("192.0.2.7")), STR("192.0.2.7")));
	assert_true(str_eq(page_network(&a, STR("2001:db8:1:2:3:4:5:6")), STR("2001:db8:1:2::")));
	assert_true(str_eq(page_network(&a, STR("2001:db8:1:2:ffff::1")), STR("2001:db8:1:2::")));
	assert_true(str_eq(page_network(&a, STR("")), STR("")));
	arena_free(&a);
}

static void test_lines(void **state)
{
	(void)state;
	assert_true(str_eq(visit_line(STR("  Ana \t"), 10), STR("Ana")));
	assert_true(str_eq(visit_line(STR("\xc3\xa9\xc3\xa9"), 2), STR("\xc3\xa9\xc3\xa9")));
	assert_int_equal(visit_line(STR("\xc3\xa9\xc3\xa9"), 1).n, 0);
	assert_int_equal(visit_line(STR("a\r\nb"), 10).n, 0);
	assert_int_equal(visit_line(STR("a\x7f"), 10).n, 0);
	assert_int_equal(visit_line(STR("\xff"), 10).n, 0);
}

static void test_dates(void **state)
{
	struct arena a = {0};
	struct visit *v = arena_alloc(&a, sizeof *v);

	(void)state;
	v->a = &a;
	v->lang = page_lang_get(&pages, STR("en"));
	assert_true(str_eq(visit_date(v, 0), STR("January 1, 1970")));
	assert_true(str_eq(visit_date(v, 1798675200), STR("December 31, 2026")));
	v->lang = page_lang_get(&pages, STR("de-DE"));
	assert_true(str_eq(visit_date(v, 1798675200), STR("31. Dezember 2026")));
	v->lang = page_lang_get(&pages, STR("ja"));
	assert_true(str_eq(visit_date(v, 1798675200), STR("2026\xe5\xb9\xb4"
							  "12\xe6\x9c\x88"
							  "31\xe6\x97\xa5")));
	arena_free(&a);
}

static void test_cache(void **state)
{
	struct page_cache *c = test_calloc(1, sizeof *c);
	struct http_reply in = {.status = 200, .type = "text/html"}, out = {0};

	(void)state;
	buf_init(&in.body, 100);
	buf_init(&out.body, 100);
	buf_cstr(&in.body, "page");
	http_reply_header(&in, "Vary", "Accept-Language");
	page_cache_put(c, STR("a"), 1000, &in);
	assert_false(page_cache_get(c, STR("b"), 1001, &out));
	assert_true(page_cache_get(c, STR("a"), 1001, &out));
	assert_true(str_eq(buf_view(&out.body), STR("page")));
	assert_int_equal(out.header_n, 1);
	assert_string_equal(out.header[0].value, "Accept-Language");
	assert_false(page_cache_get(c, STR("a"), 1000 + PAGE_CACHE_MS, &out));
	for (int i = 0; i < 2 * PAGE_CACHE_N; i++)
		page_cache_put(c, (struct str){(const char *)&i, sizeof i}, 2000 + i, &in);
	assert_false(page_cache_get(c, STR("a"), 2001, &out));
	page_cache_free(c);
	test_free(c);
	buf_free(&in.body);
	buf_free(&out.body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_language),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_cache),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
