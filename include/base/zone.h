/* SPDX-License-Identifier: MIT */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Time zones from the system's tzdata (RFC 8536, with the rule behind the last transition), several at
 * once: the C library knows one for the whole process.
 */
struct zone;

/* The zone of that name, such as "Europe/Berlin", from /usr/share/zoneinfo. ERR_MISSING, with the cure,
 * for a name that tzdata does not have or that is no name of a zone; ERR_INPUT for a broken file. */
int zone_open(struct str name, struct zone **out, struct err *e);

/* The same from the bytes of a file. ERR_INPUT. */
int zone_parse(struct str file, struct zone **out, struct err *e);

/* Close; NULL is allowed. */
void zone_close(struct zone *z);

/* Seconds east of UTC at `t`. */
int zone_offset(const struct zone *z, int64_t t);

/* A day as the number of days since 1970-01-01, a time of day in seconds. */
struct zone_time {
	int64_t day;
	int second;
};
void zone_local(const struct zone *z, int64_t t, struct zone_time *out);

/* The instant of a local time: the first of two where the clock is set back over it, the next instant
 * there is where the clock is set forward over it. */
int64_t zone_instant(const struct zone *z, struct zone_time local);

/* Hours of the day in which something may happen, in seconds since midnight; `until` before `from` is on
 * the next day. */
struct zone_window {
	int from, until;
};

/* Read "06:00-22:00". False for anything else, and for two equal times. */
bool zone_window_parse(struct str text, struct zone_window *out);

/* The window that `t` is in, or else the next one: open from *open up to but without *close. */
void zone_window_at(
	const struct zone *z, struct zone_window w, int64_t t, int64_t *open, int64_t *close);

/* Read "06:00" or "06:00:30" as seconds since midnight. */
bool zone_time_parse(struct str text, int *second);

#endif
