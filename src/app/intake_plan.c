/* SPDX-License-Identifier: MIT */
#include "intake_plan.h"
#include "mail/addr.h"
#include "mail/msgid.h"
#include "store/ledger.h"
#include "store/people.h"

#include <string.h>

enum { FIELD_MAX = 1000 }; /* of a List-Unsubscribe that is looked at */

void plan_file(struct plan *p, const char *why)
{
	p->act = PLAN_FILE;
	p->arrival.fate = ARRIVAL_FILED;
	p->arrival.words = str_of(why);
}

/* ---- tokens ---- */

/* The token in a local part or address that begins with `prefix`. */
static bool token_behind(const struct site *s, enum token_purpose purpose, struct str prefix,
	struct str mailbox, struct token *out)
{
	struct str local = str_slice(mailbox, 0, str_find(mailbox, '@'));

	return str_has_prefix_nocase(local, prefix) &&
	       site_token_read(s, purpose, str_slice(local, prefix.n, local.n), out);
}

/* A token in one of the places that a report names. */
static bool token_in_report(const struct site *s, enum token_purpose purpose, struct str prefix,
	struct str recipient, const struct report *report, struct token *out)
{
	if (token_behind(s, purpose, prefix, recipient, out))
		return true;
	for (size_t i = 0; i < report->mailbox_n; i++)
		if (token_behind(s, purpose, prefix, report->mailbox[i], out))
			return true;
	return false;
}

/* The unsubscribe token in the List-Unsubscribe of a returned message: providers that take the addresses out of
 * a complaint leave it. */
static bool token_in_list_unsubscribe(const struct site *s, struct str message, struct token *out)
{
	static const struct str name = {"\nlist-unsubscribe:", 18};

	for (size_t i = 0; i + name.n < message.n; i++) {
		struct str field = str_slice(message, i, i + FIELD_MAX), run = {NULL, 0};

		if (message.p[i] != '\n' || !str_has_prefix_nocase(field, name))
			continue;
		for (size_t k = name.n; k < field.n; k++) {
			char c = field.p[k];
			bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				      (c >= '2' && c <= '7');

			if (letter) {
				run = (struct str){run.n ? run.p : field.p + k, run.n + 1};
				continue;
			}
			if (run.n >= 20 && site_token_read(s, TOKEN_UNSUBSCRIBE, run, out))
				return true;
			run.n = 0;
			if (c == '\n' && k + 1 < field.n && field.p[k + 1] != ' ' &&
				field.p[k + 1] != '\t')
				break;
		}
	}
	return false;
}

/* ---- copies ---- */

struct search {
	const struct site *site;
	struct str message_id;
	int64_t subscriber, issue;
};

static bool has_message_id(void *user, const struct issue *issue)
{
	struct search *f = user;
	struct buf id;
	struct str text;

	buf_init(&id, 512);
	msgid_make(issue->uuid, f->subscriber, f->site->config.publication.list_domain, &id);
	text = buf_view(&id);
	if (str_eq(str_slice(text, 1, text.n - 1), f->message_id))
		f->issue = issue->id;
	buf_free(&id);
	return f->issue == 0;
}

/* The issue of a subscriber's copy: by its Message-ID, else the newest that was sent; 0 = none. */
static int find_issue(struct site *s, struct str message_id, int64_t subscriber, struct arena *a,
	int64_t *issue, struct err *e)
{
	struct search f = {s, message_id, subscriber, 0};
	struct delivery *d;
	size_t n;

	*issue = 0;
	if (message_id.n) {
		if (issue_each(s->store, has_message_id, &f, e) < 0)
			return -1;
		*issue = f.issue;
		return 0;
	}
	if (subscriber_deliveries(s->store, subscriber, 0, a, &d, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n && !*issue; i++)
		if (d[i].state == DELIVERY_SENT || d[i].state == DELIVERY_BOUNCED ||
			d[i].state == DELIVERY_COMPLAINED || d[i].state == DELIVERY_IN_DOUBT)
			*issue = d[i].issue;
	return 0;
}

int plan_find_copy(struct site *s, struct str message_id, struct str address, struct arena *a,
	int64_t *issue, int64_t *subscriber, struct err *e)
{
	struct subscriber who;
	struct err why = {0};
	struct addr addr;

	*issue = *subscriber = 0;
	if (addr_parse_as(a, address, ADDR_QUOTED, &addr, &why) < 0)
		return 0;
	if (subscriber_get(s->store, addr.key, a, &who, &why) < 0)
		return why.code == ERR_MISSING ? 0 : err_set(e, why.code, "%s", why.text);
	*subscriber = who.id;
	if (find_issue(s, message_id, who.id, a, issue, e) < 0)
		return -1;
	return *issue != 0;
}

/* ---- reports ---- */

/* Of several recipients, an alias took the copy further: the mildest verdict is the reader's. */
static const struct report_recipient *mildest(const struct report *report)
{
	const struct report_recipient *best = NULL;

	for (size_t i = 0; i < report->recipient_n; i++)
		if (!best || (best->finding.hard && !report->recipient[i].finding.hard))
			best = &report->recipient[i];
	return best;
}

static void plan_return(const struct report *report, struct plan *p)
{
	const struct report_recipient *r = mildest(report);

	p->act = PLAN_RETURN;
	p->arrival.fate = ARRIVAL_APPLIED;
	p->returned = (struct returned){
		.issue = p->arrival.issue,
		.subscriber = p->arrival.subscriber,
		.kind = report->kind == REPORT_BOUNCE ? RETURN_BOUNCE : RETURN_COMPLAINT,
		.key = p->arrival.key,
		.finding = {.reason = REASON_TRANSIENT, .action = REACT_FAIL, .rule = report->rule},
	};
	if (report->kind == REPORT_BOUNCE && r) {
		p->returned.finding = r->finding;
		p->returned.code = r->reply.code;
		p->returned.status = str_of(r->reply.status);
		p->returned.text = str_of(r->reply.text);
	} else if (report->kind == REPORT_COMPLAINT) {
		p->returned.text = report->feedback_type;
	}
}

/* The copy that a token of ours proves. 1, 0, or -1. */
static int proven(struct site *s, struct str message, struct str recipient,
	const struct report *report, struct arena *a, struct plan *p, struct err *e)
{
	struct str prefix = s->config.bounce.prefix;
	struct token t;
	int64_t issue;

	if (token_in_report(s, TOKEN_VERP, prefix, recipient, report, &t)) {
		p->arrival.key = STR("verp");
	} else if (site_token_read(s, TOKEN_VERP, report->envid, &t)) {
		p->arrival.key = STR("envid");
	} else if (report->kind == REPORT_COMPLAINT && token_in_list_unsubscribe(s, message, &t)) {
		p->arrival.key = STR("list-unsubscribe");
		if (find_issue(s, report->message_id, (int64_t)t.b, a, &issue, e) < 0)
			return -1;
		t.a = (uint64_t)issue;
	} else {
		return 0;
	}
	p->arrival.issue = (int64_t)t.a;
	p->arrival.subscriber = (int64_t)t.b;
	return t.a != 0;
}

/* Name the copy that an unsigned report may mean, for whoever looks at what is filed. */
static int name_unsigned(
	struct site *s, const struct report *report, struct arena *a, struct plan *p, struct err *e)
{
	for (size_t i = 0; i < report->recipient_n; i++) {
		int found = plan_find_copy(s, report->message_id, report->recipient[i].address, a,
			&p->arrival.issue, &p->arrival.subscriber, e);

		if (found < 0)
			return -1;
		if (found || p->arrival.subscriber) {
			p->arrival.key = found && report->message_id.n ? STR("message-id")
								       : STR("final-recipient");
			break;
		}
	}
	plan_file(p, "no signed token of ours: it proves nothing, and changes nothing");
	return 0;
}

/* Feedback types that are a reader's own wish (RFC 5965 section 7.3). */
static bool is_complaint(struct str type)
{
	static const char *const types[] = {"abuse", "fraud", "virus", "opt-out"};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (str_eq_nocase(type, str_of(types[i])))
			return true;
	return false;
}

static int plan_report(struct site *s, struct str message, struct str recipient,
	const struct report *report, struct arena *a, struct plan *p, struct err *e)
{
	int rc;

	if (report->kind == REPORT_COMPLAINT && !is_complaint(report->feedback_type)) {
		p->arrival.words = STR("feedback of a type that asks for nothing");
		return 0;
	}
	rc = proven(s, message, recipient, report, a, p, e);
	if (rc == 0)
		return name_unsigned(s, report, a, p, e);
	if (rc > 0)
		plan_return(report, p);
	return rc < 0 ? -1 : 0;
}

int plan_message(struct site *s, struct str message, struct str recipient, struct arena *a,
	struct plan *out, struct err *e)
{
	struct str unsubscribe = s->config.bounce.unsubscribe;
	struct report report = {0};
	struct err why = {0};
	struct token t;
	bool is_report;

	*out = (struct plan){.arrival = {.kind = STR("none"), .rule = STR("")}};
	if (report_read(a, message, &report, &why) < 0) {
		plan_file(out, arena_cstr(a, str_of(why.text)));
		return 0;
	}
	out->arrival.kind = str_of(report_kind_name(report.kind));
	out->arrival.rule = str_of(report.rule);
	is_report = report.kind == REPORT_BOUNCE || report.kind == REPORT_COMPLAINT;
	if (unsubscribe.n && !is_report && report.kind != REPORT_DELAYED) {
		struct str prefix = str_of(arena_printf(a, "%.*s+", STR_ARG(unsubscribe)));

		if (token_in_report(s, TOKEN_UNSUBSCRIBE, prefix, recipient, &report, &t)) {
			out->act = PLAN_UNSUBSCRIBE;
			out->list = (int64_t)t.a;
			out->arrival.kind = STR("unsubscribe");
			out->arrival.key = STR("unsubscribe");
			out->arrival.fate = ARRIVAL_APPLIED;
			out->arrival.subscriber = (int64_t)t.b;
			return 0;
		}
	}
	if (is_report)
		return plan_report(s, message, recipient, &report, a, out, e);
	if (report.kind == REPORT_NONE)
		plan_file(out, "neither a report nor an automatic reply");
	return 0;
}
