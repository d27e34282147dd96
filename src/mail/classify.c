/* SPDX-License-Identifier: MIT */
#include "mail/classify.h"

#include "classify_rules.h"

#include <stdio.h>
#include <string.h>

enum { RULES_N = sizeof rules / sizeof rules[0], WAIT_MAX = 24 * HOUR };

static const char *const reasons[REASON_N] = {
	[REASON_RECIPIENT] = "recipient",
	[REASON_DOMAIN] = "domain",
	[REASON_DISABLED] = "disabled",
	[REASON_FULL] = "full",
	[REASON_GREYLIST] = "greylist",
	[REASON_RATE] = "rate",
	[REASON_BLOCK] = "block",
	[REASON_AUTH] = "auth",
	[REASON_CONTENT] = "content",
	[REASON_SIZE] = "size",
	[REASON_SENDER] = "sender",
	[REASON_RELAY] = "relay",
	[REASON_PROTOCOL] = "protocol",
	[REASON_TRANSIENT] = "transient",
};

static const char *const reactions[REACT_N] = {
	[REACT_SUPPRESS] = "suppress",
	[REACT_RETRY] = "retry",
	[REACT_THROTTLE] = "throttle",
	[REACT_PAUSE_DOMAIN] = "pause-domain",
	[REACT_PAUSE_ISSUE] = "pause-issue",
	[REACT_PAUSE_RELAY] = "pause-relay",
	[REACT_FAIL] = "fail",
};

/* ---- one rule ---- */

/* Whether `value` is one of a list: "552", "5.7.*", "-" for none. */
static bool listed(const char *list, struct str value)
{
	struct str rest = str_of(list), one;

	while (str_next(&rest, ' ', &one)) {
		if (str_eq(one, STR("-")) && !value.n)
			return true;
		if (one.p[one.n - 1] == '*' && value.n > one.n - 1 &&
			str_has_prefix(value, str_slice(one, 0, one.n - 1)))
			return true;
		if (str_eq(one, value))
			return true;
	}
	return false;
}

/* A reply as the rules see it. */
struct view {
	enum smtp_phase phase;
	int digit;
	char code[4];
	const struct reply *reply;
	struct phrase_text text;
};

/* The cheap conditions first. */
static bool fits(const struct rule *r, const struct view *v)
{
	if (r->phases && !(r->phases & AT(v->phase)))
		return false;
	if (r->digit && r->digit != v->digit)
		return false;
	if (r->code && !listed(r->code, str_of(v->code)))
		return false;
	if (r->status && !listed(r->status, str_of(v->reply->status)))
		return false;
	return !r->text || phrase_match(r->text, &v->text.in[r->where], NULL);
}

/* ---- what the reply says beside the reason ---- */

/* "in 300 seconds", "after 5 minutes". 0 where it says nothing of the kind. */
static int said_wait(const struct phrase_words *in)
{
	static const struct {
		const char *pattern;
		int seconds;
	} units[] = {
		{"in/after/for/within #num (more) second/seconds/sec/secs/s", 1},
		{"in/after/for/within #num (more) minute/minutes/min/mins", MINUTE},
		{"in/after/for/within #num (more) hour/hours", HOUR},
	};

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		int64_t number;
		size_t at;

		if (phrase_match(units[i].pattern, in, &at) &&
			str_to_int(in->word[at + 1], 1, WAIT_MAX / units[i].seconds, &number))
			return (int)number * units[i].seconds;
	}
	return 0;
}

/* The phase that a relay's report quotes, "(in reply to RCPT TO command)"; others than these speak of
 * the relay's own session, of which no phase is ours. */
static enum smtp_phase said_phase(const struct phrase_words *in, enum smtp_phase quoted)
{
	static const struct {
		const char *pattern;
		enum smtp_phase phase;
	} quotes[] = {
		{"in reply to mail from", PHASE_MAIL},
		{"in reply to rcpt to;rcpt_to $", PHASE_RCPT},
		{"in reply to end of data", PHASE_DOT},
		{"in reply to data", PHASE_DATA},
	};

	for (size_t i = 0; i < sizeof quotes / sizeof quotes[0]; i++)
		if (phrase_match(quotes[i].pattern, in, NULL))
			return quotes[i].phase;
	return quoted;
}

/* ---- the decision ---- */

static void decide(struct view *v, enum smtp_phase told, struct finding *out)
{
	const struct rule *r = rules;

	while (r < rules + RULES_N - 1 && !fits(r, v))
		r++;
	*out = (struct finding){
		.reason = kinds[r->kind].reason,
		.action = v->digit == 5 ? kinds[r->kind].on_5 : kinds[r->kind].on_4,
		.hard = v->digit == 5 && kinds[r->kind].hard,
		.rule = r->name,
		.wait_s = said_wait(&v->text.in[IN_TEXT]),
		.per_minute = r->per_minute,
		.connections = r->connections,
	};
	if (!out->wait_s)
		out->wait_s = r->wait_s;
	/* One event is enough only where the recipient was the question. */
	if (out->action == REACT_SUPPRESS && told != PHASE_RCPT && told != PHASE_N)
		out->action = REACT_FAIL;
}

/* `quoted` is the phase of a report that quotes none. */
static void classify(enum smtp_phase phase, enum smtp_phase quoted, const struct reply *reply,
	struct finding *out)
{
	struct view v = {.phase = phase, .digit = reply->code / 100, .reply = reply};

	if (!v.digit && reply->status[0])
		v.digit = reply->status[0] - '0';
	if (!v.digit) {
		*out = (struct finding){REASON_TRANSIENT, REACT_RETRY, .rule = "no-reply"};
		if (phase < PHASE_N && (AT(phase) & BEFORE_MAIL))
			*out = (struct finding){
				REASON_RELAY, REACT_PAUSE_RELAY, .rule = "before-mail"};
		return;
	}
	if (v.digit < 4) {
		*out = FINDING_NONE;
		return;
	}
	if (reply->code)
		snprintf(v.code, sizeof v.code, "%d", reply->code);
	phrase_read(str_of(reply->text), &v.text);
	if (phase == PHASE_N)
		v.phase = said_phase(&v.text.in[IN_TEXT], quoted);
	decide(&v, phase, out);
}

void classify_reply(enum smtp_phase phase, const struct reply *reply, struct finding *out)
{
	classify(phase, PHASE_N, reply, out);
}

/* ---- replies in one piece ---- */

static bool digits3(struct str s)
{
	return s.n >= 3 && s.p[0] >= '2' && s.p[0] <= '5' && s.p[1] >= '0' && s.p[1] <= '9' &&
	       s.p[2] >= '0' && s.p[2] <= '9' && (s.n == 3 || s.p[3] == ' ' || s.p[3] == '-');
}

/* Several replies of a pipelined session joined, "450 busy 551 not our customer 503 need RCPT command":
 * the one in front of the complaint that no recipient is left is the answer to RCPT. */
static struct str answer_to_rcpt(struct str words, bool *joined)
{
	size_t start = 0;

	*joined = false;
	for (size_t i = 0; i < words.n; i++) {
		struct str here = str_slice(words, i, words.n), next;

		if (i && words.p[i - 1] != ' ')
			continue;
		if (!digits3(here))
			continue;
		next = str_slice(here, 0, 48);
		if (i && (str_has_prefix(here, STR("503")) || str_has_prefix(here, STR("554")))) {
			struct phrase_text t;

			phrase_read(next, &t);
			if (phrase_match("rcpt;no valid recipients;need recipient", &t.in[IN_TEXT],
				    NULL)) {
				*joined = true;
				return str_trim(str_slice(words, start, i));
			}
		}
		start = i;
	}
	return words;
}

/* Take the code in front of `s`, which a further copy of it may follow ("550 550 5.1.1"). */
static int code_take(struct str *s)
{
	int code = 0;

	while (digits3(*s)) {
		code = (s->p[0] - '0') * 100 + (s->p[1] - '0') * 10 + (s->p[2] - '0');
		*s = str_trim(str_slice(*s, 4, s->n));
	}
	return code;
}

/* The enhanced code: in front, "#5.7.1", or further on in the text, "(#5.5.0)". */
static void status_find(struct str *s, struct reply *reply)
{
	struct str hash = s->n && s->p[0] == '#' ? str_slice(*s, 1, s->n) : *s;
	size_t n = phrase_status(hash), at = 0;
	struct str found = str_slice(hash, 0, n);

	if (n)
		*s = str_trim(str_slice(hash, n, hash.n));
	for (; !found.n && at < s->n; at++) {
		bool starts = at == 0 || s->p[at - 1] == ' ' || s->p[at - 1] == '#' ||
			      s->p[at - 1] == '(' || s->p[at - 1] == '-';
		struct str here = str_slice(*s, at, s->n);

		if (starts && (!reply->code || here.p[0] == '0' + reply->code / 100))
			found = str_slice(here, 0, phrase_status(here));
	}
	snprintf(reply->status, sizeof reply->status, "%.*s", STR_ARG(found));
}

/* As reply_read() masks it. */
static void text_set(struct reply *reply, struct str s)
{
	size_t n = s.n < sizeof reply->text ? s.n : sizeof reply->text - 1;
	struct str rest = {reply->text, n};

	for (size_t i = 0; i < n; i++)
		reply->text[i] = (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f ? ' ' : s.p[i];
	reply->text[n] = '\0';
	for (size_t at; (at = utf8_invalid_at(rest)) < rest.n;
		rest = str_slice(rest, at + 1, rest.n))
		reply->text[rest.p - reply->text + (ptrdiff_t)at] = '?';
}

void classify_words(
	enum smtp_phase phase, struct str words, struct reply *reply, struct finding *out)
{
	enum { WORDS_MAX = 4096 };
	struct reply own;
	bool joined;
	struct str s = answer_to_rcpt(str_trim(str_slice(words, 0, WORDS_MAX)), &joined);

	if (!reply)
		reply = &own;
	*reply = (struct reply){.code = code_take(&s)};
	status_find(&s, reply);
	text_set(reply, s);
	classify(phase, joined ? PHASE_RCPT : PHASE_N, reply, out);
}

/* ---- names ---- */

const char *reason_name(enum reason reason)
{
	return reason < REASON_N ? reasons[reason] : "none";
}

enum reason reason_of(struct str name)
{
	int i = 0;

	while (i < REASON_N && !str_eq(name, str_of(reasons[i])))
		i++;
	return i;
}

const char *reaction_name(enum reaction action)
{
	return action < REACT_N ? reactions[action] : "none";
}
