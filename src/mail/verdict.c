/* SPDX-License-Identifier: MIT */
#include "mail/verdict.h"

#include "mail/classify.h"

#include <stddef.h>

/* What follows by phase: when the connection was lost (or what came is no answer to the command), on
 * 4yz, and on 5yz. The classes are those of RFC 5321 section 4.2.1. */
static const struct {
	const char *name;
	enum verdict_action lost, soft, hard;
} phases[PHASE_N] = {
	[PHASE_CONNECT] = {"connect", VERDICT_PAUSE_RELAY, VERDICT_PAUSE_RELAY,
		VERDICT_PAUSE_RELAY},
	[PHASE_BANNER] = {"banner", VERDICT_PAUSE_RELAY, VERDICT_PAUSE_RELAY, VERDICT_PAUSE_RELAY},
	[PHASE_EHLO] = {"ehlo", VERDICT_PAUSE_RELAY, VERDICT_PAUSE_RELAY, VERDICT_PAUSE_RELAY},
	[PHASE_STARTTLS] = {"starttls", VERDICT_PAUSE_RELAY, VERDICT_PAUSE_RELAY,
		VERDICT_PAUSE_RELAY},
	[PHASE_AUTH] = {"auth", VERDICT_PAUSE_RELAY, VERDICT_PAUSE_RELAY, VERDICT_PAUSE_RELAY},
	[PHASE_MAIL] = {"mail", VERDICT_AGAIN, VERDICT_RETRY, VERDICT_PAUSE_ISSUE},
	[PHASE_RCPT] = {"rcpt", VERDICT_AGAIN, VERDICT_RETRY, VERDICT_FAIL},
	[PHASE_DATA] = {"data", VERDICT_AGAIN, VERDICT_RETRY, VERDICT_FAIL},
	[PHASE_BODY] = {"body", VERDICT_AGAIN, VERDICT_RETRY, VERDICT_FAIL},
	[PHASE_DOT] = {"dot", VERDICT_DOUBT, VERDICT_RETRY, VERDICT_FAIL},
	[PHASE_RSET] = {"rset", VERDICT_AGAIN, VERDICT_AGAIN, VERDICT_AGAIN},
	[PHASE_QUIT] = {"quit", VERDICT_SENT, VERDICT_SENT, VERDICT_SENT},
};

static const char *const states[DELIVERY_STATE_N] = {
	[DELIVERY_QUEUED] = "queued",
	[DELIVERY_CLAIMED] = "claimed",
	[DELIVERY_SENDING] = "sending",
	[DELIVERY_DEFERRED] = "deferred",
	[DELIVERY_IN_DOUBT] = "in_doubt",
	[DELIVERY_SENT] = "sent",
	[DELIVERY_FAILED] = "failed",
	[DELIVERY_EXPIRED] = "expired",
	[DELIVERY_CANCELLED] = "cancelled",
	[DELIVERY_SKIPPED] = "skipped",
	[DELIVERY_BOUNCED] = "bounced",
	[DELIVERY_COMPLAINED] = "complained",
};

static const char *const actions[] = {
	[VERDICT_SENT] = "sent",
	[VERDICT_RETRY] = "retry",
	[VERDICT_FAIL] = "fail",
	[VERDICT_DOUBT] = "doubt",
	[VERDICT_AGAIN] = "again",
	[VERDICT_PAUSE_RELAY] = "pause-relay",
	[VERDICT_PAUSE_ISSUE] = "pause-issue",
	[VERDICT_THROTTLE] = "throttle",
};

/* What the code alone tells of the copy. */
static enum verdict_action by_code(enum smtp_phase phase, int code, bool content_sent)
{
	if (phase == PHASE_DOT && code >= 200 && code < 300)
		return VERDICT_SENT;
	/* "Service not available, closing": nothing about the message, unless it answers the dot. */
	if (code == 421 && phase != PHASE_DOT)
		return phases[phase].lost;
	if (code >= 400 && code < 500)
		return phases[phase].soft;
	if (code >= 500 && code < 600)
		return phases[phase].hard;
	if (phase == PHASE_BODY || phase == PHASE_DOT)
		return content_sent ? VERDICT_DOUBT : VERDICT_AGAIN;
	return phases[phase].lost;
}

/* What the whole reply tells, where the code says only that the copy has not been taken. */
static enum verdict_action refine(enum verdict_action action, const struct finding *finding)
{
	switch (finding->action) {
	case REACT_THROTTLE:
	case REACT_PAUSE_DOMAIN:
		return VERDICT_THROTTLE;
	case REACT_PAUSE_ISSUE:
		return VERDICT_PAUSE_ISSUE;
	case REACT_PAUSE_RELAY:
		return VERDICT_PAUSE_RELAY;
	case REACT_RETRY:
		return VERDICT_RETRY;
	default:
		return action;
	}
}

enum verdict_action verdict_of(enum smtp_phase phase, const struct reply *reply, bool content_sent,
	struct finding *finding)
{
	enum verdict_action action = by_code(phase, reply->code, content_sent);

	*finding = FINDING_NONE;
	if (action == VERDICT_SENT)
		return action;
	classify_reply(phase, reply, finding);
	if (action == VERDICT_RETRY || action == VERDICT_FAIL || action == VERDICT_PAUSE_ISSUE)
		return refine(action, finding);
	return action;
}

const char *smtp_phase_name(enum smtp_phase phase)
{
	return phases[phase].name;
}

const char *delivery_state_name(enum delivery_state state)
{
	return states[state];
}

const char *verdict_name(enum verdict_action action)
{
	return actions[action];
}

/* One step of splitmix64: spreads any number over 64 bits. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

int64_t retry_at(int attempts, int64_t now, int64_t expires_at, uint64_t seed, int wait_s)
{
	static const int minutes[] = {5, 15, 45, 120, 240, 480};
	enum { STEPS = sizeof(minutes) / sizeof(minutes[0]) };
	int64_t wait = 60 * (int64_t)minutes[(attempts < STEPS ? attempts : STEPS) - 1];
	int64_t fifth, at;

	if (wait_s) /* never before the time that was asked for */
		wait = wait_s + wait_s / 10;
	fifth = wait_s ? wait_s / 10 : wait / 5;
	at = now + wait - fifth +
	     (int64_t)(mix(seed ^ (uint64_t)attempts) % (uint64_t)(2 * fifth + 1));

	return at > expires_at ? 0 : at;
}
