/* SPDX-License-Identifier: MIT */
#include "door.h"

#include "base/clock.h"

void jobs_push(struct jobs *l, struct job *j)
{
	j->next = NULL;
	if (l->last)
		l->last->next = j;
	else
		l->first = j;
	l->last = j;
}

struct job *jobs_pop(struct jobs *l)
{
	struct job *j = l->first;

	if (!j)
		return NULL;
	l->first = j->next;
	if (!l->first)
		l->last = NULL;
	return j;
}

void job_stage(struct job *j, enum flight_stage stage)
{
	if (j->s.stage)
		atomic_store_explicit(j->s.stage, (unsigned char)stage, memory_order_release);
}

void job_wait(struct gate *g, struct job *j)
{
	job_stage(j, FLIGHT_HERE);
	jobs_push(&g->waiting, j);
	g->waiting_n++;
}

static struct job *job_next(struct gate *g)
{
	struct job *j = jobs_pop(&g->waiting);

	if (j)
		g->waiting_n--;
	return j;
}

void outcome_set(struct gate *g, struct job *j, enum verdict_action action, enum smtp_phase phase,
	const struct reply *reply)
{
	if (!j->o.finding.rule && action != VERDICT_SENT && action != VERDICT_AGAIN)
		classify_reply(phase, reply, &j->o.finding);
	j->o = (struct outcome){
		.id = j->s.id,
		.relay = j->s.relay,
		.action = action,
		.phase = phase,
		.finding = j->o.finding,
		.reply = *reply,
		.took_ms = clock_mono_ms() - j->start_ms,
	};
	if (action != VERDICT_DOUBT)
		job_stage(j, action == VERDICT_SENT ? FLIGHT_TAKEN : FLIGHT_HERE);
	jobs_push(&g->transport->ended, j);
	g->transport->ended_n++;
}

void outcome_again(struct gate *g, const char *why)
{
	struct reply reply = reply_ours("", "%s", why);
	struct job *j;

	while ((j = job_next(g)))
		outcome_set(g, j, VERDICT_AGAIN, PHASE_CONNECT, &reply);
}

static void outcome_add(struct gate *g, struct job *j, enum verdict_action action,
	enum smtp_phase phase, const struct reply *reply)
{
	outcome_set(g, j, action, phase, reply);
	if (reply->code && phase >= PHASE_MAIL)
		g->answers++;
	if (action != VERDICT_PAUSE_RELAY)
		return;
	if (!g->trouble)
		g->era++;
	g->trouble = true;
	outcome_again(g, "not tried: the relay is in trouble");
}

struct job *job_take(struct gate *g)
{
	struct job *j;

	if (!g->waiting_n)
		return NULL;
	pthread_mutex_lock(&g->transport->lock);
	if (clock_mono_ms() >= g->transport->until)
		outcome_again(g, "not tried: the lease is over");
	j = job_next(g);
	if (j && !j->moves)
		j->answers = g->answers;
	pthread_mutex_unlock(&g->transport->lock);
	return j;
}

void job_move(struct gate *g, struct job *j, bool fruitful, enum smtp_phase phase,
	const struct reply *why)
{
	enum { MOVES_MAX = 10, FRUITLESS_MAX = 3 };
	/* A 421 to MAIL says nothing about the copy: whatever follows, it has used up no attempt. */
	enum verdict_action blame =
		phase == PHASE_MAIL && why->code ? VERDICT_AGAIN : VERDICT_RETRY;

	pthread_mutex_lock(&g->transport->lock);
	j->moves++;
	j->fruitless += !fruitful;
	if (g->trouble || g->transport->stopping)
		outcome_set(g, j, VERDICT_AGAIN, phase, why);
	else if (j->moves < MOVES_MAX && j->fruitless < FRUITLESS_MAX)
		/* The last in the queue: others then show whether it is the message or the relay. */
		job_wait(g, j);
	else
		/* Where others got their answers meanwhile, it is this message that ends the sessions:
		 * pausing the relay for it would stop everybody, again and again. */
		outcome_add(
			g, j, g->answers > j->answers ? blame : VERDICT_PAUSE_RELAY, phase, why);
	pthread_mutex_unlock(&g->transport->lock);
}

void job_end(struct gate *g, struct job *j, enum verdict_action action, enum smtp_phase phase,
	const struct reply *reply)
{
	pthread_mutex_lock(&g->transport->lock);
	outcome_add(g, j, action, phase, reply);
	pthread_mutex_unlock(&g->transport->lock);
}

void job_no_session(struct gate *g, struct job *j, size_t others, enum smtp_phase phase,
	const struct reply *reply)
{
	enum { LIMIT_MS = 60000 };
	struct transport *t = g->transport;

	pthread_mutex_lock(&t->lock);
	if (g->trouble || t->stopping) {
		if (j)
			outcome_set(g, j, VERDICT_AGAIN, phase, reply);
	} else if (others && phase != PHASE_AUTH) {
		g->limit = others;
		g->limit_until = clock_mono_ms() + LIMIT_MS;
		if (j)
			job_wait(g, j);
	} else {
		if (!j)
			j = job_next(g);
		if (j)
			outcome_add(g, j, VERDICT_PAUSE_RELAY, phase, reply);
	}
	pthread_mutex_unlock(&t->lock);
}

size_t sessions_most(struct gate *g)
{
	if (g->limit < g->allowed && clock_mono_ms() < g->limit_until)
		return g->limit;
	return g->allowed;
}

void jobs_tell(struct transport *t)
{
	pthread_mutex_lock(&t->lock);
	if (t->ended_n >= t->enough)
		pthread_cond_signal(&t->ended_some);
	pthread_mutex_unlock(&t->lock);
}

int job_check(struct gate *g, struct job *j, const struct smtp_caps *caps)
{
	enum verdict_action action = VERDICT_FAIL;
	struct reply reply;

	if (caps->has_size && caps->size && j->s.message->n > caps->size) {
		reply = reply_ours("5.3.4",
			"the message has %zu octets, more than the %llu that the relay takes",
			j->s.message->n, caps->size);
		action = VERDICT_PAUSE_ISSUE;
	} else if (j->s.utf8 && !caps->smtputf8) {
		reply = reply_ours(
			"5.6.7", "the address needs SMTPUTF8, which the relay does not offer");
	} else {
		return 0;
	}
	job_end(g, j, action, PHASE_MAIL, &reply);
	return -1;
}
