/* SPDX-License-Identifier: MIT */
#include "app/copy.h"
#include "mail/dkim.h"
#include "mail/msgid.h"
#include "mail/render.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

/* Longer than any message that assemble() lets through, with every slot filled. */
enum { MESSAGE_MAX = 4 * 1024 * 1024, VALUES_MAX = 1024 * 1024 };

/* Values that do not come from a subscriber's attributes, and their names in a program. */
enum {
	VALUE_EMAIL,
	VALUE_FIRST_NAME,
	VALUE_LAST_NAME,
	VALUE_NAME,
	VALUE_UNSUBSCRIBE,
	VALUE_PREFERENCES,
	VALUE_VIEW,
	VALUE_CONFIRM,
	VALUE_CLICK,
	VALUE_WEB,
	VALUE_FIELD, /* any other: subscriber.NAME */
	VALUE_N,
};
static const char *const value_name[] = {
	[VALUE_EMAIL] = "subscriber.email",
	[VALUE_FIRST_NAME] = "subscriber.first_name",
	[VALUE_LAST_NAME] = "subscriber.last_name",
	[VALUE_NAME] = "subscriber.name",
	[VALUE_UNSUBSCRIBE] = "unsubscribe_url",
	[VALUE_PREFERENCES] = "preferences_url",
	[VALUE_VIEW] = "web_url",
	[VALUE_CONFIRM] = "confirm_url",
	[VALUE_CLICK] = "click_url",
	[VALUE_WEB] = "view.web",
};

struct copy_maker {
	const struct site *site;
	struct arena arena; /* program, values' table */
	unsigned char uuid[16];
	bool proof;
	struct program program;
	int *source; /* program.var_n: which value a variable takes, or VALUE_FIELD */
	struct str *value; /* program.var_n: of the copy being made */
	bool wants[VALUE_N]; /* by source: whether the program uses it */
	struct token_signer *signer;
	struct dkim **dkim; /* one for each signature */
	size_t dkim_n;
	struct copy_face face; /* of a page; all empty for a mail */
	struct parts to_sign; /* a copy that is to be signed */
	struct buf scratch; /* values made for one copy, one after the other */
	struct buf token;
};

static int source_of(struct str var)
{
	for (int i = 0; i < VALUE_FIELD; i++)
		if (str_eq(var, str_of(value_name[i])))
			return i;
	return VALUE_FIELD;
}

static void know(struct dkim *d, const struct program_ops *ops)
{
	for (size_t i = 0; i < ops->n; i++)
		if (ops->op[i].code == OP_TEXT)
			dkim_know(d, ops->op[i].text);
}

static int open_dkim(struct copy_maker *m, struct err *e)
{
	const struct config *c = &m->site->config;
	struct str pem;

	m->dkim = arena_array(&m->arena, c->dkim_n, sizeof *m->dkim);
	for (size_t i = 0; i < c->dkim_n; i++) {
		const struct config_dkim *d = &c->dkim[i];

		if (config_secret(&m->arena, d->key_file, &pem, e) < 0 ||
			dkim_open(pem, d->domain, d->selector, &m->dkim[i], e) < 0)
			return err_prefix(e, "dkim '%.*s': ", STR_ARG(d->selector));
		m->dkim_n++;
	}
	if (m->dkim_n) {
		know(m->dkim[0], &m->program.text);
		know(m->dkim[0], &m->program.html);
	}
	return 0;
}

static int open_maker(struct site *s, const unsigned char *uuid, struct str packed, bool signs,
	struct copy_maker **out, struct err *e)
{
	struct copy_maker *m = calloc(1, sizeof *m);

	if (!m)
		return err_set(e, ERR_IO, "out of memory");
	m->site = s;
	m->proof = !uuid;
	if (uuid)
		memcpy(m->uuid, uuid, sizeof m->uuid);
	else
		uuid_generate_random(m->uuid);
	parts_init(&m->to_sign, MESSAGE_MAX);
	buf_init(&m->scratch, VALUES_MAX);
	buf_init(&m->token, TOKEN_TEXT_MAX);
	m->signer = token_signer_open(&s->key);
	if (!m->signer)
		err_set(e, ERR_BUG, "OpenSSL offers no HMAC-SHA-256");
	if (!m->signer || program_unpack(&m->arena, packed, &m->program, e) < 0 ||
		(signs && open_dkim(m, e) < 0)) {
		copy_maker_close(m);
		return -1;
	}
	m->value = arena_array(&m->arena, m->program.var_n, sizeof *m->value);
	m->source = arena_array(&m->arena, m->program.var_n, sizeof *m->source);
	for (size_t i = 0; i < m->program.var_n; i++) {
		m->source[i] = source_of(m->program.var[i]);
		m->wants[m->source[i]] = true;
	}
	*out = m;
	return 0;
}

int copy_maker_open(struct site *s, const unsigned char *uuid, struct str packed,
	struct copy_maker **out, struct err *e)
{
	return open_maker(s, uuid, packed, true, out, e);
}

int copy_page_open(struct site *s, const unsigned char *uuid, struct str packed,
	const struct copy_face *face, struct copy_maker **out, struct err *e)
{
	if (open_maker(s, uuid, packed, false, out, e) < 0)
		return -1;
	(*out)->face = *face;
	return 0;
}

void copy_maker_close(struct copy_maker *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->dkim_n; i++)
		dkim_close(m->dkim[i]);
	token_signer_close(m->signer);
	parts_free(&m->to_sign);
	buf_free(&m->scratch);
	buf_free(&m->token);
	arena_free(&m->arena);
	free(m);
}

/* Views into `scratch` would move when it grows, so each value is written to its end and remembered by
 * its place until all are there. */
struct span {
	size_t from, to;
};

static struct str span_view(const struct copy_maker *m, struct span s)
{
	return str_slice(buf_view(&m->scratch), s.from, s.to);
}

/* A signed link of the public pages; a proof's links lead nowhere. */
static struct span link_to(struct copy_maker *m, const char *path, struct str token)
{
	struct span s = {.from = m->scratch.n};

	buf_str(&m->scratch, m->site->config.web.url);
	buf_cstr(&m->scratch, path);
	buf_str(&m->scratch, m->proof ? STR("proof") : token);
	s.to = m->scratch.n;
	return s;
}

/* The text of a token, until the next one is made. */
static struct str token_text(struct copy_maker *m, enum token_purpose purpose, int64_t a, int64_t b)
{
	struct token t = {purpose, (uint64_t)a, (uint64_t)b};

	buf_reset(&m->token);
	token_sign(m->signer, &t, &m->token);
	return buf_view(&m->token);
}

/* What a copy needs besides the subscriber's own fields. */
struct links {
	struct span unsubscribe, preferences, view, confirm, click, mailto, message_id, name;
};

static void make_links(struct copy_maker *m, const struct claim *c, struct links *l)
{
	const struct config *config = &m->site->config;
	struct str token = token_text(m, TOKEN_UNSUBSCRIBE, c->list, c->subscriber);

	*l = (struct links){0};
	buf_reset(&m->scratch);
	l->unsubscribe = link_to(m, "/u/", token);
	l->mailto.from = m->scratch.n;
	if (config->bounce.unsubscribe.n && !m->proof) {
		buf_cstr(&m->scratch, "mailto:");
		buf_str(&m->scratch, config->bounce.unsubscribe);
		buf_char(&m->scratch, '+');
		buf_str(&m->scratch, token);
		buf_char(&m->scratch, '@');
		buf_str(&m->scratch, config->bounce.domain);
	}
	l->mailto.to = m->scratch.n;
	/* An HMAC costs as much as rendering: only where the issue shows the link. */
	if (m->wants[VALUE_PREFERENCES])
		l->preferences =
			link_to(m, "/m/", token_text(m, TOKEN_PREFERENCES, c->list, c->subscriber));
	if (m->wants[VALUE_VIEW])
		l->view = link_to(m, "/v/", token_text(m, TOKEN_VIEW, c->issue, c->subscriber));
	if (m->wants[VALUE_CONFIRM])
		l->confirm = link_to(
			m, "/confirm/", token_text(m, TOKEN_CONFIRM, c->issue, c->subscriber));
	if (m->wants[VALUE_CLICK])
		l->click = link_to(m, "/c/", token_text(m, TOKEN_CLICK, c->issue, c->subscriber));
	l->message_id.from = m->scratch.n;
	msgid_make(m->uuid, c->subscriber, config->publication.list_domain, &m->scratch);
	l->message_id.to = l->name.from = m->scratch.n;
	buf_str(&m->scratch, c->first_name);
	if (c->first_name.n && c->last_name.n)
		buf_char(&m->scratch, ' ');
	buf_str(&m->scratch, c->last_name);
	l->name.to = m->scratch.n;
}

/* The text of attribute `name`: strings as they are, numbers and booleans as JSON writes them. Views
 * into `attributes` or `a`. */
static struct str attribute(json_t *attributes, struct str name, struct arena *a)
{
	json_t *v = json_object_getn(attributes, name.p, name.n);
	char *text;
	struct str copy;

	if (json_is_string(v))
		return (struct str){json_string_value(v), json_string_length(v)};
	if (!v || json_is_null(v))
		return STR("");
	text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
	copy = arena_str(a, str_of(text));
	free(text);
	return copy;
}

static void fill_values(struct copy_maker *m, const struct claim *c, const struct links *l,
	json_t *attributes, struct arena *a)
{
	const struct copy_face *face = &m->face;
	const struct str own[] = {
		[VALUE_EMAIL] = c->email,
		[VALUE_FIRST_NAME] = c->first_name,
		[VALUE_LAST_NAME] = c->last_name,
		[VALUE_NAME] = span_view(m, l->name),
		[VALUE_UNSUBSCRIBE] = face->join.n ? face->join : span_view(m, l->unsubscribe),
		[VALUE_PREFERENCES] = face->join.n ? face->join : span_view(m, l->preferences),
		[VALUE_VIEW] = face->here.n ? face->here : span_view(m, l->view),
		[VALUE_CONFIRM] = span_view(m, l->confirm),
		[VALUE_CLICK] = span_view(m, l->click),
		[VALUE_WEB] = face->web,
	};
	const size_t prefix = STR("subscriber.").n;

	for (size_t i = 0; i < m->program.var_n; i++) {
		struct str var = m->program.var[i];

		m->value[i] = m->source[i] == VALUE_FIELD
				      ? attribute(attributes, str_slice(var, prefix, var.n), a)
				      : own[m->source[i]];
	}
}

/* The signatures, and the copy behind them. */
static int sign(struct copy_maker *m, int64_t now, struct parts *message, struct err *e)
{
	if (dkim_sign(m->dkim, m->dkim_n, &m->to_sign, now, &message->made, e) < 0)
		return -1;
	parts_append(message, &m->to_sign);
	parts_end(message);
	return message->made.over
		       ? err_set(e, ERR_INPUT, "a copy is larger than %d octets: shorten the issue",
				 MESSAGE_MAX)
		       : 0;
}

static void make_sender(struct copy_maker *m, const struct claim *c, struct buf *sender)
{
	const struct config *config = &m->site->config;
	struct token t = {TOKEN_VERP, (uint64_t)c->issue, (uint64_t)c->subscriber};

	buf_str(sender, config->bounce.prefix);
	token_sign(m->signer, &t, sender);
	buf_char(sender, '@');
	buf_str(sender, config->bounce.domain);
}

/* What to write where. */
struct target {
	struct parts *message; /* the message, in parts ... */
	struct buf *out; /* ... or in one ... */
	const char *which; /* ... or this part of it, as for render_part() */
};

/* Render with everything in place. */
static int fill(struct copy_maker *m, const struct claim *c, int64_t now, const struct target *to,
	struct err *e)
{
	/* Whoever is asked to confirm is on no list yet: a field to leave one would do nothing. */
	bool asks = m->wants[VALUE_CONFIRM];
	json_t *attributes = NULL;
	struct arena a = {0};
	struct render_copy copy;
	struct links l;
	int rc = -1;

	if (m->wants[VALUE_FIELD] && c->attributes.n) {
		attributes = json_loadb(c->attributes.p, c->attributes.n, 0, NULL);
		if (!json_is_object(attributes)) {
			err_set(e, ERR_BUG,
				"the attributes of subscriber %lld are not a JSON object",
				(long long)c->subscriber);
			goto out;
		}
	}
	make_links(m, c, &l);
	if (m->scratch.over) {
		err_set(e, ERR_BUG, "the values of subscriber %lld are too long",
			(long long)c->subscriber);
		goto out;
	}
	fill_values(m, c, &l, attributes, &a);
	copy = (struct render_copy){
		.to = c->email,
		.message_id = span_view(m, l.message_id),
		.date = now,
		.unsubscribe_url = m->proof || asks ? STR("") : span_view(m, l.unsubscribe),
		.unsubscribe_mailto = asks ? STR("") : span_view(m, l.mailto),
		.value = m->value,
	};
	rc = to->message ? render_parts(&m->program, &copy, to->message, e)
	     : to->which ? render_part(&m->program, &copy, to->which, to->out, e)
			 : render(&m->program, &copy, to->out, e);
out:
	json_decref(attributes);
	arena_free(&a);
	return rc;
}

int copy_make(struct copy_maker *m, const struct claim *c, int64_t now, struct parts *message,
	struct buf *sender, struct err *e)
{
	const struct target to = {.message = m->dkim_n ? &m->to_sign : message};

	parts_reset(&m->to_sign);
	if (fill(m, c, now, &to, e) < 0)
		return -1;
	if (m->dkim_n && sign(m, now, message, e) < 0)
		return -1;
	make_sender(m, c, sender);
	return 0;
}

int copy_preview(struct copy_maker *m, const struct claim *c, int64_t now, const char *which,
	struct buf *out, struct err *e)
{
	return fill(m, c, now, &(struct target){.out = out, .which = which}, e);
}
