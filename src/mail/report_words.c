/* SPDX-License-Identifier: MIT */
#include "report_parts.h"

enum { LIST_GAP = 15 }; /* lines without an address that end a list of them */

static bool add(struct reading *r, struct str address, const char *rule)
{
	size_t before = r->out->recipient_n;

	if (!lines_is_address(address) || report_is_own(r, address) || !report_add(r, address))
		return false;
	if (r->out->recipient_n > before && !r->out->rule)
		r->out->rule = rule;
	return true;
}

/* The addresses of a line that is a list of them: only separators stand between. */
static bool add_list(struct reading *r, const struct line *l, const char *rule)
{
	bool any = add(r, l->address[0], rule);

	for (size_t k = 1; k < l->address_n; k++) {
		const char *p = l->address[k - 1].p + l->address[k - 1].n;

		while (p < l->address[k].p && (*p == ' ' || *p == ',' || *p == ';' || *p == '<' ||
						      *p == '>' || *p == '"' || *p == '\t'))
			p++;
		if (p != l->address[k].p)
			break;
		any |= add(r, l->address[k], rule);
	}
	return any;
}

/* Addresses that words of the report introduce. */
static void take_introduced(struct reading *r)
{
	const char *rule = NULL;
	size_t last = 0;

	for (size_t i = 0; i < r->lines.n; i++) {
		const struct line *l = &r->lines.line[i];

		if (rule && i - last > LIST_GAP)
			rule = NULL;
		if (l->says & SAYS_NAME) {
			add(r, l->named, l->rule);
		} else if (rule && l->leads && add_list(r, l, rule)) {
			last = i;
		}
		if (l->says & SAYS_NAMES) {
			rule = l->rule;
			last = i;
		}
	}
}

/* Whether something failed in one of the lines from `i` on that belong together. */
static bool fails_near(const struct lines *t, size_t i)
{
	for (size_t k = i; k < t->n && k < i + LINE_FAR && (k == i || !t->line[k].leads); k++)
		if (t->line[k].reply.n || t->line[k].says & (SAYS_FAILED | SAYS_WEAK))
			return true;
	return false;
}

/* Addresses at the head of lines: those with a failure behind, else all of them. */
static void take_heads(struct reading *r)
{
	for (int any = 0; any < 2 && !r->out->recipient_n; any++)
		for (size_t i = 0; i < r->lines.n; i++) {
			const struct line *l = &r->lines.line[i];

			if (l->leads && (any || fails_near(&r->lines, i)))
				add(r, l->address[0], "address-line");
		}
}

/* Addresses within a line that fails. */
static void take_mentioned(struct reading *r)
{
	for (size_t i = 0; i < r->lines.n; i++) {
		const struct line *l = &r->lines.line[i];

		for (size_t k = 0; k < l->address_n; k++)
			if ((l->reply.n || l->says & SAYS_FAILED) &&
				lines_is_address(l->address[k]))
				add(r, l->address[k], "address-in-failure");
	}
}

static void take_field(struct reading *r)
{
	struct str value = inbound_field(r->in, "x-failed-recipients"), address;

	for (size_t i = 0; (address = report_address(value, i)).n; i++)
		if (report_add(r, address) && !r->out->rule)
			r->out->rule = "x-failed-recipients";
}

static void take_returned(struct reading *r)
{
	struct str to = r->to.n ? r->to : r->lines.to;

	if (to.n && report_add(r, to))
		r->out->rule = "returned-to";
}

/* Reports to the address that failed. */
static void take_own(struct reading *r)
{
	r->allow_own = true;
	take_introduced(r);
}

/* Who it was, from the surest sign to the weakest. */
static void take_recipients(struct reading *r)
{
	static void (*const ways[])(struct reading *) = {
		take_introduced, take_field, take_heads, take_mentioned, take_returned, take_own};

	for (size_t i = 0; i < sizeof ways / sizeof ways[0] && !r->out->recipient_n; i++)
		ways[i](r);
}

bool report_words(struct reading *r)
{
	const unsigned fails = SAYS_NAMES | SAYS_NAME | SAYS_FAILED | SAYS_FINAL;
	unsigned says = r->lines.says;
	bool failed_field = inbound_field(r->in, "x-failed-recipients").n;
	bool later = (r->subject_says & SAYS_LATER) ||
		     (says & SAYS_LATER && !((says | r->subject_says) & SAYS_FINAL));

	if (!r->daemon && !failed_field && !(r->subject_says & (fails | SAYS_LATER)) &&
		!(r->null_sender && says & (SAYS_NAMES | SAYS_NAME)))
		return false;
	if (!((says | r->subject_says) & (fails | SAYS_LATER | SAYS_WEAK)) && !failed_field)
		return false;
	take_recipients(r);
	r->out->kind = later && !failed_field ? REPORT_DELAYED : REPORT_BOUNCE;
	r->several = r->out->recipient_n > 1;
	for (size_t i = 0; i < r->out->recipient_n; i++)
		report_explain(r, &r->out->recipient[i], (struct str){0}, (struct str){0});
	if (!r->out->rule)
		r->out->rule = "failure-words";
	return true;
}
