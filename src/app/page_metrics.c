/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "pages.h"
#include "store/metrics.h"

#include <string.h>

/* /metrics, in the text format of Prometheus: numbers of the database, and requests by route and outcome since
 * the start. It is served on an address of its own, which no proxy leads to. */

struct writing {
	struct buf *out;
	const char *last; /* name written before */
};

static void put_label(struct buf *out, struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '"' || value.p[i] == '\\')
			buf_char(out, '\\');
		buf_char(out, value.p[i] == '\n' ? ' ' : value.p[i]);
	}
}

static void put_metric(void *user, const struct metric *m)
{
	struct writing *w = user;

	if (!w->last || strcmp(w->last, m->name) != 0)
		buf_printf(w->out, "# HELP %s %s\n# TYPE %s gauge\n", m->name, m->help, m->name);
	w->last = m->name;
	buf_cstr(w->out, m->name);
	if (m->label) {
		buf_printf(w->out, "{%s=\"", m->label);
		put_label(w->out, m->value_of_label);
		buf_cstr(w->out, "\"}");
	}
	buf_printf(w->out, " %lld\n", (long long)m->value);
}

static void put_requests(struct pages *p, struct buf *out)
{
	const char *route;

	buf_cstr(out, "# HELP lettermill_requests_total Requests by page and outcome\n"
		      "# TYPE lettermill_requests_total counter\n");
	for (size_t i = 0; (route = page_route_name(i)); i++)
		for (int status = 2; status <= 5; status++) {
			unsigned long n = atomic_load(&p->requests[i][status]);

			if (n)
				buf_printf(out,
					"lettermill_requests_total{page=\"%s\",status=\"%dxx\"} "
					"%lu\n",
					route, status, n);
		}
}

void page_metrics(
	struct page_thread *t, const struct http_request *request, struct http_reply *reply)
{
	struct writing w = {.out = &reply->body};
	struct err e = {0};

	reply->type = "text/plain; version=0.0.4; charset=utf-8";
	if (!str_eq(request->path, STR("/metrics")) || request->method > HTTP_HEAD) {
		reply->status = 404;
	} else if (metrics_each(t->site.store, clock_now(), put_metric, &w, &e) < 0) {
		buf_reset(&reply->body);
		buf_printf(&reply->body, "%s\n", e.text);
		reply->status = 503;
	} else {
		put_requests(t->pages, &reply->body);
	}
}
