/* SPDX-License-Identifier: MIT */
#include "mail/role.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_offices(void **state)
{
	static const char *const offices[] = {"abuse", "info", "Info", "POSTMASTER", "www",
		"webmaster", "no-reply", "noreply", "sales+spring", "undisclosed-recipients",
		"hostmaster", "security", "noc", "news", "usenet", "uucp", "ftp", "marketing",
		"support"};

	(void)state;
	for (size_t i = 0; i < sizeof offices / sizeof *offices; i++)
		if (!role_local(str_of(offices[i])))
			fail_msg("%s", offices[i]);
}

static void test_people(void **state)
{
	static const char *const people[] = {"", "ana", "infos", "inf", "ana+info", "wwww",
		"a-local-part-that-is-longer-than-any-office", "\xc3\xafnfo", "+info"};

	(void)state;
	for (size_t i = 0; i < sizeof people / sizeof *people; i++)
		if (role_local(str_of(people[i])))
			fail_msg("%s", people[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offices),
		cmocka_unit_test(test_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
