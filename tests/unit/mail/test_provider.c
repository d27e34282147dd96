/* SPDX-License-Identifier: MIT */
#include "mail/provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static const char *lane(const char *domain)
{
	return provider_get(provider_of(str_of(domain)))->name;
}

static void test_known_domains(void **state)
{
	(void)state;
	assert_string_equal(lane("gmail.com"), "gmail");
	assert_string_equal(lane("GoogleMail.com"), "gmail");
	assert_string_equal(lane("hotmail.com"), "microsoft");
	assert_string_equal(lane("msn.com"), "microsoft");
	assert_string_equal(lane("aol.com"), "yahoo");
	assert_string_equal(lane("web.de"), "gmx");
	assert_string_equal(lane("me.com"), "apple");
	assert_string_equal(lane("wanadoo.fr"), "orange");
	assert_string_equal(lane("privaterelay.appleid.com"), "apple");
	assert_string_equal(lane("example.org"), "other");
}

static void test_national_forms(void **state)
{
	static const char *const yahoo[] = {"yahoo.com", "yahoo.de", "yahoo.co.uk", "yahoo.com.br",
		"yahoo.co.jp", "yahoo.ne.jp", "YAHOO.CA"};
	static const char *const other[] = {"yahoo.example", "yahoo.evil.com", "yahoo.com.example",
		"notyahoo.de", "yahoo", "yahoo.", ".de", "mail.yahoo.de", "yahoo.co.ukk", ""};

	(void)state;
	for (size_t i = 0; i < sizeof yahoo / sizeof *yahoo; i++)
		assert_string_equal(lane(yahoo[i]), "yahoo");
	for (size_t i = 0; i < sizeof other / sizeof *other; i++)
		assert_string_equal(lane(other[i]), "other");
	assert_string_equal(lane("hotmail.co.uk"), "microsoft");
	assert_string_equal(lane("live.nl"), "microsoft");
	assert_string_equal(lane("gmx.at"), "gmx");
}

static void test_a_long_domain(void **state)
{
	char text[254];

	(void)state;
	memset(text, 'a', sizeof text - 1);
	for (size_t n = 0; n < sizeof text; n++)
		assert_int_equal(provider_of((struct str){text, n}), PROVIDER_OTHER);
}

/* No domain stands in two rows, each is found in its own, and names find their numbers. */
static void test_the_data_file(void **state)
{
	static const struct {
		int number;
		const char *name, *domains;
	} row[] = {
#define PROVIDER(number, name, connections, per_minute, domains) {number, name, domains},
#include "../../../src/mail/providers.def"
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct str rest = str_of(row[i].domains), domain;
		char text[64];

		assert_int_equal(provider_find(str_of(row[i].name)), row[i].number);
		assert_string_equal(provider_get(row[i].number)->name, row[i].name);
		while (row[i].domains[0] && str_next(&rest, ' ', &domain)) {
			bool form = str_has_suffix(domain, STR(".*"));

			snprintf(text, sizeof text, "%.*s%s", (int)(domain.n - form), domain.p,
				form ? "de" : "");
			if (provider_of(str_of(text)) != row[i].number)
				fail_msg("%s is %s, not %s", text, lane(text), row[i].name);
		}
	}
	assert_int_equal(provider_find(STR("nobody")), -1);
	assert_null(provider_get(-1));
	assert_null(provider_get(PROVIDER_N));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_domains),
		cmocka_unit_test(test_national_forms),
		cmocka_unit_test(test_a_long_domain),
		cmocka_unit_test(test_the_data_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
