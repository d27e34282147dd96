/* SPDX-License-Identifier: MIT */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Seconds, and milliseconds, since 1970-01-01 UTC. The one place that asks for the time of day. */
int64_t clock_now(void);
int64_t clock_now_ms(void);

/* Milliseconds of a clock that never jumps, for timeouts. */
int64_t clock_mono_ms(void);

/* Nanoseconds of CPU time (user and system) that this process has used. */
int64_t clock_cpu_ns(void);

enum { CLOCK_ISO_SIZE = 21 };

/* Write `t` as "2026-01-31T06:00:00Z" (RFC 3339, UTC) into `out`; returns `out`. */
char *clock_iso(int64_t t, char out[CLOCK_ISO_SIZE]);

/* Read an instant: RFC 3339 ("2026-01-31T06:00:00Z", "2026-01-31T06:00+01:00"; a space may stand for
 * the T, the seconds may be missing), UTC where no zone is given. False for anything else. */
bool clock_parse(struct str text, int64_t *t);

#endif
