/* SPDX-License-Identifier: MIT */
#ifndef NET_DOOR_H
#define NET_DOOR_H

#include "net/transport.h"

#include <pthread.h>
#include <stdatomic.h>

/*
 * What stands behind the door: for each relay a gate, and in it the messages between the caller and the
 * relay's sessions, each in a slot that is made once, when the transport is opened.
 *
 *   free ──submit──► waiting ──job_take──► with a session ──job_end──► ended ──transport_wait──► free
 *                       ▲────────job_move──────────┘
 */
struct job {
	struct job *next;
	struct submission s;
	struct outcome o;
	int64_t start_ms;
	unsigned moves,
		fruitless; /* how often a session ended under it; one that had got nothing done */
	uint64_t answers; /* of the relay when it was first taken */
};

struct jobs {
	struct job *first, *last;
};

struct gate {
	struct transport *transport;
	const struct relay *relay;
	struct pool *pool; /* libesmtp's threads; NULL = the engine drives it */

	/* Guarded by the transport's lock: */
	struct job *slot;
	size_t slot_n;
	struct jobs free, waiting;
	size_t taken; /* slots that are not free */
	bool trouble; /* VERDICT_PAUSE_RELAY was given, and it has not been resumed */
	size_t allowed; /* sessions that the caller lets it have */
	size_t limit; /* sessions that the relay has let us have, until limit_until */
	int64_t limit_until;
	uint64_t answers; /* messages that the relay has answered for */

	/* To be read without it: */
	atomic_size_t waiting_n;
	atomic_uint era; /* counts its troubles */

	/* The engine's own: */
	struct session *session;
	size_t opening; /* of this era; so far no sessions */
	size_t live; /* sessions of this era, which take messages */
	unsigned seen; /* the era */
};

struct transport {
	struct gate *gate;
	size_t gate_n;
	struct engine *engine; /* NULL = every gate has a pool */

	pthread_mutex_t lock; /* guards all that follows, too */
	pthread_cond_t ended_some; /* `enough` have */
	struct jobs ended;
	size_t ended_n;
	size_t enough; /* that the caller waits for */
	size_t pools;
	size_t holders; /* the caller, and pools that may have a thread that hangs: the last one frees */
	int64_t until; /* clock_mono_ms(): no message is begun from then on */
	bool stopping;
	int64_t stop_at; /* clock_mono_ms(); what is in flight then is given up */
	bool closing;
};

/* The epoll thread for all gates without a pool. */
int engine_start(struct transport *t, struct err *e);
/* Something was submitted or resumed, or `stopping` or `closing` was set: look. Called without the lock. */
void engine_wake(struct engine *e);
/* `closing` is set: end the thread. */
void engine_finish(struct engine *e);

/* The same for a gate with a pool. */
int pool_start(struct gate *g, struct err *e);
void pool_wake(struct gate *g);
/* `stop_at` has passed: end what is in flight. */
void pool_give_up(struct gate *g);
void pool_finish(struct gate *g);

/* ---- under the lock ---- */

void jobs_push(struct jobs *l, struct job *j);
struct job *jobs_pop(struct jobs *l);

/* Tell how far it has come; also without the lock, from the engine. */
void job_stage(struct job *j, enum flight_stage stage);

/* Let it wait at its gate. */
void job_wait(struct gate *g, struct job *j);

/* A message has come to its end. */
void outcome_set(struct gate *g, struct job *j, enum verdict_action action, enum smtp_phase phase,
	const struct reply *reply);

/* End all that waits, with VERDICT_AGAIN. */
void outcome_again(struct gate *g, const char *why);

/* How many sessions there may be now. */
size_t sessions_most(struct gate *g);

/* ---- without it ---- */

/* The next waiting message, or NULL. */
struct job *job_take(struct gate *g);

/* A session ended under a message that may be sent again: it waits again, or ends when that has happened
 * too often, or with VERDICT_AGAIN when the gate takes no more. `fruitful`: the session had got others
 * sent before, and did not hang. */
void job_move(struct gate *g, struct job *j, bool fruitful, enum smtp_phase phase,
	const struct reply *why);

/* The outcome of a message. VERDICT_PAUSE_RELAY ends all that waits at the gate with VERDICT_AGAIN. */
void job_end(struct gate *g, struct job *j, enum verdict_action action, enum smtp_phase phase,
	const struct reply *reply);

/* The relay refuses a session, at the latest by a 421 to its first MAIL. With `others` of them at work it
 * only wants fewer: it gets no more for a while, and `j` (which may be NULL) waits again. Without, nothing
 * can be sent: VERDICT_PAUSE_RELAY for `j`, or for the next waiting message if there is one. */
void job_no_session(struct gate *g, struct job *j, size_t others, enum smtp_phase phase,
	const struct reply *reply);

/* Wake the caller when there are as many outcomes as it waits for: after one job_end() or many. */
void jobs_tell(struct transport *t);

/* What the message itself rules out at this relay: 0, or -1 after ending it. */
int job_check(struct gate *g, struct job *j, const struct smtp_caps *caps);

/* A reply of code 0 with our own sentence, or of the relay's code with an enhanced code. */
struct reply reply_ours(const char *status, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* How long, in milliseconds, the relay may take in a phase, or (PHASE_N) a session have nothing to do: RFC 5321 section 4.5.3.2, or less where the
 * configuration says so. */
int64_t phase_limit_ms(const struct relay *relay, enum smtp_phase phase);

/* Refuse what a relay's configuration may not ask for: ERR_CONFIG. */
int relay_check(const struct relay *relay, struct err *e);

/* As pthread_create(), with all signals blocked: they are the caller's, and a socket that the relay has
 * closed must not end the program by SIGPIPE. */
int thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

/* curl_global_init(), once. */
void curl_once(void);

/* One holder less. */
void transport_release(struct transport *t);

#endif
