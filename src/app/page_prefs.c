/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "mail/addr.h"
#include "pages.h"

#include <jansson.h>
#include <stdlib.h>

/* /m/TOKEN: what a reader decides: lists, name, a pause; a copy of what is known; to be forgotten. */

enum { NAME_MAX_CHARS = 100, DAY = 86400 };

static const char source[] = "preferences page";

struct prefs {
	struct visit *v;
	struct token token;
	struct subscriber reader;
	struct choice *choice;
	size_t choice_n;
	int64_t until;
	bool suppressed;
};

/* Lists that the reader cannot choose: mail to the address has come back, or was called spam. */
static bool barred(const struct prefs *p, const struct choice *c)
{
	return p->suppressed || c->status == SUBSCRIPTION_BOUNCED ||
	       c->status == SUBSCRIPTION_COMPLAINED;
}

static int load(struct prefs *p, struct err *e)
{
	struct visit *v = p->v;

	if (choices_get(v->store, p->reader.id, v->a, &p->choice, &p->choice_n, e) < 0)
		return -1;
	return subscriber_pause_get(v->store, p->reader.id, &p->until, &p->suppressed, e);
}

/* ---- showing ---- */

static struct str list_items(struct prefs *p)
{
	struct visit *v = p->v;
	struct str items;
	struct buf out;

	buf_init(&out, PAGE_MAX);
	for (size_t i = 0; i < p->choice_n; i++) {
		const struct choice *c = &p->choice[i];
		size_t from = v->name_n;

		visit_name(v, "item.slug", c->slug);
		visit_name(v, "item.name", c->name);
		visit_name(v, "item.on", c->status == SUBSCRIPTION_ACTIVE ? STR("yes") : STR(""));
		visit_name(v, "item.barred", barred(p, c) ? STR("yes") : STR(""));
		buf_str(&out, visit_part(v, "prefs-list", from));
	}
	items = arena_str(v->a, buf_view(&out));
	buf_free(&out);
	return items;
}

static void show(struct prefs *p, bool saved)
{
	struct visit *v = p->v;
	bool any = p->suppressed;

	for (size_t i = 0; i < p->choice_n; i++)
		any |= barred(p, &p->choice[i]);
	visit_reader(v, &p->reader);
	visit_name(v, "page.saved", saved ? STR("yes") : STR(""));
	visit_name(v, "page.barred", any ? STR("yes") : STR(""));
	visit_name(v, "page.until", p->until > v->now ? visit_date(v, p->until) : STR(""));
	visit_name(v, "page.here",
		visit_link(v, "/m/", TOKEN_PREFERENCES, (int64_t)p->token.a, (int64_t)p->token.b));
	visit_raw(v, "page.lists", list_items(p));
	visit_show(v, 200, "prefs", "prefs_title");
}

/* ---- saving ---- */

static int save_list(struct prefs *p, const struct choice *c, struct err *e)
{
	struct visit *v = p->v;
	bool on = c->status == SUBSCRIPTION_ACTIVE;
	struct str how;
	bool want = http_form(v->in, arena_printf(v->a, "list-%.*s", STR_ARG(c->slug))).n > 0;

	if (want == on || barred(p, c))
		return 0;
	if (on)
		return subscriber_unsubscribe(
			       v->store, p->reader.id, c->list, STR(source), v->now, e) < 0
			       ? -1
			       : 0;
	how = str_of(arena_printf(v->a, "list %.*s, from %.*s, by the link of a mail",
		STR_ARG(c->slug), STR_ARG(v->in->client)));
	if (subscription_put(v->store, p->reader.id, c->list, SUBSCRIPTION_ACTIVE, STR(source), how,
		    true, v->now, e) < 0)
		return -1;
	return store_event(v->store, v->now, "subscribe", p->reader.id, how, e);
}

static int save_rest(struct prefs *p, struct err *e)
{
	struct visit *v = p->v;
	struct str first = visit_line(http_form(v->in, "first_name"), NAME_MAX_CHARS);
	struct str last = visit_line(http_form(v->in, "last_name"), NAME_MAX_CHARS);
	int64_t days = 0, until;

	if ((!str_eq(first, p->reader.first_name) || !str_eq(last, p->reader.last_name)) &&
		subscriber_rename(v->store, p->reader.id, first, last, e) < 0)
		return -1;
	if (!str_to_int(http_form(v->in, "pause"), 0, 366, &days))
		return 0; /* it stays as it is */
	until = days ? v->now + days * DAY : 0;
	if (!until && p->until <= v->now)
		return 0;
	return subscriber_pause(v->store, p->reader.id, until, v->now, e);
}

static int save(struct prefs *p, struct err *e)
{
	struct visit *v = p->v;
	int rc = 0;

	if (store_begin(v->store, e) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < p->choice_n; i++)
		rc = save_list(p, &p->choice[i], e);
	if (rc == 0)
		rc = save_rest(p, e);
	if (rc < 0) {
		store_rollback(v->store);
		return -1;
	}
	if (store_commit(v->store, e) < 0 ||
		subscriber_look(v->store, p->reader.id, v->a, &p->reader, e) < 0)
		return -1;
	return load(p, e);
}

/* ---- one's own data ---- */

static json_t *text(struct str s)
{
	return json_stringn(s.p ? s.p : "", s.n);
}

static json_t *instant(int64_t t)
{
	char iso[CLOCK_ISO_SIZE];

	return t ? json_string(clock_iso(t, iso)) : json_null();
}

static json_t *subscriptions(struct prefs *p, struct err *e)
{
	json_t *all = json_array();
	struct subscription *s;
	size_t n;

	if (subscriber_subscriptions(p->v->store, p->reader.id, p->v->a, &s, &n, e) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			all, json_pack("{s:o, s:s, s:o, s:o}", "list", text(s[i].list), "status",
				     subscription_status_name(s[i].status), "since",
				     instant(s[i].changed_at), "source", text(s[i].source)));
	return all;
}

static json_t *history(struct prefs *p, struct err *e)
{
	json_t *all = json_array();
	struct event *event;
	size_t n;

	if (subscriber_events(p->v->store, p->reader.id, p->v->a, &event, &n, e) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			all, json_pack("{s:o, s:o, s:o}", "at", instant(event[i].at), "what",
				     text(event[i].what), "detail", text(event[i].detail)));
	return all;
}

static json_t *mails(struct prefs *p, struct err *e)
{
	json_t *all = json_array();
	struct delivery *d;
	size_t n;

	if (subscriber_deliveries(p->v->store, p->reader.id, 0, p->v->a, &d, &n, e) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			all, json_pack("{s:o, s:o, s:s, s:o, s:i}", "issue", text(d[i].issue_slug),
				     "subject", text(d[i].issue_subject), "state",
				     delivery_state_name(d[i].state), "at",
				     instant(d[i].settled_at), "attempts", (int)d[i].attempt_n));
	return all;
}

static json_t *clicks(struct prefs *p, struct err *e)
{
	json_t *all = json_array();
	struct reader_click *c;
	size_t n;

	if (reader_clicks(p->v->store, p->reader.id, p->v->a, &c, &n, e) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, json_pack("{s:o, s:o, s:o}", "issue", text(c[i].issue),
						   "url", text(c[i].url), "at", instant(c[i].at)));
	return all;
}

static void show_data(struct prefs *p)
{
	struct visit *v = p->v;
	struct str attributes = p->reader.attributes;
	struct err e = {0};
	json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "email",
		text(p->reader.email), "first_name", text(p->reader.first_name), "last_name",
		text(p->reader.last_name), "attributes",
		json_loadb(attributes.p ? attributes.p : "", attributes.n, 0, NULL), "since",
		instant(p->reader.created_at), "paused_until", instant(p->until), "subscriptions",
		subscriptions(p, &e), "history", history(p, &e), "mails", mails(p, &e), "clicks",
		clicks(p, &e));
	char *out = o ? json_dumps(o, JSON_INDENT(2)) : NULL;

	if (e.code || !out) {
		if (!e.code)
			err_set(&e, ERR_BUG, "the data of a reader cannot be written as JSON");
		visit_failed(v, &e);
	} else {
		v->out->type = "application/json";
		http_reply_header(
			v->out, "Content-Disposition", "attachment; filename=\"data.json\"");
		http_reply_header(v->out, "Cache-Control", "no-store");
		http_reply_header(v->out, "X-Content-Type-Options", "nosniff");
		http_reply_header(v->out, "Referrer-Policy", "no-referrer");
		buf_cstr(&v->out->body, out);
		buf_char(&v->out->body, '\n');
	}
	free(out);
	json_decref(o);
}

/* ---- to be forgotten ---- */

static void show_erase(struct prefs *p)
{
	struct visit *v = p->v;
	struct err e = {0};
	struct addr addr;

	visit_reader(v, &p->reader);
	visit_name(v, "page.here",
		visit_link(v, "/m/", TOKEN_PREFERENCES, (int64_t)p->token.a, (int64_t)p->token.b));
	if (!visit_acts(v) || !http_form(v->in, "erase").n) {
		visit_show(v, 200, "erase", "erase_title");
	} else if (addr_parse_as(v->a, p->reader.email, ADDR_QUOTED, &addr, &e) < 0 ||
		   subscriber_erase(v->store, p->reader.id, addr.key, v->now, &e) < 0) {
		visit_failed(v, &e);
	} else {
		visit_show(v, 200, "erased", "erased_title");
	}
}

void page_prefs(struct visit *v)
{
	struct prefs p = {.v = v};
	size_t slash = str_find(v->rest, '/');
	struct str what = str_slice(v->rest, slash, v->rest.n);
	struct err e = {0};
	int rc;

	if (!visit_token(v, TOKEN_PREFERENCES, str_slice(v->rest, 0, slash), &p.token)) {
		visit_missing(v);
		return;
	}
	rc = subscriber_look(v->store, (int64_t)p.token.b, v->a, &p.reader, &e);
	if (rc == 1)
		rc = load(&p, &e) < 0 ? -1 : 1;
	if (rc == 1 && visit_acts(v) && !what.n && http_form(v->in, "save").n)
		rc = save(&p, &e) < 0 ? -1 : 2;
	if (rc < 0)
		visit_failed(v, &e);
	else if (rc == 0)
		visit_show(v, 410, "erased", "erased_title");
	else if (str_eq(what, STR("/data")) && !visit_acts(v))
		show_data(&p);
	else if (str_eq(what, STR("/erase")))
		show_erase(&p);
	else if (!what.n)
		show(&p, rc == 2);
	else
		visit_missing(v);
}
