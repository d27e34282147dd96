/* SPDX-License-Identifier: MIT */
#ifndef MAIL_VERDICT_H
#define MAIL_VERDICT_H

#include "mail/reply.h"

#include <stdint.h>

/*
 * What a reply means and what to do about it: the policy of failures, in one place. The phase
 * decides whose fault it is, the code what happens (RFC 5321 section 4.2: by the code, not by the
 * text); the text refines it (mail/classify.h).
 */
enum smtp_phase {
	PHASE_CONNECT, /* name look-up and TCP */
	PHASE_BANNER,
	PHASE_EHLO,
	PHASE_STARTTLS, /* the command and the handshake */
	PHASE_AUTH,
	PHASE_MAIL,
	PHASE_RCPT,
	PHASE_DATA,
	PHASE_BODY, /* content on its way, final dot not sent */
	PHASE_DOT, /* the reply to the final dot */
	PHASE_RSET,
	PHASE_QUIT,
	PHASE_N,
};

/* Delivery states of the ledger; the numbers stand in the database. */
enum delivery_state {
	DELIVERY_QUEUED,
	DELIVERY_CLAIMED,
	DELIVERY_SENDING,
	DELIVERY_DEFERRED,
	DELIVERY_IN_DOUBT,
	DELIVERY_SENT,
	DELIVERY_FAILED,
	DELIVERY_EXPIRED,
	DELIVERY_CANCELLED,
	DELIVERY_SKIPPED,
	DELIVERY_BOUNCED,
	DELIVERY_COMPLAINED,
	DELIVERY_STATE_N,
};

/* How far a copy has come that is being sent: what is known of it should its worker be killed. */
enum flight_stage {
	FLIGHT_UNKNOWN,
	FLIGHT_HERE, /* the relay does not have it: its final dot has not left, or was refused */
	FLIGHT_LEAVING, /* the final dot may have left */
	FLIGHT_TAKEN, /* the relay owns it */
};

enum verdict_action {
	VERDICT_SENT, /* the relay owns the copy */
	VERDICT_RETRY, /* try this recipient again by the schedule, one attempt used */
	VERDICT_FAIL, /* this copy will not be sent */
	VERDICT_DOUBT, /* it may have arrived: the answer to the final dot was lost */
	VERDICT_AGAIN, /* nothing was said about this recipient: queue it as it was, no attempt used
			*/
	VERDICT_PAUSE_RELAY, /* the relay's trouble: as AGAIN, and stop using the relay for a while
			      */
	VERDICT_PAUSE_ISSUE, /* the sender, our set-up or the size is refused: as AGAIN, and every copy
			      * would meet the same */
	VERDICT_THROTTLE, /* too fast, or our address is blocked there: as AGAIN, and its lane goes
			   * slower or waits, as the finding says */
};

/* The verdict on a reply (its code 0: connection lost or timed out) in `phase`. `content_sent` says whether
 * the final dot may have left. `finding` gets what classify_reply() says of it, for what concerns others
 * than this copy. */
struct finding;
enum verdict_action verdict_of(enum smtp_phase phase, const struct reply *reply, bool content_sent,
	struct finding *finding);

/* The words for logs, JSON and the command line: "rcpt", "in_doubt", "retry". */
const char *smtp_phase_name(enum smtp_phase phase);
const char *delivery_state_name(enum delivery_state state);
const char *verdict_name(enum verdict_action action);

/* When to try again after `attempts` (>= 1) attempts, the last one at `now`: 5, 15, 45 min, 2, 4, 8
 * h, then every 8 h, each with +-20 % of jitter taken from `seed` (any number that differs by
 * recipient; RFC 5321 section 4.5.4.1). `wait_s` (0 = not said) is how long the reply asks to wait: then
 * that, and up to a fifth more. 0 when that would be later than `expires_at`. */
int64_t retry_at(int attempts, int64_t now, int64_t expires_at, uint64_t seed, int wait_s);

#endif
