/* SPDX-License-Identifier: MIT */
#include "app/pacing.h"
#include "base/clock.h"
#include "mail/classify.h"
#include "person.h"
#include "status.h"
#include "store/ledger.h"
#include "store/pages.h"

#include <inttypes.h>
#include <stdio.h>

struct story {
	struct person person;
	struct delivery *delivery;
	size_t delivery_n;
	struct event *event;
	size_t event_n;
	struct consent *consent; /* these two: for JSON alone */
	size_t consent_n;
	struct reader_click *click;
	size_t click_n;
};

static int read_story(struct cmd *c, struct site *s, struct story *out, struct err *e)
{
	int64_t id;
	struct issue issue = {0};

	if (person_get(c, s, c->argv[0], &out->person, e) < 0)
		return -1;
	if (c->argc > 1 && issue_get(s->store, str_of(c->argv[1]), &c->arena, &issue, e) < 0)
		return -1;
	if (!out->person.known)
		return 0;
	id = out->person.who.id;
	if (subscriber_deliveries(
		    s->store, id, issue.id, &c->arena, &out->delivery, &out->delivery_n, e) < 0)
		return -1;
	if (c->json &&
		(consents_get(s->store, id, &c->arena, &out->consent, &out->consent_n, e) < 0 ||
			reader_clicks(s->store, id, &c->arena, &out->click, &out->click_n, e) < 0))
		return -1;
	return subscriber_events(s->store, id, &c->arena, &out->event, &out->event_n, e);
}

/* What the stored reply says by the rules of today. */
static struct finding finding_of(const struct attempt *a)
{
	struct reply reply = {.code = a->code};
	struct finding f;

	snprintf(reply.status, sizeof reply.status, "%.*s", STR_ARG(a->status));
	snprintf(reply.text, sizeof reply.text, "%.*s", STR_ARG(a->text));
	classify_reply(a->phase, &reply, &f);
	return f;
}

/* ---- JSON ---- */

static json_t *attempt_json(const struct attempt *a)
{
	struct finding f = finding_of(a);

	return json_pack("{s:o, s:o, s:s, s:i, s:o, s:o, s:s?, s:s?, s:I, s:s}", "at",
		cmd_json_time(a->at), "relay", cmd_json_text(a->relay), "phase",
		smtp_phase_name(a->phase), "code", a->code, "status", cmd_json_text(a->status),
		"text", cmd_json_text(a->text), "reason", f.rule ? reason_name(f.reason) : NULL,
		"rule", f.rule, "took_ms", (json_int_t)a->took_ms, "state",
		delivery_state_name(a->state));
}

static json_t *delivery_json(const struct delivery *d)
{
	json_t *attempts = json_array();

	for (size_t i = 0; i < d->attempt_n; i++)
		json_array_append_new(attempts, attempt_json(&d->attempt[i]));
	return json_pack("{s:I, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "issue", (json_int_t)d->issue,
		"slug", cmd_json_text(d->issue_slug), "subject", cmd_json_text(d->issue_subject),
		"state", delivery_state_name(d->state), "due_at", cmd_json_time(d->due_at),
		"settled_at", cmd_json_time(d->settled_at), "skip_reason",
		d->skip_reason.n ? cmd_json_text(d->skip_reason) : json_null(), "attempts",
		attempts);
}

/* All that is kept of a person: what they may ask for. */
static void print_json(struct cmd *c, const struct story *s)
{
	json_t *consents = json_array(), *clicks = json_array();

	json_t *o = person_json(&s->person), *deliveries = json_array(), *events = json_array();

	for (size_t i = 0; i < s->delivery_n; i++)
		json_array_append_new(deliveries, delivery_json(&s->delivery[i]));
	for (size_t i = 0; i < s->event_n; i++)
		json_array_append_new(
			events, json_pack("{s:o, s:o, s:o}", "at", cmd_json_time(s->event[i].at),
					"what", cmd_json_text(s->event[i].what), "detail",
					cmd_json_text(s->event[i].detail)));
	for (size_t i = 0; i < s->consent_n; i++)
		json_array_append_new(consents, consent_json(c, &s->consent[i]));
	for (size_t i = 0; i < s->click_n; i++)
		json_array_append_new(clicks,
			json_pack("{s:o, s:o, s:o}", "issue", cmd_json_text(s->click[i].issue),
				"url", cmd_json_text(s->click[i].url), "at",
				cmd_json_time(s->click[i].at)));
	json_object_set_new(o, "consents", consents);
	json_object_set_new(o, "clicks", clicks);
	json_object_set_new(o, "deliveries", deliveries);
	json_object_set_new(o, "events", events);
	cmd_json(o);
}

/* ---- words ---- */

/* What the state of a copy means for its reader. */
static const char *explain(struct cmd *c, const struct delivery *d)
{
	switch (d->state) {
	case DELIVERY_QUEUED:
		return arena_printf(&c->arena, "waits to be sent, due %s", cmd_time(c, d->due_at));
	case DELIVERY_CLAIMED:
		return "is in a worker's hands";
	case DELIVERY_SENDING:
		return "is being sent at this moment, or a worker was stopped over it";
	case DELIVERY_DEFERRED:
		return arena_printf(
			&c->arena, "was put off, to be tried again at %s", cmd_time(c, d->due_at));
	case DELIVERY_IN_DOUBT:
		return "may or may not have arrived: the relay's answer got lost";
	case DELIVERY_SENT:
		return arena_printf(
			&c->arena, "was taken by the relay at %s", cmd_time(c, d->settled_at));
	case DELIVERY_FAILED:
		return arena_printf(
			&c->arena, "was refused for good at %s", cmd_time(c, d->settled_at));
	case DELIVERY_EXPIRED:
		return arena_printf(&c->arena, "was given up at %s, tried for too long",
			cmd_time(c, d->settled_at));
	case DELIVERY_CANCELLED:
		return "was not sent: the issue was cancelled";
	case DELIVERY_SKIPPED:
		return arena_printf(&c->arena, "was not sent: %s", cmd_text(c, d->skip_reason));
	case DELIVERY_BOUNCED:
		return arena_printf(
			&c->arena, "was sent and came back, %s", cmd_time(c, d->settled_at));
	case DELIVERY_COMPLAINED:
		return "was sent, and reported as spam";
	case DELIVERY_STATE_N:
		break;
	}
	return "";
}

static void print_attempt(struct cmd *c, const struct attempt *a)
{
	struct finding f = finding_of(a);
	char code[16] = "no reply", reason[64] = "";

	if (a->code)
		snprintf(code, sizeof code, "%d", a->code);
	if (f.rule)
		snprintf(reason, sizeof reason, "  [%s, rule %s]", reason_name(f.reason), f.rule);
	printf("      %s  %s  %s  %s%s%s  %s%s\n", cmd_time(c, a->at), cmd_text(c, a->relay),
		smtp_phase_name(a->phase), code, a->status.n ? " " : "", cmd_text(c, a->status),
		cmd_text(c, a->text), reason);
}

/* What a copy waits for, beside its time. */
static int print_waits(struct cmd *c, struct site *s, const struct delivery *d, struct err *e)
{
	struct lane_counts lane = {.lane = d->lane, .name = d->lane_name};
	const struct pacer_lane *l;
	struct issue issue = {0};
	struct pacer p;

	if (d->state != DELIVERY_QUEUED && d->state != DELIVERY_DEFERRED)
		return 0;
	if (issue_get(s->store, str_of(arena_printf(&c->arena, "%" PRId64, d->issue)), &c->arena,
		    &issue, e) < 0)
		return -1;
	if (issue.state == ISSUE_PAUSED || issue.state == ISSUE_HELD)
		printf("      the issue is %s%s%s\n", issue_state_name(issue.state),
			issue.pause_reason.n ? ": " : "", cmd_text(c, issue.pause_reason));
	if (status_print_plan(c, s, &issue, "      the issue: ", 0, e) < 0 ||
		pacing_look(s, &lane, 1, &p, e) < 0)
		return -1;
	l = &p.lane[pacer_lane_find(&p, d->lane)];
	if (l->throttle.wait_until > clock_now() ||
		pace_throttle_rate(&l->throttle, l->limit.per_minute, clock_now()))
		printf("      its lane, %s: %s%s%s\n", cmd_text(c, d->lane_name),
			status_pace_words(c, l, clock_now()), l->refusal.at ? ": " : "",
			l->refusal.at ? cmd_text(c, str_of(l->refusal.words)) : "");
	pacer_free(&p);
	return 0;
}

static int print_words(struct cmd *c, struct site *site, const struct story *s, struct err *e)
{
	person_print(c, &s->person);
	if (s->delivery_n)
		printf("\ncopies, newest first, times in UTC\n");
	else if (s->person.known)
		printf("\nno copy of an issue was ever made for this reader\n");
	for (size_t i = 0; i < s->delivery_n; i++) {
		const struct delivery *d = &s->delivery[i];

		printf("  issue %lld, %s: %s\n    %s: %s\n", (long long)d->issue,
			cmd_text(c, d->issue_slug), cmd_text(c, d->issue_subject),
			delivery_state_name(d->state), explain(c, d));
		if (print_waits(c, site, d, e) < 0)
			return -1;
		for (size_t k = 0; k < d->attempt_n; k++)
			print_attempt(c, &d->attempt[k]);
	}
	if (s->event_n)
		printf("\nhistory, times in UTC\n");
	for (size_t i = 0; i < s->event_n; i++)
		printf("  %s  %s  %s\n", cmd_time(c, s->event[i].at), cmd_text(c, s->event[i].what),
			cmd_text(c, s->event[i].detail));
	return 0;
}

int cmd_why(struct cmd *c, struct err *e)
{
	struct story story = {0};
	struct site s;
	int rc;

	if (cmd_options(c, NULL, 1, 2, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	rc = read_story(c, &s, &story, e);
	if (rc == 0 && c->json)
		print_json(c, &story);
	else if (rc == 0)
		rc = print_words(c, &s, &story, e);
	site_close(&s);
	return rc;
}
