/* SPDX-License-Identifier: MIT */
#ifndef MAIL_FORECAST_H
#define MAIL_FORECAST_H

#include "base/zone.h"
#include "mail/care.h"
#include "mail/pacer.h"

/* When each lane will be done under the limits as they stand, played through in steps of a slot. What the
 * relays could take in a second is not known here: without a limit all is done in the first step. */
enum { FORECAST_DAYS = 30 };

/* What holds a relay back while copies wait for it. */
enum forecast_limit {
	FORECAST_NONE,
	FORECAST_SECOND,
	FORECAST_HOUR,
	FORECAST_DAY,
	FORECAST_WARM_UP,
	FORECAST_LIMIT_N,
};

struct forecast {
	int64_t *
		lane_done; /* by lane of the pacer: the end of its last step; 0 = not within FORECAST_DAYS
			     */
	bool *lane_short; /* the lane's own rate held it back while relays had room */
	bool (*relay_short)[FORECAST_LIMIT_N]; /* by relay: which limits held copies back */
	int64_t done; /* of all; 0 = not within FORECAST_DAYS */
};

/* Copies that are due later, by their readers' clocks or since they were put off. */
struct forecast_later {
	int64_t at;
	size_t lane; /* its index in the pacer, whose `waiting` does not count them */
	int64_t n;
};

/* The hours and stages of an issue (mail/care.h). */
struct forecast_issue {
	const struct zone *zone; /* NULL = at any hour */
	struct zone_window hours;
	struct care_stages stages;
	int stage; /* the one that is on */
	int64_t stage_wait; /* seconds behind each */
	int64_t copies; /* of all its readers */
	const struct forecast_later *later; /* by time */
	size_t later_n;
};

/* Play p's lanes, each with its `waiting`, from `start` on; `p` is used up by it. Nothing is expected to pause the
 * issue between stages. The arrays are the caller's, zeroed. */
void forecast_play(
	struct pacer *p, const struct forecast_issue *issue, int64_t start, struct forecast *out);

#endif
