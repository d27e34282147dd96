/* SPDX-License-Identifier: MIT */
#ifndef MAIL_POLICY_H
#define MAIL_POLICY_H

#include "mail/classify.h"

#include <stdint.h>

/*
 * Whom returned mail suppresses: one table, a line a reason. Pure. Only what says something about the
 * address counts; trouble with blocks, authentication, rates, content and relays counts against nobody.
 */
struct policy_line {
	int events; /* how many it takes; 0 = never */
	int64_t span; /* seconds between the first and the last of them, at least */
};

struct policy {
	struct policy_line line
		[REASON_N]; /* recipient, domain, disabled, full, transient; the others stay 0 */
	struct policy_line complaint;
};

/* The line that a bounce counts on, or REASON_N when it counts against nobody. Where no mailbox was said to
 * be missing beyond doubt (not hard, or found in a phase that does not speak of recipients), it counts as
 * transient. */
enum reason policy_reason(const struct finding *finding);

/* Whether events at `at[n]` (ascending; the newest is the one being judged) suppress. */
bool policy_reached(const struct policy_line *line, const int64_t *at, size_t n);

#endif
