/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_PAGES_H
#define SRC_APP_PAGES_H

#include "app/pages.h"
#include "app/publish.h"
#include "lang.h"
#include "mail/liquid.h"
#include "page_cache.h"
#include "store/pages.h"

#include <stdatomic.h>

/*
 * What the pages share. A visit is one request on its way to its answer; handlers add names to it and show
 * one of the parts of mail-templates/pages/pages.html with them.
 */
enum { PAGE_ROUTES_MAX = 24 };

struct pages {
	struct site *site;
	struct arena arena;
	struct page_lang *lang;
	size_t lang_n;
	const struct page_lang *fallback; /* the publication's, or English */
	struct page_entry *part; /* of pages.html */
	size_t part_n;
	struct str layout, style;
	atomic_ulong requests[PAGE_ROUTES_MAX]
			     [6]; /* by number of the route, first digit of the status */
	struct str root; /* path of web.url, without a slash at its end; usually empty */
};

struct page_thread {
	struct pages *pages;
	struct site site; /* the pages' own, with a store of this thread */
	struct page_cache cache;
};

enum { VISIT_NAMES = 200, PAGE_MAX = 1024 * 1024 };

struct visit {
	struct pages *pages;
	struct site *site; /* of this thread */
	struct store *store; /* site->store */
	const struct http_request *in;
	struct http_reply *out;
	struct arena *a;
	const struct page_lang *lang;
	struct str rest; /* of the path, behind what chose the handler */
	int64_t now;
	struct liquid_name name[VISIT_NAMES];
	size_t name_n;
};

/* ---- texts (page_text.c) ---- */

/* Read the texts of all languages. ERR_INPUT for a line that is no `key = value`, a key that English does
 * not have, and one that it has and another language lacks. */
int page_langs_read(struct pages *p, struct err *e);

/* The language that an Accept-Language field asks for (RFC 9110 section 12.5.4), by the first part of each
 * tag, or NULL for none that there is. */
const struct page_lang *page_lang_choose(const struct pages *p, struct str accept);

/* The language of that code ("de" also for "de-AT"), or NULL. */
const struct page_lang *page_lang_get(const struct pages *p, struct str code);

/* The text of `key` in its language, as it stands in the file. */
struct str page_text(const struct page_lang *lang, const char *key);

/* Split text at lines `=== NAME`; what stands before the first is left out. In `a`. */
struct page_entry *page_parts(struct arena *a, struct str text, size_t *n);

/* ---- showing (page_show.c) ---- */

/* The names that are on every page. */
void visit_begin(struct visit *v);

/* Names for the templates; `raw` values are finished HTML. */
void visit_name(struct visit *v, const char *name, struct str value);
void visit_raw(struct visit *v, const char *name, struct str value);

/* The names list.* and reader.*. */
void visit_list(struct visit *v, const struct list *list);
void visit_reader(struct visit *v, const struct subscriber *reader);

/* A text of the visit's language with its names in place, HTML; in v->a. */
struct str visit_text(struct visit *v, const char *key);

/* One part of pages.html with its names in place; names given since `from` are forgotten, so that a part can
 * stand once for each of several things. */
struct str visit_part(struct visit *v, const char *part, size_t from);

/* Answer with `part` in the layout, under the title that the text `title` gives. Pages are private: no cache
 * keeps them, no search engine shows them, unless visit_public() is called. */
void visit_show(struct visit *v, unsigned status, const char *part, const char *title);

/* This page is for everybody: caches may keep it for `seconds`, search engines may show it. */
void visit_public(struct visit *v, unsigned seconds);

/* The answer where there is nothing: the same whatever the reason. */
void visit_missing(struct visit *v);

/* The answer when something failed: nothing was changed. Logs `e`. */
void visit_failed(struct visit *v, const struct err *e);

/* One line of text of at most `chars` characters, trimmed; the empty view for anything else. */
struct str visit_line(struct str text, size_t chars);

/* A day as the visit's language writes it: "November 24, 2026". */
struct str visit_date(struct visit *v, int64_t t);

/* Whether the request is a POST. */
bool visit_acts(const struct visit *v);

/* Read `text` (usually v->rest) as a token of `purpose`, in its one spelling. */
bool visit_token(
	const struct visit *v, enum token_purpose purpose, struct str text, struct token *out);

/* A token as text, in v->a; a link to the page of such a token. */
struct str visit_token_text(struct visit *v, enum token_purpose purpose, int64_t a, int64_t b);
struct str visit_link(
	struct visit *v, const char *path, enum token_purpose purpose, int64_t a, int64_t b);

/* ---- notices (notice.c) ---- */

/* The issue that holds the notices `kind` of `list` in the visit's language today, made when it is the first;
 * `n` as in struct notice. */
int notice_issue(struct visit *v, enum notice_kind kind, const struct list *list, int n,
	int64_t *issue, struct err *e);

/* Put a notice for `subscriber` into the ledger. */
int notice_send(struct visit *v, enum notice_kind kind, const struct list *list, int64_t subscriber,
	struct err *e);

/* What counts as one client: an IPv4 address, the first half of an IPv6 address. */
struct str page_network(struct arena *a, struct str client);

/* The route of that number, "-" behind the last for what is none; NULL behind that. */
const char *page_route_name(size_t i);

/* Answer a request for numbers. */
void page_metrics(
	struct page_thread *t, const struct http_request *request, struct http_reply *reply);

/* ---- handlers ---- */

void page_leave(struct visit *v);
void page_join(struct visit *v);
void page_prefs(struct visit *v);
void page_archive(struct visit *v);
void page_view(struct visit *v);
void page_media(struct visit *v);
void page_confirm(struct visit *v);
void page_click(struct visit *v);
void page_style(struct visit *v);

#endif
