/* SPDX-License-Identifier: MIT */
#include "mail/report.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static void repeat(struct buf *out, const char *what, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buf_cstr(out, what);
}

static void test_nested_parts(void **state)
{
	static const char *const layers[] = {
		"Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\n",
		"Content-Type: message/rfc822\n\n",
		"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: "
		"message/rfc822\n\n",
	};
	struct report report;
	struct buf b;

	(void)state;
	buf_init(&b, REPORT_BYTES_MAX);
	for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
		buf_reset(&b);
		repeat(&b, layers[i], 10000);
		assert_int_equal(report_read(&arena, buf_view(&b), &report, NULL), 0);
		/* as many as are just let through */
		buf_reset(&b);
		repeat(&b, layers[i], 390);
		assert_int_equal(report_read(&arena, buf_view(&b), &report, NULL), 0);
	}
	/* side by side */
	buf_reset(&b);
	buf_cstr(&b, "Content-Type: multipart/mixed; boundary=\"b\"\n\n");
	repeat(&b, "--b\nContent-Type: text/plain\n\nx\n", 10000);
	assert_int_equal(report_read(&arena, buf_view(&b), &report, NULL), 0);
	buf_free(&b);
}

static void test_floods(void **state)
{
	static const struct {
		const char *head, *again;
	} floods[] = {
		{"From: MAILER-DAEMON@x.example\n\n", "<a@example.com>:\n"},
		{"From: MAILER-DAEMON@x.example\n\n", "a@example.com "},
		{"From: MAILER-DAEMON@x.example\n\n", "550 "},
		{"From: MAILER-DAEMON@x.example\n\n", "\n"},
		{"From: MAILER-DAEMON@x.example\nContent-Type: text/html\n\n", "<"},
		{"From: MAILER-DAEMON@x.example\nContent-Type: text/html\n\n", "<style>"},
		{"From: MAILER-DAEMON@x.example\nContent-Type: text/html\n\n", "&"},
		{"", "To: a@example.com\n"},
		{"", "To: a@example.com, b@example.com,\n "},
		{"To: ", "a:"},
		{"Content-Type: multipart/mixed; boundary=b\n\n", "--b\n\n"},
		{"Content-Type: multipart/mixed; boundary=b\n\n", "--c\n"},
		{"", "X: y\n"},
		{"Content-Type: message/rfc822\n\nfrom:\n", "\ta:\n"},
		{"Subject: ", "following address failed "},
		{"", ":"},
		{"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: "
		 "message/delivery-status\n\n",
			"Final-Recipient: rfc822; a@example.com\nAction: failed\n\n"},
		{"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: "
		 "message/feedback-report\n\n",
			"Original-Rcpt-To: a@example.com\n"},
		{"Subject: x\n\n", "{\"a\":"},
		{"Subject: x\n\n{\"notificationType\":\"Bounce\",\"bounce\":", "["},
	};
	struct report report;
	struct buf b;

	(void)state;
	buf_init(&b, REPORT_BYTES_MAX);
	for (size_t i = 0; i < sizeof floods / sizeof *floods; i++) {
		buf_reset(&b);
		buf_cstr(&b, floods[i].head);
		repeat(&b, floods[i].again, (2 << 20) / strlen(floods[i].again));
		assert_int_equal(report_read(&arena, buf_view(&b), &report, NULL), 0);
		assert_true(report.recipient_n <= REPORT_RECIPIENTS_MAX);
		arena_reset(&arena);
	}
	buf_free(&b);
}

static void test_many_recipients(void **state)
{
	struct report report;
	struct buf b;

	(void)state;
	buf_init(&b, REPORT_BYTES_MAX);
	buf_cstr(&b, "Content-Type: multipart/report; boundary=b\n\n"
		     "--b\nContent-Type: message/delivery-status\n\n");
	for (size_t i = 0; i < 3000; i++)
		buf_printf(&b,
			"Final-Recipient: rfc822; r%zu@example.com\nAction: failed\nStatus: "
			"5.1.1\n\n",
			i);
	assert_int_equal(report_read(&arena, buf_view(&b), &report, NULL), 0);
	assert_int_equal(report.recipient_n, REPORT_RECIPIENTS_MAX);
	buf_free(&b);
}

static void test_too_large(void **state)
{
	size_t n = 100 * 1024 * 1024;
	char *p = malloc(n);
	struct report report;
	struct err e = {0};

	(void)state;
	memset(p, 'x', n);
	assert_int_equal(report_read(&arena, (struct str){p, n}, &report, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_int_equal(report.kind, REPORT_NONE);
	free(p);
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nested_parts),
		TEST(test_floods),
		TEST(test_many_recipients),
		TEST(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
