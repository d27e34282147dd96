/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * From the intent to the transport: render, sign, submit. A signature by RSA costs eight times all the rest, so
 * where copies are signed and there is more than one processor, threads make them. A copy that waits for one
 * has its slot, and counts as one that the transport has: the queue is as short as what may be in flight.
 */
enum { MAKERS_MAX = 16, AT_ONCE = 32 };

struct press {
	struct worker *w;
	pthread_t thread[MAKERS_MAX];
	size_t threads;

	pthread_mutex_t lock; /* guards all that follows */
	pthread_cond_t work;
	size_t *queue, at, n; /* slots whose copies are to be made: a ring of w->slot_n */
	size_t *unsubmitted; /* by relay */
	struct outcome *unmade; /* copies that could not be made: room for w->slot_n */
	size_t unmade_n;
	size_t started;
	bool ending;
};

/* ---- one copy ---- */

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

/* By maker `k`, for slot `i`. A copy that cannot be made fails by itself: -1 with the outcome. */
static int make(
	struct worker *w, size_t k, size_t i, struct submission *made, struct outcome *unmade)
{
	struct worker_slot *slot = &w->slot[i];
	const struct claim *claim = &slot->stocked->claim;
	bool utf8 = !is_ascii(claim->email);
	struct err bad = {0};
	int rc;

	parts_reset(&slot->message);
	buf_reset(&slot->sender);
	buf_reset(&slot->recipient);
	buf_str(&slot->recipient, claim->email);
	rc = copy_make(slot->of->maker[k], claim, slot->begun_ms / 1000, &slot->message,
		&slot->sender, &bad);
	free(slot->stocked);
	slot->stocked = NULL;
	if (rc == 0) {
		*made = (struct submission){
			.id = i,
			.relay = (unsigned)slot->relay,
			.sender = buf_view(&slot->sender),
			.recipient = buf_view(&slot->recipient),
			.utf8 = utf8,
			.message = &slot->message,
			.dotless = true, /* as render() and dkim_sign() write it */
			.stage = slot->stage,
		};
		return 0;
	}
	*unmade = (struct outcome){
		.id = i, .action = VERDICT_FAIL, .phase = PHASE_BODY, .finding = FINDING_NONE};
	snprintf(unmade->reply.text, sizeof unmade->reply.text, "%.*s",
		(int)sizeof unmade->reply.text - 1, bad.text);
	return -1;
}

static void submit(struct worker *w, const struct submission *made, size_t n)
{
	transport_submit(w->transport, made, n);
	w->in_flight += n;
}

/* Some at a time: each time wakes the transport, which may take the processor away. */
static void make_and_submit(struct worker *w)
{
	struct submission made[AT_ONCE];
	size_t n = 0;

	for (size_t i = 0; i < w->slot_n; i++) {
		if (w->slot[i].use != SLOT_INTENDED)
			continue;
		w->slot[i].use = SLOT_SUBMITTED;
		if (make(w, 0, i, &made[n], &w->done[w->done_n]) < 0)
			w->done_n++;
		else if (++n == AT_ONCE) {
			submit(w, made, n);
			n = 0;
		}
	}
	submit(w, made, n);
}

static void enqueue(struct press *p, size_t i)
{
	struct worker *w = p->w;

	w->slot[i].use = SLOT_SUBMITTED;
	w->in_flight++;
	pthread_mutex_lock(&p->lock);
	p->queue[(p->at + p->n++) % w->slot_n] = i;
	p->unsubmitted[w->slot[i].relay]++;
	pthread_cond_signal(&p->work);
	pthread_mutex_unlock(&p->lock);
}

void worker_submit(struct worker *w)
{
	if (!w->press) {
		make_and_submit(w);
		return;
	}
	for (size_t i = 0; i < w->slot_n; i++)
		if (w->slot[i].use == SLOT_INTENDED)
			enqueue(w->press, i);
}

/* ---- threads ---- */

static void *run(void *arg)
{
	struct press *p = arg;
	struct worker *w = p->w;
	struct submission made;
	struct outcome unmade;
	size_t k;

	pthread_mutex_lock(&p->lock);
	k = p->started++;
	for (;;) {
		size_t i, relay;
		int rc;

		while (!p->n && !p->ending)
			pthread_cond_wait(&p->work, &p->lock);
		if (p->ending)
			break;
		i = p->queue[p->at];
		p->at = (p->at + 1) % w->slot_n;
		p->n--;
		relay = (size_t)w->slot[i].relay; /* once submitted, the slot may be another's */
		pthread_mutex_unlock(&p->lock);
		rc = make(w, k, i, &made, &unmade);
		if (rc == 0)
			transport_submit(w->transport, &made, 1);
		pthread_mutex_lock(&p->lock);
		p->unsubmitted[relay]--;
		if (rc < 0)
			p->unmade[p->unmade_n++] = unmade;
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

size_t worker_unsubmitted(struct worker *w, size_t relay)
{
	struct press *p = w->press;
	size_t n;

	if (!p)
		return 0;
	pthread_mutex_lock(&p->lock);
	n = p->unsubmitted[relay];
	pthread_mutex_unlock(&p->lock);
	return n;
}

size_t worker_unmade(struct worker *w, struct outcome *out)
{
	struct press *p = w->press;
	size_t n;

	if (!p)
		return 0;
	pthread_mutex_lock(&p->lock);
	n = p->unmade_n;
	for (size_t i = 0; i < n; i++)
		out[i] = p->unmade[i];
	p->unmade_n = 0;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static size_t processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

	return n < MAKERS_MAX ? (size_t)n : MAKERS_MAX;
}

/* Signals are the caller's. */
static int start(struct press *p)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&p->thread[p->threads], NULL, run, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	p->threads += rc == 0;
	return rc;
}

int worker_open_makers(struct worker *w, struct err *e)
{
	struct press *p;

	w->makers = w->site->config.dkim_n ? processors() : 1;
	if (w->makers == 1)
		return 0;
	p = w->press = calloc(1, sizeof *p);
	if (!p)
		return err_set(e, ERR_IO, "out of memory");
	p->w = w;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	p->queue = calloc(w->slot_n, sizeof *p->queue);
	p->unsubmitted = calloc(w->relay_n, sizeof *p->unsubmitted);
	p->unmade = calloc(w->slot_n, sizeof *p->unmade);
	if (!p->queue || !p->unsubmitted || !p->unmade)
		return err_set(e, ERR_IO, "out of memory");
	while (p->threads < w->makers)
		if (start(p) != 0)
			return err_set(e, ERR_IO, "no thread to sign copies with");
	return 0;
}

void worker_close_makers(struct worker *w)
{
	struct press *p = w->press;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->ending = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	for (size_t k = 0; k < p->threads; k++)
		pthread_join(p->thread[k], NULL);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	free(p->queue);
	free(p->unsubmitted);
	free(p->unmade);
	free(p);
	w->press = NULL;
}
