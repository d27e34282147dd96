/* SPDX-License-Identifier: MIT */
#include "mail/policy.h"

enum reason policy_reason(const struct finding *finding)
{
	switch (finding->reason) {
	case REASON_RECIPIENT:
		return finding->hard && finding->action == REACT_SUPPRESS ? REASON_RECIPIENT
									  : REASON_TRANSIENT;
	case REASON_DOMAIN:
	case REASON_DISABLED:
	case REASON_FULL:
	case REASON_TRANSIENT:
		return finding->reason;
	default:
		return REASON_N;
	}
}

bool policy_reached(const struct policy_line *line, const int64_t *at, size_t n)
{
	return line->events > 0 && n >= (size_t)line->events && at[n - 1] - at[0] >= line->span;
}
