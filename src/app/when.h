/* SPDX-License-Identifier: MIT */
#ifndef APP_WHEN_H
#define APP_WHEN_H

#include "base/err.h"
#include "base/zone.h"

/*
 * When an issue is to leave, as an operator writes it. Private to app.
 */
struct when {
	int64_t at; /* of one instant for everybody */
	bool local; /* each reader in their own zone, at ... */
	bool dated; /* ... this day, or else the next time the clock shows it */
	struct zone_time time;
};

/* Read "now", RFC 3339 (UTC where it names no zone), "2026-12-01 06:00 Europe/Berlin",
 * "2026-12-01 06:00 local", "06:00 local". ERR_INPUT, ERR_MISSING for an unknown zone. */
int when_parse(struct str text, int64_t now, struct when *out, struct err *e);

/* The instant of a local `w` in zone `z`, not before `now` unless it is dated. */
int64_t when_in(const struct when *w, const struct zone *z, int64_t now);

/* Whether it is over for everybody: for readers' own times, in the last zone of the earth. */
bool when_is_over(const struct when *w, int64_t now);

#endif
