/* SPDX-License-Identifier: MIT */
#include "mail/verdict.h"

#include "mail/classify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum verdict_action verdict_at(
	enum smtp_phase phase, int code, const char *text, bool content_sent)
{
	struct reply reply = {.code = code};
	struct finding finding;

	snprintf(reply.text, sizeof reply.text, "%s", text);
	return verdict_of(phase, &reply, content_sent, &finding);
}

static const struct {
	enum smtp_phase phase;
	int code;
	bool content_sent;
	enum verdict_action action;
	const char *text;
} rows[] = {
	{PHASE_CONNECT, 0, false, VERDICT_PAUSE_RELAY, ""},
	{PHASE_BANNER, 421, false, VERDICT_PAUSE_RELAY, ""},
	{PHASE_BANNER, 554, false, VERDICT_PAUSE_RELAY, ""},
	{PHASE_EHLO, 550, false, VERDICT_PAUSE_RELAY, ""},
	{PHASE_STARTTLS, 0, false, VERDICT_PAUSE_RELAY, ""},
	{PHASE_STARTTLS, 454, false, VERDICT_PAUSE_RELAY, ""},
	{PHASE_AUTH, 535, false, VERDICT_PAUSE_RELAY, ""},
	{PHASE_AUTH, 454, false, VERDICT_PAUSE_RELAY, ""},
	{PHASE_MAIL, 0, false, VERDICT_AGAIN, ""},
	{PHASE_MAIL, 421, false, VERDICT_AGAIN, ""},
	{PHASE_MAIL, 451, false, VERDICT_RETRY, ""},
	{PHASE_MAIL, 550, false, VERDICT_PAUSE_ISSUE, ""},
	{PHASE_MAIL, 552, false, VERDICT_PAUSE_ISSUE, ""},
	{PHASE_MAIL, 530, false, VERDICT_PAUSE_RELAY, ""},
	{PHASE_MAIL, 535, false, VERDICT_PAUSE_RELAY, ""},
	{PHASE_RCPT, 0, false, VERDICT_AGAIN, ""},
	{PHASE_RCPT, 421, false, VERDICT_AGAIN, ""},
	{PHASE_RCPT, 450, false, VERDICT_RETRY, ""},
	{PHASE_RCPT, 550, false, VERDICT_FAIL, ""},
	{PHASE_RCPT, 542, false, VERDICT_FAIL, ""},
	{PHASE_RCPT, 530, false, VERDICT_PAUSE_RELAY, ""},
	{PHASE_RCPT, 354, false, VERDICT_AGAIN, ""},
	{PHASE_DATA, 250, false, VERDICT_AGAIN, ""},
	{PHASE_DATA, 451, false, VERDICT_RETRY, ""},
	{PHASE_DATA, 554, false, VERDICT_FAIL, ""},
	{PHASE_BODY, 0, false, VERDICT_AGAIN, ""},
	{PHASE_BODY, 0, true, VERDICT_DOUBT, ""},
	{PHASE_BODY, 421, false, VERDICT_AGAIN, ""},
	{PHASE_BODY, 552, false, VERDICT_FAIL, ""},
	{PHASE_BODY, 250, false, VERDICT_AGAIN, ""},
	{PHASE_DOT, 250, true, VERDICT_SENT, ""},
	{PHASE_DOT, 0, true, VERDICT_DOUBT, ""},
	{PHASE_DOT, 0, false, VERDICT_AGAIN, ""},
	{PHASE_DOT, 354, true, VERDICT_DOUBT, ""},
	{PHASE_DOT, 421, true, VERDICT_RETRY, ""},
	{PHASE_DOT, 451, true, VERDICT_RETRY, ""},
	{PHASE_DOT, 554, true, VERDICT_FAIL, ""},
	{PHASE_DOT, 535, true, VERDICT_PAUSE_RELAY, ""},
	{PHASE_DOT, 250, true, VERDICT_SENT, "blocked using a list of spam"},
	{PHASE_DOT, 0, true, VERDICT_DOUBT, "blocked using a list of spam"},
	{PHASE_RCPT, 421, false, VERDICT_AGAIN, "too many connections"},
	{PHASE_RCPT, 550, false, VERDICT_THROTTLE, "blocked using a list"},
	{PHASE_DOT, 421, true, VERDICT_THROTTLE, "[TSS04] later"},
	{PHASE_RCPT, 450, false, VERDICT_RETRY, "receiving mail too quickly"},
	{PHASE_RCPT, 554, false, VERDICT_PAUSE_RELAY, "relay access denied"},
	{PHASE_DOT, 550, true, VERDICT_PAUSE_RELAY, "daily sending limit exceeded"},
	{PHASE_DOT, 550, true, VERDICT_PAUSE_ISSUE, "does not pass DMARC"},
	{PHASE_DOT, 552, true, VERDICT_PAUSE_ISSUE, "message too large"},
	{PHASE_DOT, 550, true, VERDICT_FAIL, "this is spam"},
	{PHASE_RCPT, 552, false, VERDICT_FAIL, "mailbox full"},
	{PHASE_RCPT, 452, false, VERDICT_RETRY, "mailbox full"},
	{PHASE_RCPT, 450, false, VERDICT_RETRY, "user unknown"},
	{PHASE_MAIL, 554, false, VERDICT_PAUSE_ISSUE, "transaction failed"},
	{PHASE_RSET, 550, false, VERDICT_AGAIN, ""},
	{PHASE_QUIT, 0, true, VERDICT_SENT, ""},
};

static void test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum verdict_action action =
			verdict_at(rows[i].phase, rows[i].code, rows[i].text, rows[i].content_sent);

		if (action != rows[i].action)
			fail_msg("%s %d: %s, not %s", smtp_phase_name(rows[i].phase), rows[i].code,
				verdict_name(action), verdict_name(rows[i].action));
	}
}

/* The policy's two bounds, over everything a relay can say. */
static void test_nothing_is_lost_or_sent_twice(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "user unknown", "blocked", "rate limited", "spf",
		"relay access denied", "too large", "mailbox full", "greylisted, try again later"};

	for (int phase = 0; phase < PHASE_QUIT; phase++) {
		for (int i = 0; i < 9 * 401; i++) {
			int code = i % 401 ? i % 401 + 199 : 0;
			const char *text = texts[i / 401];
			enum verdict_action before = verdict_at(phase, code, text, false);
			enum verdict_action after = verdict_at(phase, code, text, true);

			if (before == VERDICT_SENT || after == VERDICT_SENT)
				assert_true(phase == PHASE_DOT && code / 100 == 2);
			if (phase < PHASE_RCPT) /* never the recipient's fault */
				assert_true(before != VERDICT_FAIL);
			if (phase == PHASE_DOT && code / 100 != 4 && code / 100 != 5)
				assert_true(after == VERDICT_SENT || after == VERDICT_DOUBT);
			if (before == VERDICT_FAIL)
				assert_int_equal(code / 100, 5);
		}
	}
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < PHASE_N; i++)
		assert_non_null(smtp_phase_name(i));
	for (int i = 0; i < DELIVERY_STATE_N; i++)
		assert_non_null(delivery_state_name(i));
	assert_string_equal(smtp_phase_name(PHASE_RCPT), "rcpt");
	assert_string_equal(delivery_state_name(DELIVERY_IN_DOUBT), "in_doubt");
	assert_string_equal(verdict_name(VERDICT_PAUSE_ISSUE), "pause-issue");
}

static void test_schedule(void **state)
{
	static const int minutes[] = {5, 15, 45, 120, 240, 480, 480, 480};
	const int64_t now = 1800000000;

	(void)state;
	for (int i = 0; i < 8; i++) {
		int64_t least = INT64_MAX, most = 0, wait = minutes[i] * 60;

		for (uint64_t seed = 0; seed < 2000; seed++) {
			int64_t at = retry_at(i + 1, now, INT64_MAX, seed, 0);

			if (at < least)
				least = at;
			if (at > most)
				most = at;
			assert_int_equal(at, retry_at(i + 1, now, INT64_MAX, seed, 0));
		}
		/* Within a fifth, and making use of it. */
		assert_in_range(least, now + wait - wait / 5, now + wait - wait / 6);
		assert_in_range(most, now + wait + wait / 6, now + wait + wait / 5);
	}
	for (uint64_t seed = 0; seed < 2000;
		seed++) /* what the reply asks for, and a little more */
		assert_in_range(retry_at(1 + (int)(seed % 9), now, INT64_MAX, seed, 300), now + 300,
			now + 360);
	assert_int_equal(retry_at(1, now, now + 100, 1, 0), 0);
	assert_true(retry_at(1, now, now + 360, 1, 0) > 0);
	assert_true(retry_at(100000, now, INT64_MAX, UINT64_MAX, 0) > now);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_nothing_is_lost_or_sent_twice),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_schedule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
