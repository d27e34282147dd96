/* SPDX-License-Identifier: MIT */
#ifndef MAIL_CLASSIFY_H
#define MAIL_CLASSIFY_H

#include "mail/verdict.h"

#include <stdbool.h>

/*
 * What an SMTP reply says, found in the order phase → text → enhanced code (RFC 3463) → code: whose
 * fault it is, whether the address is dead, and what follows for others beside this copy. One data table
 * (src/mail/classify_rules.h) holds all of it; each of its rows has a name, so that `why` can say which
 * one matched. Text refines and never turns a failure into a success or back (RFC 5321 section 4.2).
 */
enum reason {
	REASON_RECIPIENT, /* no such mailbox */
	REASON_DOMAIN, /* no such domain, or it takes no mail */
	REASON_DISABLED, /* the mailbox is there and closed */
	REASON_FULL,
	REASON_GREYLIST,
	REASON_RATE, /* too much, too fast: of us, of the domain, or for this mailbox */
	REASON_BLOCK, /* our address or reputation */
	REASON_AUTH, /* SPF, DKIM, DMARC, PTR, TLS of our domain */
	REASON_CONTENT, /* spam, policy, virus, a malformed message */
	REASON_SIZE,
	REASON_SENDER, /* our envelope sender */
	REASON_RELAY, /* our relay, or our account there */
	REASON_PROTOCOL, /* a fault of ours on the wire */
	REASON_TRANSIENT,
	REASON_N,
};

/* What to do beside settling this copy. */
enum reaction {
	REACT_SUPPRESS, /* the address: at once or after repeated events, by the policy of its reason */
	REACT_RETRY,
	REACT_THROTTLE, /* its lane: slower, or not at all for a while */
	REACT_PAUSE_DOMAIN, /* its lane, and tell the operator */
	REACT_PAUSE_ISSUE, /* every copy would meet the same */
	REACT_PAUSE_RELAY,
	REACT_FAIL, /* this copy only */
	REACT_N,
};

struct finding {
	enum reason reason;
	enum reaction action;
	bool hard; /* the address is dead; never for block, auth, rate, relay */
	const char
		*rule; /* name of the row that matched; static; NULL: nothing failed (2yz, 3yz), and
			   * then reason is REASON_N and action REACT_N */
	int wait_s; /* how long to pause the lane or wait for this recipient, said by the reply ("in 300
		     * seconds") or by the rule; 0 = by the schedule */
	int per_minute; /* rate for the lane while it is throttled; 0 = no rate, only wait_s */
	int connections; /* so many at once to the lane meanwhile; 0 = not said */
};

/* Where nothing failed. */
#define FINDING_NONE ((struct finding){.reason = REASON_N, .action = REACT_N})

/* Classify a reply that came in `phase`. PHASE_N: unknown, as in a report; "(in reply to RCPT TO command)"
 * in the text then tells it. Without a code the class of the enhanced code stands for it; a reply with
 * neither is transient, or the relay's trouble before MAIL. */
void classify_reply(enum smtp_phase phase, const struct reply *reply, struct finding *out);

/* As classify_reply(), for a reply in one piece, "550 5.1.1 No such user": from a report's
 * Diagnostic-Code or a line of a file. Of several replies joined, the answer to RCPT is taken. Fills
 * `reply` (may be NULL) with what was found in it. */
void classify_words(
	enum smtp_phase phase, struct str words, struct reply *reply, struct finding *out);

/* The words of the command line: "recipient", "pause-domain", "none" for REASON_N and REACT_N; and back
 * (REASON_N for what is no reason). */
const char *reason_name(enum reason reason);
enum reason reason_of(struct str name);
const char *reaction_name(enum reaction action);

#endif
