/* SPDX-License-Identifier: MIT */
#include "mail/render.h"

#include "mail/header.h"
#include "mail/liquid.h"
#include "mail/qp.h"
#include "text.h"

#include <string.h>

/* The longest that one character becomes: four octets, percent-encoded. */
enum { CHARACTER_MAX = 12 };

/* A value made fit for its place. */
struct fitted {
	size_t n;
	char text[RENDER_VALUE_MAX * CHARACTER_MAX];
};

static void put(struct fitted *f, struct str s)
{
	memcpy(f->text + f->n, s.p, s.n);
	f->n += s.n;
}

static void put_html(struct fitted *f, struct str octets)
{
	switch (octets.p[0]) {
	case '&':
		put(f, STR("&amp;"));
		break;
	case '<':
		put(f, STR("&lt;"));
		break;
	case '>':
		put(f, STR("&gt;"));
		break;
	case '"':
		put(f, STR("&quot;"));
		break;
	case '\'':
		put(f, STR("&#39;"));
		break;
	default:
		put(f, octets);
	}
}

/* Percent-encode all but the unreserved characters (RFC 3986 section 2.3). */
static void put_url(struct fitted *f, struct str octets)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < octets.n; i++) {
		unsigned char c = (unsigned char)octets.p[i];
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

		if (letter || (c >= '0' && c <= '9') || (c && strchr("-._~", c))) {
			f->text[f->n++] = (char)c;
		} else {
			f->text[f->n++] = '%';
			f->text[f->n++] = hex[c >> 4];
			f->text[f->n++] = hex[c & 15];
		}
	}
}

/* ASCII that stands for itself in a context. Most of a value is such, and taken as a run. */
static const bool bare[][128] = {
	[CONTEXT_HTML] = {[' ' ... '!'] = true,
		['#' ... '%'] = true,
		['(' ... ';'] = true,
		['='] = true,
		['?' ... '~'] = true},
	[CONTEXT_URL] = {['-'] = true,
		['.'] = true,
		['_'] = true,
		['~'] = true,
		['0' ... '9'] = true,
		['A' ... 'Z'] = true,
		['a' ... 'z'] = true},
	[CONTEXT_TEXT] = {[' ' ... '~'] = true},
};

static size_t bare_run(struct str s, enum program_context context)
{
	size_t n = 0;

	while (n < s.n && !(s.p[n] & 0x80) && bare[context][(unsigned char)s.p[n]])
		n++;
	return n;
}

static void fit(struct str value, enum program_context context, struct fitted *f)
{
	size_t chars = 0;

	f->n = 0;
	while (value.n && chars < RENDER_VALUE_MAX) {
		size_t n = bare_run(str_slice(value, 0, RENDER_VALUE_MAX - chars), context);
		struct str octets;

		if (n) {
			put(f, str_slice(value, 0, n));
			value = str_slice(value, n, value.n);
			chars += n;
			continue;
		}
		chars++;
		if (text_is_control(text_next(&value, &octets)))
			octets = STR(" ");
		if (context == CONTEXT_HTML)
			put_html(f, octets);
		else if (context == CONTEXT_URL)
			put_url(f, octets);
		else
			put(f, octets);
	}
}

static bool test_holds(const struct program_op *op, struct str value)
{
	bool holds = false;

	switch ((enum liquid_test)(op->test & ~PROGRAM_NEGATED)) {
	case LIQUID_PRESENT:
		holds = value.n != 0;
		break;
	case LIQUID_EQUAL:
		holds = str_eq(value, op->text);
		break;
	case LIQUID_NOT_EQUAL:
		holds = !str_eq(value, op->text);
		break;
	case LIQUID_CONTAINS:
		holds = value.n && str_search(value, op->text) < value.n;
		break;
	}
	return holds != !!(op->test & PROGRAM_NEGATED);
}

/* How a sequence comes out. */
enum form {
	PLAIN, /* constant text is plain and stays so */
	WIRE, /* constant text is quoted-printable, slots become so */
	DECODED, /* constant text is quoted-printable and is decoded */
};

/* Constant text: referred to where `parts` is there, whose `made` is then `out`. */
static void put_constant(struct str text, struct buf *out, struct parts *parts)
{
	if (parts)
		parts_refer(parts, text);
	else
		buf_str(out, text);
}

static void run(const struct program_ops *ops, const struct str *value, enum form form,
	struct buf *out, struct parts *parts)
{
	struct fitted f;
	struct qp q;

	for (size_t i = 0; i < ops->n; i++) {
		const struct program_op *op = &ops->op[i];

		switch (op->code) {
		case OP_TEXT:
			if (form == DECODED)
				qp_decode(op->text, out);
			else
				put_constant(op->text, out, parts);
			break;
		case OP_SLOT:
			fit(value[op->var].n ? value[op->var] : op->text, op->context, &f);
			if (form != WIRE) {
				buf_add(out, f.text, f.n);
				break;
			}
			qp_init(&q, out);
			qp_add(&q, (struct str){f.text, f.n});
			qp_break(&q);
			break;
		case OP_JUMP_UNLESS:
			if (!test_holds(op, value[op->var]))
				i = op->target - 1;
			break;
		case OP_JUMP:
			i = op->target - 1;
			break;
		}
	}
}

static void write_angle(struct str url, struct buf *list)
{
	if (!url.n)
		return;
	buf_str(list, list->n ? STR(", <") : STR("<"));
	buf_str(list, url);
	buf_char(list, '>');
}

/* RFC 8058 section 3.1: one-click needs an https URL, and its own field beside. */
static void write_unsubscribe(const struct render_copy *copy, struct buf *out)
{
	bool https = str_has_prefix(copy->unsubscribe_url, STR("https://"));
	struct buf list;

	if (!copy->unsubscribe_url.n && !copy->unsubscribe_mailto.n)
		return;
	buf_init(&list, 4096);
	write_angle(copy->unsubscribe_url, &list);
	write_angle(copy->unsubscribe_mailto, &list);
	header_token(out, "List-Unsubscribe", buf_view(&list));
	if (https)
		header_token(out, "List-Unsubscribe-Post", STR("List-Unsubscribe=One-Click"));
	buf_free(&list);
}

static void write_subject(const struct program *p, const struct render_copy *copy, struct buf *out)
{
	struct buf subject;

	if (p->subject_field.n) {
		buf_str(out, p->subject_field);
		return;
	}
	buf_init(&subject, out->max);
	run(&p->subject, copy->value, PLAIN, &subject, NULL);
	header_text(out, "Subject", buf_view(&subject));
	out->over |= subject.over;
	buf_free(&subject);
}

static int finish(const struct buf *out, struct err *e)
{
	if (!out->over)
		return 0;
	return err_set(
		e, ERR_INPUT, "a copy is larger than %zu octets: shorten the issue", out->max);
}

static void write_message(const struct program *p, const struct render_copy *copy, struct buf *out,
	struct parts *parts)
{
	char date[HEADER_DATE_SIZE];

	buf_str(out, p->sender_fields);
	header_mailbox(out, "To", STR(""), copy->to);
	write_subject(p, copy, out);
	header_token(out, "Date", str_of(header_date(copy->date, date)));
	header_token(out, "Message-ID", copy->message_id);
	write_unsubscribe(copy, out);
	put_constant(p->list_fields, out, parts);
	run(&p->text, copy->value, WIRE, out, parts);
	put_constant(p->between, out, parts);
	run(&p->html, copy->value, WIRE, out, parts);
	put_constant(p->closing, out, parts);
}

int render(const struct program *p, const struct render_copy *copy, struct buf *out, struct err *e)
{
	write_message(p, copy, out, NULL);
	return finish(out, e);
}

int render_parts(
	const struct program *p, const struct render_copy *copy, struct parts *out, struct err *e)
{
	write_message(p, copy, &out->made, out);
	parts_end(out);
	return finish(&out->made, e);
}

int render_part(const struct program *p, const struct render_copy *copy, const char *which,
	struct buf *out, struct err *e)
{
	struct str name = str_of(which);

	if (str_eq(name, STR("subject")))
		run(&p->subject, copy->value, PLAIN, out, NULL);
	else if (str_eq(name, STR("text/html")))
		run(&p->html, copy->value, DECODED, out, NULL);
	else if (str_eq(name, STR("text/plain")))
		run(&p->text, copy->value, DECODED, out, NULL);
	else
		return err_set(e, ERR_BUG, "a message has no part '%s'", which);
	return finish(out, e);
}
