/* SPDX-License-Identifier: MIT */
#include "base/zone.h"

#include "base/file.h"
#include "zone_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONEINFO "/usr/share/zoneinfo"

enum { FILE_MAX = 256 * 1024, NAME_MAX_N = 64, DAY = 86400, HEADER = 44, TYPES_MAX = 256 };

struct zone {
	size_t n; /* transitions */
	int64_t *at; /* when */
	unsigned char *type; /* and to which */
	int offset[TYPES_MAX]; /* of the types */
	struct zone_rule rule; /* behind the last transition */
};

/* ---- the file ---- */

static uint64_t number(const char *p, int octets)
{
	uint64_t v = 0;

	for (int i = 0; i < octets; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

/* The header of one of the file's two blocks (RFC 8536 section 3.1). */
struct block {
	size_t isut, isstd, leap, time, type, chars;
};

static bool read_header(struct str *s, struct block *b)
{
	if (s->n < HEADER || memcmp(s->p, "TZif", 4) != 0)
		return false;
	*b = (struct block){
		.isut = number(s->p + 20, 4),
		.isstd = number(s->p + 24, 4),
		.leap = number(s->p + 28, 4),
		.time = number(s->p + 32, 4),
		.type = number(s->p + 36, 4),
		.chars = number(s->p + 40, 4),
	};
	*s = str_slice(*s, HEADER, s->n);
	return b->type > 0 && b->type <= TYPES_MAX;
}

/* Octets of a block's data with times of `width` octets; more than any file has for absurd counts. */
static size_t block_size(const struct block *b, size_t width)
{
	return b->time * (width + 1) + b->type * 6 + b->chars + b->leap * (width + 4) + b->isstd +
	       b->isut;
}

static bool read_block(struct zone *z, const struct block *b, struct str s)
{
	const char *types = s.p + b->time * 9;

	z->at = calloc(b->time + 1, sizeof *z->at);
	z->type = calloc(b->time + 1, 1);
	if (!z->at || !z->type)
		return false;
	z->n = b->time;
	for (size_t i = 0; i < z->n; i++) {
		z->at[i] = (int64_t)number(s.p + i * 8, 8);
		z->type[i] = (unsigned char)s.p[z->n * 8 + i];
		if (z->type[i] >= b->type || (i > 0 && z->at[i] <= z->at[i - 1]))
			return false;
	}
	for (size_t i = 0; i < b->type; i++) {
		z->offset[i] = (int32_t)number(types + i * 6, 4);
		if (z->offset[i] <= -2 * DAY || z->offset[i] >= 2 * DAY)
			return false;
	}
	return true;
}

static bool read_file(struct zone *z, struct str s)
{
	struct block b;
	size_t end;

	/* The first block is for readers that know 32 bits only. */
	if (!read_header(&s, &b) || block_size(&b, 4) > s.n)
		return false;
	s = str_slice(s, block_size(&b, 4), s.n);
	if (!read_header(&s, &b) || block_size(&b, 8) > s.n || !read_block(z, &b, s))
		return false;
	s = str_slice(s, block_size(&b, 8), s.n);
	if (s.n < 2 || s.p[0] != '\n')
		return false;
	s = str_slice(s, 1, s.n);
	end = str_find(s, '\n');
	return end < s.n && zone_rule_parse(str_slice(s, 0, end), &z->rule);
}

int zone_parse(struct str file, struct zone **out, struct err *e)
{
	struct zone *z = calloc(1, sizeof *z);

	if (z && file.n <= FILE_MAX && read_file(z, file)) {
		*out = z;
		return 0;
	}
	zone_close(z);
	return err_set(e, ERR_INPUT, "this is no file of a time zone (TZif, version 2 or later)");
}

/* A path below the folder, of the characters that names of zones are made of. */
static bool is_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

		if (!letter && !(i > 0 && ((c >= '0' && c <= '9') || strchr("/_+-", c))))
			return false;
	}
	return name.n > 0 && name.n <= NAME_MAX_N;
}

int zone_open(struct str name, struct zone **out, struct err *e)
{
	char path[sizeof ZONEINFO + NAME_MAX_N + 2];
	struct err bad = {.code = ERR_MISSING};
	struct buf b;

	buf_init(&b, FILE_MAX);
	if (is_name(name)) {
		bad.code = ERR_NONE;
		snprintf(path, sizeof path, ZONEINFO "/%.*s", STR_ARG(name));
		if (file_read(path, &b, &bad) == 0 && zone_parse(buf_view(&b), out, &bad) == 0) {
			buf_free(&b);
			return 0;
		}
	}
	buf_free(&b);
	return err_set(e, ERR_MISSING,
		"there is no time zone '%.*s': write a name such as Europe/Berlin, and see that "
		"the system's time zones (package tzdata) are installed",
		(int)(name.n < 100 ? name.n : 100), name.p ? name.p : "");
}

void zone_close(struct zone *z)
{
	if (!z)
		return;
	free(z->at);
	free(z->type);
	free(z);
}

/* ---- instants ---- */

int zone_offset(const struct zone *z, int64_t t)
{
	size_t low = 0, high = z->n;

	/* How many transitions are over. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (z->at[middle] <= t)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == z->n && z->rule.given)
		return zone_rule_offset(&z->rule, t);
	return z->offset[low ? z->type[low - 1] : 0];
}

/* Rounded down also before 1970. */
static int64_t days(int64_t seconds)
{
	return (seconds >= 0 ? seconds : seconds - (DAY - 1)) / DAY;
}

void zone_local(const struct zone *z, int64_t t, struct zone_time *out)
{
	int64_t local = t + zone_offset(z, t);

	out->day = days(local);
	out->second = (int)(local - out->day * DAY);
}

int64_t zone_instant(const struct zone *z, struct zone_time local)
{
	int64_t utc = local.day * DAY + local.second;
	int before = zone_offset(z, utc - DAY), after = zone_offset(z, utc + DAY);
	int64_t low = utc - DAY, high = utc + DAY;

	/* The larger offset gives the earlier instant. */
	if (zone_offset(z, utc - before) == before &&
		(before >= after || zone_offset(z, utc - after) != after))
		return utc - before;
	if (zone_offset(z, utc - after) == after)
		return utc - after;
	/* Nobody's clock shows it: the instant at which the clock is set forward. */
	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;

		if (zone_offset(z, middle) == before)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* ---- windows ---- */

bool zone_time_parse(struct str text, int *second)
{
	struct str s = str_trim(text), part;
	static const int max[] = {23, 59, 59};
	int value = 0, parts = 0;
	int64_t v;

	while (str_next(&s, ':', &part)) {
		if (parts == 3 || part.n != 2 || !str_to_int(part, 0, max[parts], &v) ||
			part.p[0] == '-')
			return false;
		value = value * 60 + (int)v;
		parts++;
	}
	if (parts < 2)
		return false;
	*second = parts == 2 ? value * 60 : value;
	return true;
}

bool zone_window_parse(struct str text, struct zone_window *out)
{
	struct zone_window w;
	struct str rest = text, from;

	if (!str_next(&rest, '-', &from) || !zone_time_parse(from, &w.from) ||
		!zone_time_parse(rest, &w.until) || w.from == w.until)
		return false;
	*out = w;
	return true;
}

void zone_window_at(
	const struct zone *z, struct zone_window w, int64_t t, int64_t *open, int64_t *close)
{
	struct zone_time now;

	zone_local(z, t, &now);
	/* Yesterday's may still be open. */
	for (int64_t day = now.day - 1;; day++) {
		*open = zone_instant(z, (struct zone_time){day, w.from});
		*close = zone_instant(z, (struct zone_time){day + (w.until < w.from), w.until});
		if (*close > t && *open < *close)
			return;
	}
}
