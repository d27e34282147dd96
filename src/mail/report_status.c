/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "inbound_text.h"
#include "phrase.h"
#include "report_parts.h"

#include <stdlib.h>
#include <string.h>

/* The fields of one recipient (RFC 3464 section 2.3). */
struct group {
	struct str final, original, action, status, diagnostic;
	bool any;
};

enum action { ACTION_FAILED, ACTION_DELAYED, ACTION_DONE };

/* "rfc822; a@b": what stands behind the type. */
static struct str behind_type(struct str value)
{
	size_t semicolon = str_find(value, ';');

	return str_trim(semicolon < value.n ? str_slice(value, semicolon + 1, value.n) : value);
}

static void put_utf8(struct buf *out, uint32_t c)
{
	if (c < 0x80) {
		buf_char(out, (char)c);
	} else if (c < 0x800) {
		buf_char(out, (char)(0xc0 | c >> 6));
		buf_char(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_char(out, (char)(0xe0 | c >> 12));
		buf_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_char(out, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_char(out, (char)(0xf0 | c >> 18));
		buf_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_char(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* "\x{E9}" of a utf-8 address (RFC 6533 section 3). */
static struct str unescape(struct arena *a, struct str s)
{
	struct str mark = STR("\\x{"), view, copy;
	struct buf out;

	if (str_search(s, mark) == s.n)
		return s;
	buf_init(&out, 4096);
	while (s.n) {
		size_t end = str_find(s, '}');
		char digits[8] = {0}, *stop;

		if (str_has_prefix(s, mark) && end < mark.n + sizeof digits - 1) {
			memcpy(digits, s.p + mark.n, end - mark.n);
			unsigned long c = strtoul(digits, &stop, 16);

			if (!*stop && c > 0x20 && c < 0x110000 && (c < 0xd800 || c > 0xdfff)) {
				put_utf8(&out, (uint32_t)c);
				s = str_slice(s, end + 1, s.n);
				continue;
			}
		}
		buf_char(&out, s.p[0]);
		s = str_slice(s, 1, s.n);
	}
	view = buf_view(&out);
	copy = arena_str(a, view);
	buf_free(&out);
	return copy;
}

/* The address of a recipient field. A display name, brackets and a type are taken off. */
static struct str address_of(struct arena *a, struct str value)
{
	struct str s = str_trim(unescape(a, behind_type(value)));
	size_t open = str_find(s, '<');

	if (!report_is_address(s) && open < s.n)
		s = str_slice(s, open + 1, open + str_find(str_slice(s, open, s.n), '>'));
	s = str_trim(s);
	return report_is_address(s) ? s : report_address(s, 0);
}

static enum action action_of(const struct group *g)
{
	static const struct {
		const char *begin;
		enum action action;
	} actions[] = {{"delay", ACTION_DELAYED}, {"deferred", ACTION_DELAYED},
		{"deliver", ACTION_DONE}, {"relay", ACTION_DONE}, {"expand", ACTION_DONE}};

	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (str_has_prefix_nocase(g->action, str_of(actions[i].begin)))
			return actions[i].action;
	return !g->action.n && g->status.n && g->status.p[0] == '2' ? ACTION_DONE : ACTION_FAILED;
}

/* The groups seen, by what became of them. */
struct groups {
	struct group *group;
	size_t n, room;
};

static void close_group(struct groups *all, struct group *g)
{
	if (g->any && (g->final.n || g->original.n) &&
		(g->action.n || g->status.n || g->diagnostic.n) && all->n < all->room)
		all->group[all->n++] = *g;
	*g = (struct group){0};
}

/* Take one field; a second Final-Recipient begins a group of its own, whether or not an empty line
 * stands between. */
static void take_field(struct groups *all, struct group *g, struct str name, struct str value)
{
	const struct {
		const char *name;
		struct str *field;
	} fields[] = {{"final-recipient", &g->final}, {"original-recipient", &g->original},
		{"action", &g->action}, {"status", &g->status},
		{"diagnostic-code", &g->diagnostic}};

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		if (!str_eq_nocase(name, str_of(fields[i].name)))
			continue;
		if (fields[i].field->n && i < 3)
			close_group(all, g);
		if (!fields[i].field->n)
			*fields[i].field = value;
		g->any = true;
	}
}

/* A group has two lines at least. */
static void make_room(struct arena *a, struct str text, struct groups *all)
{
	struct group *old = all->group;
	size_t room = all->n + 1;

	for (size_t i = 0; i < text.n; i++)
		room += text.p[i] == '\n';
	all->room = room < REPORT_RECIPIENTS_MAX ? room : REPORT_RECIPIENTS_MAX;
	all->group = arena_array(a, all->room, sizeof *old);
	if (all->n)
		memcpy(all->group, old, all->n * sizeof *old);
}

static void read_groups(struct reading *r, struct str text, struct groups *all)
{
	struct group g = {0};
	struct str name, value, rest = text;

	make_room(r->a, text, all);
	while (rest.n) {
		while (inbound_next_field(r->a, &rest, &name, &value)) {
			if (str_eq_nocase(name, STR("original-envelope-id")) && !r->out->envid.n)
				r->out->envid = value;
			take_field(all, &g, name, value);
		}
		close_group(all, &g);
	}
}

/* The recipient of a group: the final one, or what stands for it where that is no address. */
static struct str recipient_of(struct reading *r, const struct group *g)
{
	struct str address = address_of(r->a, g->final);

	if (!address.n)
		address = address_of(r->a, g->original);
	if (!address.n)
		address = report_address(inbound_field(r->in, "x-failed-recipients"), 0);
	return address.n ? address : r->to;
}

static bool add_groups(struct reading *r, const struct groups *all, enum action wanted)
{
	size_t before = r->out->recipient_n;

	for (size_t i = 0; i < all->n; i++) {
		const struct group *g = &all->group[i];
		struct report_recipient *p;

		if (action_of(g) != wanted)
			continue;
		p = report_add(r, recipient_of(r, g));
		if (!p || p->finding.rule)
			continue;
		p->original = address_of(r->a, g->original);
		report_explain(r, p, behind_type(g->diagnostic),
			str_slice(g->status, 0, phrase_status(g->status)));
	}
	return r->out->recipient_n > before;
}

/* "> " of a forwarded report. */
static struct str without_quotes(struct arena *a, struct str text)
{
	char *p = arena_alloc(a, text.n + 1);
	size_t n = 0;
	bool start = true;

	for (size_t i = 0; i < text.n; i++) {
		if (start && (text.p[i] == '>' || (text.p[i] == ' ' && i && text.p[i - 1] == '>')))
			continue;
		start = text.p[i] == '\n';
		p[n++] = text.p[i];
	}
	return (struct str){p, n};
}

static bool has_fields(struct str text)
{
	return str_search(text, STR("inal-Recipient:")) < text.n ||
	       str_search(text, STR("inal-recipient:")) < text.n;
}

bool report_status(struct reading *r)
{
	struct groups all = {0};
	bool part = false;

	for (size_t i = 0; i < r->in->part_n; i++)
		if (r->in->part[i].what == INBOUND_STATUS) {
			read_groups(r, r->in->part[i].text, &all);
			part = true;
		}
	if (!all.n && has_fields(r->text))
		read_groups(r, without_quotes(r->a, r->text), &all);
	if (!all.n)
		return false;
	r->several = all.n > 1;
	if (add_groups(r, &all, ACTION_FAILED)) {
		r->out->kind = REPORT_BOUNCE;
		r->out->rule = part ? "delivery-status" : "delivery-status-in-text";
	} else if (add_groups(r, &all, ACTION_DELAYED)) {
		r->out->kind = REPORT_DELAYED;
		r->out->rule = "delivery-status-delayed";
	} else {
		/* All of them arrived, or were handed on. */
		for (size_t i = 0; i < all.n; i++)
			if (action_of(&all.group[i]) == ACTION_DONE)
				r->out->rule = "delivery-status-done";
	}
	return r->out->rule;
}
