/* SPDX-License-Identifier: MIT */
#ifndef NET_DOOR_H
#define NET_DOOR_H

#include "net/transport.h"

#include <pthread.h>

/*
 * What stands behind the door: the messages between the caller and a transport, each in a slot that is
 * made once, when the transport is opened.
 *
 *   free ──submit──► waiting ──job_take──► with a session ──job_end──► ended ──transport_wait──► free
 *                       ▲────────job_move──────────┘
 *
 * Functions whose name begins with job_ may be called by any thread.
 */
struct job {
	struct job *next;
	struct submission s;
	struct outcome o;
	int64_t start_ms;
	unsigned moves,
		fruitless; /* how often a session ended under it; one that had got nothing done */
	uint64_t answers; /* of the transport when it was first taken */
};

struct jobs {
	struct job *first, *last;
};

struct transport_kind {
	/* Make t->self and its threads. */
	int (*start)(struct transport *t, struct err *e);
	/* Something was submitted, or `stopping` or `closing` was set: look. Called without the lock. */
	void (*wake)(struct transport *t);
	/* `stop_at` has passed: end what is in flight. NULL where a thread of its own sees to that. */
	void (*give_up)(struct transport *t);
	/* `closing` is set: end the threads, free t->self and, by transport_free(), `t` itself. */
	void (*finish)(struct transport *t);
};
extern const struct transport_kind transport_curl, transport_esmtp;

struct transport {
	const struct relay *relay;
	const struct transport_kind *kind;
	void *self;

	pthread_mutex_t lock; /* guards all that follows */
	pthread_cond_t ended_some;
	struct job *slot;
	size_t slot_n;
	struct jobs free, waiting, ended;
	size_t taken; /* slots that are not free */
	bool trouble; /* a PAUSE verdict was given */
	bool stopping;
	int64_t stop_at; /* clock_mono_ms(); what is in flight then is given up */
	bool closing;
	size_t limit; /* sessions that the relay has let us have, until limit_until */
	int64_t limit_until;
	uint64_t answers; /* messages that the relay has answered for */
};

/* The next waiting message, or NULL. */
struct job *job_take(struct transport *t);

/* How many wait, counted up to `max`. */
size_t jobs_waiting(struct transport *t, size_t max);

/* A session ended under a message that may be sent again: it waits again, or ends when that has happened
 * too often, or with VERDICT_AGAIN when the transport takes no more. `fruitful`: the session had got others
 * sent before, and did not hang. */
void job_move(struct transport *t, struct job *j, bool fruitful, enum smtp_phase phase,
	const struct reply *why);

/* Wake the caller when outcomes are there: after one job_end() or many. */
void jobs_tell(struct transport *t);

/* The outcome of a message. A PAUSE verdict ends all that waits with VERDICT_AGAIN. */
void job_end(struct transport *t, struct job *j, enum verdict_action action, enum smtp_phase phase,
	const struct reply *reply);

/* The relay refuses a session. With `others` of them at work it only wants fewer: it gets no more for a
 * while, and `j` (which may be NULL) waits again. Without, nothing can be sent: VERDICT_PAUSE_RELAY for
 * `j`, or for the next waiting message if there is one. */
void job_no_session(struct transport *t, struct job *j, size_t others, enum smtp_phase phase,
	const struct reply *reply);

/* How many sessions there may be now. Under the lock. */
size_t sessions_most(struct transport *t);

/* A reply of code 0 with our own sentence, or of the relay's code with an enhanced code. */
struct reply reply_ours(const char *status, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* What the message itself rules out at this relay: 0, or -1 after ending it. */
int job_check(struct transport *t, struct job *j, const struct smtp_caps *caps);

/* How long, in milliseconds, the relay may take in a phase: RFC 5321 section 4.5.3.2, or less where the
 * configuration says so. */
int64_t phase_limit_ms(const struct relay *relay, enum smtp_phase phase);

/* Refuse what a relay's configuration may not ask for: ERR_CONFIG. */
int relay_check(const struct relay *relay, struct err *e);

/* As pthread_create(), with all signals blocked: they are the caller's, and a socket that the relay has
 * closed must not end the program by SIGPIPE. */
int thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

/* curl_global_init(), once. */
void curl_once(void);

void transport_free(struct transport *t);

#endif
