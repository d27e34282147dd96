/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "pages.h"
#include "template.h"

#include <string.h>

/* ---- names ---- */

/* The newest value of a name counts. */
static void add(struct visit *v, const char *name, struct str value, bool raw)
{
	size_t i = 0;

	while (i < v->name_n && strcmp(v->name[i].name, name) != 0)
		i++;
	if (i == VISIT_NAMES)
		return;
	v->name[i] = (struct liquid_name){name, value, raw};
	if (i == v->name_n)
		v->name_n++;
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

void visit_begin(struct visit *v)
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

/* The texts that `part` asks for by {{ t.KEY }}. */
static void text_names(struct visit *v, struct str part)
{
	for (size_t i = 0; i < v->lang->n; i++) {
		const struct page_entry *t = &v->lang->text[i];

		if (str_search(part, str_of(t->name)) < part.n)
			visit_raw(v, t->name, visit_text(v, arena_cstr(v->a, t->key)));
	}
}

struct str visit_part(struct visit *v, const char *part, size_t from)
{
	struct str result = STR("");

	for (size_t i = 0; i < v->pages->part_n; i++) {
		const struct page_entry *p = &v->pages->part[i];

		if (!str_eq(p->key, str_of(part)))
			continue;
		text_names(v, p->value);
		result = expand(v, "pages/pages.html", p->line, p->value);
	}
	v->name_n = from;
	return result;
}

struct str visit_line(struct str text, size_t chars)
{
	text = str_trim(text);
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return STR("");
	return utf8_invalid_at(text) == text.n && utf8_prefix(text, chars) == text.n ? text
										     : STR("");
}

struct str visit_date(struct visit *v, int64_t t)
{
	struct str months = page_text(v->lang, "months"), form = page_text(v->lang, "date"), month;
	char iso[CLOCK_ISO_SIZE];
	struct str text;
	struct buf out;

	clock_iso(t, iso);
	iso[10] = '\0'; /* the date alone */
	for (int i = 0; i < (iso[5] - '0') * 10 + iso[6] - '0'; i++)
		str_next(&months, '|', &month);
	buf_init(&out, 200);
	for (size_t i = 0; i < form.n; i++) {
		char c = form.p[i] == '%' && i + 1 < form.n ? form.p[++i] : '\0';

		if (c == 'd')
			buf_cstr(&out, iso[8] == '0' ? iso + 9 : iso + 8);
		else if (c == 'm')
			buf_str(&out, month);
		else if (c == 'y')
			buf_add(&out, iso, 4);
		else
			buf_char(&out, form.p[i]);
	}
	text = arena_str(v->a, buf_view(&out));
	buf_free(&out);
	return text;
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

void visit_show(struct visit *v, unsigned status, const char *part, const char *title)
{
	struct str page;

	visit_raw(v, "page.title", visit_text(v, title));
	visit_raw(v, "page.content", visit_part(v, part, v->name_n));
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
