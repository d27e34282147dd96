/* SPDX-License-Identifier: MIT */
/* Addresses and mailboxes: what is accepted is safe on a command line, and is accepted again as it is. */
#include "mail/addr.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the quotes hold, its backslashes taken away, in front of the domain. */
static struct str without_quotes(struct arena *a, const struct addr *addr)
{
	char *p = arena_alloc(a, addr->email.n + 1);
	size_t n = 0;

	for (size_t i = 1; i + 1 < addr->local.n; i++) {
		i += addr->local.p[i] == '\\';
		p[n++] = addr->local.p[i];
	}
	for (size_t i = addr->local.n; i < addr->email.n; i++)
		p[n++] = addr->email.p[i];
	return (struct str){p, n};
}

/* The same mailbox with all the quotes and backslashes it may have. */
static struct str with_quotes(struct arena *a, struct str email)
{
	size_t local = email.n - addr_domain(email).n - 1, n = 0;
	char *p = arena_alloc(a, 2 * email.n + 3);

	p[n++] = '"';
	for (size_t i = 0; i < local; i++) {
		if ((unsigned char)email.p[i] < 0x80)
			p[n++] = '\\';
		p[n++] = email.p[i];
	}
	p[n++] = '"';
	for (size_t i = local; i < email.n; i++)
		p[n++] = email.p[i];
	return (struct str){p, n};
}

static void check(struct arena *a, const struct addr *addr, enum addr_rule rule)
{
	struct addr again;
	struct str upper;
	size_t quoted = addr_quoted(addr->email), ats = 0;

	if (addr->email.n > ADDR_MAX || addr->local.n > ADDR_LOCAL_MAX ||
		addr->email.p[addr->email.n] != '\0' || addr->domain.n == 0)
		abort();
	/* In quotes stands what is harmless there, and they are needed: without them it is another address or
	 * none. */
	if (quoted) {
		struct str bare = without_quotes(a, addr);

		if (rule != ADDR_QUOTED || quoted != addr->local.n ||
			(addr_parse(a, bare, &again, NULL) == 0 && str_eq(again.email, bare)))
			abort();
	}
	for (size_t i = 0; i < addr->email.n; i++) {
		unsigned char c = (unsigned char)addr->email.p[i];

		if (c < ' ' || c == 0x7f || (c >= 0x80 && !addr->utf8))
			abort();
		if (i < quoted)
			continue;
		ats += c == '@';
		if (c == ' ' || c == '<' || c == '>' || c == '"')
			abort();
	}
	if (ats != 1 || utf8_invalid_at(addr->email) != addr->email.n)
		abort();
	if (addr_parse_as(a, addr->email, rule, &again, NULL) < 0 ||
		!str_eq(again.email, addr->email) || !str_eq(again.key, addr->key))
		abort();
	/* The case of the domain makes nobody else, that of the rest does. */
	upper = arena_str(a, addr->email);
	for (size_t i = addr->local.n; i < upper.n; i++)
		if (upper.p[i] >= 'a' && upper.p[i] <= 'z')
			((char *)upper.p)[i] = (char)(upper.p[i] - 'a' + 'A');
	if (addr_parse_as(a, upper, rule, &again, NULL) < 0 || !str_eq(again.key, addr->key) ||
		!str_eq(again.local, addr->local))
		abort();
	/* Other quotes make nobody else either; no rule takes less than the plain one. */
	if (2 * addr->local.n + 2 <= ADDR_LOCAL_MAX && !quoted &&
		(addr_parse_as(a, with_quotes(a, addr->email), ADDR_QUOTED, &again, NULL) < 0 ||
			!str_eq(again.key, addr->key)))
		abort();
	if (addr_parse_as(a, addr->email, ADDR_QUOTED, &again, NULL) < 0 ||
		!str_eq(again.key, addr->key) || !str_eq(addr_domain(again.key), addr->domain))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct arena a = {0};
	struct mailbox m;
	struct addr addr;
	struct err e;

	for (enum addr_rule rule = ADDR_PLAIN; rule <= ADDR_QUOTED; rule++) {
		if (addr_parse_as(&a, text, rule, &addr, &e) == 0)
			check(&a, &addr, rule);
		if (mailbox_parse_as(&a, text, rule, &m, &e) == 0)
			check(&a, &m.addr, rule);
	}
	arena_free(&a);
	return 0;
}
