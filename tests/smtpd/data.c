/* SPDX-License-Identifier: MIT */
#include "smtpd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Every octet is looked at by memchr() and its like only: this is also the sink of the benchmarks.
 */

enum fault { FAULT_BARE_LF, FAULT_BARE_CR, FAULT_NUL, FAULT_LONG };

static void fault_report(struct conn *c, enum fault fault, struct str detail)
{
	static const char *const names[] = {"bare LF", "bare CR", "NUL", "line too long"};
	unsigned bit = 1u << fault;

	if (c->t.reported & bit)
		return;
	c->t.reported |= bit;
	record_violation(c, names[fault], str_slice(detail, 0, 80));
}

/* `line` with its LF. `stuffed`: its first octet is a dot that does not count. */
static void line_check(struct conn *c, struct str line, bool stuffed)
{
	size_t n = line.n - 1;

	if (n && line.p[n - 1] == '\r')
		n--;
	else
		fault_report(c, FAULT_BARE_LF, line);
	if (memchr(line.p, '\r', n))
		fault_report(c, FAULT_BARE_CR, line);
	if (line.n > (size_t)LINE_MAX_OCTETS + stuffed)
		fault_report(c, FAULT_LONG, line);
}

static bool has_eight_bit(const char *p, size_t n)
{
	uint64_t all = 0, word;
	size_t i;

	for (i = 0; i + sizeof(word) <= n; i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		all |= word;
	}
	for (; i < n; i++)
		all |= (uint64_t)(unsigned char)p[i] << 56 | (unsigned char)p[i];
	return all & 0x8080808080808080u;
}

static void octets_check(struct conn *c, const char *p, size_t n)
{
	if (memchr(p, 0, n))
		fault_report(c, FAULT_NUL, (struct str){p, n});
	if (!c->t.eight_bit)
		c->t.eight_bit = has_eight_bit(p, n);
}

static void store(struct transaction *t, const char *p, size_t n)
{
	t->bytes += n;
	if (t->whole || !t->header_done)
		buf_add(&t->text, p, n);
}

/* Rules of the step "body", for the octets that have come since `before`. */
static void body_rules(struct conn *c, uint64_t before)
{
	struct moment m = {.conn = c->number,
		.msg = c->msg,
		.address = c->t.address,
		.address_n = c->t.recipient_n,
		.bytes_before = before,
		.bytes_now = c->t.bytes};
	const struct rule *r = script_match(&c->server->o->script, STEP_BODY, &m);

	if (!r)
		return;
	if (r->delay_ms)
		c->hold_until = c->server->now + r->delay_ms;
	if (r->reply || r->garbage || r->end != END_NONE)
		reply_perform(c, r, 0, 0, (struct str){NULL, 0});
}

static void message_begin(struct conn *c, bool whole)
{
	struct options *o = c->server->o;

	c->t.whole = whole || o->maildir || o->sha256;
	c->t.text.max = c->t.whole ? o->size + COMMAND_MAX : HEADER_MAX;
	c->t.begun = true;
	c->t.after_crlf = true;
}

/* The message is complete: the step "dot", and "after-dot" once it is recorded. */
static void message_end(struct conn *c)
{
	struct transaction *t = &c->t;
	bool over = t->bytes > c->server->o->size;
	int code = over ? 552 : 250;
	const struct rule *r = reply_rule(c, STEP_DOT, t->address, t->recipient_n), *after;
	char text[64] = "message too large", line[512];

	c->state = STATE_COMMAND;
	if (t->eight_bit && !(t->body && str_eq_nocase(str_of(t->body), STR("8BITMIME"))) &&
		!t->utf8)
		record_violation(c, "8-bit message without BODY=8BITMIME", str_of(t->sender));
	if (reply_code(r, code) / 100 == 2) {
		record_message(c);
		after = reply_rule(c, STEP_AFTER_DOT, t->address, t->recipient_n);
		if (after)
			r = after;
		snprintf(text, sizeof(text), "kept as %" PRIu64, c->server->totals.messages);
	}
	reply_perform(c, r, c->server->o->dot_delay_ms, code,
		reply_format(c, line, code, over ? "5.3.4" : "2.0.0", text));
	transaction_reset(t);
}

void data_command(struct conn *c, struct str args)
{
	const struct transaction *t = &c->t;
	const struct rule *r;
	char line[512];

	(void)args;
	if (!t->open || !t->recipient_n) {
		reply_plain(c, t->open ? 554 : 503, "5.5.1", "no valid recipients");
		return;
	}
	r = reply_rule(c, STEP_DATA, t->address, t->recipient_n);
	if (reply_perform(c, r, 0, 354,
		    reply_format(c, line, 354, "", "end it with a dot on a line")) == 354) {
		message_begin(c, false);
		c->state = STATE_DATA;
	}
}

/* Keep [run, at) of `in`; a line without an end that has filled the input buffer is taken as it is.
 */
static size_t data_taken(struct conn *c, struct str in, size_t run, size_t at)
{
	uint64_t before = c->t.bytes;

	if (!at && in.n >= IN_SIZE / 2) {
		at = in.n;
		c->t.after_crlf = false;
		fault_report(c, FAULT_LONG, in);
	}
	if (at > run)
		store(&c->t, in.p + run, at - run);
	octets_check(c, in.p, at);
	if (c->server->o->script.has[STEP_BODY])
		body_rules(c, before);
	return at;
}

size_t data_take(struct conn *c, struct str in)
{
	struct transaction *t = &c->t;
	size_t at = 0, run = 0;
	const char *lf;

	while (at < in.n && (lf = memchr(in.p + at, '\n', in.n - at))) {
		struct str line = {in.p + at, (size_t)(lf - in.p) - at + 1};
		bool crlf = line.n > 1 && lf[-1] == '\r', dot = t->after_crlf && line.p[0] == '.';

		if (dot && crlf && line.n == 3) {
			data_taken(c, in, run, at);
			if (c->state == STATE_DATA && !c->hold_until)
				message_end(c);
			else
				return at;
			return at + line.n;
		}
		if (dot) {
			if (at > run)
				store(t, in.p + run, at - run);
			run = at + 1;
		}
		line_check(c, line, dot);
		at += line.n;
		if (!t->header_done && t->after_crlf && crlf && line.n == 2) {
			store(t, in.p + run, at - run);
			run = at;
			t->header_done = true;
		}
		t->after_crlf = crlf;
	}
	return data_taken(c, in, run, at);
}

void data_chunk_command(struct conn *c, struct str args)
{
	struct str size, last = args;
	int64_t n;

	if (!str_next(&last, ' ', &size) || !str_to_int(size, 0, INT64_MAX, &n) ||
		(last.n && !str_eq_nocase(last, STR("LAST"))) || !c->extended ||
		!(c->server->o->extensions & EXT_CHUNKING)) {
		record_violation(c, "syntax", STR("BDAT"));
		reply_plain(c, 501, "5.5.4", "BDAT SIZE [LAST] is wanted, where it is offered");
		return;
	}
	c->chunk = (uint64_t)n;
	c->chunk_last = last.n;
	c->chunk_refused = !c->t.open || !c->t.recipient_n;
	if (!c->chunk_refused && !c->t.begun)
		message_begin(c, true);
	c->state = STATE_BDAT;
	if (!n)
		data_chunk_take(c, STR(""));
}

/* In a chunk no dot has a meaning; the lines are looked at when all is there. */
static void chunks_check(struct conn *c)
{
	struct str rest = buf_view(&c->t.text);
	const char *lf;

	octets_check(c, rest.p, rest.n);
	while (rest.n && (lf = memchr(rest.p, '\n', rest.n))) {
		size_t n = (size_t)(lf - rest.p) + 1;

		line_check(c, str_slice(rest, 0, n), false);
		rest = str_slice(rest, n, rest.n);
	}
	if (rest.n)
		fault_report(c, FAULT_BARE_LF, STR("no CRLF at the end of the message"));
}

size_t data_chunk_take(struct conn *c, struct str in)
{
	size_t n = in.n < c->chunk ? in.n : (size_t)c->chunk;
	uint64_t before = c->t.bytes;

	c->chunk -= n;
	if (!c->chunk_refused) {
		store(&c->t, in.p, n);
		if (c->server->o->script.has[STEP_BODY])
			body_rules(c, before);
	}
	if (c->chunk || c->state == STATE_DEAF)
		return n;
	c->state = STATE_COMMAND;
	if (c->chunk_refused) {
		reply_plain(c, 503, "5.5.1", "no valid recipients");
	} else if (c->chunk_last) {
		chunks_check(c);
		message_end(c);
	} else {
		reply_plain(c, 250, "2.0.0", "go on");
	}
	return n;
}
