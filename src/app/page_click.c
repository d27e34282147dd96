/* SPDX-License-Identifier: MIT */
#include "pages.h"

#include "base/log.h"

/* /c/TOKEN/NUMBER: count, and send the reader on. The address comes from the database, never from the
 * request, so the link cannot be bent to lead elsewhere. */

enum { PATIENCE_MS = 200, USUAL_PATIENCE_MS = 10000, LINKS_MAX = 100000 };

/* What stands in the User-Agent of programs that follow links by themselves: crawlers, mail filters,
 * previews of messengers, libraries. */
static const char *const robots[] = {"bot/", "bot;", "bot)", "bot-", "bot ", "crawl", "spider",
	"slurp", "preview", "scan", "facebookexternalhit", "whatsapp", "imageproxy", "mailproxy",
	"barracuda", "proofpoint", "mimecast", "headless", "curl/", "wget/", "python", "java/",
	"okhttp", "libwww", "go-http-client", "node-fetch", "axios"};

static bool contains_nocase(struct str s, struct str word)
{
	for (size_t i = 0; i + word.n <= s.n; i++)
		if (str_has_prefix_nocase(str_slice(s, i, s.n), word))
			return true;
	return false;
}

static bool is_robot(const struct visit *v)
{
	struct str agent = http_header(v->in, "User-Agent");

	if (v->in->method == HTTP_HEAD || !agent.n)
		return true;
	for (size_t i = 0; i < sizeof robots / sizeof robots[0]; i++)
		if (contains_nocase(agent, str_of(robots[i])))
			return true;
	return false;
}

/* Whether the browser asks that its user be left in peace (Global Privacy Control; Tracking Preference
 * Expression section 5). */
static bool declines(const struct visit *v)
{
	return str_eq(http_header(v->in, "Sec-GPC"), STR("1")) ||
	       str_eq(http_header(v->in, "DNT"), STR("1"));
}

/* A reader does not wait for a count: where the database is busy, it is lost. */
static void count(struct visit *v, const struct click *c)
{
	struct err e = {0};

	store_patience(v->store, PATIENCE_MS);
	if (click_put(v->store, c, v->now, &e) < 0)
		log_msg(LOG_LEVEL_WARNING, "page", "a click is not counted: %s", e.text);
	store_patience(v->store, USUAL_PATIENCE_MS);
}

void page_click(struct visit *v)
{
	size_t slash = str_find(v->rest, '/');
	struct click c = {.robot = is_robot(v)};
	struct err e = {0};
	struct token t;
	struct str url;
	bool counts;
	int rc;

	if (!visit_token(v, TOKEN_CLICK, str_slice(v->rest, 0, slash), &t) ||
		!str_to_int(str_slice(v->rest, slash + 1, v->rest.n), 1, LINKS_MAX, &c.n)) {
		visit_missing(v);
		return;
	}
	c.issue = (int64_t)t.a;
	c.subscriber = (int64_t)t.b;
	rc = click_look(v->store, &c, v->a, &url, &counts, &e);
	if (rc < 0) {
		visit_failed(v, &e);
		return;
	}
	if (rc == 0) {
		visit_missing(v);
		return;
	}
	if (counts && c.subscriber && !declines(v))
		count(v, &c);
	v->out->status = 302;
	v->out->type = "text/plain; charset=utf-8";
	http_reply_header(v->out, "Location", arena_cstr(v->a, url));
	http_reply_header(v->out, "Cache-Control", "no-store");
	http_reply_header(v->out, "Referrer-Policy", "no-referrer");
	http_reply_header(v->out, "X-Robots-Tag", "noindex, nofollow");
}
