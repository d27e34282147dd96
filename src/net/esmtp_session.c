/* SPDX-License-Identifier: MIT */
#include "esmtp.h"

#include "base/clock.h"
#include "command.h"
#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { XTEXT_MAX = 250 /* more would overrun a buffer of libesmtp's */ };

/* ---- the message's end ---- */

/* Once, and not at all where the transport has given the message up meanwhile. */
static void conclude(struct worker *w, enum smtp_phase phase, const struct reply *reply)
{
	struct transport *t = w->pool->t;
	struct gate *g = w->pool->gate;
	enum verdict_action action;
	struct finding finding;
	struct job *j;
	size_t others;
	bool refused;

	pthread_mutex_lock(&t->lock);
	action = verdict_of(phase, reply, w->all_given, &finding);
	j = w->job;
	if (j)
		j->o.finding = finding;
	w->job = NULL;
	others = w->pool->talking - w->talking;
	/* The session itself, at the latest by a 421 to its first MAIL. */
	refused = phase < PHASE_MAIL ||
		  (phase == PHASE_MAIL && reply->code == 421 && w->messages == 1);
	pthread_mutex_unlock(&t->lock);
	if (!j)
		return;
	if (refused)
		job_no_session(g, j, others, phase, reply);
	else if (action == VERDICT_AGAIN)
		job_move(g, j, w->messages > 1 && reply->code == 421, phase, reply);
	else
		job_end(g, j, action, phase, reply);
	jobs_tell(t);
	if (refused)
		pool_wake(g); /* for the others, where this one leaves */
}

/* libesmtp's status as a reply; code 0 where it has none. Its text may have several lines. */
static struct reply reply_of(const smtp_status_t *status)
{
	struct reply_reader r;
	struct str text, line;
	enum reply_result result = REPLY_MORE;

	if (!status || !status->text)
		return reply_ours("", "the connection was lost");
	reply_init(&r);
	text = str_trim(str_of(status->text));
	if (!text.n)
		text = STR(" ");
	while (result == REPLY_MORE && str_next(&text, '\n', &line)) {
		char head[48];
		struct str parts[3] = {{head, 0}, str_trim(line), STR("\r\n")};

		snprintf(head, sizeof(head), "%d%c", status->code, text.p ? '-' : ' ');
		if (status->enh_class)
			snprintf(head, sizeof(head), "%d%c%d.%d.%d ", status->code,
				text.p ? '-' : ' ', status->enh_class, status->enh_subject,
				status->enh_detail);
		parts[0].n = strlen(head);
		for (size_t i = 0; i < 3 && result == REPLY_MORE; i++)
			result = reply_read(&r, &parts[i]);
	}
	return result == REPLY_DONE ? r.reply
				    : reply_ours("", "what the relay sent is no SMTP reply");
}

/* ---- what libesmtp asks for ---- */

/* The content in pieces, then its end. libesmtp goes on after a write that has timed out, as if nothing was
 * missing: where a piece has taken so long, the session must not reach its dot. */
static const char *on_content(void **ctx, int *n, void *arg)
{
	enum { PIECE = 8192 };
	struct worker *w = arg;
	struct transport *t = w->pool->t;
	int64_t now = clock_mono_ms();
	const char *piece = w->content.p + w->content_at;
	size_t left = w->content.n - w->content_at;
	bool end;

	(void)ctx;
	if (!n) { /* from the beginning */
		w->content_at = 0;
		w->asked_ms = now;
		w->phase = PHASE_DOT;
		return NULL;
	}
	pthread_mutex_lock(&t->lock);
	/* It asks again after an end within a line, so the answer has to stay. */
	w->broken |= w->given_up || now - w->asked_ms >= w->limit_ms[PHASE_BODY];
	end = w->broken;
	w->all_given = !end && !left;
	if (w->all_given && w->job)
		job_stage(w->job, FLIGHT_LEAVING);
	pthread_mutex_unlock(&t->lock);
	if (left > PIECE)
		left = PIECE;
	*n = end ? 0 : (int)left;
	w->content_at += (size_t)*n;
	w->asked_ms = now;
	/* An error makes libesmtp drop the connection without a dot. */
	errno = end ? ECANCELED : 0;
	return *n ? piece : NULL;
}

/* Add the next message to the session; false when there is none, or no memory. */
static bool next_message(struct worker *w, struct job *j)
{
	struct submission *s = &j->s;
	char sender[256], recipient[256], envid[128];

	snprintf(sender, sizeof(sender), "%.*s", STR_ARG(s->sender));
	snprintf(recipient, sizeof(recipient), "%.*s", STR_ARG(s->recipient));
	snprintf(envid, sizeof(envid), "%.*s", STR_ARG(s->envid));
	buf_reset(&w->content);
	parts_join(s->message, &w->content);
	w->message = smtp_add_message(w->session);
	w->recipient = NULL;
	w->messages++;
	pthread_mutex_lock(&w->pool->t->lock);
	w->job = j;
	w->all_given = false;
	w->broken = false;
	pthread_mutex_unlock(&w->pool->t->lock);
	if (!w->message || !smtp_set_messagecb(w->message, on_content, w) ||
		!smtp_set_reverse_path(w->message, sender) ||
		!smtp_size_set_estimate(w->message, s->message->n) ||
		!smtp_dsn_set_ret(w->message, Ret_HDRS) ||
		(s->envid.n && xtext_len(s->envid) <= ENVID_MAX &&
			!smtp_dsn_set_envid(w->message, envid)))
		return false;
	/* A message without a recipient is not sent, one with a recipient is: this comes last. */
	w->recipient = smtp_add_recipient(w->message, recipient);
	if (!w->recipient)
		return false;
	smtp_dsn_set_notify(w->recipient, Notify_FAILURE | Notify_DELAY);
	if (xtext_len(s->recipient) < XTEXT_MAX)
		smtp_dsn_set_orcpt(w->recipient, "rfc822", recipient);
	return true;
}

struct job *worker_take(struct worker *w)
{
	static const struct smtp_caps caps = {0}; /* libesmtp knows no SMTPUTF8 */
	struct gate *g = w->pool->gate;
	struct job *j;

	while ((j = job_take(g)) && job_check(g, j, &caps) < 0)
		jobs_tell(g->transport);
	return j;
}

/* The session is past EHLO, or over. */
static void set_talking(struct worker *w, bool talking)
{
	struct pool *p = w->pool;
	bool first;

	pthread_mutex_lock(&p->t->lock);
	if (talking && !w->talking)
		p->talking++;
	else if (!talking && w->talking)
		p->talking--;
	w->talking = talking;
	first = talking && !p->ready;
	p->ready |= talking;
	pthread_mutex_unlock(&p->t->lock);
	if (first)
		pool_wake(p->gate);
}

/* A message's dialogue is over: the next one, where libesmtp asks for it only now. */
static void proceed(struct worker *w, int code)
{
	struct job *j = NULL;

	if (code && code != 421 && w->messages < w->most)
		j = worker_take(w);
	if (!j)
		return;
	w->phase = PHASE_MAIL;
	next_message(w, j);
}

static void on_event(smtp_session_t session, int event, void *arg, ...)
{
	struct worker *w = arg;
	struct reply reply;
	bool refused;

	(void)session;
	switch (event) {
	case SMTP_EV_CONNECT:
		w->phase = PHASE_BANNER;
		break;
	case SMTP_EV_MAILSTATUS:
	case SMTP_EV_RCPTSTATUS:
		set_talking(w, true);
		reply = reply_of(event == SMTP_EV_MAILSTATUS ? smtp_reverse_path_status(w->message)
							     : smtp_recipient_status(w->recipient));
		refused = reply.code < 200 || reply.code >= 300;
		if (refused) {
			conclude(w, event == SMTP_EV_MAILSTATUS ? PHASE_MAIL : PHASE_RCPT, &reply);
			proceed(w, reply.code);
		} else {
			w->phase = event == SMTP_EV_MAILSTATUS ? PHASE_RCPT : PHASE_DATA;
		}
		break;
	case SMTP_EV_MESSAGESENT:
		reply = reply_of(smtp_message_transfer_status(w->message));
		conclude(w, w->phase, &reply);
		/* After a refused DATA libesmtp has looked for the next one already. */
		if (w->phase == PHASE_DOT)
			proceed(w, reply.code);
		break;
	default:
		break;
	}
}

/* Show a line, unless the transport is closed already and its caller gone. */
static void show(struct worker *w, char direction, struct str line)
{
	struct transport *t = w->pool->t;

	pthread_mutex_lock(&t->lock);
	if (!t->closing)
		relay_show(w->pool->gate->relay, direction, line);
	pthread_mutex_unlock(&t->lock);
}

static void on_line(void *user, struct str line)
{
	show(user, '<', line);
}

/* Octets of the dialogue, but not of the message. */
static void on_monitor(const char *p, int n, int writing, void *arg)
{
	struct worker *w = arg;
	struct str s = {p, n > 0 ? (size_t)n : 0}, line;

	if (writing) {
		while (str_next(&s, '\n', &line) && line.n) {
			line = str_trim(line);
			if (str_has_prefix(line, STR("EHLO ")) ||
				str_has_prefix(line, STR("HELO ")))
				w->phase = PHASE_EHLO;
			else if (str_has_prefix(line, STR("MAIL ")))
				w->phase = PHASE_MAIL;
			show(w, '>', line);
		}
		return;
	}
	while (s.n) {
		enum reply_result result = reply_read(&w->reader, &s);

		if (result == REPLY_BAD)
			reply_init(&w->reader);
		else if (result == REPLY_DONE && w->reader.reply.code >= 400)
			w->refusal = w->reader.reply;
	}
}

/* ---- a session ---- */

/* The session is over and has left the message without a word. */
static void conclude_lost(struct worker *w)
{
	char why[256] = "";
	struct reply reply = w->refusal;

	if (!reply.code || w->phase >= PHASE_MAIL) {
		smtp_strerror(smtp_errno(), why, sizeof(why));
		reply = reply_ours("", "the session ended: %s", why[0] ? why : "connection lost");
	}
	if (w->phase == PHASE_DOT && !w->all_given)
		w->phase = PHASE_BODY;
	conclude(w, w->phase, &reply);
}

void worker_session(struct worker *w, struct job *j)
{
	static const struct {
		int which;
		enum smtp_phase phase;
	} timeouts[] = {
		{Timeout_GREETING, PHASE_BANNER},
		{Timeout_ENVELOPE, PHASE_MAIL},
		{Timeout_DATA, PHASE_DATA},
		{Timeout_TRANSFER, PHASE_BODY},
		{Timeout_DATA2, PHASE_DOT},
	};

	/* All recipients, the one, are required so that libesmtp waits for the reply to RCPT: a connection
	 * that is lost with more replies outstanding makes it call a function that is not there. */
	w->job = j;
	w->session = smtp_create_session();
	w->messages = 0;
	w->phase = PHASE_CONNECT;
	w->refusal.code = 0;
	reply_init(&w->reader);
	w->reader.on_line = on_line;
	w->reader.user = w;
	if (w->session && next_message(w, j) && smtp_set_server(w->session, w->server) &&
		smtp_set_hostname(w->session, w->helo) &&
		smtp_set_eventcb(w->session, on_event, w) &&
		smtp_set_monitorcb(w->session, on_monitor, w, 0) &&
		smtp_option_require_all_recipients(w->session, 1)) {
		for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++)
			smtp_set_timeout(w->session,
				timeouts[i].which | Timeout_OVERRIDE_RFC2822_MINIMUM,
				w->limit_ms[timeouts[i].phase]);
		errno = 0;
		smtp_start_session(w->session);
	}
	set_talking(w, false);
	conclude_lost(w);
	if (w->session)
		smtp_destroy_session(w->session);
	buf_free(&w->content);
}
