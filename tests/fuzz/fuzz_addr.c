/* SPDX-License-Identifier: MIT */
/* Addresses and mailboxes: what is accepted is safe on a command line, and is accepted again as it is. */
#include "mail/addr.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct arena *a, const struct addr *addr)
{
	struct addr again;
	struct str upper;
	size_t ats = 0;

	if (addr->email.n > ADDR_MAX || addr->local.n > ADDR_LOCAL_MAX ||
		addr->email.p[addr->email.n] != '\0' || addr->domain.n == 0)
		abort();
	for (size_t i = 0; i < addr->email.n; i++) {
		unsigned char c = (unsigned char)addr->email.p[i];

		ats += c == '@';
		if (c <= ' ' || c == '<' || c == '>' || c == 0x7f || (c >= 0x80 && !addr->utf8))
			abort();
	}
	if (ats != 1 || utf8_invalid_at(addr->email) != addr->email.n)
		abort();
	if (addr_parse(a, addr->email, &again, NULL) < 0 || !str_eq(again.email, addr->email) ||
		!str_eq(again.key, addr->key))
		abort();
	/* The case of the domain makes nobody else, that of the rest does. */
	upper = arena_str(a, addr->email);
	for (size_t i = addr->local.n; i < upper.n; i++)
		if (upper.p[i] >= 'a' && upper.p[i] <= 'z')
			((char *)upper.p)[i] = (char)(upper.p[i] - 'a' + 'A');
	if (addr_parse(a, upper, &again, NULL) < 0 || !str_eq(again.key, addr->key) ||
		!str_eq(again.local, addr->local))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct arena a = {0};
	struct mailbox m;
	struct addr addr;
	struct err e;

	if (addr_parse(&a, text, &addr, &e) == 0)
		check(&a, &addr);
	if (mailbox_parse(&a, text, &m, &e) == 0)
		check(&a, &m.addr);
	arena_free(&a);
	return 0;
}
