/* SPDX-License-Identifier: MIT */
#ifndef BASE_ZONE_RULE_H
#define BASE_ZONE_RULE_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The rule at the end of a file of tzdata: TZ of POSIX, as widened by RFC 8536 section 3.3.1, such as
 * "CET-1CEST,M3.5.0,M10.5.0/3". Private to src/base.
 */
struct zone_change {
	enum {
		CHANGE_JULIAN,
		CHANGE_DAY,
		CHANGE_WEEK
	} kind; /* Jn without 29 February, n, Mm.w.d */
	int month, week, day;
	int second; /* of that day, local time before the change; may be negative or over a day */
};

struct zone_rule {
	bool given;
	bool summer; /* there are two times a year */
	int standard, daylight; /* seconds east of UTC */
	struct zone_change start, end; /* of the daylight time */
};

/* The empty text is no rule. False for what is none. */
bool zone_rule_parse(struct str text, struct zone_rule *out);

/* Seconds east of UTC at `t`. */
int zone_rule_offset(const struct zone_rule *r, int64_t t);

#endif
