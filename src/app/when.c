/* SPDX-License-Identifier: MIT */
#include "when.h"

#include "base/clock.h"

#include <stdio.h>

enum { DAY = 86400 };

/* "2026-12-01 06:00" or "06:00". */
static bool parse_time(struct str text, struct when *out)
{
	struct str rest = str_trim(text), date;
	char midnight[32];
	int64_t at;

	if (str_find(rest, ' ') == rest.n)
		return zone_time_parse(rest, &out->time.second);
	str_next(&rest, ' ', &date);
	snprintf(
		midnight, sizeof midnight, "%.*sT00:00Z", (int)(date.n < 10 ? date.n : 10), date.p);
	if (date.n != 10 || !clock_parse(str_of(midnight), &at) ||
		!zone_time_parse(rest, &out->time.second))
		return false;
	out->time.day = at / DAY;
	out->dated = true;
	return true;
}

int when_parse(struct str text, int64_t now, struct when *out, struct err *e)
{
	struct str s = str_trim(text), name;
	struct zone *z = NULL;
	size_t at = s.n;

	*out = (struct when){.at = now};
	if (str_eq(s, STR("now")) || clock_parse(s, &out->at))
		return 0;
	while (at > 0 && s.p[at - 1] != ' ')
		at--;
	name = str_slice(s, at, s.n);
	out->local = str_eq(name, STR("local"));
	if (!parse_time(str_slice(s, 0, at), out))
		return err_set(e, ERR_INPUT,
			"'%.*s' is no time: write now, 2026-01-31T06:00:00+01:00, '2026-01-31 "
			"06:00' in UTC, '2026-01-31 06:00 Europe/Berlin' or '06:00 local'",
			STR_ARG(text));
	if (out->local)
		return 0;
	if (zone_open(name, &z, e) < 0)
		return -1;
	out->at = when_in(out, z, now);
	zone_close(z);
	return 0;
}

int64_t when_in(const struct when *w, const struct zone *z, int64_t now)
{
	struct zone_time time = w->time;
	int64_t at;

	if (w->dated)
		return zone_instant(z, time);
	zone_local(z, now, &time);
	time.second = w->time.second;
	at = zone_instant(z, time);
	if (at >= now)
		return at;
	time.day++;
	return zone_instant(z, time);
}

bool when_is_over(const struct when *w, int64_t now)
{
	enum { LAST_ZONE = 12 * 3600 }; /* behind UTC */

	if (!w->local)
		return w->at < now;
	return w->dated && w->time.day * DAY + w->time.second + LAST_ZONE < now;
}
