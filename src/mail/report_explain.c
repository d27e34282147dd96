/* SPDX-License-Identifier: MIT */
#include "report_parts.h"

#include <stdio.h>
#include <string.h>

/* The lines about one recipient: its paragraph, and all up to the next recipient's. */
struct place {
	size_t from, paragraph, to;
};

static bool mentions(const struct line *l, struct str address)
{
	for (size_t k = 0; k < l->address_n; k++)
		if (str_eq_nocase(l->address[k], address))
			return true;
	return false;
}

/* The line that names the address: at its head rather than in passing. */
static size_t head_of(const struct lines *t, struct str address)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->line[i].leads && str_eq_nocase(t->line[i].address[0], address))
			return i;
	for (size_t i = 0; i < t->n; i++)
		if (mentions(&t->line[i], address))
			return i;
	return t->n;
}

static struct place place_of(const struct lines *t, struct str address)
{
	struct place p = {.from = head_of(t, address), .to = t->n};
	bool words = false;

	if (p.from == t->n)
		return (struct place){0, t->n, t->n};
	if (!t->line[p.from].leads)
		return (struct place){p.from, p.from + 1, t->n};
	p.paragraph = 0;
	for (size_t i = p.from; i < t->n; i++) {
		const struct line *l = &t->line[i];

		if (i > p.from && l->leads && !str_eq_nocase(l->address[0], address)) {
			p.to = i;
			break;
		}
		words |= l->text.n > (l->leads ? l->address[0].n + 6 : 0);
		if (!l->text.n && words && !p.paragraph)
			p.paragraph = i;
	}
	if (!p.paragraph)
		p.paragraph = p.to;
	return p;
}

/* A reply in a line that mentions the address, or right behind one. */
static struct str reply_beside(struct reading *r, struct str address)
{
	const struct lines *t = &r->lines;

	for (size_t i = 0; i < t->n; i++) {
		if (!mentions(&t->line[i], address))
			continue;
		if (t->line[i].reply.n)
			return lines_reply(r->a, t, i, i + LINE_FAR);
		if (i + 1 < t->n && t->line[i + 1].reply.n)
			return lines_reply(r->a, t, i + 1, i + 1 + LINE_FAR);
	}
	return (struct str){0};
}

static struct str reply_about(struct reading *r, const struct place *p, struct str address)
{
	struct str words = lines_reply(r->a, &r->lines, p->from, p->paragraph);

	if (!words.n)
		words = reply_beside(r, address);
	if (!words.n)
		words = lines_reply(r->a, &r->lines, p->from, p->to);
	return words.n ? words : lines_reply(r->a, &r->lines, 0, r->lines.n);
}

static enum smtp_phase phase_in(const struct lines *t, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (t->line[i].phase != PHASE_N)
			return t->line[i].phase;
	return PHASE_N;
}

static enum smtp_phase phase_about(const struct reading *r, const struct place *p)
{
	enum smtp_phase phase = phase_in(&r->lines, p->from, p->to);

	return phase == PHASE_N && r->out->recipient_n < 2 ? phase_in(&r->lines, 0, r->lines.n)
							   : phase;
}

/* Whether the code alone decided, or words that a system says of all its failures. */
static bool is_vague(const struct finding *f)
{
	static const char *const rules[] = {
		"refused", "later", "no-reply", "recipient-refused", "transaction-failed"};

	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		if (!f->rule || !strcmp(f->rule, rules[i]))
			return true;
	return false;
}

/* Classify words without a code, as the class of `status` has it. */
static void classify_plain(struct reading *r, enum smtp_phase phase, struct str words,
	struct str status, struct reply *reply, struct finding *out)
{
	const char *code = status.n && status.p[0] == '4' ? "450" : "550";

	classify_words(phase,
		str_of(arena_printf(r->a, "%s %.*s%s%.*s", code, STR_ARG(status),
			status.n ? " " : "", STR_ARG(words))),
		reply, out);
	reply->code = 0;
}

/* A reply that says little: the other words of the report may say more. */
static void ask_words(struct reading *r, struct report_recipient *p, enum smtp_phase phase,
	const struct place *at, struct str status)
{
	/* Behind the address first; of a single recipient all of them may speak. */
	const struct place places[] = {
		{.from = at->from, .to = r->several ? at->paragraph : at->to},
		{.from = 0, .to = r->several ? 0 : r->lines.n}};

	if (p->reply.status[0])
		status = str_of(p->reply.status);
	for (size_t i = 0; i < 2 && is_vague(&p->finding); i++) {
		struct finding other;
		struct reply reply;

		classify_plain(r, phase, lines_join(r->a, &r->lines, places[i].from, places[i].to),
			status, &reply, &other);
		if (!is_vague(&other) && (p->reply.code / 100 != 4 || !other.hard))
			p->finding = other;
	}
}

/* Classify a reply that is quoted; the report's status goes in where the reply has none. */
static void classify_quoted(struct reading *r, struct report_recipient *p, enum smtp_phase phase,
	struct str words, struct str status)
{
	classify_words(phase, words, &p->reply, &p->finding);
	if (p->reply.status[0] || !status.n || status.p[0] != words.p[0])
		return;
	classify_words(phase,
		str_of(arena_printf(
			r->a, "%.*s %.*s %s", 3, words.p, STR_ARG(status), p->reply.text)),
		&p->reply, &p->finding);
}

void report_explain(
	struct reading *r, struct report_recipient *p, struct str words, struct str status)
{
	struct place at = place_of(&r->lines, p->address);
	enum smtp_phase phase = phase_about(r, &at);
	struct str quoted = lines_tidy(r->a, lines_find_reply(words), (struct str){0});

	if (!quoted.n && words.n) {
		classify_plain(r, phase, words, status, &p->reply, &p->finding);
		if (!is_vague(&p->finding))
			return;
	}
	if (!quoted.n)
		quoted = reply_about(r, &at, p->address);
	if (quoted.n)
		classify_quoted(r, p, phase, quoted, status);
	else if (!words.n)
		classify_plain(r, phase, words, status, &p->reply, &p->finding);
	ask_words(r, p, phase, &at, status);
	/* Said to have failed, with the words of a success. */
	if (!p->finding.rule)
		p->finding =
			(struct finding){REASON_TRANSIENT, REACT_FAIL, .rule = "contradiction"};
}
