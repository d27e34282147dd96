/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id, int64_t per_second)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * per_second + t.tv_nsec / (1000000000 / per_second);
}

int64_t clock_now(void)
{
	return read_clock(CLOCK_REALTIME, 1);
}

int64_t clock_now_ms(void)
{
	return read_clock(CLOCK_REALTIME, 1000);
}

int64_t clock_mono_ms(void)
{
	return read_clock(CLOCK_MONOTONIC, 1000);
}

int64_t clock_cpu_ns(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID, 1000000000);
}

char *clock_iso(int64_t t, char out[CLOCK_ISO_SIZE])
{
	time_t when = (time_t)t;
	struct tm tm;

	if (!gmtime_r(&when, &tm) || tm.tm_year + 1900 > 9999 || tm.tm_year + 1900 < 0) {
		snprintf(out, CLOCK_ISO_SIZE, "-");
		return out;
	}
	strftime(out, CLOCK_ISO_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return out;
}

/* Take exactly `digits` digits from the front of `*s`. */
static bool number(struct str *s, size_t digits, int min, int max, int *value)
{
	int64_t v;

	if (s->n < digits || !str_to_int(str_slice(*s, 0, digits), min, max, &v) || s->p[0] == '-')
		return false;
	*s = str_slice(*s, digits, s->n);
	*value = (int)v;
	return true;
}

static bool sign(struct str *s, const char *any_of)
{
	if (s->n == 0 || !strchr(any_of, s->p[0]))
		return false;
	*s = str_slice(*s, 1, s->n);
	return true;
}

bool clock_parse(struct str text, int64_t *t)
{
	struct str s = str_trim(text);
	struct tm tm = {0};
	int hours = 0, minutes = 0, mday;
	int64_t seconds;
	bool behind;

	if (!number(&s, 4, 1970, 9999, &tm.tm_year) || !sign(&s, "-") ||
		!number(&s, 2, 1, 12, &tm.tm_mon) || !sign(&s, "-") ||
		!number(&s, 2, 1, 31, &tm.tm_mday) || !sign(&s, "Tt ") ||
		!number(&s, 2, 0, 23, &tm.tm_hour) || !sign(&s, ":") ||
		!number(&s, 2, 0, 59, &tm.tm_min))
		return false;
	if (sign(&s, ":") && !number(&s, 2, 0, 59, &tm.tm_sec))
		return false;
	behind = s.n && s.p[0] == '-';
	if (s.n && !sign(&s, "Zz")) {
		if (!sign(&s, "+-") || !number(&s, 2, 0, 23, &hours) || !sign(&s, ":") ||
			!number(&s, 2, 0, 59, &minutes))
			return false;
	}
	if (s.n)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	mday = tm.tm_mday;
	seconds = timegm(&tm);
	if (tm.tm_mday != mday) /* 30 February: timegm() moved it */
		return false;
	*t = seconds - (behind ? -1 : 1) * (hours * 3600 + minutes * 60);
	return true;
}
