/* SPDX-License-Identifier: MIT */
#ifndef MAIL_FORECAST_H
#define MAIL_FORECAST_H

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

/* Play p's lanes, each with its `waiting`, from `start` on; `p` is used up by it. The arrays are the caller's,
 * zeroed. */
void forecast_play(struct pacer *p, int64_t start, struct forecast *out);

#endif
