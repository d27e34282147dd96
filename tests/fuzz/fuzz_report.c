/* SPDX-License-Identifier: MIT */
#include "mail/report.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(const struct report *r)
{
	if (r->kind >= REPORT_KIND_N || !r->rule || r->recipient_n > REPORT_RECIPIENTS_MAX)
		abort();
	if (r->kind == REPORT_NONE && r->recipient_n)
		abort();
	for (size_t i = 0; i < r->recipient_n; i++) {
		const struct report_recipient *p = &r->recipient[i];

		if (!memchr(p->address.p, '@', p->address.n))
			abort();
		if (r->kind == REPORT_BOUNCE && !p->finding.rule)
			abort();
		for (size_t k = 0; k < i; k++)
			if (str_eq_nocase(p->address, r->recipient[k].address))
				abort();
	}
}

/* The octets are a message: whatever they are, a bounce has reasons, and names nobody twice. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena a = {0};
	struct report report;

	if (report_read(&a, (struct str){(const char *)data, n}, &report, NULL) == 0)
		check(&report);
	arena_free(&a);
	return 0;
}
