/* SPDX-License-Identifier: MIT */
#include "base/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct zone *open_zone(const char *name)
{
	struct zone *z = NULL;
	struct err e = {0};

	if (zone_open(str_of(name), &z, &e) < 0)
		fail_msg("%s", e.text);
	return z;
}

/* Days since 1970-01-01 of a date. */
static int64_t day(int y, int m, int d)
{
	struct tm tm = {.tm_year = y - 1900, .tm_mon = m - 1, .tm_mday = d};

	return timegm(&tm) / 86400;
}

static int64_t utc(int y, int m, int d, int hour, int minute)
{
	return day(y, m, d) * 86400 + hour * 3600 + minute * 60;
}

/* The C library's reading of the same data, at instants of 180 years, around each change of the clock
 * and, at the last ones, by the rule behind the table. */
static void compare(const char *name)
{
	struct zone *z = open_zone(name);
	struct tm tm;

	setenv("TZ", name, 1);
	tzset();
	for (time_t t = -2208988800; t < 3471292800; t += 86400 * 3 + 12345) {
		localtime_r(&t, &tm);
		if (zone_offset(z, t) != tm.tm_gmtoff)
			fail_msg("%s at %lld: %d, not %ld", name, (long long)t, zone_offset(z, t),
				tm.tm_gmtoff);
	}
	for (time_t t = 1700000000, last; t < 2300000000; t += 1800) {
		last = t - 1;
		localtime_r(&t, &tm);
		assert_int_equal(zone_offset(z, t), tm.tm_gmtoff);
		if (t % 86400 == 0) {
			localtime_r(&last, &tm);
			assert_int_equal(zone_offset(z, last), tm.tm_gmtoff);
		}
	}
	zone_close(z);
}

static void test_as_the_c_library(void **state)
{
	static const char *const names[] = {"UTC", "Europe/Berlin", "Europe/London",
		"Europe/Dublin", "Europe/Moscow", "America/New_York", "America/Sao_Paulo",
		"America/Santiago", "America/St_Johns", "America/Godthab", "Africa/Casablanca",
		"Africa/Cairo", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Asia/Gaza",
		"Asia/Tokyo", "Australia/Lord_Howe", "Australia/Adelaide", "Pacific/Apia",
		"Pacific/Auckland", "Pacific/Chatham", "Pacific/Kiritimati", "Antarctica/Troll",
		"Etc/GMT+12"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		compare(names[i]);
}

static void test_instants(void **state)
{
	static const struct {
		const char *zone;
		int y, m, d, hour, minute;
		int64_t offset; /* of the answer from the same time in UTC, in minutes */
	} c[] = {
		{"Europe/Berlin", 2026, 12, 1, 6, 0, -60},
		{"Europe/Berlin", 2026, 7, 1, 6, 0, -120},
		{"Asia/Kolkata", 2026, 7, 1, 6, 0, -330},
		{"America/Los_Angeles", 2026, 12, 1, 6, 0, 480},
		/* 02:00 becomes 03:00: both wait for 03:00 = 01:00 UTC. */
		{"Europe/Berlin", 2026, 3, 29, 1, 59, -60},
		{"Europe/Berlin", 2026, 3, 29, 2, 0, -60},
		{"Europe/Berlin", 2026, 3, 29, 2, 30, -90},
		{"Europe/Berlin", 2026, 3, 29, 2, 59, -119},
		{"Europe/Berlin", 2026, 3, 29, 3, 0, -120},
		/* 03:00 becomes 02:00: the first of the two. */
		{"Europe/Berlin", 2026, 10, 25, 1, 59, -120},
		{"Europe/Berlin", 2026, 10, 25, 2, 0, -120},
		{"Europe/Berlin", 2026, 10, 25, 2, 59, -120},
		{"Europe/Berlin", 2026, 10, 25, 3, 0, -60},
		/* The same by the rule behind the table. */
		{"Europe/Berlin", 2060, 3, 28, 2, 30, -90},
		{"Europe/Berlin", 2060, 10, 31, 2, 30, -120},
		/* The southern half, and half an hour of daylight saving. */
		{"America/Santiago", 2026, 9, 6, 0, 30, 210},
		{"Australia/Lord_Howe", 2026, 10, 4, 2, 15, -645},
		{"Australia/Lord_Howe", 2026, 4, 5, 1, 45, -660},
		/* Samoa had no 30 December 2011. */
		{"Pacific/Apia", 2011, 12, 30, 6, 0, 240},
	};

	(void)state;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		struct zone *z = open_zone(c[i].zone);
		struct zone_time at = {
			day(c[i].y, c[i].m, c[i].d), c[i].hour * 3600 + c[i].minute * 60};
		int64_t t = zone_instant(z, at),
			ought = utc(c[i].y, c[i].m, c[i].d, c[i].hour, c[i].minute) +
				c[i].offset * 60;

		if (t != ought)
			fail_msg("%s %d-%d-%d %d:%d: %lld, not %lld", c[i].zone, c[i].y, c[i].m,
				c[i].d, c[i].hour, c[i].minute, (long long)t, (long long)ought);
		zone_close(z);
	}
}

/* Every instant is found again from its local time, or an earlier one with the same. */
static void test_there_and_back(void **state)
{
	static const char *const names[] = {"Europe/Berlin", "America/New_York", "Asia/Tehran",
		"Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct zone *z = open_zone(names[i]);

		for (int64_t t = 1262304000; t < 2524608000; t += 1201) {
			struct zone_time local, again;
			int64_t back;

			zone_local(z, t, &local);
			back = zone_instant(z, local);
			zone_local(z, back, &again);
			assert_true(back == t || (back < t && t - back <= 3600));
			assert_int_equal(again.day, local.day);
			assert_int_equal(again.second, local.second);
		}
		zone_close(z);
	}
}

static void test_names(void **state)
{
	static const char *const bad[] = {"", "/etc/passwd", "../../../etc/passwd", "Europe/../UTC",
		"Europe", "Nowhere/Here", "Europe/Berlin ", "tzdata.zi", "posixrules/",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct zone *z = NULL;
		struct err e = {0};

		assert_int_equal(zone_open(str_of(bad[i]), &z, &e), -1);
		assert_int_equal(e.code, ERR_MISSING);
		assert_null(z);
	}
}

/* Cut at every octet, and with every octet changed: refused or read, never out of bounds. */
static void test_broken_files(void **state)
{
	static char file[65536];
	FILE *in = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
	size_t n;

	(void)state;
	assert_non_null(in);
	n = fread(file, 1, sizeof file, in);
	fclose(in);
	for (size_t i = 0; i <= n; i++) {
		char *copy = malloc(i + 1);
		struct zone *z = NULL;

		memcpy(copy, file, i);
		assert_int_equal(zone_parse((struct str){copy, i}, &z, NULL), i < n ? -1 : 0);
		zone_close(z);
		free(copy);
	}
	for (size_t i = 0; i < n; i++)
		for (int bit = 0; bit < 8; bit++) {
			struct zone *z = NULL;

			file[i] = (char)(file[i] ^ 1 << bit);
			if (zone_parse((struct str){file, n}, &z, NULL) == 0)
				zone_instant(z, (struct zone_time){20000, 9000});
			zone_close(z);
			file[i] = (char)(file[i] ^ 1 << bit);
		}
}

static void test_windows(void **state)
{
	static const struct {
		const char *zone, *window;
		int64_t t, open, close;
	} c[] = {
		{"UTC", "06:00-22:00", 30 * 3600, 30 * 3600, 46 * 3600},
		{"UTC", "06:00-22:00", 30 * 3600 - 1, 30 * 3600, 46 * 3600},
		{"UTC", "06:00-22:00", 46 * 3600 - 1, 30 * 3600, 46 * 3600},
		{"UTC", "06:00-22:00", 46 * 3600, 54 * 3600, 70 * 3600},
		/* Over midnight. */
		{"UTC", "22:00-06:00", 29 * 3600, 22 * 3600, 30 * 3600},
		{"UTC", "22:00-06:00", 30 * 3600, 46 * 3600, 54 * 3600},
		{"Asia/Tokyo", "06:00-22:00", 20 * 3600, 21 * 3600, 37 * 3600},
	};
	static const char *const bad[] = {"", "06:00", "06:00-", "6:00-22:00", "06:00-24:00",
		"06:00-06:00", "06:60-07:00", "06:00-22:00-23:00", "06-22", "-1:00-22:00"};
	struct zone_window w;
	int64_t open, close;

	(void)state;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		struct zone *z = open_zone(c[i].zone);

		assert_true(zone_window_parse(str_of(c[i].window), &w));
		zone_window_at(z, w, c[i].t, &open, &close);
		assert_int_equal(open, c[i].open);
		assert_int_equal(close, c[i].close);
		zone_close(z);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (zone_window_parse(str_of(bad[i]), &w))
			fail_msg("'%s' was taken", bad[i]);
}

/* A window keeps to the local clock on the days when that is changed. */
static void test_window_and_daylight(void **state)
{
	struct zone *z = open_zone("Europe/Berlin");
	struct zone_window w = {7200 + 1800, 6 * 3600}; /* 02:30-06:00 */
	int64_t open, close;

	(void)state;
	zone_window_at(z, w, utc(2026, 3, 28, 12, 0), &open, &close);
	assert_int_equal(open, utc(2026, 3, 29, 1, 0)); /* 03:00, there is no 02:30 */
	assert_int_equal(close, utc(2026, 3, 29, 4, 0));
	zone_window_at(z, w, utc(2026, 10, 24, 12, 0), &open, &close);
	assert_int_equal(open, utc(2026, 10, 25, 0, 30)); /* the first 02:30 */
	assert_int_equal(close, utc(2026, 10, 25, 5, 0));
	/* A window that is nothing but the hour that is left out: the next day's. */
	w = (struct zone_window){7200, 10800};
	zone_window_at(z, w, utc(2026, 3, 28, 12, 0), &open, &close);
	assert_int_equal(open, utc(2026, 3, 30, 0, 0));
	zone_close(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_the_c_library),
		cmocka_unit_test(test_instants),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_broken_files),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_window_and_daylight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
