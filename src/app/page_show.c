/* SPDX-License-Identifier: MIT */
#include "base/enc.h"
#include "base/log.h"
#include "pages.h"
#include "template.h"

#include <string.h>

/* ---- names ---- */

static void add(struct visit *v, const char *name, struct str value, bool raw)
{
	if (v->name_n < VISIT_NAMES)
		v->name[v->name_n++] = (struct liquid_name){name, value, raw};
}

void visit_name(struct visit *v, const char *name, struct str value)
{
	add(v, name, value, false);
}

void visit_raw(struct visit *v, const char *name, struct str value)
{
	add(v, name, value, true);
}

void visit_list(struct visit *v, const struct list *list)
{
	visit_name(v, "list.name", list->name);
	visit_name(v, "list.slug", list->slug);
	visit_name(v, "page.theme", list->theme);
}

void visit_reader(struct visit *v, const struct subscriber *reader)
{
	visit_name(v, "reader.email", reader->email);
	visit_name(v, "reader.first_name", reader->first_name);
	visit_name(v, "reader.last_name", reader->last_name);
}

/* What is on every page. A name that a handler has given comes first, and so counts. */
static void common_names(struct visit *v)
{
	const struct config *c = &v->pages->site->config;
	struct str name = c->publication.name;
	size_t at = name.n;

	while (at > 0 && name.p[at - 1] != ' ')
		at--;
	visit_name(v, "publication.name", name);
	visit_name(v, "publication.name_head", at ? str_slice(name, 0, at) : name);
	visit_name(v, "publication.name_tail", at ? str_slice(name, at, name.n) : STR(""));
	visit_name(v, "publication.tagline", c->publication.tagline);
	visit_name(v, "publication.address", c->publication.address);
	visit_name(v, "publication.url", c->publication.url);
	visit_name(v, "publication.email", c->publication.from.addr.email);
	visit_name(v, "page.root", v->pages->root);
	visit_name(v, "page.url", c->web.url);
	visit_name(v, "page.lang", v->lang->code);
	visit_name(v, "page.theme", STR(""));
	visit_raw(v, "page.head", STR(""));
	visit_name(v, "reader.email", STR(""));
	visit_name(v, "list.name", STR(""));
	visit_name(v, "list.slug", STR(""));
}

/* ---- expansion ---- */

static struct str expand(struct visit *v, const char *file, size_t line, struct str text)
{
	const struct liquid_source in = {.file = file, .line = line, .text = text};
	const struct liquid_scope scope = {.known = v->name, .known_n = v->name_n};
	struct liquid_slots slots = {0};
	struct err e = {0};
	struct str result;
	struct buf out;

	buf_init(&out, PAGE_MAX);
	if (liquid_expand(v->a, &in, &scope, enc_html, &slots, &out, &e) < 0 || out.over) {
		log_msg(LOG_LEVEL_ERROR, "page", "%s", e.code ? e.text : "a page is too large");
		buf_reset(&out);
	}
	result = arena_str(v->a, buf_view(&out));
	buf_free(&out);
	return result;
}

struct str visit_text(struct visit *v, const char *key)
{
	for (size_t i = 0; i < v->lang->n; i++) {
		const struct page_entry *t = &v->lang->text[i];

		if (!str_eq(t->key, str_of(key)))
			continue;
		return str_search(t->value, STR("{")) == t->value.n
			       ? t->value
			       : expand(v,
					 arena_printf(
						 v->a, "lang/%.*s.conf", STR_ARG(v->lang->code)),
					 t->line, t->value);
	}
	return STR("");
}

struct str visit_part(struct visit *v, const char *part)
{
	for (size_t i = 0; i < v->pages->part_n; i++) {
		const struct page_entry *p = &v->pages->part[i];

		if (str_eq(p->key, str_of(part)))
			return expand(v, "pages/pages.html", p->line, p->value);
	}
	log_msg(LOG_LEVEL_ERROR, "page", "pages/pages.html: there is no part '%s'", part);
	return STR("");
}

/* The texts that `part` asks for by {{ t.KEY }}, each once. */
static void text_names(struct visit *v, struct str part)
{
	for (size_t i = 0; i < v->lang->n; i++) {
		const struct page_entry *t = &v->lang->text[i];

		if (str_search(part, str_of(t->name)) < part.n)
			visit_raw(v, t->name, visit_text(v, arena_cstr(v->a, t->key)));
	}
}

/* ---- answers ---- */

static void security_headers(struct visit *v)
{
	http_reply_header(v->out, "X-Content-Type-Options", "nosniff");
	http_reply_header(v->out, "Referrer-Policy", "no-referrer");
	http_reply_header(v->out, "X-Frame-Options", "DENY");
	http_reply_header(v->out, "Vary", "Accept-Language");
	http_reply_header(v->out, "Content-Language", arena_cstr(v->a, v->lang->code));
}

void visit_public(struct visit *v, unsigned seconds)
{
	http_reply_header(
		v->out, "Cache-Control", arena_printf(v->a, "public, max-age=%u", seconds));
}

static bool has_header(const struct visit *v, const char *name)
{
	for (size_t i = 0; i < v->out->header_n; i++)
		if (strcmp(v->out->header[i].name, name) == 0)
			return true;
	return false;
}

static struct str raw_part(const struct visit *v, const char *part)
{
	for (size_t i = 0; i < v->pages->part_n; i++)
		if (str_eq(v->pages->part[i].key, str_of(part)))
			return v->pages->part[i].value;
	return STR("");
}

void visit_show(struct visit *v, unsigned status, const char *part, const char *title)
{
	struct str page;

	common_names(v);
	visit_raw(v, "page.title", visit_text(v, title));
	text_names(v, raw_part(v, part));
	visit_raw(v, "page.content", visit_part(v, part));
	text_names(v, v->pages->layout);
	page = expand(v, "pages/layout.html", 1, v->pages->layout);
	v->out->status = page.n ? status : 500;
	v->out->type = "text/html; charset=utf-8";
	security_headers(v);
	if (!has_header(v, "Content-Security-Policy"))
		http_reply_header(v->out, "Content-Security-Policy",
			"default-src 'none'; style-src 'self'; form-action 'self'; base-uri "
			"'none'; "
			"frame-ancestors 'none'");
	if (!has_header(v, "Cache-Control")) {
		http_reply_header(v->out, "Cache-Control", "no-store");
		http_reply_header(v->out, "X-Robots-Tag", "noindex, nofollow");
	}
	buf_str(&v->out->body, page);
}

void visit_missing(struct visit *v)
{
	visit_show(v, 404, "missing", "missing_title");
}

void visit_failed(struct visit *v, const struct err *e)
{
	log_msg(LOG_LEVEL_ERROR, "page", "%s", e->text);
	visit_show(v, e->code == ERR_BUSY ? 503 : 500, "failed", "failed_title");
}

/* ---- what handlers ask ---- */

bool visit_acts(const struct visit *v)
{
	return v->in->method == HTTP_POST;
}

bool visit_token(
	const struct visit *v, enum token_purpose purpose, struct str text, struct token *out)
{
	for (size_t i = 0; i < text.n; i++) /* mail programs keep the case of links */
		if (text.p[i] >= 'A' && text.p[i] <= 'Z')
			return false;
	return site_token_read(v->pages->site, purpose, text, out);
}

struct str visit_token_text(struct visit *v, enum token_purpose purpose, int64_t a, int64_t b)
{
	const struct token t = {purpose, (uint64_t)a, (uint64_t)b};
	struct str text;
	struct buf out;

	buf_init(&out, TOKEN_TEXT_MAX);
	token_make(&v->pages->site->key, &t, &out);
	text = arena_str(v->a, buf_view(&out));
	buf_free(&out);
	return text;
}

struct str visit_link(
	struct visit *v, const char *path, enum token_purpose purpose, int64_t a, int64_t b)
{
	return str_of(arena_printf(v->a, "%.*s%s%.*s", STR_ARG(v->pages->root), path,
		STR_ARG(visit_token_text(v, purpose, a, b))));
}
