/* SPDX-License-Identifier: MIT */
#include "mail/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static struct report read_text(const char *message)
{
	struct report report;

	assert_int_equal(report_read(&arena, str_of(message), &report, NULL), 0);
	return report;
}

/* A message of a mail system with `body` as its text. */
static const char *notice(const char *subject, const char *body)
{
	return arena_printf(&arena,
		"Return-Path: <>\nFrom: Mail Delivery Subsystem <MAILER-DAEMON@mx.example.org>\n"
		"To: news+anna=example.com@lists.example.net\nSubject: %s\n\n%s",
		subject, body);
}

/* A report of RFC 3464 with `groups` behind the fields of the message. */
static const char *status_report(const char *groups)
{
	return arena_printf(&arena,
		"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.org\nTo: news@example.net\n"
		"Subject: Undelivered Mail\nMIME-Version: 1.0\n"
		"Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n"
		"--b\n\nWords.\n\n--b\nContent-Type: message/delivery-status\n\n"
		"Reporting-MTA: dns; mx.example.org\nOriginal-Envelope-Id: QQ314159\n\n%s\n"
		"--b\nContent-Type: message/rfc822\n\n"
		"Return-Path: <news+token@example.net>\nMessage-ID: <one@example.net>\n"
		"To: anna@example.com\nSubject: News\n\nHello\n--b--\n",
		groups);
}

static void assert_str(struct str s, const char *expected)
{
	assert_string_equal(arena_cstr(&arena, s), expected);
}

/* ---- RFC 3464 ---- */

static void test_all_fields(void **state)
{
	struct report r = read_text(status_report("Final-Recipient: rfc822; Anna@Example.COM\n"
						  "Original-Recipient: rfc822;ann@example.com\n"
						  "Action: failed\nStatus: 5.0.0\n"
						  "Diagnostic-Code: smtp; 550 5.1.1\n"
						  "    No such user\n"));

	(void)state;
	assert_int_equal(r.kind, REPORT_BOUNCE);
	assert_string_equal(r.rule, "delivery-status");
	assert_int_equal(r.recipient_n, 1);
	assert_str(r.recipient[0].address, "Anna@example.com");
	assert_str(r.recipient[0].original, "ann@example.com");
	assert_int_equal(r.recipient[0].reply.code, 550);
	assert_string_equal(r.recipient[0].reply.status, "5.1.1");
	assert_int_equal(r.recipient[0].finding.reason, REASON_RECIPIENT);
	assert_true(r.recipient[0].finding.hard);
	assert_str(r.envid, "QQ314159");
	assert_str(r.message_id, "one@example.net");
	assert_int_equal(r.mailbox_n, 2);
	assert_str(r.mailbox[0], "news+token");
	assert_str(r.mailbox[1], "news");
}

static void test_several_recipients(void **state)
{
	struct report r = read_text(status_report(
		"Final-Recipient: rfc822; a@example.com\nAction: failed\nStatus: 5.1.1\n"
		"Diagnostic-Code: smtp; 550 5.1.1 unknown user\n\n"
		"Final-Recipient: rfc822; b@example.com\nAction: failed\nStatus: 5.2.2\n"
		"Diagnostic-Code: smtp; 552 5.2.2 mailbox full\n\n"
		"Final-Recipient: rfc822; c@example.com\nAction: delayed\nStatus: 4.4.1\n\n"
		"Final-Recipient: rfc822; d@example.com\nAction: relayed\nStatus: 2.1.9\n\n"
		"Final-Recipient: rfc822; A@EXAMPLE.com\nAction: failed\nStatus: 5.1.1\n"));

	(void)state;
	assert_int_equal(r.kind, REPORT_BOUNCE);
	assert_int_equal(r.recipient_n, 2); /* what is delayed or done has not failed */
	assert_int_equal(r.recipient[0].finding.reason, REASON_RECIPIENT);
	assert_int_equal(r.recipient[1].finding.reason, REASON_FULL);
	assert_false(r.recipient[1].finding.hard);
}

static void test_no_failure(void **state)
{
	struct report r = read_text(status_report(
		"Final-Recipient: rfc822; a@example.com\nAction: delayed\nStatus: 4.4.7\n"
		"Diagnostic-Code: smtp; 421 4.4.1 timed out\n"));

	(void)state;
	assert_int_equal(r.kind, REPORT_DELAYED);
	assert_int_equal(r.recipient_n, 1);
	assert_false(r.recipient[0].finding.hard);
	r = read_text(status_report(
		"Final-Recipient: rfc822; a@example.com\nAction: delivered\nStatus: 2.0.0\n"));
	assert_int_equal(r.kind, REPORT_NONE);
	assert_int_equal(r.recipient_n, 0);
}

/* What the report says itself is believed where no server is quoted. */
static void test_own_status(void **state)
{
	static const struct {
		const char *fields;
		enum reason reason;
		bool hard;
	} cases[] = {
		{"Status: 5.1.1\n", REASON_RECIPIENT, true},
		{"Status: 5.1.2 (bad domain)\n", REASON_DOMAIN, true},
		{"Status: 5.2.2\n", REASON_FULL, false},
		{"Status: 4.4.7\n", REASON_TRANSIENT, false},
		{"Status: 5.0.0\nDiagnostic-Code: X-Postfix; unknown user: \"anna\"\n",
			REASON_RECIPIENT, true},
		{"Status: 5.1.1\nDiagnostic-Code: smtp; 450 4.2.0 Greylisted\n", REASON_GREYLIST,
			false},
		{"Status: 5.0.0\nDiagnostic-Code: smtp; 250 2.0.0 accepted\n", REASON_TRANSIENT,
			false},
		{"Status: 5.7.1\nDiagnostic-Code: smtp; 550 listed by zen.spamhaus.org\n",
			REASON_BLOCK, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct report r = read_text(status_report(arena_printf(&arena,
			"Final-Recipient: rfc822; a@example.com\nAction: failed\n%s",
			cases[i].fields)));

		assert_int_equal(r.recipient_n, 1);
		assert_int_equal(r.recipient[0].finding.reason, cases[i].reason);
		assert_int_equal(r.recipient[0].finding.hard, cases[i].hard);
	}
}

/* RFC 6533, and what old systems write for an address. */
static void test_addresses(void **state)
{
	static const struct {
		const char *field, *address;
	} cases[] = {
		{"utf-8; m\\x{FC}ller@example.com", "m\xc3\xbcller@example.com"},
		{"utf-8; m\xc3\xbcller@example.com", "m\xc3\xbcller@example.com"},
		{"RFC822; <anna@example.com>", "anna@example.com"},
		{"rfc822;\"Anna\" <anna@example.com>", "anna@example.com"},
		{"anna@example.com", "anna@example.com"},
		{"rfc822; \"anna <lee@b\"@Example.com", "\"anna <lee@b\"@example.com"},
		{"rfc822; <\"anna lee\"@example.com>", "\"anna lee\"@example.com"},
		/* none: the original recipient, or the returned message's */
		{"x400; /S=anna/ADMD= /C=GB/", "anna@example.com"},
		{"rfc822; |/usr/bin/filter", "anna@example.com"},
		{"utf-8; \\x{110000}\\x{}", "anna@example.com"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct report r = read_text(status_report(arena_printf(&arena,
			"Final-Recipient: %s\nAction: failed\nStatus: 5.1.1\n", cases[i].field)));

		assert_int_equal(r.recipient_n, 1);
		assert_str(r.recipient[0].address, cases[i].address);
	}
}

/* The phase that the words tell decides whose fault it is. */
static void test_phase(void **state)
{
	struct report r = read_text(notice("Undelivered Mail Returned to Sender",
		"<anna@example.com>: host mx.example.com[192.0.2.1] said: 550 5.1.1 rejected\n"
		"    (in reply to MAIL FROM command)\n"));

	(void)state;
	assert_int_equal(r.recipient_n, 1);
	assert_int_not_equal(r.recipient[0].finding.action, REACT_SUPPRESS);
	r = read_text(notice("Undelivered Mail Returned to Sender",
		"<anna@example.com>: host mx.example.com[192.0.2.1] said: 550 5.1.1 rejected\n"
		"    (in reply to RCPT TO command)\n"));
	assert_int_equal(r.recipient[0].finding.action, REACT_SUPPRESS);
}

/* ---- words ---- */

/* Shapes of many systems, each about anna@example.com. */
static const struct {
	const char *subject, *body;
	enum reason reason;
} shapes[] = {
	{"failure notice",
		"I wasn't able to deliver your message to the following addresses.\n\n"
		"<anna@example.com>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
		"--- Below this line is a copy of the message.\n\nTo: other@example.org\n",
		REASON_RECIPIENT},
	{"Mail delivery failed: returning message to sender",
		"A message that you sent could not be delivered to one or more of its\n"
		"recipients. The following address(es) failed:\n\n  anna@example.com\n"
		"    SMTP error from remote mail server after RCPT TO:<anna@example.com>:\n"
		"    host mx.example.com [192.0.2.1]: 552 5.2.2 Quota exceeded\n\n"
		"------ This is a copy of the message, including all the headers. ------\n"
		"To: other@example.org\n",
		REASON_FULL},
	{"Undeliverable: News",
		"Your message\n\n  To: news\n  Subject: News\n\n"
		"did not reach the following recipient(s):\n\n"
		"anna@example.com on Thu, 5 Nov 2026 16:51:51 -0500\n"
		"    The recipient name is not recognized\n",
		REASON_RECIPIENT},
	{"DELIVERY FAILURE: User anna (anna@example.com) not listed in directory",
		"Your message\n\n  Subject: News\n\nwas not delivered to:\n\n"
		"  anna@example.com\n\nbecause:\n\n  User anna (anna@example.com) not "
		"listed\n",
		REASON_RECIPIENT},
	{"Mail",
		"Your mail sent on: Thu, 5 Nov 2026\n"
		"  Could not be delivered to: <anna@example.com>\n"
		"  As their mailbox is full.\n",
		REASON_FULL},
	{"Delivery problem",
		"There was an error delivering your mail to <anna@example.com>.\n\n"
		"mx.example.com did not like our RCPT TO:\n"
		"550 5.1.1 <anna@example.com>: User unknown\n\n"
		"Original message follows.\n\nTo: other@example.org\n",
		REASON_RECIPIENT},
	{"Mail System Error - Returned Mail",
		"This Message was undeliverable due to the following reason:\n\n"
		"The user(s) account is temporarily over quota.\n\n<anna@example.com>\n",
		REASON_FULL},
	{"Undeliverable: News",
		"Could not be delivered because of\n\n550 5.1.1 User unknown\n\n"
		"The following recipients were affected:\n    anna@example.com\n",
		REASON_RECIPIENT},
	{"Undelivered Mail Returned to Sender",
		"<anna@example.com>: host mx.example.com[192.0.2.1] said: 550\n"
		"    5.2.2 <anna@example.com>... Mailbox Full (in reply to RCPT TO\n"
		"    command)\n",
		REASON_FULL},
	{"Mail delivery failed",
		"The following address(es) failed:\n\n  anna@example.com\n"
		"    all relevant MX records point to non-existent hosts\n",
		REASON_DOMAIN},
	{"Returned mail: see transcript for details",
		"   ----- The following addresses had permanent fatal errors -----\n"
		"<anna@example.com>\n    (reason: 550 5.7.26 unauthenticated mail)\n\n"
		"   ----- Transcript of session follows -----\n"
		"554 5.0.0 Service unavailable\n",
		REASON_AUTH},
};

static void test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct report r = read_text(notice(shapes[i].subject, shapes[i].body));

		assert_int_equal(r.kind, REPORT_BOUNCE);
		assert_int_equal(r.recipient_n, 1);
		assert_str(r.recipient[0].address, "anna@example.com");
		assert_int_equal(r.recipient[0].finding.reason, shapes[i].reason);
	}
}

static void test_each_its_own_words(void **state)
{
	struct report r = read_text(notice("failure notice",
		"Unable to deliver to the following addresses.\n\n"
		"<a@example.com>:\nRemote host said: 552 5.2.2 Mailbox full\n\n"
		"<b@example.com>:\nRemote host said: 550 5.1.1 User unknown\n\n"
		"--- Below this line is a copy of the message.\n\n<c@example.com>:\n"));

	(void)state;
	assert_int_equal(r.recipient_n, 2);
	assert_int_equal(r.recipient[0].finding.reason, REASON_FULL);
	assert_int_equal(r.recipient[1].finding.reason, REASON_RECIPIENT);
}

static void test_failed_recipients_field(void **state)
{
	struct report r =
		read_text("From: someone@example.org\nX-Failed-Recipients: anna@example.com\n"
			  "Subject: x\n\nNothing that says who.\n");

	(void)state;
	assert_int_equal(r.kind, REPORT_BOUNCE);
	assert_string_equal(r.rule, "x-failed-recipients");
	assert_str(r.recipient[0].address, "anna@example.com");
}

static void test_delayed_words(void **state)
{
	struct report r = read_text(notice("Warning: message delayed 24 hours",
		"A message that you sent has not yet been delivered to one or more of its\n"
		"recipients. The address to which the message has not yet been delivered is:\n\n"
		"  anna@example.com\n\nDelivery attempts will continue for some time.\n"));

	(void)state;
	assert_int_equal(r.kind, REPORT_DELAYED);
	assert_int_equal(r.recipient_n, 1);
}

static void test_line_ends(void **state)
{
	const char *lf = status_report(
		"Final-Recipient: rfc822; a@example.com\nAction: failed\nStatus: 5.1.1\n");
	char *cr = arena_cstr(&arena, str_of(lf));
	struct report r;

	(void)state;
	for (char *p = cr; *p; p++)
		*p = *p == '\n' ? '\r' : *p;
	r = read_text(cr);
	assert_int_equal(r.kind, REPORT_BOUNCE);
	assert_int_equal(r.recipient_n, 1);
	r = read_text(arena_printf(&arena, "From MAILER-DAEMON Thu Nov  5 00:00:00 2026\n%s", lf));
	assert_int_equal(r.recipient_n, 1);
}

/* ---- handed on ---- */

static void test_forwarded(void **state)
{
	const char *inner = status_report(
		"Final-Recipient: rfc822; a@example.com\nAction: failed\nStatus: 5.1.1\n");
	struct report r = read_text(arena_printf(&arena,
		"From: ben@example.org\nTo: news@example.net\nSubject: Look\nMIME-Version: 1.0\n"
		"Content-Type: multipart/mixed; boundary=outer\n\n--outer\n\nSee below\n\n--outer\n"
		"Content-Type: message/rfc822\n\n%s\n--outer--\n",
		inner));

	(void)state;
	assert_int_equal(r.kind, REPORT_BOUNCE);
	assert_str(r.recipient[0].address, "a@example.com");
	r = read_text(
		"From: ben@example.org\nTo: news@example.net\n"
		"Subject: Fwd: Returned mail: see transcript for details\n\nBegin forwarded\n\n"
		"> From: Mail Delivery Subsystem <MAILER-DAEMON>\n>\n"
		">  ----- The following addresses had permanent fatal errors -----\n"
		"> <anna@example.com>\n>  (reason: 550 5.1.1 User unknown)\n");
	assert_int_equal(r.kind, REPORT_BOUNCE);
	assert_str(r.recipient[0].address, "anna@example.com");
	assert_true(r.recipient[0].finding.hard);
}

/* ---- complaints ---- */

static const char *feedback(const char *fields, const char *to)
{
	return arena_printf(&arena,
		"From: fbl@example.org\nTo: news@example.net\nSubject: FW: News\nMIME-Version: "
		"1.0\n"
		"Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
		"--b\n\nThis is an abuse report.\n\n--b\nContent-Type: message/feedback-report\n\n"
		"%s\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <one@example.net>\n"
		"To: %s\nSubject: News\n\nHello\n--b--\n",
		fields, to);
}

static void test_complaint(void **state)
{
	struct report r = read_text(feedback("Feedback-Type: ABUSE\nVersion: 1\n"
					     "Original-Rcpt-To: <anna@example.com>\n"
					     "Original-Rcpt-To: ben@example.com\n",
		"list@example.net"));

	(void)state;
	assert_int_equal(r.kind, REPORT_COMPLAINT);
	assert_str(r.feedback_type, "abuse");
	assert_int_equal(r.recipient_n, 2);
	assert_str(r.message_id, "one@example.net");
	/* redacted: still a complaint, about nobody that it names */
	r = read_text(feedback("Feedback-Type: opt-out\nVersion: 1\n", "[redacted]"));
	assert_int_equal(r.kind, REPORT_COMPLAINT);
	assert_str(r.feedback_type, "opt-out");
	assert_int_equal(r.recipient_n, 0);
	assert_str(r.message_id, "one@example.net");
}

static void test_notification(void **state)
{
	struct report r = read_text(
		"From: no-reply@sns.example.com\nTo: news@example.net\nSubject: Notification\n\n"
		"{\"notificationType\":\"Bounce\",\"bounce\":{\"bounceType\":\"Permanent\","
		"\"bouncedRecipients\":[{\"emailAddress\":\"anna@example.com\",\n"
		" \"status\":\"5.1.1\",\"diagnosticCode\":\"smtp; 550 5.1.1 user unknown\"}]},"
		"\"mail\":{}}\n--\nTo unsubscribe, click\n");

	(void)state;
	assert_int_equal(r.kind, REPORT_BOUNCE);
	assert_int_equal(r.recipient_n, 1);
	assert_true(r.recipient[0].finding.hard);
	r = read_text("From: x@example.com\nSubject: Notification\n\n"
		      "{\"Type\":\"Notification\",\"Message\":\"{\\\"notificationType\\\":"
		      "\\\"Complaint\\\",\\\"complaint\\\":{\\\"complainedRecipients\\\":["
		      "{\\\"emailAddress\\\":\\\"ben@example.com\\\"}]}}\"}\n");
	assert_int_equal(r.kind, REPORT_COMPLAINT);
	assert_str(r.recipient[0].address, "ben@example.com");
}

/* ---- what is no bounce ---- */

static void test_automatic(void **state)
{
	static const char *const messages[] = {
		"From: anna@example.com\nTo: n@example.net\nSubject: Out of office: News\n\n"
		"I am away. Write to ben@example.com, the mailbox is full.\n",
		"Return-Path: <>\nFrom: anna@example.com\nAuto-Submitted: auto-replied\n"
		"Subject: Re: News\n\nThank you. 550 of us are on holiday.\n",
		"Return-Path: <>\nFrom: anna@example.com\nSubject: Automatic reply: Undeliverable\n"
		"Auto-Submitted: auto-replied\n\nMail to ben@example.com is rejected: 550 no "
		"user.\n",
		"From: anna@example.com\nSubject: Abwesend: News\nPrecedence: auto_reply\n\nBin "
		"weg.\n",
		"From: a@example.com\nSubject: Re: News\n\nYour message has been waitlisted.\n"
		"Please add yourself to my Guest List.\n",
		"From: a@example.com\nSubject: Please confirm\n\nTo prove that you are a person, "
		"reply to this message to confirm.\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
		assert_int_equal(read_text(messages[i]).kind, REPORT_AUTO_REPLY);
}

static void test_letters(void **state)
{
	static const char *const messages[] = {"", "\n", "x", "Subject: hello\n\nworld\n",
		"From: anna@example.com\nTo: n@example.net\nSubject: Re: News\n\n"
		"Did you see that 550 5.1.1 <ben@example.com> user unknown? I could not be\n"
		"delivered from it.\n",
		"From: shop@example.com\nSubject: Your order\n\n"
		"Delivered to the following address: ben@example.com\n",
		"From: a@example.com\nContent-Type: multipart/report; boundary=x\n\n--x\n"};

	(void)state;
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
		assert_int_equal(read_text(messages[i]).kind, REPORT_NONE);
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
		TEST(test_all_fields),
		TEST(test_several_recipients),
		TEST(test_no_failure),
		TEST(test_own_status),
		TEST(test_addresses),
		TEST(test_phase),
		TEST(test_words),
		TEST(test_each_its_own_words),
		TEST(test_failed_recipients_field),
		TEST(test_delayed_words),
		TEST(test_line_ends),
		TEST(test_forwarded),
		TEST(test_complaint),
		TEST(test_notification),
		TEST(test_automatic),
		TEST(test_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
