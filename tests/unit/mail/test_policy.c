/* SPDX-License-Identifier: MIT */
#include "mail/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { DAY = 86400 };

static void test_what_counts(void **state)
{
	static const struct {
		struct finding finding;
		enum reason line;
	} cases[] = {
		{{REASON_RECIPIENT, REACT_SUPPRESS, .hard = true}, REASON_RECIPIENT},
		/* nobody said beyond doubt that there is no such mailbox */
		{{REASON_RECIPIENT, REACT_FAIL, .hard = true}, REASON_TRANSIENT},
		{{REASON_RECIPIENT, REACT_SUPPRESS, .hard = false}, REASON_TRANSIENT},
		{{REASON_DOMAIN, REACT_SUPPRESS, .hard = true}, REASON_DOMAIN},
		{{REASON_DISABLED, REACT_SUPPRESS, .hard = true}, REASON_DISABLED},
		{{REASON_FULL, REACT_RETRY, .hard = false}, REASON_FULL},
		{{REASON_TRANSIENT, REACT_RETRY, .hard = false}, REASON_TRANSIENT},
		{{REASON_GREYLIST, REACT_RETRY, .hard = false}, REASON_N},
		{{REASON_RATE, REACT_THROTTLE, .hard = false}, REASON_N},
		{{REASON_BLOCK, REACT_PAUSE_DOMAIN, .hard = false}, REASON_N},
		{{REASON_AUTH, REACT_PAUSE_ISSUE, .hard = false}, REASON_N},
		{{REASON_CONTENT, REACT_FAIL, .hard = false}, REASON_N},
		{{REASON_SIZE, REACT_FAIL, .hard = false}, REASON_N},
		{{REASON_SENDER, REACT_PAUSE_ISSUE, .hard = false}, REASON_N},
		{{REASON_RELAY, REACT_PAUSE_RELAY, .hard = false}, REASON_N},
		{{REASON_PROTOCOL, REACT_FAIL, .hard = false}, REASON_N},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(policy_reason(&cases[i].finding), cases[i].line);
}

static void test_reached(void **state)
{
	static const int64_t at[] = {10, 10 + DAY - 1, 10 + DAY};
	const struct policy_line now = {1, 0}, never = {0, 0}, two = {2, DAY}, four = {4, 0};

	(void)state;
	assert_true(policy_reached(&now, at, 1));
	assert_false(policy_reached(&never, at, 3));
	assert_false(policy_reached(&two, at, 1));
	assert_false(policy_reached(&two, at, 2)); /* a second too early */
	assert_true(policy_reached(&two, at, 3));
	assert_false(policy_reached(&four, at, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_counts),
		cmocka_unit_test(test_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
