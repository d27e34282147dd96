/* SPDX-License-Identifier: MIT */
#ifndef NET_ESMTP_H
#define NET_ESMTP_H

#include "door.h"

#include <libesmtp.h>

/*
 * The transport `esmtp`: libesmtp in threads of its own, one session each. Its calls block and cannot be
 * interrupted, so a thread that hangs is left behind when the transport closes, with a copy of all it may
 * touch; the last one to leave puts out the light.
 */
struct pool {
	struct transport *t;
	struct gate *gate;
	pthread_cond_t work, left;
	struct worker *first;
	size_t workers, idle;
	size_t talking; /* workers whose session is past EHLO */
	bool orphaned; /* the transport is closed: the last worker frees this */
	bool ready; /* a session is past EHLO: tables that libesmtp fills without a lock are there */
};

struct worker {
	struct worker *next;
	struct pool *pool;
	char server[300], *helo;
	int64_t limit_ms[PHASE_N];

	/* Guarded by t->lock: */
	struct job *job; /* NULL once it has its outcome */
	bool all_given; /* libesmtp has had all of the content: a dot follows */
	bool talking; /* its session is past EHLO */
	bool given_up; /* the transport has stopped */

	struct buf content; /* of the message being sent, ours */
	size_t content_at;
	bool broken; /* it must not reach its dot */
	int64_t asked_ms; /* when libesmtp last asked for some of it */
	smtp_session_t session;
	smtp_message_t message;
	smtp_recipient_t recipient;
	unsigned messages, most; /* of this session */
	enum smtp_phase phase;
	struct reply_reader reader;
	struct reply refusal; /* the relay's last 4yz or 5yz */
};

/* The next waiting message that libesmtp can send, or NULL. */
struct job *worker_take(struct worker *w);

/* One session, for `j` and what else is waiting. When it returns, `j` has its outcome or waits again. */
void worker_session(struct worker *w, struct job *j);

#endif
