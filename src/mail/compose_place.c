/* SPDX-License-Identifier: MIT */
#include "compose.h"

#include <string.h>

/* Where in the HTML the reader stands. */
enum place {
	IN_TEXT,
	IN_TAG, /* between < and >, outside values */
	IN_VALUE, /* a quoted value of an attribute */
	IN_COMMENT,
	IN_RAW, /* style or script, up to its end tag */
};

struct placing {
	struct compose *c;
	struct str html;
	size_t at;
	enum place place;
	char quote; /* of IN_VALUE */
	size_t value; /* where the value starts */
	struct str attribute; /* its attribute */
	struct str end; /* of IN_RAW: "</style" */
};

static bool is_url_attribute(struct str name)
{
	static const char *const names[] = {"href", "src", "background", "action"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq_nocase(name, str_of(names[i])))
			return true;
	return false;
}

/* What of the URL stands in front of the mark, told apart for the check below. */
struct front {
	struct str text; /* without marks */
	bool value; /* a value's mark is in it */
	bool whole; /* it starts with a whole URL */
};

static struct front front_of(struct placing *p)
{
	struct str rest = str_slice(p->html, p->value, p->at), before;
	struct liquid_slots *slots = &p->c->out->slots;
	struct front f = {.text = compose_unmarked(p->c->a, rest)};
	enum liquid_context context;
	size_t seen = 0;
	int index;

	while ((index = liquid_next_mark(&rest, &before, &context)) >= 0) {
		const struct liquid_slot *slot = &slots->slot[index];

		seen += before.n;
		if (slot->op != LIQUID_VALUE)
			continue;
		f.whole =
			f.whole || (!f.value && !seen && compose_whole_url(slots->vars[slot->var]));
		f.value = true;
	}
	return f;
}

/* Whether the address is past its host, so that a component can follow. */
static bool past_host(struct str text)
{
	size_t at = str_search(text, STR("://"));

	if (str_has_prefix_nocase(text, STR("mailto:")))
		return true;
	if (!str_has_prefix_nocase(text, STR("https:")) &&
		!str_has_prefix_nocase(text, STR("http:")))
		return false;
	text = str_slice(text, at + 3, text.n);
	for (size_t i = 0; i < text.n; i++)
		if (strchr("/?#", text.p[i]))
			return i > 0;
	return false;
}

static int url_slot(struct placing *p, const struct liquid_slot *slot)
{
	struct str name = p->c->out->slots.vars[slot->var];
	struct front f = front_of(p);

	if (compose_whole_url(name) ? !f.value && !f.text.n
				    : past_host(f.text) || (f.whole && f.text.n))
		return 0;
	if (compose_whole_url(name))
		return err_set(p->c->e, ERR_INPUT,
			"%s:%zu: '%.*s' is a whole address, nothing can stand before it",
			slot->file, slot->line, STR_ARG(name));
	return err_set(p->c->e, ERR_INPUT,
		"%s:%zu: '%.*s' would decide where this link leads, put it behind a '/', '?' or "
		"'#' "
		"that follows the host",
		slot->file, slot->line, STR_ARG(name));
}

/* The context for the mark of `slot`, which stands at p->at; 0 after an error. */
static int context_of(struct placing *p, const struct liquid_slot *slot)
{
	struct str name;

	if (slot->op != LIQUID_VALUE)
		return LIQUID_CONTROL;
	name = p->c->out->slots.vars[slot->var];
	if (p->place == IN_TEXT)
		return LIQUID_HTML;
	if (p->place == IN_VALUE && is_url_attribute(p->attribute))
		return url_slot(p, slot) < 0 ? 0 : LIQUID_URL;
	if (p->place == IN_VALUE && !str_eq_nocase(p->attribute, STR("style")) &&
		!str_has_prefix_nocase(p->attribute, STR("on")))
		return LIQUID_HTML;
	err_set(p->c->e, ERR_INPUT,
		"%s:%zu: '%.*s' cannot stand inside a tag, style, script or comment, only in text "
		"and in "
		"quoted values",
		slot->file, slot->line, STR_ARG(name));
	return 0;
}

/* The name of the attribute whose value starts behind p->at: what stands before its '='. */
static struct str attribute_before(struct placing *p)
{
	size_t end = p->at, from;

	while (end > 0 && strchr(" \t\n=", p->html.p[end - 1]))
		end--;
	for (from = end; from > 0 && !strchr(" \t\n\"'<>/", p->html.p[from - 1]);)
		from--;
	return str_slice(p->html, from, end);
}

/* Move over one octet of markup. */
static void step(struct placing *p)
{
	struct str rest = str_slice(p->html, p->at, p->html.n);
	char ch = rest.p[0];
	bool style = str_has_prefix_nocase(rest, STR("<style"));

	switch (p->place) {
	case IN_TEXT:
		if (str_has_prefix(rest, STR("<!--"))) {
			p->place = IN_COMMENT;
		} else if (style || str_has_prefix_nocase(rest, STR("<script"))) {
			p->place = IN_RAW;
			p->end = style ? STR("</style") : STR("</script");
		} else if (ch == '<') {
			p->place = IN_TAG;
		}
		break;
	case IN_TAG:
		if (ch == '>') {
			p->place = IN_TEXT;
		} else if (ch == '"' || ch == '\'') {
			p->place = IN_VALUE;
			p->quote = ch;
			p->value = p->at + 1;
			p->attribute = attribute_before(p);
		}
		break;
	case IN_VALUE:
		if (ch == p->quote)
			p->place = IN_TAG;
		break;
	case IN_COMMENT:
		if (str_has_prefix(rest, STR("-->")))
			p->place = IN_TEXT;
		break;
	case IN_RAW:
		if (str_has_prefix_nocase(rest, p->end))
			p->place = IN_TAG;
		break;
	}
	p->at++;
}

int compose_place(struct compose *c, struct str html, struct buf *out)
{
	struct placing p = {.c = c, .html = html};
	struct str rest = html, before;
	enum liquid_context context;
	int index;

	do {
		index = liquid_next_mark(&rest, &before, &context);
		while (p.at < (size_t)(before.p - html.p) + before.n)
			step(&p);
		buf_str(out, before);
		if (index < 0)
			break;
		context = (enum liquid_context)context_of(&p, &c->out->slots.slot[index]);
		if (!context)
			return -1;
		liquid_mark(out, context, index);
		p.at = html.n - rest.n;
	} while (rest.n);
	return 0;
}
