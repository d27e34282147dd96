/* SPDX-License-Identifier: MIT */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Seconds since 1970-01-01 UTC. The one place that asks for the time of day. */
int64_t clock_now(void);

/* Milliseconds of a clock that never jumps, for timeouts. */
int64_t clock_mono_ms(void);

/* Nanoseconds of CPU time (user and system) that this process has used. */
int64_t clock_cpu_ns(void);

enum { CLOCK_ISO_SIZE = 21 };

/* Write `t` as "2026-01-31T06:00:00Z" (RFC 3339, UTC) into `out`; returns `out`. */
char *clock_iso(int64_t t, char out[CLOCK_ISO_SIZE]);

#endif
