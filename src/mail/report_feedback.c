/* SPDX-License-Identifier: MIT */
#include "inbound_text.h"
#include "report_parts.h"

/* Fields of a feedback report that name who complained, in the order in which they are believed. */
static const char *const who[] = {"original-rcpt-to", "removal-recipient"};

static struct str lower(struct arena *a, struct str s)
{
	char *p = arena_cstr(a, s);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + ('a' - 'A'));
	return (struct str){p, s.n};
}

static void take_fields(struct reading *r, struct str text, const char *wanted)
{
	struct str name, value, address;

	while (inbound_next_field(r->a, &text, &name, &value)) {
		if (str_eq_nocase(name, STR("feedback-type")) && !r->out->feedback_type.n)
			r->out->feedback_type = lower(r->a, value);
		else if (str_eq_nocase(name, STR("original-envelope-id")))
			r->out->envid = value;
		else if (str_eq_nocase(name, str_of(wanted)))
			for (size_t i = 0; (address = report_address(value, i)).n; i++)
				report_add(r, address);
	}
}

static bool found(struct reading *r, const char *rule)
{
	r->out->kind = REPORT_COMPLAINT;
	r->out->rule = rule;
	for (size_t i = 0; i < r->out->recipient_n; i++)
		r->out->recipient[i].finding = FINDING_NONE;
	return true;
}

bool report_feedback(struct reading *r)
{
	bool any = false;
	struct str original;

	for (size_t i = 0; i < r->in->part_n; i++) {
		struct str text = r->in->part[i].text;

		if (r->in->part[i].what != INBOUND_FEEDBACK)
			continue;
		any = true;
		for (size_t k = 0; k < sizeof who / sizeof who[0] && !r->out->recipient_n; k++)
			take_fields(r, text, who[k]);
	}
	/* Some providers send the message itself, with a field of their own. */
	original = report_address(report_field(r->a, r->copy, "x-hmxmroriginalrecipient"), 0);
	if (!any && !original.n)
		return false;
	if (!r->out->recipient_n && original.n)
		report_add(r, original);
	if (!r->out->recipient_n && r->to.n)
		report_add(r, r->to);
	if (!r->out->feedback_type.n)
		r->out->feedback_type = STR("abuse");
	return found(r, any ? "feedback-report" : "complaint-with-original-recipient");
}
