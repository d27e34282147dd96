/* SPDX-License-Identifier: MIT */
#include "base/enc.h"
#include "base/log.h"
#include "mail/addr.h"
#include "mail/typo.h"
#include "pages.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <string.h>

/*
 * /subscribe/LIST: ask to be on a list. Whatever is known about the address, the answer is the same, and so is
 * what is counted. A form is filled in by people, not within the second, and not in the field that they do not
 * see. A page of another site cannot know when its form was shown: its visitors press a button once more.
 */
enum {
	FORM_YOUNG = 2, /* seconds that a person needs at least */
	FORM_OLD = 86400, /* a tab left open */
	NAME_MAX_CHARS = 100,
	WORDS_MAX_CHARS = 1000,
};

struct join {
	struct visit *v;
	struct list list;
	bool json;
	struct str email, name, stamp, website, form, words;
	bool keep; /* the address is meant as it is */
	struct addr addr;
};

/* ---- answers ---- */

static void answer_json(
	struct join *j, unsigned status, const char *word, const char *key, struct str value)
{
	struct buf *out = &j->v->out->body;

	j->v->out->status = status;
	j->v->out->type = "application/json";
	http_reply_header(j->v->out, "Cache-Control", "no-store");
	http_reply_header(j->v->out, "X-Content-Type-Options", "nosniff");
	http_reply_header(j->v->out, "Access-Control-Allow-Origin", "*");
	buf_printf(out, "{\"status\":\"%s\"", word);
	if (key) {
		buf_printf(out, ",\"%s\":", key);
		enc_json(out, value);
	}
	buf_cstr(out, "}\n");
}

static enum addr_rule rule_of(const struct visit *v)
{
	return v->pages->site->config.quoted_local_parts;
}

/* Browsers let nobody write quotes into a field for addresses. */
static void name_type(struct visit *v)
{
	visit_name(v, "form.type", rule_of(v) == ADDR_QUOTED ? STR("text") : STR("email"));
}

/* The form again, or for the first time. */
static void show_form(struct join *j, unsigned status, const char *remark, struct str hint)
{
	struct visit *v = j->v;

	name_type(v);
	visit_name(v, "form.email", j->email);
	visit_name(v, "form.name", j->name);
	visit_name(v, "form.hint", hint);
	visit_raw(v, "form.remark", remark ? visit_text(v, remark) : STR(""));
	visit_name(v, "form.wrong", status == 422 ? STR("yes") : STR(""));
	visit_name(v, "form.stamp", visit_token_text(v, TOKEN_FORM, v->now, j->list.id));
	if (!visit_acts(v)) /* the stamp is not for a cache, but search engines may come */
		http_reply_header(v->out, "Cache-Control", "no-cache");
	visit_show(v, status, "join", "join_title");
}

/* The same for everybody. */
static void show_sent(struct join *j)
{
	struct visit *v = j->v;

	if (j->json) {
		answer_json(
			j, 200, j->list.double_opt_in ? "check-mail" : "subscribed", NULL, STR(""));
		return;
	}
	visit_name(v, "reader.email", j->email);
	if (j->list.double_opt_in)
		visit_show(v, 200, "sent", "sent_title");
	else
		visit_show(v, 200, "joined", "welcome_title");
}

static void show_wrong(struct join *j)
{
	if (j->json)
		answer_json(j, 422, "invalid", NULL, STR(""));
	else
		show_form(j, 422, "join_wrong", STR(""));
}

static void show_limited(struct join *j)
{
	http_reply_header(j->v->out, "Retry-After", "3600");
	if (j->json)
		answer_json(j, 429, "later", NULL, STR(""));
	else
		visit_show(j->v, 429, "limited", "limited_title");
}

static void show_hint(struct join *j, const char *domain)
{
	struct str hint = str_of(arena_printf(j->v->a, "%.*s@%s", STR_ARG(j->addr.local), domain));

	if (j->json)
		answer_json(j, 409, "hint", "hint", hint);
	else
		show_form(j, 200, NULL, hint);
}

/* ---- reading ---- */

static struct str member(json_t *o, const char *key)
{
	json_t *value = json_object_get(o, key);

	return json_is_string(value)
		       ? (struct str){json_string_value(value), json_string_length(value)}
		       : STR("");
}

static bool read_json(struct join *j)
{
	const struct http_request *in = j->v->in;
	struct str origin = visit_line(http_header(in, "Origin"), 200);
	json_t *o =
		json_loadb(in->body.p ? in->body.p : "", in->body.n, JSON_REJECT_DUPLICATES, NULL);
	struct arena *a = j->v->a;

	if (!json_is_object(o)) {
		json_decref(o);
		return false;
	}
	j->email = arena_str(a, member(o, "email"));
	j->name = arena_str(a, visit_line(member(o, "name"), NAME_MAX_CHARS));
	j->words = arena_str(a, visit_line(member(o, "words"), WORDS_MAX_CHARS));
	j->keep = json_is_true(json_object_get(o, "keep"));
	j->form = str_of(
		arena_printf(a, "JSON of %.*s", STR_ARG(origin.n ? origin : STR("a program"))));
	json_decref(o);
	return true;
}

static void read_form(struct join *j)
{
	const struct http_request *in = j->v->in;
	struct str hint = http_form(in, "hint");

	j->email = hint.n ? hint : http_form(in, "email");
	j->name = visit_line(http_form(in, "name"), NAME_MAX_CHARS);
	j->stamp = http_form(in, "stamp");
	j->website = http_form(in, "website");
	j->keep = hint.n || http_form(in, "keep").n > 0;
	j->words = visit_text(j->v, "join_consent");
	j->form = str_of(arena_printf(j->v->a, "form /subscribe/%.*s (%.*s)", STR_ARG(j->list.slug),
		STR_ARG(j->v->lang->code)));
}

/* Whether the form was shown by us, for this list, long enough ago to be filled in by a person. */
static bool stamp_good(const struct join *j)
{
	struct token t;
	int64_t age;

	if (!visit_token(j->v, TOKEN_FORM, j->stamp, &t) || t.b != (uint64_t)j->list.id)
		return false;
	age = j->v->now - (int64_t)t.a;
	return age >= FORM_YOUNG && age <= FORM_OLD;
}

/* ---- taking ---- */

struct str page_network(struct arena *a, struct str client)
{
	unsigned char v6[16];
	char *text;

	if (inet_pton(AF_INET6, arena_cstr(a, client), v6) != 1)
		return client;
	memset(v6 + 8, 0, 8);
	text = arena_alloc(a, INET6_ADDRSTRLEN);
	inet_ntop(AF_INET6, v6, text, INET6_ADDRSTRLEN);
	return str_of(text);
}

static int take(struct join *j, struct ask_result *r, struct err *e)
{
	struct visit *v = j->v;
	const struct ask ask = {
		.list = j->list.id,
		.slug = j->list.slug,
		.email = j->addr.email,
		.key = j->addr.key,
		.first_name = j->name,
		.client = v->in->client,
		.network = page_network(v->a, v->in->client),
		.form = j->form,
		.words = j->words,
		.single = !j->list.double_opt_in,
	};
	int64_t issue, hourly = v->pages->site->config.web.forms_per_hour;

	if (store_begin(v->store, e) < 0)
		return -1;
	if (ask_take(v->store, &ask, hourly, v->now, r, e) < 0 ||
		(r->confirm && (notice_issue(v, NOTICE_CONFIRM, &j->list, r->n, &issue, e) < 0 ||
				       confirmation_queue(v->store, r, issue, v->now, e) < 0)) ||
		(r->subscriber && !r->confirm && j->list.welcome &&
			notice_send(v, NOTICE_WELCOME, &j->list, r->subscriber, e) < 0)) {
		store_rollback(v->store);
		return -1;
	}
	return store_commit(v->store, e);
}

static void act(struct join *j)
{
	struct ask_result r = {0};
	const char *domain;
	struct err e = {0};

	if (j->website.n) { /* a robot: it may think that all went well */
		show_sent(j);
	} else if (addr_parse_as(j->v->a, j->email, rule_of(j->v), &j->addr, &e) < 0) {
		show_wrong(j);
	} else if (!j->json && !stamp_good(j)) {
		show_form(j, 200, "join_again", STR(""));
	} else if (!j->keep && (domain = typo_domain(j->addr.domain))) {
		show_hint(j, domain);
	} else if (take(j, &r, &e) < 0) {
		visit_failed(j->v, &e);
	} else if (r.limited) {
		show_limited(j);
	} else {
		j->email = j->addr.email;
		show_sent(j);
	}
}

/* ---- other sites ---- */

/* The form alone, to be put into a page anywhere. */
static void show_embed(struct join *j)
{
	struct visit *v = j->v;
	struct str html;

	name_type(v);
	html = visit_part(v, "embed", v->name_n);
	v->out->type = "text/plain; charset=utf-8";
	http_reply_header(v->out, "X-Content-Type-Options", "nosniff");
	http_reply_header(v->out, "Vary", "Accept-Language");
	visit_public(v, 300);
	buf_str(&v->out->body, html);
	buf_char(&v->out->body, '\n');
}

/* Browsers ask before a script of another site may send JSON. */
static void show_options(struct visit *v)
{
	v->out->status = 204;
	http_reply_header(v->out, "Allow", "GET, HEAD, POST, OPTIONS");
	http_reply_header(v->out, "Access-Control-Allow-Origin", "*");
	http_reply_header(v->out, "Access-Control-Allow-Methods", "POST");
	http_reply_header(v->out, "Access-Control-Allow-Headers", "Content-Type");
	http_reply_header(v->out, "Access-Control-Max-Age", "86400");
}

void page_join(struct visit *v)
{
	struct join *j = arena_alloc(v->a, sizeof *j);
	bool embed = str_has_suffix(v->rest, STR("/embed"));
	struct str slug = str_slice(v->rest, 0, embed ? v->rest.n - 6 : v->rest.n);
	struct str type = http_header(v->in, "Content-Type");
	struct err e = {0};
	int rc = list_look(v->store, 0, slug, v->a, &j->list, &e);

	j->v = v;
	j->json = visit_acts(v) && str_has_prefix_nocase(type, STR("application/json"));
	if (rc < 0) {
		visit_failed(v, &e);
		return;
	}
	if (rc == 0 || !j->list.public || (embed && visit_acts(v))) {
		visit_missing(v);
		return;
	}
	visit_list(v, &j->list);
	if (v->in->method == HTTP_OPTIONS) {
		show_options(v);
	} else if (embed) {
		show_embed(j);
	} else if (j->json) {
		if (read_json(j))
			act(j);
		else
			answer_json(j, 400, "no-json", NULL, STR(""));
	} else if (visit_acts(v)) {
		read_form(j);
		act(j);
	} else {
		show_form(j, 200, NULL, STR(""));
	}
}

/* The consent, and the welcome that it brings. */
static int answer(struct visit *v, const struct token *t, enum confirmation_state *state,
	int64_t *id, struct err *e)
{
	struct list list;
	int rc;

	if (store_begin(v->store, e) < 0)
		return -1;
	rc = confirmation_answer(
		v->store, (int64_t)t->a, (int64_t)t->b, v->in->client, v->now, state, id, e);
	if (rc == 1)
		rc = list_look(v->store, *id, STR(""), v->a, &list, e);
	if (rc == 1 && list.welcome)
		rc = notice_send(v, NOTICE_WELCOME, &list, (int64_t)t->b, e);
	if (rc >= 0)
		return store_commit(v->store, e);
	store_rollback(v->store);
	return -1;
}

/* /confirm/TOKEN: the button in the mail leads here, and the button here is the consent. */
void page_confirm(struct visit *v)
{
	enum confirmation_state state = CONFIRMATION_GONE;
	struct subscriber reader = {0};
	struct list list = {0};
	struct err e = {0};
	struct token t;
	int64_t id = 0;
	int rc;

	if (!visit_token(v, TOKEN_CONFIRM, v->rest, &t)) {
		visit_missing(v);
		return;
	}
	if (visit_acts(v) && http_form(v->in, "confirm").n)
		rc = answer(v, &t, &state, &id, &e);
	else
		rc = confirmation_look(
			v->store, (int64_t)t.a, (int64_t)t.b, v->now, &state, &id, &e);
	if (rc == 0 && id)
		rc = list_look(v->store, id, STR(""), v->a, &list, &e);
	if (rc >= 0)
		rc = subscriber_look(v->store, (int64_t)t.b, v->a, &reader, &e);
	if (rc < 0) {
		visit_failed(v, &e);
		return;
	}
	visit_list(v, &list);
	visit_reader(v, &reader);
	visit_name(v, "page.public", list.public ? STR("yes") : STR(""));
	visit_name(
		v, "page.preferences", visit_link(v, "/m/", TOKEN_PREFERENCES, id, (int64_t)t.b));
	if (state == CONFIRMATION_USED)
		visit_show(v, 200, "welcome", "welcome_title");
	else if (state == CONFIRMATION_OPEN)
		visit_show(v, 200, "confirm", "confirm_title");
	else
		visit_show(v, 410, "spent", "spent_title");
}
