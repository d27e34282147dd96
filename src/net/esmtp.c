/* SPDX-License-Identifier: MIT */
#include "esmtp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	SESSION_MAX = 100, /* libesmtp keeps each message until its session ends */
	CLOSE_MS = 1000,
};

static void pool_free(struct pool *p)
{
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->left);
	transport_release(p->t);
	free(p);
}

static void worker_free(struct worker *w)
{
	if (w)
		free(w->helo);
	free(w);
}

/* Leave: out of the list, and with the light if nobody else is there. */
static void worker_leave(struct worker *w)
{
	struct pool *p = w->pool;
	struct worker **link = &p->first;
	bool last;

	while (*link != w)
		link = &(*link)->next;
	*link = w->next;
	p->workers--;
	last = p->orphaned && !p->workers;
	pthread_cond_signal(&p->left);
	pthread_mutex_unlock(&p->t->lock);
	if (last)
		pool_free(p);
	worker_free(w);
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->pool;
	struct transport *t = p->t;

	pthread_detach(pthread_self());
	pthread_mutex_lock(&t->lock);
	while (!t->closing && !w->given_up && p->workers <= sessions_most(p->gate)) {
		struct job *j;

		if (!p->gate->waiting.first) {
			p->idle++;
			pthread_cond_wait(&p->work, &t->lock);
			p->idle--;
			continue;
		}
		pthread_mutex_unlock(&t->lock);
		j = worker_take(w);
		if (j)
			worker_session(w, j);
		pthread_mutex_lock(&t->lock);
	}
	worker_leave(w);
	return NULL;
}

static struct worker *worker_make(struct pool *p)
{
	const struct relay *relay = p->gate->relay;
	struct worker *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->pool = p;
	buf_init(&w->content, SIZE_MAX);
	w->helo = relay->helo ? strdup(relay->helo) : NULL;
	snprintf(w->server, sizeof(w->server), "%s:%u", relay->host, relay->port);
	w->most = relay->messages_per_connection;
	if (!w->most || w->most > SESSION_MAX)
		w->most = SESSION_MAX;
	for (int phase = 0; phase < PHASE_N; phase++)
		w->limit_ms[phase] = phase_limit_ms(relay, phase);
	return w;
}

/* Start a thread for each message that waits and has none, the first one alone until it is past EHLO. */
void pool_wake(struct gate *g)
{
	struct transport *t = g->transport;
	struct pool *p = g->pool;
	size_t wanted, most;
	bool stuck;

	pthread_mutex_lock(&t->lock);
	pthread_cond_broadcast(&p->work);
	wanted = g->waiting_n;
	most = sessions_most(g);
	while (!t->closing && wanted > p->idle && p->workers < (p->ready ? most : 1)) {
		struct worker *w = worker_make(p);
		pthread_t thread;

		if (!w || thread_start(&thread, worker_run, w) < 0) {
			worker_free(w);
			break;
		}
		w->next = p->first;
		p->first = w;
		p->workers++;
		wanted--;
	}
	stuck = !p->workers && !t->closing;
	pthread_mutex_unlock(&t->lock);
	if (stuck && wanted) {
		struct reply why = reply_ours("", "no thread to connect with");

		job_no_session(g, NULL, 0, PHASE_CONNECT, &why);
		jobs_tell(t);
	}
}

int pool_start(struct gate *g, struct err *e)
{
	struct pool *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;

	if (!p)
		return err_sys(e, "no memory for relay '%s'", g->relay->name);
	p->t = g->transport;
	p->gate = g;
	p->t->pools++;
	p->t->holders++;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->work, &attr);
	pthread_cond_init(&p->left, &attr);
	pthread_condattr_destroy(&attr);
	g->pool = p;
	return 0;
}

/* The grace is over: what is with libesmtp still is given up. */
void pool_give_up(struct gate *g)
{
	struct transport *t = g->transport;
	struct pool *p = g->pool;
	struct reply why = reply_ours("", "given up: the transport stops");

	for (;;) {
		struct job *j = NULL;
		bool given = false;

		pthread_mutex_lock(&t->lock);
		for (struct worker *w = p->first; w && !j; w = w->next) {
			w->given_up = true;
			given = w->all_given;
			j = w->job;
			w->job = NULL;
		}
		pthread_mutex_unlock(&t->lock);
		if (!j)
			return;
		job_end(g, j, given ? VERDICT_DOUBT : VERDICT_AGAIN, given ? PHASE_DOT : PHASE_MAIL,
			&why);
	}
}

void pool_finish(struct gate *g)
{
	struct transport *t = g->transport;
	struct pool *p = g->pool;
	struct timespec until;
	bool empty;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += CLOSE_MS / 1000;
	pool_give_up(g);
	pthread_mutex_lock(&t->lock);
	while (p->workers && pthread_cond_timedwait(&p->left, &t->lock, &until) != ETIMEDOUT)
		;
	empty = !p->workers;
	p->orphaned = true;
	pthread_mutex_unlock(&t->lock);
	if (empty)
		pool_free(p);
}
