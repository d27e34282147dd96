/* SPDX-License-Identifier: MIT */
#include "tally.h"

#include "mail/role.h"
#include "mail/typo.h"

#include <string.h>

enum { LOOKS_MAX = 20000, PROBES = 8 };

/* The place of a domain among the mistyped ones, -1 = it is sound. */
static signed char look(struct tally *t, struct str domain)
{
	const char *meant = t->looked++ < LOOKS_MAX ? typo_domain(domain) : NULL;
	size_t i = 0;

	if (!meant)
		return -1;
	while (i < t->typo_n && !str_eq(t->typo[i].domain, domain))
		i++;
	if (i == TALLY_TYPOS_MAX)
		return -1;
	if (i == t->typo_n) {
		t->typo[i].domain = arena_str(&t->a, domain);
		t->typo[i].meant = meant;
		t->typo_n++;
	}
	return (signed char)i;
}

/* Where a domain is remembered: its own slot, a free one, or, where the neighbourhood is full, its first. */
static size_t slot_of(const struct tally *t, struct str domain)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < domain.n; i++)
		hash = (hash ^ (unsigned char)domain.p[i]) * 16777619u;
	for (size_t k = 0; k < PROBES; k++) {
		size_t at = (hash + k) % TALLY_SLOTS;

		if (!t->slot[at].n || (t->slot[at].n == domain.n &&
					      memcmp(t->slot[at].domain, domain.p, domain.n) == 0))
			return at;
	}
	return hash % TALLY_SLOTS;
}

static void count_domain(struct tally *t, struct str domain)
{
	size_t at;

	/* No well-known one is as long. */
	if (domain.n > TALLY_DOMAIN_MAX)
		return;
	at = slot_of(t, domain);
	if (t->slot[at].n != domain.n || memcmp(t->slot[at].domain, domain.p, domain.n) != 0) {
		t->slot[at].typo = look(t, domain);
		memcpy(t->slot[at].domain, domain.p, domain.n);
		t->slot[at].n = (unsigned char)domain.n;
	}
	if (t->slot[at].typo >= 0)
		t->typo[t->slot[at].typo].rows++;
}

void tally_address(struct tally *t, struct str key)
{
	const char *at = memrchr(key.p, '@', key.n);
	size_t local = at ? (size_t)(at - key.p) : key.n;

	count_domain(t, str_slice(key, local + 1, key.n));
	if (!role_local(str_slice(key, 0, local)))
		return;
	if (t->roles < TALLY_EXAMPLES_MAX)
		t->example[t->roles] = arena_str(&t->a, key);
	t->roles++;
}

void tally_report(const struct tally *t, json_t *file)
{
	json_t *typos = json_array(), *examples = json_array();

	for (size_t i = 0; i < t->typo_n; i++)
		json_array_append_new(
			typos, json_pack("{s:s%, s:s, s:I}", "domain", t->typo[i].domain.p,
				       t->typo[i].domain.n, "meant", t->typo[i].meant, "rows",
				       (json_int_t)t->typo[i].rows));
	for (size_t i = 0; i < TALLY_EXAMPLES_MAX && i < t->roles; i++)
		json_array_append_new(examples, json_stringn(t->example[i].p, t->example[i].n));
	json_object_set_new(file, "typos", typos);
	json_object_set_new(file, "roles",
		json_pack("{s:I, s:o}", "rows", (json_int_t)t->roles, "examples", examples));
}
