/* SPDX-License-Identifier: MIT */
#include "app/copy.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/file.h"
#include "pages.h"
#include "template.h"

#include <stdio.h>
#include <string.h>

/*
 * Issues on the web: their list and search, each for everybody and as its reader got it, a feed. What shows is
 * the HTML part of the copy that was sent, with the names of the reader or without any; styles stand inside it,
 * so its pages allow them.
 */
enum { ON_PAGE = 30, IN_FEED = 15, QUERY_MAX = 100, HTML_MAX = 1024 * 1024, MEDIA_MAX = 8 << 20 };

static const char issue_policy[] = "default-src 'none'; img-src 'self' https: data:; style-src "
				   "'unsafe-inline'; form-action 'none'; "
				   "base-uri 'none'; frame-ancestors 'none'";

/* ---- rendering ---- */

static struct str issue_url(struct visit *v, const struct list *list, const struct issue *i)
{
	return str_of(arena_printf(v->a, "%.*s/archive/%.*s/%.*s", STR_ARG(v->site->config.web.url),
		STR_ARG(list->slug), STR_ARG(i->slug)));
}

/* `which` of an issue (mail/render.h), in v->a: for `reader`, or for everybody where that is NULL. */
static int render_issue(struct visit *v, const struct list *list, const struct issue *i,
	const struct subscriber *reader, const char *which, const char *web, struct str *out,
	struct err *e)
{
	struct copy_face face = {.web = str_of(web)};
	struct claim claim = {.issue = i->id, .list = list->id};
	struct copy_maker *m = NULL;
	struct buf html;
	int rc = -1;

	if (reader) {
		claim.subscriber = reader->id;
		claim.email = reader->email;
		claim.first_name = reader->first_name;
		claim.last_name = reader->last_name;
		claim.attributes = reader->attributes;
	} else {
		face.here = issue_url(v, list, i);
		face.join = str_of(arena_printf(v->a, "%.*s/subscribe/%.*s",
			STR_ARG(v->site->config.web.url), STR_ARG(list->slug)));
	}
	buf_init(&html, HTML_MAX);
	if (copy_page_open(v->site, i->uuid, i->program, &face, &m, e) == 0 &&
		copy_preview(m, &claim, v->now, which, &html, e) == 0) {
		*out = arena_str(v->a, buf_view(&html));
		rc = 0;
	}
	copy_maker_close(m);
	buf_free(&html);
	return rc;
}

/* The subject, without the names that it may have slots for. */
static struct str subject_of(struct visit *v, const struct list *list, const struct issue *i)
{
	struct str text = i->subject;

	if (str_find(text, '{') < text.n && i->program.n)
		render_issue(v, list, i, NULL, "subject", "yes", &text, NULL);
	return text;
}

/* Between `<body …>` and `</body>`. */
static struct str body_of(struct str html, size_t *begin, size_t *end)
{
	*begin = str_search(html, STR("<body"));
	*begin += str_find(str_slice(html, *begin, html.n), '>') + 1;
	*end = html.n;
	while (*end > *begin && !str_has_prefix(str_slice(html, *end, html.n), STR("</body")))
		--*end;
	if (*begin > html.n || *end <= *begin) {
		*begin = 0;
		*end = html.n;
	}
	return str_slice(html, *begin, *end);
}

/* ---- one issue ---- */

static void put_open_graph(struct visit *v, const struct list *list, const struct issue *i,
	struct str preheader, struct buf *out)
{
	const struct {
		const char *name;
		struct str value;
	} tags[] = {{"og:type", STR("article")}, {"og:title", subject_of(v, list, i)},
		{"og:description", preheader}, {"og:url", issue_url(v, list, i)},
		{"og:site_name", v->site->config.publication.name}};

	for (size_t t = 0; t < sizeof tags / sizeof tags[0]; t++) {
		if (!tags[t].value.n)
			continue;
		buf_printf(out, "<meta property=\"%s\" content=\"", tags[t].name);
		enc_html(out, tags[t].value);
		buf_cstr(out, "\">\n");
	}
	buf_cstr(out, "<link rel=\"canonical\" href=\"");
	enc_html(out, issue_url(v, list, i));
	buf_cstr(out, "\">\n");
	buf_printf(out,
		"<link rel=\"alternate\" type=\"application/atom+xml\" "
		"href=\"%.*s/archive/%.*s/feed.xml\">\n",
		STR_ARG(v->pages->root), STR_ARG(list->slug));
}

static struct str preheader_of(struct visit *v, const struct issue *i)
{
	struct issue_source source;

	if (issue_parse(v->a, "issue", i->source, &source, NULL) < 0 ||
		str_find(source.preheader, '{') < source.preheader.n)
		return STR("");
	return source.preheader;
}

/* The page: the issue's own HTML, with what belongs into a page's head and around its content. */
static void put_issue(struct visit *v, const struct list *list, const struct issue *i,
	const struct subscriber *reader, struct str html)
{
	struct buf *out = &v->out->body;
	size_t head = str_search(html, STR("</head>")), begin, end;

	body_of(html, &begin, &end);
	if (head > begin)
		head = 0;
	buf_str(out, str_slice(html, 0, head));
	if (!reader)
		put_open_graph(v, list, i, preheader_of(v, i), out);
	buf_str(out, str_slice(html, head, begin));
	buf_cstr(out, "<main>");
	buf_str(out, str_slice(html, begin, end));
	buf_cstr(out, "</main>");
	if (list->public)
		buf_printf(out,
			"<nav style=\"padding:0 20px 32px;text-align:center;font:16px/26px "
			"sans-serif\">"
			"<a href=\"%.*s/archive/%.*s\">%.*s</a></nav>",
			STR_ARG(v->pages->root), STR_ARG(list->slug),
			STR_ARG(visit_text(v, "archive_more")));
	buf_str(out, str_slice(html, end, html.n));
	v->out->type = "text/html; charset=utf-8";
	http_reply_header(v->out, "Content-Security-Policy", issue_policy);
	http_reply_header(v->out, "X-Content-Type-Options", "nosniff");
	http_reply_header(v->out, "Referrer-Policy", "no-referrer");
	http_reply_header(v->out, "X-Frame-Options", "DENY");
	http_reply_header(v->out, "Vary", "Accept-Language");
	if (reader) {
		http_reply_header(v->out, "Cache-Control", "no-store");
		http_reply_header(v->out, "X-Robots-Tag", "noindex, nofollow");
	} else {
		visit_public(v, 300);
	}
}

static void show_issue(struct visit *v, const struct list *list, struct str slug)
{
	struct issue i = {0};
	struct err e = {0};
	struct str html;
	int rc = archive_issue(v->store, list->id, slug, v->a, &i, &e);

	if (rc == 1)
		rc = render_issue(v, list, &i, NULL, "text/html", "yes", &html, &e) < 0 ? -1 : 1;
	if (rc < 0)
		visit_failed(v, &e);
	else if (rc == 0)
		visit_missing(v);
	else
		put_issue(v, list, &i, NULL, html);
}

void page_view(struct visit *v)
{
	struct subscriber reader;
	struct issue i = {0};
	struct list list;
	struct err e = {0};
	struct token t;
	struct str html;
	char number[24];
	int rc;

	if (!visit_token(v, TOKEN_VIEW, v->rest, &t)) {
		visit_missing(v);
		return;
	}
	snprintf(number, sizeof number, "%llu", (unsigned long long)t.a);
	rc = subscriber_look(v->store, (int64_t)t.b, v->a, &reader, &e);
	if (rc == 1)
		rc = issue_get(v->store, str_of(number), v->a, &i, &e) < 0 ? -1 : 1;
	if (rc == 1)
		rc = list_look(v->store, 0, i.list, v->a, &list, &e);
	if (rc == 1)
		rc = render_issue(v, &list, &i, &reader, "text/html", "yes", &html, &e) < 0 ? -1
											    : 1;
	if (rc < 0 && e.code != ERR_MISSING)
		visit_failed(v, &e);
	else if (rc != 1)
		visit_missing(v);
	else
		put_issue(v, &list, &i, &reader, html);
}

/* ---- the list ---- */

static struct str items_of(
	struct visit *v, const struct list *list, const struct issue *issue, size_t n)
{
	struct str items;
	struct buf out;

	buf_init(&out, PAGE_MAX);
	for (size_t i = 0; i < n; i++) {
		size_t from = v->name_n;
		char iso[CLOCK_ISO_SIZE];

		visit_name(v, "item.slug", issue[i].slug);
		visit_name(v, "item.subject", subject_of(v, list, &issue[i]));
		visit_name(v, "item.preheader", preheader_of(v, &issue[i]));
		visit_name(v, "item.iso", arena_str(v->a, str_of(clock_iso(issue[i].due_at, iso))));
		visit_name(v, "item.date", visit_date(v, issue[i].due_at));
		buf_str(&out, visit_part(v, "archive-item", from));
		buf_char(&out, '\n');
	}
	items = arena_str(v->a, buf_view(&out));
	buf_free(&out);
	return items;
}

static struct str older_link(
	struct visit *v, const struct list *list, struct str query, int64_t page)
{
	struct str link;
	struct buf out;

	buf_init(&out, 2048);
	buf_printf(&out, "%.*s/archive/%.*s?page=%lld", STR_ARG(v->pages->root),
		STR_ARG(list->slug), (long long)page + 1);
	if (query.n) {
		buf_cstr(&out, "&q=");
		enc_url(&out, query);
	}
	link = arena_str(v->a, buf_view(&out));
	buf_free(&out);
	return link;
}

static void show_list(struct visit *v, const struct list *list)
{
	struct str query = visit_line(http_query(v->in, "q"), QUERY_MAX);
	struct issue *issue;
	struct err e = {0};
	int64_t page = 1;
	size_t n;

	str_to_int(http_query(v->in, "page"), 1, 100000, &page);
	if (archive_get(v->store, list->id, query, (size_t)(page - 1) * ON_PAGE, ON_PAGE + 1, true,
		    v->a, &issue, &n, &e) < 0) {
		visit_failed(v, &e);
		return;
	}
	visit_name(v, "page.query", query);
	visit_name(v, "page.older", n > ON_PAGE ? older_link(v, list, query, page) : STR(""));
	visit_raw(v, "page.items", items_of(v, list, issue, n > ON_PAGE ? ON_PAGE : n));
	visit_raw(v, "page.head",
		str_of(arena_printf(v->a,
			"<link rel=\"alternate\" type=\"application/atom+xml\" "
			"href=\"%.*s/archive/%.*s/feed.xml\">",
			STR_ARG(v->pages->root), STR_ARG(list->slug))));
	visit_public(v, 60);
	visit_show(v, 200, "archive", "archive");
}

/* ---- the feed ---- */

static void put_element(struct buf *out, const char *name, struct str value)
{
	buf_printf(out, "<%s>", name);
	enc_html(out, value);
	buf_printf(out, "</%s>\n", name);
}

static int put_entry(struct visit *v, const struct list *list, const struct issue *i, struct err *e)
{
	struct buf *out = &v->out->body;
	size_t begin, end;
	char iso[CLOCK_ISO_SIZE];
	struct str html, uuid = {(const char *)i->uuid, sizeof i->uuid};
	struct buf hex;

	if (render_issue(v, list, i, NULL, "text/html", "feed", &html, e) < 0)
		return -1;
	buf_init(&hex, 64);
	enc_hex(&hex, uuid);
	buf_cstr(out, "<entry>\n");
	put_element(out, "title", subject_of(v, list, i));
	buf_printf(out, "<id>urn:uuid:%.8s-%.4s-%.4s-%.4s-%.12s</id>\n", hex.p, hex.p + 8,
		hex.p + 12, hex.p + 16, hex.p + 20);
	buf_free(&hex);
	put_element(out, "updated", str_of(clock_iso(i->due_at, iso)));
	buf_cstr(out, "<link href=\"");
	enc_html(out, issue_url(v, list, i));
	buf_cstr(out, "\"/>\n<content type=\"html\">");
	enc_html(out, body_of(html, &begin, &end));
	buf_cstr(out, "</content>\n</entry>\n");
	return 0;
}

static void show_feed(struct visit *v, const struct list *list)
{
	const struct config *c = &v->site->config;
	struct buf *out = &v->out->body;
	struct issue *issue;
	char iso[CLOCK_ISO_SIZE];
	struct err e = {0};
	size_t n = 0;
	int rc = archive_get(v->store, list->id, STR(""), 0, IN_FEED, true, v->a, &issue, &n, &e);

	buf_cstr(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
		      "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"");
	enc_html(out, c->publication.lang);
	buf_cstr(out, "\">\n");
	put_element(out, "title",
		str_of(arena_printf(
			v->a, "%.*s: %.*s", STR_ARG(c->publication.name), STR_ARG(list->name))));
	buf_printf(out, "<id>%.*s/archive/%.*s</id>\n", STR_ARG(c->web.url), STR_ARG(list->slug));
	put_element(out, "updated", str_of(clock_iso(n ? issue[0].due_at : 0, iso)));
	buf_cstr(out, "<author>");
	put_element(out, "name", c->publication.name);
	buf_printf(out,
		"</author>\n<link rel=\"self\" href=\"%.*s/archive/%.*s/feed.xml\"/>\n"
		"<link href=\"%.*s/archive/%.*s\"/>\n",
		STR_ARG(c->web.url), STR_ARG(list->slug), STR_ARG(c->web.url), STR_ARG(list->slug));
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = put_entry(v, list, &issue[i], &e);
	buf_cstr(out, "</feed>\n");
	if (rc < 0) {
		buf_reset(out);
		visit_failed(v, &e);
		return;
	}
	v->out->type = "application/atom+xml; charset=utf-8";
	http_reply_header(v->out, "X-Content-Type-Options", "nosniff");
	visit_public(v, 300);
}

void page_archive(struct visit *v)
{
	size_t slash = str_find(v->rest, '/');
	struct str what = str_slice(v->rest, slash + 1, v->rest.n);
	struct list list;
	struct err e = {0};
	int rc = list_look(v->store, 0, str_slice(v->rest, 0, slash), v->a, &list, &e);

	if (rc < 0) {
		visit_failed(v, &e);
		return;
	}
	if (rc == 0 || !list.public || (slash < v->rest.n && !what.n)) {
		visit_missing(v);
		return;
	}
	visit_list(v, &list);
	if (!what.n)
		show_list(v, &list);
	else if (str_eq(what, STR("feed.xml")))
		show_feed(v, &list);
	else
		show_issue(v, &list, what);
}

/* ---- images ---- */

static const char *type_of(struct str name)
{
	static const char *const types[][2] = {{".png", "image/png"}, {".jpg", "image/jpeg"},
		{".jpeg", "image/jpeg"}, {".gif", "image/gif"}, {".webp", "image/webp"}};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (str_has_suffix(name, str_of(types[i][0])))
			return types[i][1];
	return NULL;
}

/* HASH/NAME below the media folder, where issues put their images. */
void page_media(struct visit *v)
{
	size_t slash = str_find(v->rest, '/');
	struct str hash = str_slice(v->rest, 0, slash),
		   name = str_slice(v->rest, slash + 1, v->rest.n);
	const char *type = type_of(name);
	struct err e = {0};
	struct buf file;
	bool good = type && hash.n && name.p[0] != '.' && str_find(name, '/') == name.n &&
		    str_find(name, '\0') == name.n && template_is_name(hash);

	buf_init(&file, MEDIA_MAX);
	if (!good || file_read(arena_printf(v->a, "%s/%.*s/%.*s", v->site->config.media,
				       STR_ARG(hash), STR_ARG(name)),
			     &file, &e) < 0) {
		buf_free(&file);
		visit_missing(v);
		return;
	}
	buf_free(&v->out->body);
	v->out->body = file;
	v->out->type = type;
	http_reply_header(v->out, "X-Content-Type-Options", "nosniff");
	http_reply_header(v->out, "Cache-Control", "public, max-age=31536000, immutable");
}
