/* SPDX-License-Identifier: MIT */
#include "mail/care.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_rates(void **state)
{
	static const struct {
		struct care care;
		enum care_word word, at_stage_end;
	} c[] = {
		{{0}, CARE_FINE, CARE_FINE},
		{{.sent = 95, .refused = 4, .hard = 4}, CARE_FINE, CARE_FINE},
		{{.sent = 80, .refused = 19, .hard = 19}, CARE_FINE, CARE_PAUSE},
		{{.sent = 95, .refused = 5, .hard = 5}, CARE_WARN, CARE_WARN},
		{{.sent = 901, .refused = 99, .hard = 99}, CARE_WARN, CARE_WARN},
		{{.sent = 900, .refused = 100, .hard = 100}, CARE_PAUSE, CARE_PAUSE},
		{{.sent = 1000, .complaints = 2}, CARE_FINE, CARE_FINE},
		{{.sent = 3001, .complaints = 3}, CARE_FINE, CARE_FINE},
		{{.sent = 3000, .complaints = 3}, CARE_WARN, CARE_WARN},
		{{.sent = 1000, .complaints = 3}, CARE_PAUSE, CARE_PAUSE},
		{{.tries = 100, .blocked = 10}, CARE_PAUSE, CARE_PAUSE},
	};
	char why[CARE_WHY_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		assert_int_equal(care_judge(&c[i].care, false, why), c[i].word);
		assert_int_equal(care_judge(&c[i].care, true, why), c[i].at_stage_end);
	}
}

static void test_recent(void **state)
{
	struct care c = {0};
	struct care_recent lane = {0};
	char why[CARE_WHY_SIZE];

	(void)state;
	for (int i = 0; i < 10; i++)
		care_recent_add(&c.recent, true);
	assert_int_equal(care_judge(&c, false, why), CARE_FINE);
	for (int i = 0; i < 189; i++)
		care_recent_add(&c.recent, false);
	assert_int_equal(care_recent_count(&c.recent, 200), 10);
	care_recent_add(&c.recent, true);
	assert_int_equal(care_judge(&c, false, why), CARE_PAUSE);
	care_recent_add(&c.recent, false); /* the oldest is the 201st */
	assert_int_equal(care_judge(&c, false, why), CARE_FINE);
	care_recent_add(&lane, true);
	care_recent_add(&lane, true);
	for (int i = 0; i < 47; i++)
		care_recent_add(&lane, false);
	assert_int_equal(care_judge_lane(&lane, REASON_AUTH, why), CARE_FINE);
	care_recent_add(&lane, true);
	assert_int_equal(care_judge_lane(&lane, REASON_AUTH, why), CARE_PAUSE);
	assert_int_equal(care_judge_lane(&lane, REASON_RECIPIENT, why), CARE_FINE);
}

static void test_stages(void **state)
{
	static const char *const bad[] = {"1", "%", "0%", "100%", "10%,1%", "1%,", "1%,1%", "-1%",
		"1.234%", "1%,2%,3%,4%,5%"};
	struct care_stages s;

	(void)state;
	assert_true(care_stages_parse(STR(" 0.5%, 10 %"), &s));
	assert_int_equal(s.n, 2);
	assert_int_equal(s.share[0], 50);
	assert_int_equal(s.share[1], 1000);
	assert_int_equal(care_ceiling(&s, 0, 1000000), 5000);
	assert_int_equal(care_ceiling(&s, 0, 10000), CARE_STAGE_MIN);
	assert_int_equal(care_ceiling(&s, 1, 1000000), 100000);
	assert_int_equal(care_ceiling(&s, 2, 1000000), 1000000);
	assert_int_equal(care_ceiling(&s, 0, CARE_STAGED_FROM - 1), CARE_STAGED_FROM - 1);
	assert_true(care_stages_parse(STR(""), &s));
	assert_int_equal(s.n, 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (care_stages_parse(str_of(bad[i]), &s))
			fail_msg("'%s' was taken", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_recent),
		cmocka_unit_test(test_stages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
