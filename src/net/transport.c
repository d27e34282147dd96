/* SPDX-License-Identifier: MIT */
#include "net/transport.h"

#include "base/clock.h"
#include "door.h"
#include "mail/addr.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* What no command may carry, whoever let it through: it could end the command, or the path in it. */
static bool address_ok(struct str s, bool utf8)
{
	size_t quoted = addr_quoted(s); /* in quotes, blanks and brackets are harmless */

	if (!s.n || s.n > 254 || (quoted && (quoted == s.n || s.p[quoted] != '@')))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c == 0x7f || (c > 0x7f && !utf8))
			return false;
		if (i >= quoted && (c == ' ' || c == '<' || c == '>' || c == '"'))
			return false;
	}
	return true;
}

static int gate_open(struct gate *g, struct transport *t, const struct relay *relay)
{
	g->transport = t;
	g->relay = relay;
	g->allowed = relay->connections;
	g->slot_n = TRANSPORT_DEPTH * (size_t)relay->connections;
	g->slot = calloc(g->slot_n, sizeof(*g->slot));
	if (!g->slot)
		return -1;
	for (size_t i = 0; i < g->slot_n; i++)
		jobs_push(&g->free, &g->slot[i]);
	return 0;
}

void transport_release(struct transport *t)
{
	bool last;

	pthread_mutex_lock(&t->lock);
	last = --t->holders == 0;
	pthread_mutex_unlock(&t->lock);
	if (!last)
		return;
	pthread_cond_destroy(&t->ended_some);
	pthread_mutex_destroy(&t->lock);
	for (size_t i = 0; i < t->gate_n; i++)
		free(t->gate[i].slot);
	free(t->gate);
	free(t);
}

static struct transport *transport_make(const struct relay *relay, size_t relay_n)
{
	struct transport *t = calloc(1, sizeof(*t));
	pthread_condattr_t attr;

	if (!t)
		return NULL;
	t->holders = 1;
	t->until = INT64_MAX;
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->ended_some, &attr);
	pthread_condattr_destroy(&attr);
	t->gate = calloc(relay_n, sizeof(*t->gate));
	while (t->gate && t->gate_n < relay_n &&
		gate_open(&t->gate[t->gate_n], t, &relay[t->gate_n]) == 0)
		t->gate_n++;
	if (t->gate_n == relay_n)
		return t;
	transport_release(t);
	return NULL;
}

/* Pools first: the engine looks at every gate that has none. */
static int transport_start(struct transport *t, struct err *e)
{
	for (size_t i = 0; i < t->gate_n; i++) {
		struct gate *g = &t->gate[i];

		if (g->relay->transport == RELAY_ESMTP && pool_start(g, e) < 0)
			return -1;
	}
	return t->pools < t->gate_n ? engine_start(t, e) : 0;
}

int transport_open(const struct relay *relay, size_t relay_n, struct transport **out, struct err *e)
{
	struct transport *t;

	for (size_t i = 0; i < relay_n; i++) {
		if (relay_check(&relay[i], e) < 0)
			return -1;
	}
	t = transport_make(relay, relay_n);
	if (!t)
		return err_set(e, ERR_IO, "no memory for the transport");
	if (transport_start(t, e) < 0) {
		transport_close(t);
		return -1;
	}
	*out = t;
	return 0;
}

size_t transport_room(struct transport *t, size_t relay)
{
	struct gate *g = &t->gate[relay];
	size_t most;

	pthread_mutex_lock(&t->lock);
	most = g->trouble || t->stopping ? 0 : TRANSPORT_DEPTH * sessions_most(g);
	if (most > g->slot_n)
		most = g->slot_n;
	most = most > g->taken ? most - g->taken : 0;
	pthread_mutex_unlock(&t->lock);
	return most;
}

static void gate_wake(struct gate *g)
{
	if (g->pool)
		pool_wake(g);
	else
		engine_wake(g->transport->engine);
}

void transport_submit(struct transport *t, const struct submission *s, size_t n)
{
	struct reply bad = reply_ours("5.1.3", "the address cannot be sent in a command");
	int64_t now = clock_mono_ms();

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < n; i++) {
		struct gate *g = &t->gate[s[i].relay];
		struct job *j = jobs_pop(&g->free);

		assert(j);
		g->taken++;
		*j = (struct job){.s = s[i], .start_ms = now, .o.finding = FINDING_NONE};
		if (!address_ok(s[i].sender, false) || !address_ok(s[i].recipient, s[i].utf8))
			outcome_set(g, j, VERDICT_FAIL, PHASE_RCPT, &bad);
		else
			job_wait(g, j);
		/* Trouble may have come since the caller asked for room. */
		if (g->trouble || t->stopping)
			outcome_again(
				g, "not tried: the relay is in trouble or the transport stops");
	}
	pthread_mutex_unlock(&t->lock);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || s[i].relay != s[i - 1].relay)
			gate_wake(&t->gate[s[i].relay]);
}

static void pools_give_up(struct transport *t)
{
	for (size_t i = 0; i < t->gate_n; i++) {
		if (t->gate[i].pool)
			pool_give_up(&t->gate[i]);
	}
}

/* Wait until `enough` outcomes are there or the time has come. */
static void wait_for(struct transport *t, size_t enough, const struct timespec *until)
{
	t->enough = enough;
	while (t->ended_n < enough)
		if (pthread_cond_timedwait(&t->ended_some, &t->lock, until) == ETIMEDOUT)
			break;
}

/* Where one outcome is there, most of the others often follow at once, and the caller's commit costs the same
 * for all: give them a moment. */
static void linger(struct transport *t)
{
	enum { LINGER_NS = 100000, SECOND_NS = 1000000000 };
	struct timespec until;
	size_t taken = 0;

	for (size_t i = 0; i < t->gate_n; i++)
		taken += t->gate[i].taken;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LINGER_NS;
	if (until.tv_nsec >= SECOND_NS) {
		until.tv_nsec -= SECOND_NS;
		until.tv_sec++;
	}
	wait_for(t, taken * 3 / 4, &until);
}

size_t transport_wait(struct transport *t, int timeout_ms, struct outcome *out, size_t max)
{
	int64_t until_ms = clock_mono_ms() + timeout_ms;
	struct timespec until;
	size_t n = 0;
	struct job *j;

	pthread_mutex_lock(&t->lock);
	if (t->stopping && t->pools && t->stop_at < until_ms)
		until_ms = t->stop_at;
	until = (struct timespec){until_ms / 1000, until_ms % 1000 * 1000000};
	if (timeout_ms > 0) {
		wait_for(t, 1, &until);
		if (t->ended_n)
			linger(t);
	}
	if (t->stopping && t->pools && t->stop_at <= clock_mono_ms()) {
		pthread_mutex_unlock(&t->lock);
		pools_give_up(t);
		pthread_mutex_lock(&t->lock);
	}
	while (n < max && (j = jobs_pop(&t->ended))) {
		struct gate *g = &t->gate[j->s.relay];

		t->ended_n--;
		out[n++] = j->o;
		g->taken--;
		jobs_push(&g->free, j);
	}
	pthread_mutex_unlock(&t->lock);
	return n;
}

void transport_resume(struct transport *t, size_t relay, unsigned connections)
{
	struct gate *g = &t->gate[relay];

	pthread_mutex_lock(&t->lock);
	g->trouble = false;
	g->allowed = g->relay->connections;
	if (connections && connections < g->allowed)
		g->allowed = connections;
	pthread_mutex_unlock(&t->lock);
	gate_wake(g);
}

static void wake_all(struct transport *t)
{
	if (t->engine)
		engine_wake(t->engine);
	for (size_t i = 0; i < t->gate_n; i++) {
		if (t->gate[i].pool)
			pool_wake(&t->gate[i]);
	}
}

void transport_until(struct transport *t, int64_t until_ms)
{
	pthread_mutex_lock(&t->lock);
	t->until = until_ms;
	pthread_mutex_unlock(&t->lock);
}

void transport_stop(struct transport *t, int grace_ms)
{
	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	t->stop_at = clock_mono_ms() + grace_ms;
	for (size_t i = 0; i < t->gate_n; i++)
		outcome_again(&t->gate[i], "not tried: the transport stops");
	pthread_mutex_unlock(&t->lock);
	wake_all(t);
}

/* The caller's, and it may free them now; a thread of a pool that hangs may still go on with its message. */
static void forget_stages(struct transport *t)
{
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->gate_n; i++)
		for (size_t k = 0; k < t->gate[i].slot_n; k++)
			t->gate[i].slot[k].s.stage = NULL;
	pthread_mutex_unlock(&t->lock);
}

void transport_close(struct transport *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->stopping = t->closing = true;
	t->stop_at = clock_mono_ms();
	pthread_mutex_unlock(&t->lock);
	wake_all(t);
	for (size_t i = 0; i < t->gate_n; i++) {
		if (t->gate[i].pool)
			pool_finish(&t->gate[i]);
	}
	if (t->engine)
		engine_finish(t->engine);
	forget_stages(t);
	transport_release(t);
}
