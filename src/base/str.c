/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <string.h>
#include <strings.h>

struct str str_of(const char *s)
{
	return s ? (struct str){s, strlen(s)} : (struct str){NULL, 0};
}

struct str str_slice(struct str s, size_t from, size_t to)
{
	if (to > s.n)
		to = s.n;
	if (from > to)
		from = to;
	return (struct str){s.p ? s.p + from : NULL, to - from};
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	if (order)
		return order;
	return a.n < b.n ? -1 : a.n > b.n;
}

int str_cmp_nocase(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;

	for (size_t i = 0; i < n; i++) {
		int order = (unsigned char)lower(a.p[i]) - (unsigned char)lower(b.p[i]);

		if (order)
			return order;
	}
	return a.n < b.n ? -1 : a.n > b.n;
}

bool str_has_prefix(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_slice(s, 0, prefix.n), prefix);
}

bool str_has_prefix_nocase(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq_nocase(str_slice(s, 0, prefix.n), prefix);
}

bool str_has_suffix(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_slice(s, s.n - suffix.n, s.n), suffix);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.n && blank(s.p[0]))
		s = str_slice(s, 1, s.n);
	while (s.n && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

size_t str_find(struct str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
}

size_t str_search(struct str s, struct str needle)
{
	const char *at;

	if (needle.n == 0)
		return 0;
	at = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n;
}

bool str_next(struct str *rest, char sep, struct str *head)
{
	size_t at;

	if (!rest->p)
		return false;
	at = str_find(*rest, sep);
	*head = str_slice(*rest, 0, at);
	*rest = at < rest->n ? str_slice(*rest, at + 1, rest->n) : (struct str){NULL, 0};
	return true;
}

bool str_to_int(struct str s, int64_t min, int64_t max, int64_t *value)
{
	bool negative = s.n && s.p[0] == '-';
	int64_t v = 0;

	if (negative)
		s = str_slice(s, 1, s.n);
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(v, (int64_t)10, &v) ||
			__builtin_sub_overflow(v, (int64_t)(s.p[i] - '0'), &v))
			return false;
	}
	/* Summed up below zero, where one more value fits. */
	if (!negative && __builtin_sub_overflow((int64_t)0, v, &v))
		return false;
	if (v < min || v > max)
		return false;
	*value = v;
	return true;
}

const char *str_nearest(struct str s, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t best_distance = s.n / 3 < 2 ? s.n / 3 + 1 : 3; /* exclusive */

	enum { LONGEST = 64 };

	if (s.n > LONGEST)
		return NULL;
	for (size_t k = 0; k < n; k++) {
		struct str name = str_of(names[k]);
		size_t row[LONGEST + 1];

		if (name.n > LONGEST)
			continue;
		for (size_t j = 0; j <= name.n; j++)
			row[j] = j;
		for (size_t i = 1; i <= s.n; i++) {
			size_t diagonal = row[0];

			row[0] = i;
			for (size_t j = 1; j <= name.n; j++) {
				size_t d = diagonal + (lower(s.p[i - 1]) != lower(name.p[j - 1]));

				diagonal = row[j];
				if (row[j] + 1 < d)
					d = row[j] + 1;
				if (row[j - 1] + 1 < d)
					d = row[j - 1] + 1;
				row[j] = d;
			}
		}
		if (row[name.n] < best_distance) {
			best_distance = row[name.n];
			best = names[k];
		}
	}
	return best;
}
