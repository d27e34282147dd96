/* SPDX-License-Identifier: MIT */
#include "pages.h"
#include "template.h"

#include <string.h>

/* /style.css?theme=NAME: one style sheet for all pages, in the colours and types of a theme of mails. */

static void as_it_is(struct buf *out, struct str value)
{
	/* Tokens are the operator's own and stand in a style sheet: nothing to escape. */
	buf_str(out, value);
}

static int read_theme(struct visit *v, struct theme *theme, struct err *e)
{
	struct str name = http_query(v->in, "theme");

	if (!template_is_name(name))
		name = STR("");
	return template_theme(v->pages->site, v->a, name, theme, e);
}

void page_style(struct visit *v)
{
	const struct liquid_source in = {
		.file = "pages/style.css", .line = 1, .text = v->pages->style};
	struct liquid_scope scope = {0};
	struct liquid_slots slots = {0};
	struct liquid_name *name;
	struct theme theme;
	struct err e = {0};

	if (read_theme(v, &theme, &e) < 0) {
		if (e.code == ERR_MISSING)
			visit_missing(v);
		else
			visit_failed(v, &e);
		return;
	}
	name = arena_array(v->a, theme.token_n, sizeof *name);
	for (size_t i = 0; i < theme.token_n; i++)
		name[i] = (struct liquid_name){
			arena_printf(v->a, "theme.%.*s", STR_ARG(theme.token[i].name)),
			theme.token[i].value, true};
	scope.known = name;
	scope.known_n = theme.token_n;
	if (liquid_expand(v->a, &in, &scope, as_it_is, &slots, &v->out->body, &e) < 0) {
		buf_reset(&v->out->body);
		visit_failed(v, &e);
		return;
	}
	v->out->type = "text/css; charset=utf-8";
	http_reply_header(v->out, "X-Content-Type-Options", "nosniff");
	visit_public(v, 3600);
}
