/* SPDX-License-Identifier: MIT */
#include "stamp.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static bool is_digit(struct str s, size_t i)
{
	return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

static bool two_digits(struct str s, size_t i)
{
	return is_digit(s, i) && is_digit(s, i + 1);
}

/* Take "2023-03-24", or "24-03-2023" where days come first, as the former into `out`. */
static bool take_date(struct str *s, bool day_first, char out[11])
{
	const char *p = s->p;
	bool fits = s->n >= 10;

	if (fits && day_first && two_digits(*s, 0) && strchr("-/.", p[2]) && two_digits(*s, 3) &&
		p[5] == p[2] && two_digits(*s, 6) && two_digits(*s, 8))
		snprintf(out, 11, "%.4s-%.2s-%.2s", p + 6, p + 3, p);
	else if (fits && two_digits(*s, 0) && two_digits(*s, 2) && strchr("-/", p[4]) &&
		 two_digits(*s, 5) && p[7] == p[4] && two_digits(*s, 8))
		snprintf(out, 11, "%.4s-%.2s-%.2s", p, p + 5, p + 8);
	else
		return false;
	*s = str_slice(*s, 10, s->n);
	return true;
}

/* Take "T10:23", with seconds and a fraction of them or not, as "10:23:10". */
static bool take_time(struct str *s, char out[9])
{
	size_t at;

	if (s->n < 6 || !strchr("Tt ", s->p[0]) || !two_digits(*s, 1) || s->p[3] != ':' ||
		!two_digits(*s, 4))
		return false;
	at = 6;
	if (at < s->n && s->p[at] == ':') {
		if (!two_digits(*s, at + 1))
			return false;
		at += 3;
	}
	snprintf(out, 9, "%.5s:%.2s", s->p + 1, at == 9 ? s->p + 7 : "00");
	if (at < s->n && s->p[at] == '.')
		for (at++; is_digit(*s, at);)
			at++;
	*s = str_slice(*s, at, s->n);
	return true;
}

/* Take "+0530" or "+05:30"; its seconds. */
static bool take_offset(struct str *s, int64_t *seconds)
{
	int64_t hours, minutes;
	size_t at;

	if (s->n < 5 || !strchr("+-", s->p[0]) || !two_digits(*s, 1))
		return false;
	at = s->p[3] == ':' ? 4 : 3;
	if (!two_digits(*s, at) || !str_to_int(str_slice(*s, 1, 3), 0, 23, &hours) ||
		!str_to_int(str_slice(*s, at, at + 2), 0, 59, &minutes))
		return false;
	*seconds = (s->p[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
	*s = str_slice(*s, at + 2, s->n);
	return true;
}

/* What Go writes behind an offset: the zone's name or the offset again, and its own clock. */
static bool is_gos(struct str rest)
{
	size_t at = 0;

	if (rest.n == 0)
		return true;
	if (rest.p[0] != ' ')
		return false;
	for (at = 1; at < rest.n && rest.p[at] != ' '; at++)
		if (!strchr("+-:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
			    rest.p[at]))
			return false;
	rest = str_slice(rest, at, rest.n);
	return rest.n == 0 || str_has_prefix(rest, STR(" m="));
}

static bool take_zone(struct str s, int64_t *seconds, bool *zoned)
{
	*seconds = 0;
	*zoned = s.n > 0;
	if (s.n == 0 || str_eq_nocase(s, STR("Z")) || str_eq(str_trim(s), STR("UTC")) ||
		str_eq(str_trim(s), STR("GMT")))
		return true;
	if (s.p[0] == ' ')
		s = str_slice(s, 1, s.n);
	return take_offset(&s, seconds) && is_gos(s);
}

bool stamp_read(struct str text, bool day_first, int64_t *t, bool *zoned)
{
	struct str s = str_trim(text);
	char date[11], time[9] = "00:00:00", instant[21];
	int64_t offset;

	*zoned = true;
	if (!take_date(&s, day_first, date))
		return false;
	if (s.n && !take_time(&s, time))
		return false;
	if (!take_zone(s, &offset, zoned))
		return false;
	*t = 0;
	if (strcmp(date, "0000-00-00") == 0 || strcmp(date, "0001-01-01") == 0)
		return true;
	snprintf(instant, sizeof instant, "%sT%sZ", date, time);
	if (!clock_parse(str_of(instant), t))
		return false;
	*t -= offset;
	return true;
}
