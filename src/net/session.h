/* SPDX-License-Identifier: MIT */
#ifndef NET_SESSION_H
#define NET_SESSION_H

#include "command.h"
#include "door.h"
#include "link.h"

/*
 * Mail transactions over one open link. Where the relay offers PIPELINING, the content, its final dot and
 * the next envelope leave together (RFC 2920 section 3.1), else command by command. Replies are matched
 * to what was said by their order.
 */
enum session_step {
	STEP_IDLE, /* no envelope is being sent */
	STEP_RSET,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_AWAIT, /* DATA is out: nothing may follow before its reply */
	STEP_QUIT, /* QUIT is out */
};

enum {
	SESSION_OUT = 65536, /* octets on their way; content beyond them waits in its job */
	SESSION_GROUP = 4 * COMMAND_MAX, /* octets that RSET MAIL RCPT DATA may have */
	SESSION_EXPECT = 6, /* dot RSET MAIL RCPT DATA QUIT */
	DOT_MAX = 5, /* octets of the dot with its line ends */
};

struct session {
	struct session *next;
	struct gate *gate;
	struct link link;
	struct reply_reader reader;

	enum smtp_phase expect[SESSION_EXPECT]; /* whose replies are awaited, first first */
	size_t expect_n;

	enum session_step step;
	struct job
		*envelope; /* between its MAIL and the 354 to its DATA; NULL once it is refused */
	bool open; /* the relay may hold a transaction that no dot has ended: RSET */
	struct job *body; /* its content is being sent, or the reply to its dot is awaited */
	struct str
		content; /* the rest of a part that is not yet in `out`, or has not left directly */
	const struct str *part; /* the parts behind it */
	size_t part_n;
	size_t direct_n; /* octets of content that leave from where they are, not by `out` ... */
	size_t direct_at; /* ... when `out` has left up to here */
	bool dot_due; /* the dot is not yet in `out` */
	bool line_start; /* what comes next in `out` starts a line of it */
	unsigned messages; /* begun */
	bool draining; /* no further message: QUIT */
	bool left; /* out of its gate's count: the relay has been in trouble since */
	int64_t drain_at; /* clock_mono_ms() */

	char *out;
	size_t out_at, out_n, retry_n; /* sent so far, all, to be offered again */
	uint64_t put, sent, dot_at; /* octets since the beginning; where the last dot ends */
	bool blocked; /* wait until the socket takes more */

	int64_t deadline; /* clock_mono_ms() by which `due` must have happened; 0 = none */
	enum smtp_phase due; /* PHASE_N: a message to send */
	uint64_t replies; /* read in all */
	uint64_t due_replies, due_sent; /* `replies` and `sent` when the deadline was set */
	int64_t body_until; /* all of the content must have left */
	bool answered; /* a message of this session has had its answer */
	bool expired; /* it hangs */
	bool over; /* close it */
};

/* Take over `link`. NULL when there is no memory (the link is then closed). */
struct session *session_open(struct gate *gate, struct link *link, int64_t now);

/* Read what has come, act on it, say what may be said: to be called when the socket is ready, when a
 * message is waiting, and when `draining` was set. Outcomes go to the transport. */
void session_turn(struct session *s, bool readable, int64_t now);

/* The deadline has passed: the session hangs, or it has had nothing to do for too long. */
void session_expire(struct session *s);

/* Give everything up, as when the connection is lost. */
void session_abandon(struct session *s, const struct reply *why);

/* Whether it has nothing to do. */
bool session_idle(const struct session *s);

void session_close(struct session *s);

#endif
