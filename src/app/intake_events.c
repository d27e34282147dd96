/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "intake_run.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/*
 * Webhooks' events. Each form is a row of the table below: a path leads through objects by names with dots
 * between, and "|" separates further paths that are tried.
 */
static const struct form {
	const char *name;
	const char *mark; /* a path that is there in this form alone */
	const char *type; /* path of the kind of event */
	/* Its words, "|" between: a bounce that is final, one that is not, a complaint, an unsubscribe. */
	const char *hard, *soft, *complaint, *unsubscribe;
	const char *people; /* path of an array of recipients; NULL = the event is about one */
	const char *address; /* paths in a recipient */
	const char *text, *status, *code;
	const char *message_id, *sender; /* of the copy: Message-ID, envelope sender */
} forms[] = {
	{"ses", "mail.destination", "bounce.bounceType|notificationType|eventType", "Permanent",
		"Transient|Undetermined", "Complaint", "",
		"bounce.bouncedRecipients|complaint.complainedRecipients", "emailAddress",
		"diagnosticCode", "status", "", "mail.commonHeaders.messageId", "mail.source"},
	{"postmark", "BouncedAt", "Type", "HardBounce|BadEmailAddress|ManuallyDeactivated",
		"SoftBounce|Transient|DnsError|SpamNotification|Blocked|Unknown|DMARCPolicy|"
		"TemplateRenderingFailed|VirusNotification|AddressChange|ChallengeVerification|"
		"AutoResponder|OpenRelayTest|SMTPApiError|InboundError",
		"SpamComplaint", "Unsubscribe|Subscribe", NULL, "Email", "Details|Description", "",
		"", "", ""},
	{"sendgrid", "sg_event_id", "type|event", "bounce", "blocked", "spamreport",
		"unsubscribe|group_unsubscribe", NULL, "email", "reason|response", "status", "",
		"smtp-id", ""},
	{"mailgun", "event-data.event", "event-data.severity|event-data.event", "permanent",
		"temporary", "complained", "unsubscribed", NULL, "event-data.recipient",
		"event-data.delivery-status.message|event-data.delivery-status.description",
		"event-data.delivery-status.enhanced-code", "event-data.delivery-status.code",
		"event-data.message.headers.message-id", "event-data.envelope.sender"},
	{"lettermill", "event", "event", "bounce", "soft-bounce", "complaint", "unsubscribe", NULL,
		"address", "text", "status", "code", "message_id", "return_path"},
};

/* ---- looking into JSON ---- */

static json_t *at_path(json_t *v, struct str path)
{
	struct str name;

	while (v && str_next(&path, '.', &name))
		v = json_object_getn(v, name.p, name.n);
	return v;
}

/* The first of the paths that leads somewhere. */
static json_t *find(json_t *v, const char *paths)
{
	struct str rest = str_of(paths), path;
	json_t *found;

	while (str_next(&rest, '|', &path))
		if (path.n && (found = at_path(v, path)))
			return found;
	return NULL;
}

/* A string or a whole number, as text in `a`. */
static struct str text_at(json_t *v, const char *paths, struct arena *a)
{
	json_t *found = find(v, paths);

	if (json_is_string(found))
		return arena_str(
			a, (struct str){json_string_value(found), json_string_length(found)});
	if (json_is_integer(found))
		return str_of(arena_printf(a, "%lld", (long long)json_integer_value(found)));
	return STR("");
}

static bool is_word(struct str word, const char *words)
{
	struct str rest = str_of(words), one;

	while (word.n && str_next(&rest, '|', &one))
		if (str_eq_nocase(one, word))
			return true;
	return false;
}

/* ---- one recipient of one event ---- */

/* The relay's words as a reply; where it has none, what kind of bounce it says this is. */
static void read_reply(
	json_t *who, const struct form *form, bool hard, struct arena *a, struct returned *r)
{
	struct str code = text_at(who, form->code, a), status = text_at(who, form->status, a);
	struct str text = text_at(who, form->text, a);
	struct reply reply;
	const char *words;

	if (str_has_prefix_nocase(text, STR("smtp;")))
		text = str_trim(str_slice(text, 5, text.n));
	if (code.n != 3 || code.p[0] < '4' || code.p[0] > '5')
		code = STR("");
	words = arena_printf(a, "%.*s%s%.*s%s%.*s", STR_ARG(code), code.n ? " " : "",
		STR_ARG(status), status.n ? " " : "", STR_ARG(text));
	if (!code.n && !status.n && !(text.n && text.p[0] >= '4' && text.p[0] <= '5'))
		words = arena_printf(a, "%s %.*s", hard ? "550 5.1.1" : "450 4.0.0", STR_ARG(text));
	classify_words(PHASE_N, str_of(words), &reply, &r->finding);
	if (r->finding.hard && !hard) { /* the relay knows better that it tries on */
		r->finding.hard = false;
		r->finding.action = REACT_RETRY;
	}
	r->code = reply.code;
	r->status = arena_str(a, str_of(reply.status));
	r->text = arena_str(a, str_of(reply.text[0] ? reply.text : words));
}

/* The copy: by the token in its return path, else by Message-ID and address. */
static int find_copy(struct intake *in, json_t *event, const struct form *form, struct arena *a,
	struct plan *p, struct err *e)
{
	struct str sender = text_at(event, form->sender, a),
		   id = text_at(event, form->message_id, a);
	struct str prefix = in->site->config.bounce.prefix;
	struct str local = str_slice(sender, 0, str_find(sender, '@'));
	struct token t;
	int found;

	if (str_has_prefix_nocase(local, prefix) &&
		site_token_read(in->site, TOKEN_VERP, str_slice(local, prefix.n, local.n), &t)) {
		p->arrival.key = STR("verp");
		p->arrival.issue = (int64_t)t.a;
		p->arrival.subscriber = (int64_t)t.b;
		return 1;
	}
	id = str_trim(id);
	if (id.n > 2 && id.p[0] == '<' && id.p[id.n - 1] == '>')
		id = str_slice(id, 1, id.n - 1);
	found = plan_find_copy(
		in->site, id, p->returned.text, a, &p->arrival.issue, &p->arrival.subscriber, e);
	p->arrival.key = id.n ? STR("message-id") : STR("final-recipient");
	return found;
}

static int plan_event(struct intake *in, json_t *event, json_t *who, const struct form *form,
	struct arena *a, struct plan *p, struct err *e)
{
	struct str type = text_at(event, form->type, a);
	bool hard = is_word(type, form->hard), soft = is_word(type, form->soft);
	bool complaint = is_word(type, form->complaint);
	int found;

	*p = (struct plan){.arrival = {.kind = STR("none"), .rule = str_of(form->name)}};
	if (!hard && !soft && !complaint)
		return 0; /* deliveries, openings, clicks */
	p->arrival.kind = complaint ? STR("complaint") : STR("bounce");
	p->returned.text = text_at(who, form->address, a);
	found = find_copy(in, event, form, a, p, e);
	if (found < 0)
		return -1;
	if (!found) {
		plan_file(p, "an event about no copy of ours");
		return 0;
	}
	p->act = PLAN_RETURN;
	p->arrival.fate = ARRIVAL_APPLIED;
	p->returned = (struct returned){
		.issue = p->arrival.issue,
		.subscriber = p->arrival.subscriber,
		.kind = complaint ? RETURN_COMPLAINT : RETURN_BOUNCE,
		.key = p->arrival.key,
		.finding = {.reason = REASON_TRANSIENT, .action = REACT_FAIL, .rule = form->name},
	};
	if (!complaint)
		read_reply(who, form, hard, a, &p->returned);
	return 0;
}

/* Each (event, recipient) is one arrival; what is kept of it is the event. */
static int take(struct intake *in, json_t *event, json_t *who, const struct form *form,
	struct arena *a, struct err *e)
{
	char *text = json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS);
	struct str kept =
		str_of(arena_printf(a, "%s %.*s", text, STR_ARG(text_at(who, form->address, a))));
	struct arrival before;
	struct plan p;
	int known, rc = -1;

	free(text);
	if (plan_event(in, event, who, form, a, &p, e) < 0 ||
		intake_hash(kept, p.arrival.hash, e) < 0)
		return -1;
	in->totals.read++;
	known = arrival_find(in->site->store, p.arrival.hash, a, &before, e);
	if (known == 0)
		rc = intake_carry_out(in, &p, kept, clock_now(), e);
	else if (known == 1)
		rc = 0;
	in->totals.known += known == 1;
	return rc;
}

static const struct form *form_of(json_t *event)
{
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		if (find(event, forms[i].mark))
			return &forms[i];
	return NULL;
}

static int take_event(struct intake *in, json_t *event, struct arena *a, struct err *e)
{
	const struct form *form = form_of(event);
	json_t *people = form && form->people ? find(event, form->people) : NULL, *who;
	size_t i;

	if (!form) {
		in->totals.read++;
		in->totals.ignored++;
		return 0;
	}
	if (!people)
		return take(in, event, event, form, a, e);
	json_array_foreach(people, i, who) if (take(in, event, who, form, a, e) < 0) return -1;
	return 0;
}

/* SNS wraps what SES says as a text in its Message; some post their events as an array. */
static int take_value(struct intake *in, json_t *v, struct arena *a, struct err *e)
{
	json_t *message = json_object_get(v, "Message"), *inner = NULL, *one;
	size_t i;
	int rc = 0;

	if (json_is_array(v)) {
		json_array_foreach(v, i, one) if (rc == 0) rc = take_event(in, one, a, e);
		return rc;
	}
	if (json_is_string(message))
		inner = json_loads(json_string_value(message), 0, NULL);
	rc = take_event(in, inner ? inner : v, a, e);
	json_decref(inner);
	return rc;
}

/* A line that is no JSON, or that no form fits, is kept for the operator to see. */
static int file_line(struct intake *in, struct str line, struct err *e)
{
	struct plan p = {.arrival = {.kind = STR("none"), .rule = STR("")}};
	struct arrival before;
	struct arena a = {0};
	int known = -1, rc = -1;

	plan_file(&p, "this line is no JSON");
	if (intake_hash(line, p.arrival.hash, e) == 0)
		known = arrival_find(in->site->store, p.arrival.hash, &a, &before, e);
	if (known >= 0)
		rc = known ? 0 : intake_carry_out(in, &p, line, clock_now(), e);
	in->totals.read++;
	in->totals.known += known == 1;
	arena_free(&a);
	return rc;
}

int intake_events(struct intake *in, struct str lines, struct err *e)
{
	struct str line;
	int rc = 0;

	while (rc == 0 && str_next(&lines, '\n', &line)) {
		struct arena a = {0};
		json_t *v;

		line = str_trim(line);
		if (!line.n)
			continue;
		v = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
		rc = v ? take_value(in, v, &a, e) : file_line(in, line, e);
		json_decref(v);
		arena_free(&a);
	}
	return rc;
}
