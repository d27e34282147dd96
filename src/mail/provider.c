/* SPDX-License-Identifier: MIT */
#include "mail/provider.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

enum {
	SLOTS = 2048, /* a power of two, several times the number of domains */
	DOMAIN_MAX = 40, /* longer than any in the table */
};

static const struct row {
	struct provider provider;
	const char *domains;
} row[PROVIDER_N] = {
#define PROVIDER(number, name, connections, per_minute, domains)                                   \
	[number] = {{name, connections, per_minute}, domains},
#include "providers.def"
#undef PROVIDER
};

/* The domains of all rows, found by their hash: made once, at the first question. */
static struct {
	struct str domain;
	int provider;
} slot[SLOTS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static unsigned hash(struct str s)
{
	unsigned h = 2166136261u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h ^ h >> 15;
}

static unsigned find(struct str domain)
{
	unsigned at = hash(domain) % SLOTS;

	while (slot[at].domain.p && !str_eq(slot[at].domain, domain))
		at = (at + 1) % SLOTS;
	return at;
}

static void make_slots(void)
{
	for (int i = 0; i < PROVIDER_N; i++) {
		struct str rest = str_of(row[i].domains), domain;

		while (str_next(&rest, ' ', &domain)) {
			unsigned at = find(domain);

			if (domain.n == 0 || slot[at].domain.p)
				continue;
			slot[at].domain = domain;
			slot[at].provider = i;
		}
	}
}

/* Whether `s` is what a country's or a general ending looks like: "de", "com", "co.uk", "com.br". */
static bool is_ending(struct str s)
{
	static const char *const second[] = {"co", "com", "net", "ne", "org"};
	size_t dot = str_find(s, '.');
	struct str head = str_slice(s, 0, dot);

	if (dot == s.n)
		return s.n == 2 || str_eq(s, STR("com")) || str_eq(s, STR("net")) ||
		       str_eq(s, STR("org"));
	for (size_t i = 0; i < sizeof second / sizeof second[0]; i++)
		if (str_eq(head, str_of(second[i])))
			return s.n - dot - 1 == 2;
	return false;
}

int provider_of(struct str domain)
{
	char text[DOMAIN_MAX + 2];
	size_t dot;
	unsigned at;

	pthread_once(&once, make_slots);
	if (domain.n > DOMAIN_MAX)
		return PROVIDER_OTHER;
	for (size_t i = 0; i < domain.n; i++) {
		char c = domain.p[i];

		text[i] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
	}
	domain.p = text;
	at = find(domain);
	dot = str_find(domain, '.');
	if (!slot[at].domain.p && is_ending(str_slice(domain, dot + 1, domain.n))) {
		text[dot + 1] = '*';
		at = find((struct str){text, dot + 2});
	}
	return slot[at].provider; /* of an empty slot: PROVIDER_OTHER */
}

const struct provider *provider_get(int number)
{
	return number >= 0 && number < PROVIDER_N && row[number].provider.name
		       ? &row[number].provider
		       : NULL;
}

int provider_find(struct str name)
{
	for (int i = 0; i < PROVIDER_N; i++)
		if (row[i].provider.name && str_eq(str_of(row[i].provider.name), name))
			return i;
	return -1;
}
