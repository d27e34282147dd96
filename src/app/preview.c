/* SPDX-License-Identifier: MIT */
#include "app/preview.h"
#include "app/publish.h"
#include "base/clock.h"
#include "base/enc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FACE_MAX = 8 * 1024 * 1024 };

struct preview_thread {
	const struct preview *preview;
	struct site site;
};

/* One request: the issue compiled, and its faces. */
struct look {
	struct preview_thread *t;
	const struct http_request *in;
	struct http_reply *out;
	struct publish publish;
	struct publish_preview faces;
};

/* ---- the page around the faces ---- */

static const char page_head[] =
	"<!DOCTYPE html><html lang=\"en\"><head><meta "
	"charset=\"utf-8\"><title>Preview</title><style>"
	"body{margin:0;background:#e9ecf1;font:14px/21px system-ui,sans-serif;color:#1b2230}"
	"header{padding:14px 24px;background:#fff;border-bottom:1px solid #d5dae2}"
	"header b{font-size:16px}ul{margin:8px 0 0;padding:0 0 0 18px}.error{color:#b3261e}"
	"main{display:flex;gap:24px;padding:24px;align-items:flex-start;overflow-x:auto}"
	"figure{margin:0;flex:none}figcaption{margin:0 0 8px;font-weight:600}"
	"iframe{display:block;border:1px solid "
	"#d5dae2;border-radius:8px;background:#fff;height:86vh}"
	"</style></head><body>";

/* Every second: has something changed? */
static const char page_script[] =
	"<script>let v;setInterval(async()=>{try{const n=await(await fetch('/version')).text();"
	"if(v&&n!==v)location.reload();v=n}catch(e){}},1000)</script></body></html>\n";

static const struct face {
	const char *name, *caption;
	int width;
} faces[] = {
	{"light", "Light", 720},
	{"dark", "Dark", 720},
	{"phone", "Phone", 375},
	{"phone-dark", "Phone, dark", 375},
	{"no-images", "Without images", 720},
	{"plain", "Without the style element", 375},
	{"text", "Text", 640},
	{"headers", "Header fields", 720},
};

static void put_remarks(struct look *l)
{
	struct buf *b = &l->out->body;

	if (!l->publish.remark)
		return;
	buf_cstr(b, "<ul>");
	for (const struct compile_remark *r = l->publish.remark; r; r = r->next) {
		buf_printf(b, "<li%s>", r->error ? " class=\"error\"" : "");
		enc_html(b, str_of(r->file));
		buf_printf(b, ":%zu: ", r->line);
		enc_html(b, str_of(r->message));
		buf_printf(b, " (%s)</li>", r->rule);
	}
	buf_cstr(b, "</ul>");
}

static void put_page(struct look *l, const struct err *e)
{
	struct buf *b = &l->out->body;

	buf_cstr(b, page_head);
	buf_cstr(b, "<header><b>");
	enc_html(b, e ? STR("This does not compile yet") : l->publish.source.subject);
	buf_cstr(b, "</b>");
	if (e) {
		buf_cstr(b, "<p class=\"error\">");
		enc_html(b, str_of(e->text));
		buf_cstr(b, "</p>");
	}
	put_remarks(l);
	buf_cstr(b, "</header><main>");
	for (size_t i = 0; !e && i < sizeof faces / sizeof faces[0]; i++)
		buf_printf(b,
			"<figure><figcaption>%s</figcaption>"
			"<iframe src=\"/%s\" width=\"%d\" title=\"%s\"></iframe></figure>",
			faces[i].caption, faces[i].name, faces[i].width, faces[i].caption);
	buf_cstr(b, "</main>");
	buf_cstr(b, page_script);
}

/* ---- the faces ---- */

/* `html` with `what` replaced by `by` everywhere. */
static void put_replaced(struct buf *out, struct str html, const char *what, const char *by)
{
	while (html.n) {
		size_t at = str_search(html, str_of(what));

		buf_str(out, str_slice(html, 0, at));
		if (at < html.n)
			buf_cstr(out, by);
		html = str_slice(html, at + strlen(what), html.n);
	}
}

static void put_text(struct buf *out, struct str text)
{
	buf_cstr(out,
		"<!DOCTYPE html><meta charset=\"utf-8\"><pre style=\"margin:20px;font:14px/21px "
		"monospace;white-space:pre-wrap\">");
	enc_html(out, text);
	buf_cstr(out, "</pre>\n");
}

/* Browsers show their own scheme; here the other one is wanted, too. */
static void put_html(struct look *l, bool dark)
{
	put_replaced(&l->out->body, buf_view(&l->faces.html), "(prefers-color-scheme:dark)",
		dark ? "all" : "not all");
}

static void put_plain(struct look *l)
{
	struct str html = buf_view(&l->faces.html);
	size_t from = str_search(html, STR("<style>\n")), to = str_search(html, STR("</style>\n"));

	buf_str(&l->out->body, str_slice(html, 0, from));
	if (to < html.n)
		buf_str(&l->out->body, str_slice(html, to, html.n));
}

static bool put_face(struct look *l, struct str name)
{
	struct str eml = buf_view(&l->faces.eml);

	if (str_eq(name, STR("light")) || str_eq(name, STR("phone")))
		put_html(l, false);
	else if (str_eq(name, STR("dark")) || str_eq(name, STR("phone-dark")))
		put_html(l, true);
	else if (str_eq(name, STR("no-images")))
		put_replaced(&l->out->body, buf_view(&l->faces.html), " src=\"", " data-src=\"");
	else if (str_eq(name, STR("plain")))
		put_plain(l);
	else if (str_eq(name, STR("text")))
		put_text(&l->out->body, buf_view(&l->faces.text));
	else if (str_eq(name, STR("headers")))
		put_text(&l->out->body, str_slice(eml, 0, str_search(eml, STR("\r\n\r\n"))));
	else
		return false;
	return true;
}

/* /image/HASH/NAME */
static bool put_image(struct look *l, struct str file)
{
	for (const struct publish_media *m = l->publish.media; m; m = m->next)
		if (str_eq(m->file, file)) {
			l->out->type = m->media.image.type;
			buf_str(&l->out->body, m->media.data);
			return true;
		}
	return false;
}

/* ---- requests ---- */

static int render(struct look *l, struct err *e)
{
	const struct preview *p = l->t->preview;
	struct site *s = &l->t->site;
	const char *as = p->as;

	if (publish_compile(s, p->file, p->embed ? PUBLISH_EMBED : 0, &l->publish, e) < 0 ||
		publish_lint(s, &l->publish, e) < 0)
		return -1;
	if (!as)
		as = arena_cstr(&l->publish.arena, s->config.publication.from.addr.email);
	return publish_preview(s, &l->publish, str_of(as), clock_now(), &l->faces, e);
}

/* A page of elsewhere must not read what a reader gets: only those who mean this machine are answered. */
static bool is_for_us(const struct http_request *in)
{
	struct str host = http_header(in, "Host");

	host = str_slice(host, 0, str_find(host, ':'));
	return str_eq(host, STR("127.0.0.1")) || str_eq(host, STR("localhost"));
}

static void serve_issue(struct look *l)
{
	struct str path = str_slice(l->in->path, 1, l->in->path.n);
	struct err e = {0};
	int rc = render(l, &e);

	if (!path.n)
		put_page(l, rc < 0 ? &e : NULL);
	else if (rc < 0 ||
		 !(str_has_prefix(path, STR("image/")) ? put_image(l, str_slice(path, 6, path.n))
						       : put_face(l, path)))
		l->out->status = 404;
}

static void put_version(const struct preview *p, struct buf *out)
{
	struct stat st;

	if (stat(p->file, &st) == 0)
		buf_printf(out, "%lld.%09ld", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static void serve(void *thread, const struct http_request *request, struct http_reply *reply)
{
	struct look l = {.t = thread, .in = request, .out = reply};

	reply->type = "text/html; charset=utf-8";
	http_reply_header(reply, "Cache-Control", "no-store");
	if (!is_for_us(request) || request->method == HTTP_POST) {
		reply->status = 403;
		return;
	}
	if (str_eq(request->path, STR("/version"))) {
		put_version(l.t->preview, &reply->body);
		return;
	}
	l.faces.images = "/image/";
	buf_init(&l.faces.eml, FACE_MAX);
	buf_init(&l.faces.html, FACE_MAX);
	buf_init(&l.faces.text, FACE_MAX);
	serve_issue(&l);
	buf_free(&l.faces.eml);
	buf_free(&l.faces.html);
	buf_free(&l.faces.text);
	publish_free(&l.publish);
}

static int open_thread(void *user, void **thread, struct err *e)
{
	const struct preview *p = user;
	struct preview_thread *t = calloc(1, sizeof *t);

	if (!t)
		return err_set(e, ERR_IO, "out of memory");
	t->preview = p;
	if (site_open(&t->site, NULL, p->config, e) < 0 || site_load_key(&t->site, e) < 0) {
		site_close(&t->site);
		free(t);
		return -1;
	}
	*thread = t;
	return 0;
}

static void close_thread(void *thread)
{
	struct preview_thread *t = thread;

	site_close(&t->site);
	free(t);
}

struct http_site preview_site(struct preview *p)
{
	return (struct http_site){open_thread, close_thread, serve, p};
}
