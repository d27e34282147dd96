/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* However slow a relay is within the limit of each wait, a session begins no message after so long. */
enum { LIFE_MS = 3600000 };

static void show_line(void *user, struct str line)
{
	const struct session *s = user;

	relay_show(s->gate->relay, '<', line);
}

struct session *session_open(struct gate *gate, struct link *link, int64_t now)
{
	struct session *s = calloc(1, sizeof(*s));
	char *out = malloc(SESSION_OUT);

	if (!s || !out) {
		free(s);
		free(out);
		link_close(link);
		return NULL;
	}
	s->gate = gate;
	s->link = *link;
	s->out = out;
	s->drain_at = now + LIFE_MS;
	reply_init(&s->reader);
	if (gate->relay->on_dialogue) {
		s->reader.on_line = show_line;
		s->reader.user = s;
	}
	return s;
}

void session_close(struct session *s)
{
	link_close(&s->link);
	free(s->out);
	free(s);
}

bool session_idle(const struct session *s)
{
	return !s->expect_n && s->step == STEP_IDLE && !s->dot_due;
}

/* Whether the whole content with its final dot has left. */
static bool dot_sent(const struct session *s)
{
	return !s->dot_due && s->sent >= s->dot_at;
}

/* The phase of the reply that is awaited next. */
static enum smtp_phase phase_now(const struct session *s)
{
	if (!s->expect_n)
		return s->envelope ? PHASE_MAIL : PHASE_QUIT;
	return s->expect[0] == PHASE_DOT && !dot_sent(s) ? PHASE_BODY : s->expect[0];
}

void session_abandon(struct session *s, const struct reply *why)
{
	enum smtp_phase phase = phase_now(s);
	struct job *body = s->body, *envelope = s->envelope;
	bool fruitful = s->answered && !s->expired;

	s->over = true;
	s->body = s->envelope = NULL;
	if (envelope && phase == PHASE_MAIL && why->code && !s->answered)
		job_no_session(
			s->gate, envelope, s->gate->live + s->gate->opening - !s->left, phase, why);
	else if (envelope)
		job_move(s->gate, envelope, fruitful, body ? PHASE_MAIL : phase, why);
	if (body && dot_sent(s))
		job_end(s->gate, body, VERDICT_DOUBT, PHASE_DOT, why);
	else if (body)
		job_move(s->gate, body, fruitful, PHASE_BODY, why);
}

static void lose(struct session *s, const char *what)
{
	enum smtp_phase phase = phase_now(s);
	struct reply why = reply_ours("", "%s (%s)", what, smtp_phase_name(phase));

	session_abandon(s, &why);
}

void session_expire(struct session *s)
{
	if (session_idle(s)) {
		s->draining = true;
		return;
	}
	s->expired = true;
	lose(s, phase_now(s) == PHASE_BODY ? "the relay did not take the content in time"
					   : "the relay did not answer in time");
}

/* ---- what we say ---- */

static void put(struct session *s, struct str text)
{
	memcpy(s->out + s->out_n, text.p, text.n);
	s->out_n += text.n;
	s->put += text.n;
}

static void expect(struct session *s, enum smtp_phase phase)
{
	s->expect[s->expect_n++] = phase;
}

static void say(struct session *s, enum smtp_phase phase, struct str command)
{
	relay_show(s->gate->relay, '>', str_slice(command, 0, command.n - 2));
	put(s, command);
	expect(s, phase);
}

/* Go on by `n` octets in the content. */
static void content_skip(struct session *s, size_t n)
{
	for (;;) {
		size_t here = n < s->content.n ? n : s->content.n;

		s->content = str_slice(s->content, here, s->content.n);
		n -= here;
		if (s->content.n || !s->part_n)
			return;
		s->content = *s->part++;
		s->part_n--;
	}
}

/* Move content into `out` as far as there is room; where it is not known to have none, a dot before each line
 * that begins with one. */
static void put_content(struct session *s)
{
	while (s->content.n && SESSION_OUT - s->out_n > 1) {
		size_t room = SESSION_OUT - s->out_n - 1, n = s->content.n;

		if (!s->body->s.dotless) {
			size_t line = str_find(s->content, '\n') + 1;

			if (s->line_start && s->content.p[0] == '.')
				put(s, STR("."));
			n = line < n ? line : n;
		}
		n = n < room ? n : room;
		put(s, str_slice(s->content, 0, n));
		s->line_start = s->content.p[n - 1] == '\n';
		content_skip(s, n);
	}
}

static bool ends_line(const struct parts *message)
{
	size_t n;
	const struct str *part = parts_list(message, &n);

	return n && str_has_suffix(part[n - 1], STR("\r\n"));
}

/* Content, and behind it the dot. False when there is no room for more. */
static bool say_content(struct session *s)
{
	bool direct = !s->link.tls && s->body->s.dotless;

	if (!direct)
		put_content(s);
	if ((!direct && s->content.n) || SESSION_OUT - s->out_n < DOT_MAX)
		return false;
	job_stage(s->body, FLIGHT_LEAVING);
	if (direct) {
		s->direct_n = s->body->s.message->n;
		s->direct_at = s->out_n;
		s->put += s->direct_n;
	}
	put(s, ends_line(s->body->s.message) ? STR(".\r\n") : STR("\r\n.\r\n"));
	s->dot_due = false;
	s->dot_at = s->put;
	return true;
}

/* The next envelope, or QUIT when there will be none. False when there is nothing to say. */
static bool say_begin(struct session *s)
{
	unsigned most = s->gate->relay->messages_per_connection;

	if (most && s->messages >= most)
		s->draining = true;
	if (s->draining) {
		if (!session_idle(s))
			return false;
		say(s, PHASE_QUIT, STR("QUIT\r\n"));
		s->step = STEP_QUIT;
		return true;
	}
	if (SESSION_OUT - s->out_n < SESSION_GROUP)
		return false;
	do {
		s->envelope = job_take(s->gate);
		if (!s->envelope)
			return false;
	} while (job_check(s->gate, s->envelope, &s->link.caps) < 0);
	s->messages++;
	s->step = s->open ? STEP_RSET : STEP_MAIL;
	return true;
}

/* Say the next thing that may be said now; false when nothing may. */
static bool say_next(struct session *s)
{
	char line[COMMAND_MAX];

	if (s->dot_due)
		return say_content(s);
	if (s->expect_n && !s->link.caps.pipelining)
		return false;
	switch (s->step) {
	case STEP_IDLE:
		return say_begin(s);
	case STEP_RSET:
		say(s, PHASE_RSET, STR("RSET\r\n"));
		s->step = STEP_MAIL;
		return true;
	case STEP_MAIL:
		say(s, PHASE_MAIL, command_mail(line, &s->envelope->s, &s->link.caps));
		s->step = STEP_RCPT;
		return true;
	case STEP_RCPT:
		say(s, PHASE_RCPT, command_rcpt(line, &s->envelope->s, &s->link.caps));
		s->step = STEP_DATA;
		return true;
	case STEP_DATA:
		say(s, PHASE_DATA, STR("DATA\r\n"));
		s->step = STEP_AWAIT;
		return true;
	case STEP_AWAIT:
	case STEP_QUIT:
		break;
	}
	return false;
}

/* One TLS record at a time: what was not taken whole has not arrived, so it is known whether a dot has left. */
static long send_record(struct session *s)
{
	enum { RECORD_MAX = 16384 };
	size_t n = s->out_n - s->out_at;
	long sent;

	if (s->retry_n)
		n = s->retry_n;
	else if (n > RECORD_MAX)
		n = RECORD_MAX;
	sent = link_send(&s->link, s->out + s->out_at, n);
	s->retry_n = sent == LINK_AGAIN ? n : 0;
	if (sent > 0)
		s->out_at += (size_t)sent;
	return sent;
}

/* What is in `out`, and content from where it is. */
static long send_plain(struct session *s)
{
	enum { AT_ONCE = 128 }; /* parts */
	size_t before = s->direct_n ? s->direct_at - s->out_at : 0, n = 0, past, of_direct;
	struct iovec part[AT_ONCE + 3];
	long sent;

	part[n++] = (struct iovec){s->out + s->out_at, before};
	if (s->direct_n)
		part[n++] = (struct iovec){(char *)s->content.p, s->content.n};
	for (size_t i = 0; s->direct_n && i < s->part_n && i < AT_ONCE; i++)
		part[n++] = (struct iovec){(char *)s->part[i].p, s->part[i].n};
	if (!s->direct_n || s->part_n <= AT_ONCE)
		part[n++] =
			(struct iovec){s->out + s->out_at + before, s->out_n - s->out_at - before};
	sent = link_send_parts(&s->link, part, n);
	past = sent > 0 ? (size_t)sent : 0;
	of_direct = past > before ? past - before : 0;
	if (of_direct > s->direct_n)
		of_direct = s->direct_n;
	if (of_direct)
		content_skip(s, of_direct);
	s->direct_n -= of_direct;
	s->out_at += past - of_direct;
	return sent;
}

/* Send what is in `out`. False when the session is over. */
static bool flush(struct session *s)
{
	s->blocked = false;
	while (s->out_at < s->out_n) {
		long sent = s->link.tls ? send_record(s) : send_plain(s);

		if (sent == LINK_AGAIN) {
			s->blocked = true;
			return true;
		}
		if (sent == LINK_LOST) {
			lose(s, "the connection was lost");
			return false;
		}
		s->sent += (uint64_t)sent;
	}
	s->out_at = s->out_n = 0;
	return true;
}

/* ---- what the relay says ---- */

/* The envelope is refused in `phase`. */
static void refuse(struct session *s, enum smtp_phase phase, const struct reply *reply)
{
	if (s->envelope)
		job_end(s->gate, s->envelope,
			verdict_of(phase, reply, false, &s->envelope->o.finding), phase, reply);
	s->envelope = NULL;
	s->answered = true;
	s->open = true;
	if (s->step != STEP_AWAIT)
		s->step = STEP_IDLE;
}

static void show_content(const struct session *s, size_t octets)
{
	char line[64];

	if (!s->gate->relay->on_dialogue)
		return;
	snprintf(line, sizeof(line), "(message of %zu octets)", octets);
	relay_show(s->gate->relay, '>', str_of(line));
}

/* DATA is answered: content, or, where the recipient was refused all the same, a lone dot, which the
 * relay has to refuse (RFC 2920 section 3.1). */
static void on_data(struct session *s, const struct reply *reply)
{
	s->step = STEP_IDLE;
	if (reply->code != 354) {
		refuse(s, PHASE_DATA, reply);
		return;
	}
	s->open = false;
	if (!s->envelope) {
		say(s, PHASE_DOT, STR(".\r\n"));
		return;
	}
	show_content(s, s->envelope->s.message->n);
	expect(s, PHASE_DOT);
	s->body = s->envelope;
	s->envelope = NULL;
	s->part = parts_list(s->body->s.message, &s->part_n);
	s->content = STR("");
	content_skip(s, 0);
	s->line_start = true;
	s->dot_due = true;
}

static void on_dot(struct session *s, const struct reply *reply)
{
	enum smtp_phase phase = dot_sent(s) ? PHASE_DOT : PHASE_BODY;

	if (s->body)
		job_end(s->gate, s->body,
			verdict_of(phase, reply, phase == PHASE_DOT, &s->body->o.finding), phase,
			reply);
	s->answered = true;
	s->body = NULL;
	/* An answer before the question: nothing that follows would be understood. */
	if (phase == PHASE_BODY)
		session_abandon(s, reply);
}

/* Whether `code` can be the answer to a command of `phase` at all. */
static bool answers(enum smtp_phase phase, int code)
{
	if (code >= 400)
		return true;
	return phase == PHASE_DATA ? code == 354 : code < 300;
}

static void on_reply(struct session *s, const struct reply *reply)
{
	enum smtp_phase phase = s->expect_n ? s->expect[0] : PHASE_QUIT;
	bool early = phase == PHASE_DOT && s->body && !dot_sent(s);

	s->replies++;
	if (!s->expect_n || phase == PHASE_QUIT) {
		session_abandon(s, reply); /* a farewell, ours or the relay's */
		return;
	}
	if (!answers(phase, reply->code) || (early && reply->code < 400)) {
		lose(s, "the relay gave an answer that does not fit");
		return;
	}
	if (reply->code == 421 && (phase != PHASE_DOT || early)) {
		session_abandon(s, reply);
		return;
	}
	memmove(s->expect, s->expect + 1, --s->expect_n * sizeof(s->expect[0]));
	switch (phase) {
	case PHASE_MAIL:
	case PHASE_RCPT:
		if (reply->code >= 400)
			refuse(s, phase, reply);
		break;
	case PHASE_DATA:
		on_data(s, reply);
		break;
	case PHASE_DOT:
		on_dot(s, reply);
		break;
	default: /* RSET: a relay that refuses it will refuse MAIL */
		break;
	}
	if (reply->code == 421)
		session_abandon(s, reply);
}

/* Read all there is. */
static void hear(struct session *s)
{
	char in[16384];

	while (!s->over) {
		long n = link_recv(&s->link, in, sizeof(in));
		struct str rest = {in, n > 0 ? (size_t)n : 0};

		if (n == LINK_LOST)
			lose(s, "the connection was lost");
		if (n < 0)
			return;
		while (rest.n && !s->over) {
			enum reply_result result = reply_read(&s->reader, &rest);

			if (result == REPLY_BAD)
				lose(s, "what the relay sent is no SMTP reply");
			else if (result == REPLY_DONE)
				on_reply(s, &s->reader.reply);
		}
		if (!s->link.tls && (size_t)n < sizeof(in))
			return;
	}
}

/* Allow a new span of time whenever something else is awaited than before, and for the content whenever the
 * relay has taken some of it, but not octet by octet for ever. */
static void set_deadline(struct session *s, int64_t now)
{
	enum { OCTETS_PER_MS = 1 };
	enum smtp_phase phase = phase_now(s);
	bool other;

	if (session_idle(s))
		phase = PHASE_N;
	other = !s->deadline || s->due != phase || s->due_replies != s->replies;
	if (!other && (phase != PHASE_BODY || s->due_sent == s->sent))
		return;
	s->deadline = now + phase_limit_ms(s->gate->relay, phase);
	if (phase == PHASE_BODY && other)
		s->body_until = s->deadline + (int64_t)s->body->s.message->n / OCTETS_PER_MS;
	if (phase == PHASE_BODY && s->deadline > s->body_until)
		s->deadline = s->body_until;
	s->due = phase;
	s->due_replies = s->replies;
	s->due_sent = s->sent;
}

void session_turn(struct session *s, bool readable, int64_t now)
{
	s->draining |= now >= s->drain_at;
	if (readable)
		hear(s);
	while (!s->over) {
		while (say_next(s))
			;
		if (s->out_at == s->out_n || !flush(s) || s->blocked)
			break;
	}
	if (!s->over)
		set_deadline(s, now);
}
