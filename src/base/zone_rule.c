/* SPDX-License-Identifier: MIT */
#include "zone_rule.h"

#include <string.h>

enum { DAY = 86400, HOUR = 3600 };

/* ---- reading ---- */

static bool take(struct str *s, char c)
{
	if (!s->n || s->p[0] != c)
		return false;
	*s = str_slice(*s, 1, s->n);
	return true;
}

static bool take_number(struct str *s, int min, int max, int *out)
{
	size_t digits = 0;
	int64_t v;

	while (digits < s->n && s->p[digits] >= '0' && s->p[digits] <= '9')
		digits++;
	if (!digits || !str_to_int(str_slice(*s, 0, digits), min, max, &v))
		return false;
	*s = str_slice(*s, digits, s->n);
	*out = (int)v;
	return true;
}

/* "CET", "<+0330>": only its end matters. */
static bool take_name(struct str *s)
{
	size_t n = 0;

	if (take(s, '<')) {
		n = str_find(*s, '>');
		*s = str_slice(*s, n, s->n);
		return n >= 3 && take(s, '>');
	}
	while (n < s->n &&
		((s->p[n] >= 'A' && s->p[n] <= 'Z') || (s->p[n] >= 'a' && s->p[n] <= 'z')))
		n++;
	*s = str_slice(*s, n, s->n);
	return n >= 3;
}

/* "[+-]hh[:mm[:ss]]" in seconds. */
static bool take_time(struct str *s, int hours_max, int *out)
{
	int sign = take(s, '-') ? -1 : 1, hours, minutes = 0, seconds = 0;

	if (sign > 0)
		take(s, '+');
	if (!take_number(s, 0, hours_max, &hours))
		return false;
	if (take(s, ':')) {
		if (!take_number(s, 0, 59, &minutes))
			return false;
		if (take(s, ':') && !take_number(s, 0, 59, &seconds))
			return false;
	}
	*out = sign * (hours * HOUR + minutes * 60 + seconds);
	return true;
}

static bool take_change(struct str *s, struct zone_change *c)
{
	bool ok;

	if (!take(s, ','))
		return false;
	if (take(s, 'M')) {
		c->kind = CHANGE_WEEK;
		ok = take_number(s, 1, 12, &c->month) && take(s, '.') &&
		     take_number(s, 1, 5, &c->week) && take(s, '.') &&
		     take_number(s, 0, 6, &c->day);
	} else if (take(s, 'J')) {
		c->kind = CHANGE_JULIAN;
		ok = take_number(s, 1, 365, &c->day);
	} else {
		c->kind = CHANGE_DAY;
		ok = take_number(s, 0, 365, &c->day);
	}
	c->second = 2 * HOUR;
	return ok && (!take(s, '/') || take_time(s, 167, &c->second));
}

bool zone_rule_parse(struct str text, struct zone_rule *out)
{
	struct zone_rule r = {.given = true};
	struct str s = text;

	*out = (struct zone_rule){0};
	if (!s.n)
		return true;
	if (!take_name(&s) || !take_time(&s, 24, &r.standard))
		return false;
	r.standard = -r.standard; /* POSIX counts west of UTC */
	r.daylight = r.standard + HOUR;
	if (s.n) {
		r.summer = true;
		if (!take_name(&s))
			return false;
		if (s.n && s.p[0] != ',') {
			if (!take_time(&s, 24, &r.daylight))
				return false;
			r.daylight = -r.daylight;
		}
		if (!take_change(&s, &r.start) || !take_change(&s, &r.end) || s.n)
			return false;
	}
	*out = r;
	return true;
}

/* ---- the year ---- */

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01 to 1 January of `year`. */
static int64_t days_before(int64_t year)
{
	int64_t y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static int64_t year_of(int64_t day)
{
	int64_t year = 1970 + day / 366;

	while (days_before(year + 1) <= day)
		year++;
	while (days_before(year) > day)
		year--;
	return year;
}

/* Seconds from 1970-01-01 to the change in `year`, by the local clock before it. */
static int64_t change_in(const struct zone_change *c, int64_t year)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
	int64_t first = days_before(year), day;
	int length, weekday;

	if (c->kind == CHANGE_DAY)
		return (first + c->day) * DAY + c->second;
	if (c->kind == CHANGE_JULIAN)
		return (first + c->day - 1 + (c->day > 59 && is_leap(year))) * DAY + c->second;
	first += before[c->month - 1] + (c->month > 2 && is_leap(year));
	length = before[c->month] - before[c->month - 1] + (c->month == 2 && is_leap(year));
	weekday = (int)(((first + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
	day = (c->day - weekday + 7) % 7 + (c->week - 1) * 7;
	while (day >= length) /* week 5 is the last one */
		day -= 7;
	return (first + day) * DAY + c->second;
}

int zone_rule_offset(const struct zone_rule *r, int64_t t)
{
	int64_t local = t + r->standard, year, start, end;
	bool daylight;

	if (!r->summer)
		return r->standard;
	year = year_of((local >= 0 ? local : local - (DAY - 1)) / DAY);
	start = change_in(&r->start, year) - r->standard;
	end = change_in(&r->end, year) - r->daylight;
	daylight = start < end ? t >= start && t < end : t >= start || t < end;
	return daylight ? r->daylight : r->standard;
}
