/* SPDX-License-Identifier: MIT */
#include "mail/typo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_typos(void **state)
{
	static const struct {
		const char *typed, *meant;
	} cases[] = {
		{"gmial.com", "gmail.com"},
		{"gmail.co", "gmail.com"},
		{"hotmial.com", "hotmail.com"},
		{"yaho.com", "yahoo.com"},
		{"outlok.com", "outlook.com"},
		{"icloud.con", "icloud.com"},
		{"t-onlin.de", "t-online.de"},
		{"wob.de", "web.de"},
		{"gmail.com", NULL},
		{"GMAIL.com", NULL},
		{"mail.com", NULL},
		{"gmx.net", NULL},
		{"example.org", NULL},
		{"ab.com", NULL},
		{"deb.de", NULL},
		{"xn--bcher-kva.example", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *found = typo_domain(str_of(cases[i].typed));

		if (!cases[i].meant && found)
			fail_msg("'%s' is taken for '%s'", cases[i].typed, found);
		if (cases[i].meant) {
			if (!found)
				fail_msg("'%s' is not noticed", cases[i].typed);
			assert_string_equal(found, cases[i].meant);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_typos)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
