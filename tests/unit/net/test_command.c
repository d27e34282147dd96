/* SPDX-License-Identifier: MIT */
#include "../../../src/net/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct parts five = {.n = 5};
static const struct smtp_caps all = {
	.pipelining = true, .smtputf8 = true, .dsn = true, .has_size = true, .size = 1000};
static const struct smtp_caps none;

static void test_commands(void **state)
{
	static const struct {
		struct submission s;
		const struct smtp_caps *caps;
		const char *mail, *rcpt;
	} rows[] = {
		{{1, 0, STR("b@x.example"), STR("r@y.example"), false, STR("7.1"), &five, false,
			 NULL},
			&none, "MAIL FROM:<b@x.example>\r\n", "RCPT TO:<r@y.example>\r\n"},
		{{1, 0, STR("b@x.example"), STR("r+a=b@y.example"), false, STR("a+b=c"), &five,
			 false, NULL},
			&all, "MAIL FROM:<b@x.example> SIZE=5 RET=HDRS ENVID=a+2Bb+3Dc\r\n",
			"RCPT TO:<r+a=b@y.example> NOTIFY=FAILURE,DELAY "
			"ORCPT=rfc822;r+2Ba+3Db@y.example\r\n"},
		{{1, 0, STR("b@x.example"), STR("\xc3\xa9@y.example"), true, STR(""), &five, false,
			 NULL},
			&all, "MAIL FROM:<b@x.example> SIZE=5 SMTPUTF8 RET=HDRS\r\n",
			"RCPT TO:<\xc3\xa9@y.example> NOTIFY=FAILURE,DELAY\r\n"},
		{{1, 0, STR("b@x.example"), STR("\"r >=\\\"\"@y.example"), false, STR(""), &five,
			 false, NULL},
			&all, "MAIL FROM:<b@x.example> SIZE=5 RET=HDRS\r\n",
			"RCPT TO:<\"r >=\\\"\"@y.example> NOTIFY=FAILURE,DELAY "
			"ORCPT=rfc822;\"r+20>+3D\\\"\"@y.example\r\n"},
		/* 34 octets that need three each are more than ENVID may have. */
		{{1, 0, STR("b@x.example"), STR("r@y.example"), false,
			 STR("++++++++++++++++++++++++++++++++++"), &five, false, NULL},
			&all, "MAIL FROM:<b@x.example> SIZE=5 RET=HDRS\r\n",
			"RCPT TO:<r@y.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;r@y.example\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char line[COMMAND_MAX];
		struct str mail = command_mail(line, &rows[i].s, rows[i].caps);

		assert_true(str_eq(mail, str_of(rows[i].mail)));
		assert_true(
			str_eq(command_rcpt(line, &rows[i].s, rows[i].caps), str_of(rows[i].rcpt)));
	}
}

/* The longest that transport_submit() lets through ends whole. */
static void test_longest(void **state)
{
	static char address[254], line[COMMAND_MAX];
	struct submission s = {.sender = {address, sizeof(address)},
		.recipient = {address, sizeof(address)},
		.envid = STR("0123456789"),
		.message = &five};

	(void)state;
	memset(address, '+', sizeof(address));
	assert_true(str_has_suffix(command_mail(line, &s, &all), STR("ENVID=0123456789\r\n")));
	assert_true(str_has_suffix(command_rcpt(line, &s, &all), STR("+2B\r\n")));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
