/* SPDX-License-Identifier: MIT */
#include "../../src/app/pages.h"

#include <stdlib.h>
#include <string.h>

/*
 * What a visitor controls and the pages read by themselves: the language, the lines of forms, tokens, the
 * client's address, and a template whose values are all of that. No value may break out of its place.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct pages *open_pages(void)
{
	static struct site site;
	static struct pages p = {.site = &site};
	struct err e = {0};

	site.config.templates = "/nonexistent";
	site.config.publication.lang = STR("en");
	memset(site.key.key, 7, sizeof site.key.key);
	site.key.id = 1;
	if (page_langs_read(&p, &e) < 0)
		abort();
	p.part = page_parts(&p.arena,
		STR("=== form\n<a href=\"{{ form.a }}\">{{ form.b }}</a>{% if form.c %}c{% endif "
		    "%}\n"),
		&p.part_n);
	return &p;
}

/* The markup of the part and nothing else. */
static void check(struct str html)
{
	size_t open = 0, quotes = 0;

	for (size_t i = 0; i < html.n; i++) {
		open += html.p[i] == '<';
		quotes += html.p[i] == '"';
	}
	if (open != 2 || quotes != 2)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct pages *p;
	struct str in = {(const char *)data, n}, rest = in, field[3] = {{NULL, 0}};
	struct http_reply reply = {0};
	struct http_request request = {0};
	struct arena a = {0};
	struct token t;
	struct visit *v;

	if (!p)
		p = open_pages();
	v = arena_alloc(&a, sizeof *v);
	v->pages = p;
	v->site = p->site;
	v->in = &request;
	v->out = &reply;
	v->a = &a;
	v->lang = page_lang_choose(p, in);
	if (!v->lang)
		v->lang = p->fallback;
	visit_begin(v);
	for (size_t i = 0; i < 3; i++)
		str_next(&rest, '\n', &field[i]);
	visit_name(v, "form.a", field[0]);
	visit_name(v, "form.b", visit_line(field[1], 100));
	visit_name(v, "form.c", field[2]);
	check(visit_part(v, "form", v->name_n));
	if (visit_token(v, TOKEN_UNSUBSCRIBE, field[0], &t) && field[0].n > TOKEN_TEXT_MAX)
		abort();
	page_network(&a, field[1]);
	visit_date(v, (int64_t)n * 86399);
	arena_free(&a);
	return 0;
}
