/* SPDX-License-Identifier: MIT */
#include "pages.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "template.h"

#include <stdlib.h>

enum {
	PATIENCE_MS = 10000, /* for another process's write lock */
	TIDY_PATIENCE_MS =
		1000, /* the same for what can wait, in a thread that gives signs of life */
	DELIVERY_PATIENCE = 900, /* seconds that due copies may wait before /healthz complains */
};

/* ---- small pages ---- */

static void page_robots(struct visit *v)
{
	v->out->type = "text/plain; charset=utf-8";
	visit_public(v, 3600);
	buf_printf(&v->out->body,
		"User-agent: *\nAllow: %.*s/archive/\nAllow: %.*s/subscribe/\nDisallow: /\n",
		STR_ARG(v->pages->root), STR_ARG(v->pages->root));
}

static void page_health(struct visit *v)
{
	struct err e = {0};

	v->out->type = "text/plain; charset=utf-8";
	http_reply_header(v->out, "Cache-Control", "no-store");
	if (store_health(v->store, v->now, DELIVERY_PATIENCE, &e) == 0) {
		buf_cstr(&v->out->body, "ok\n");
		return;
	}
	v->out->status = 503;
	buf_printf(&v->out->body, "%s\n", e.text);
}

/* ---- routes ---- */

static const struct route {
	const char *path; /* one that ends in '/' takes what is behind it */
	void (*show)(struct visit *v);
	unsigned methods; /* bits of enum http_method, beside GET and HEAD */
	bool everybody; /* the answer is the same for all who speak a language: kept for a moment */
} routes[] = {
	{"/u/", page_leave, 1U << HTTP_POST, false},
	{"/subscribe/", page_join, 1U << HTTP_POST | 1U << HTTP_OPTIONS, false},
	{"/confirm/", page_confirm, 1U << HTTP_POST, false},
	{"/m/", page_prefs, 1U << HTTP_POST, false},
	{"/v/", page_view, 0, false},
	{"/c/", page_click, 0, false},
	{"/archive/", page_archive, 0, true},
	{"/media/", page_media, 0, false},
	{"/style.css", page_style, 0, true},
	{"/robots.txt", page_robots, 0, false},
	{"/healthz", page_health, 0, false},
};

enum { ROUTE_N = sizeof routes / sizeof routes[0] };
_Static_assert((int)ROUTE_N < (int)PAGE_ROUTES_MAX, "more routes than are counted");

const char *page_route_name(size_t i)
{
	if (i > ROUTE_N)
		return NULL;
	return i < ROUTE_N ? routes[i].path : "-";
}

static const struct route *find_route(struct str path, struct str *rest)
{
	for (size_t i = 0; i < ROUTE_N; i++) {
		struct str name = str_of(routes[i].path);
		bool open = str_has_suffix(name, STR("/"));

		if (open ? str_has_prefix(path, name) && path.n > name.n : str_eq(path, name)) {
			*rest = str_slice(path, name.n, path.n);
			return &routes[i];
		}
	}
	return NULL;
}

static void log_visit(const struct visit *v, const struct route *route, int64_t ms)
{
	static const char *const method[] = {"GET", "HEAD", "POST", "OPTIONS"};
	struct log_line l;

	log_begin(&l, LOG_LEVEL_INFO, "page");
	log_str(&l, "method", str_of(method[v->in->method]));
	log_str(&l, "route", route ? str_of(route->path) : STR("-")); /* tokens stay out of logs */
	log_int(&l, "status", v->out->status ? v->out->status : 200);
	log_int(&l, "ms", clock_mono_ms() - ms);
	log_end(&l);
}

static void count(const struct visit *v, const struct route *route)
{
	unsigned digit = (v->out->status ? v->out->status : 200) / 100;

	if (digit < 6)
		atomic_fetch_add(&v->pages->requests[route ? route - routes : ROUTE_N][digit], 1);
}

static void show(struct visit *v, const struct route *route)
{
	visit_begin(v);
	if (!route) {
		visit_missing(v);
	} else if (v->in->method > HTTP_HEAD && !(route->methods & 1U << v->in->method)) {
		http_reply_header(v->out, "Allow", "GET, HEAD");
		visit_show(v, 405, "missing", "missing_title");
	} else {
		route->show(v);
	}
}

/* From the cache, or made and put there: language, path and query make the page. */
static void show_kept(struct visit *v, struct page_cache *cache, const struct route *route)
{
	const struct http_request *in = v->in;
	int64_t now = clock_mono_ms();
	struct buf key;

	buf_init(&key, 4096);
	buf_printf(&key, "%.*s %zu:%.*s", STR_ARG(v->lang->code), in->path.n, STR_ARG(in->path));
	for (size_t i = 0; i < in->query_n; i++)
		buf_printf(&key, "%zu:%.*s%zu:%.*s", in->query[i].name.n,
			STR_ARG(in->query[i].name), in->query[i].value.n,
			STR_ARG(in->query[i].value));
	if (key.over || !page_cache_get(cache, buf_view(&key), now, v->out)) {
		show(v, route);
		if (!key.over && v->out->status <= 200)
			page_cache_put(cache, buf_view(&key), now, v->out);
	}
	buf_free(&key);
}

static void serve(void *thread, const struct http_request *request, struct http_reply *reply)
{
	struct page_thread *t = thread;
	struct visit *v = arena_alloc(request->arena, sizeof *v);
	struct str path = request->path;
	const struct route *route = NULL;
	int64_t began = clock_mono_ms();

	v->pages = t->pages;
	v->site = &t->site;
	v->store = t->site.store;
	v->in = request;
	v->out = reply;
	v->a = request->arena;
	v->now = clock_now();
	v->lang = page_lang_choose(t->pages, http_header(request, "Accept-Language"));
	if (!v->lang)
		v->lang = t->pages->fallback;
	if (t->pages->root.n && str_has_prefix(path, t->pages->root))
		path = str_slice(path, t->pages->root.n, path.n);
	route = find_route(path, &v->rest);
	if (route && route->everybody && request->method <= HTTP_HEAD)
		show_kept(v, &t->cache, route);
	else
		show(v, route);
	count(v, route);
	log_visit(v, route, began);
}

/* ---- threads ---- */

static int open_thread(void *user, void **thread, struct err *e)
{
	struct pages *p = user;
	struct page_thread *t = calloc(1, sizeof *t);

	if (!t)
		return err_set(e, ERR_IO, "out of memory");
	t->pages = p;
	t->site = *p->site;
	if (store_open(p->site->config.database, &t->site.store, e) < 0) {
		free(t);
		return -1;
	}
	store_patience(t->site.store, PATIENCE_MS);
	*thread = t;
	return 0;
}

static void close_thread(void *thread)
{
	struct page_thread *t = thread;

	store_close(t->site.store);
	page_cache_free(&t->cache);
	free(t);
}

struct http_site pages_public(struct pages *p)
{
	return (struct http_site){open_thread, close_thread, serve, p};
}

static void serve_metrics(
	void *thread, const struct http_request *request, struct http_reply *reply)
{
	page_metrics(thread, request, reply);
}

struct http_site pages_metrics(struct pages *p)
{
	return (struct http_site){open_thread, close_thread, serve_metrics, p};
}

/* ---- opening ---- */

/* "/news" of "https://example.org/news". */
static struct str root_of(struct str url)
{
	size_t host = str_search(url, STR("://")) + 3;
	struct str rest = str_slice(url, host, url.n);

	return str_slice(rest, str_find(rest, '/'), rest.n);
}

static int read_templates(struct pages *p, struct err *e)
{
	struct str parts;

	if (template_read(p->site, &p->arena, "pages", "layout.html", &p->layout, e) < 0 ||
		template_read(p->site, &p->arena, "pages", "style.css", &p->style, e) < 0 ||
		template_read(p->site, &p->arena, "pages", "pages.html", &parts, e) < 0)
		return -1;
	p->part = page_parts(&p->arena, parts, &p->part_n);
	return 0;
}

int pages_open(struct site *s, struct pages **out, struct err *e)
{
	struct pages *p = calloc(1, sizeof *p);

	*out = p;
	if (!p)
		return err_set(e, ERR_IO, "out of memory");
	p->site = s;
	p->root = root_of(s->config.web.url);
	if (site_load_key(s, e) < 0 || page_langs_read(p, e) < 0 || read_templates(p, e) < 0) {
		pages_close(p);
		*out = NULL;
		return -1;
	}
	return 0;
}

int pages_tidy(struct pages *p, struct err *e)
{
	store_patience(p->site->store, TIDY_PATIENCE_MS);
	return asks_tidy(p->site->store, clock_now(), e) < 0 ? -1 : 0;
}

void pages_close(struct pages *p)
{
	if (!p)
		return;
	arena_free(&p->arena);
	free(p);
}
