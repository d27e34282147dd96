/* SPDX-License-Identifier: MIT */
#include "net/transport.h"

#include "base/clock.h"
#include "door.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void jobs_push(struct jobs *l, struct job *j)
{
	j->next = NULL;
	if (l->last)
		l->last->next = j;
	else
		l->first = j;
	l->last = j;
}

static struct job *jobs_pop(struct jobs *l)
{
	struct job *j = l->first;

	if (!j)
		return NULL;
	l->first = j->next;
	if (!l->first)
		l->last = NULL;
	return j;
}

/* Under the lock, as all functions named outcome_. */
static void outcome_set(struct transport *t, struct job *j, enum verdict_action action,
	enum smtp_phase phase, const struct reply *reply)
{
	j->o = (struct outcome){j->s.id, action, phase, *reply, clock_mono_ms() - j->start_ms};
	jobs_push(&t->ended, j);
}

static void outcome_again(struct transport *t, const char *why)
{
	struct reply reply = reply_ours("", "%s", why);
	struct job *j;

	while ((j = jobs_pop(&t->waiting)))
		outcome_set(t, j, VERDICT_AGAIN, PHASE_CONNECT, &reply);
}

static void outcome_add(struct transport *t, struct job *j, enum verdict_action action,
	enum smtp_phase phase, const struct reply *reply)
{
	outcome_set(t, j, action, phase, reply);
	if (reply->code && phase >= PHASE_MAIL)
		t->answers++;
	if (action != VERDICT_PAUSE_RELAY && action != VERDICT_PAUSE_ISSUE)
		return;
	t->trouble = true;
	outcome_again(t, "not tried: the relay is in trouble");
}

struct job *job_take(struct transport *t)
{
	struct job *j;

	pthread_mutex_lock(&t->lock);
	j = jobs_pop(&t->waiting);
	if (j && !j->moves)
		j->answers = t->answers;
	pthread_mutex_unlock(&t->lock);
	return j;
}

size_t jobs_waiting(struct transport *t, size_t max)
{
	size_t n = 0;

	pthread_mutex_lock(&t->lock);
	for (struct job *j = t->waiting.first; j && n < max; j = j->next)
		n++;
	pthread_mutex_unlock(&t->lock);
	return n;
}

void job_move(struct transport *t, struct job *j, bool fruitful, enum smtp_phase phase,
	const struct reply *why)
{
	enum { MOVES_MAX = 10, FRUITLESS_MAX = 3 };

	pthread_mutex_lock(&t->lock);
	j->moves++;
	j->fruitless += !fruitful;
	if (t->trouble || t->stopping) {
		outcome_set(t, j, VERDICT_AGAIN, phase, why);
	} else if (j->moves < MOVES_MAX && j->fruitless < FRUITLESS_MAX) {
		/* The last in the queue: others then show whether it is the message or the relay. */
		jobs_push(&t->waiting, j);
	} else {
		/* Where others got their answers meanwhile, it is this message that ends the sessions:
		 * pausing the relay for it would stop everybody, again and again. */
		outcome_add(t, j, t->answers > j->answers ? VERDICT_RETRY : VERDICT_PAUSE_RELAY,
			phase, why);
	}
	pthread_mutex_unlock(&t->lock);
}

void job_end(struct transport *t, struct job *j, enum verdict_action action, enum smtp_phase phase,
	const struct reply *reply)
{
	pthread_mutex_lock(&t->lock);
	outcome_add(t, j, action, phase, reply);
	pthread_mutex_unlock(&t->lock);
}

void job_no_session(struct transport *t, struct job *j, size_t others, enum smtp_phase phase,
	const struct reply *reply)
{
	enum { LIMIT_MS = 60000 };

	pthread_mutex_lock(&t->lock);
	if (others && phase != PHASE_AUTH) {
		t->limit = others;
		t->limit_until = clock_mono_ms() + LIMIT_MS;
		if (j && (t->trouble || t->stopping))
			outcome_set(t, j, VERDICT_AGAIN, phase, reply);
		else if (j)
			jobs_push(&t->waiting, j);
	} else {
		if (!j)
			j = jobs_pop(&t->waiting);
		if (j)
			outcome_add(t, j, VERDICT_PAUSE_RELAY, phase, reply);
	}
	pthread_mutex_unlock(&t->lock);
}

size_t sessions_most(struct transport *t)
{
	if (t->limit < t->relay->connections && clock_mono_ms() >= t->limit_until)
		t->limit = t->relay->connections;
	return t->limit;
}

void jobs_tell(struct transport *t)
{
	pthread_mutex_lock(&t->lock);
	if (t->ended.first)
		pthread_cond_signal(&t->ended_some);
	pthread_mutex_unlock(&t->lock);
}

int job_check(struct transport *t, struct job *j, const struct smtp_caps *caps)
{
	struct reply reply;

	if (caps->has_size && caps->size && j->s.message.n > caps->size) {
		reply = reply_ours("5.3.4",
			"the message has %zu octets, more than the %llu that the relay takes",
			j->s.message.n, caps->size);
	} else if (j->s.utf8 && !caps->smtputf8) {
		reply = reply_ours(
			"5.6.7", "the address needs SMTPUTF8, which the relay does not offer");
	} else {
		return 0;
	}
	job_end(t, j, VERDICT_FAIL, PHASE_MAIL, &reply);
	return -1;
}

/* What no command may carry, whoever let it through: it could end the command, or the path in it. */
static bool address_ok(struct str s, bool utf8)
{
	if (!s.n || s.n > 254)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c == 0x7f || c == '<' || c == '>' || (c > 0x7f && !utf8))
			return false;
	}
	return true;
}

int transport_open(const struct relay *relay, struct transport **out, struct err *e)
{
	struct transport *t;
	pthread_condattr_t attr;

	if (relay_check(relay, e) < 0)
		return -1;
	t = calloc(1, sizeof(*t));
	if (!t)
		return err_sys(e, "no memory for relay '%s'", relay->name);
	t->relay = relay;
	t->kind = relay->transport == RELAY_ESMTP ? &transport_esmtp : &transport_curl;
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->ended_some, &attr);
	pthread_condattr_destroy(&attr);
	t->limit = relay->connections;
	t->slot_n = 2 * (size_t)relay->connections;
	t->slot = calloc(t->slot_n, sizeof(*t->slot));
	if (!t->slot) {
		transport_free(t);
		return err_sys(e, "no memory for relay '%s'", relay->name);
	}
	for (size_t i = 0; i < t->slot_n; i++)
		jobs_push(&t->free, &t->slot[i]);
	if (t->kind->start(t, e) < 0) {
		transport_free(t);
		return -1;
	}
	*out = t;
	return 0;
}

size_t transport_room(struct transport *t)
{
	size_t room;

	pthread_mutex_lock(&t->lock);
	room = t->trouble || t->stopping ? 0 : t->slot_n - t->taken;
	pthread_mutex_unlock(&t->lock);
	return room;
}

void transport_submit(struct transport *t, const struct submission *s, size_t n)
{
	struct reply bad = reply_ours("5.1.3", "the address cannot be sent in a command");
	int64_t now = clock_mono_ms();

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < n; i++) {
		struct job *j = jobs_pop(&t->free);

		assert(j);
		t->taken++;
		*j = (struct job){.s = s[i], .start_ms = now};
		if (address_ok(s[i].sender, false) && address_ok(s[i].recipient, s[i].utf8))
			jobs_push(&t->waiting, j);
		else
			outcome_set(t, j, VERDICT_FAIL, PHASE_RCPT, &bad);
	}
	/* Trouble may have come since the caller asked for room. */
	if (t->trouble || t->stopping)
		outcome_again(t, "not tried: the relay is in trouble or the transport stops");
	pthread_mutex_unlock(&t->lock);
	t->kind->wake(t);
}

size_t transport_wait(struct transport *t, int timeout_ms, struct outcome *out, size_t max)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;
	struct timespec until;
	size_t n = 0;
	struct job *j;

	pthread_mutex_lock(&t->lock);
	if (t->stopping && t->kind->give_up && t->stop_at < until_ms)
		until_ms = t->stop_at;
	until = (struct timespec){until_ms / 1000, until_ms % 1000 * 1000000};
	while (!t->ended.first && timeout_ms > 0) {
		if (pthread_cond_timedwait(&t->ended_some, &t->lock, &until) == ETIMEDOUT)
			break;
	}
	if (t->stopping && t->kind->give_up && t->stop_at <= clock_mono_ms()) {
		pthread_mutex_unlock(&t->lock);
		t->kind->give_up(t);
		pthread_mutex_lock(&t->lock);
	}
	while (n < max && (j = jobs_pop(&t->ended))) {
		out[n++] = j->o;
		t->taken--;
		jobs_push(&t->free, j);
	}
	pthread_mutex_unlock(&t->lock);
	return n;
}

void transport_stop(struct transport *t, int grace_ms)
{
	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	t->stop_at = clock_mono_ms() + grace_ms;
	outcome_again(t, "not tried: the transport stops");
	pthread_mutex_unlock(&t->lock);
	t->kind->wake(t);
}

void transport_close(struct transport *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->stopping = t->closing = true;
	t->stop_at = clock_mono_ms();
	pthread_mutex_unlock(&t->lock);
	t->kind->wake(t);
	t->kind->finish(t);
}

void transport_free(struct transport *t)
{
	pthread_cond_destroy(&t->ended_some);
	pthread_mutex_destroy(&t->lock);
	free(t->slot);
	free(t);
}
