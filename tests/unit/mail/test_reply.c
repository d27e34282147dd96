/* SPDX-License-Identifier: MIT */
#include "mail/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Feed `wire` in pieces of `step` octets; the result of the last call that did not ask for more. */
static enum reply_result feed(struct reply_reader *r, const char *wire, size_t step)
{
	size_t n = strlen(wire);

	reply_init(r);
	for (size_t i = 0; i < n; i += step) {
		struct str piece = {wire + i, i + step < n ? step : n - i};
		enum reply_result result = reply_read(r, &piece);

		if (result != REPLY_MORE)
			return result;
	}
	return REPLY_MORE;
}

static void test_replies(void **state)
{
	static const struct {
		const char *wire;
		int code; /* 0 = a protocol error, -1 = not whole */
		const char *status, *text;
	} rows[] = {
		{"250 ok\r\n", 250, "", "ok"},
		{"250\r\n", 250, "", ""},
		{"250 \r\n", 250, "", ""},
		{"354 go on\n", 354, "", "go on"},
		{"250 2.1.5 fine\r\n", 250, "2.1.5", "fine"},
		{"550 5.1.1\r\n", 550, "5.1.1", ""},
		{"550 5.1.10 gone\r\n", 550, "5.1.10", "gone"},
		{"550 5.1.1000 gone\r\n", 550, "", "5.1.1000 gone"},
		{"550 5.1.1: gone\r\n", 550, "", "5.1.1: gone"},
		{"550 3.1.1 gone\r\n", 550, "", "3.1.1 gone"},
		{"550-5.7.1 one\r\n550-5.7.1 two\r\n550 5.7.1 three\r\n", 550, "5.7.1",
			"one / two / three"},
		{"550-one\r\n550-\r\n550 4.2.2 two\r\n", 550, "4.2.2", "one / two"},
		{"421 bye \x1b[2J\tnow\r\n", 421, "", "bye ?[2J?now"},
		{"250 caf\xc3\xa9 \xff\xc3\r\n", 250, "", "caf\xc3\xa9 ??"},
		{"542 odd\r\n", 542, "", "odd"},
		{"199 low\r\n", 0, "", ""},
		{"600 high\r\n", 0, "", ""},
		{"25\r\n", 0, "", ""},
		{"2500 four\r\n", 0, "", ""},
		{"250ok\r\n", 0, "", ""},
		{"2x0 ok\r\n", 0, "", ""},
		{"\r\n", 0, "", ""},
		{"HTTP/1.1 400 Bad Request\r\n", 0, "", ""},
		{"250-one\r\n550 two\r\n", 0, "", ""},
		{"250-one\r\n", -1, "", ""},
		{"250 ok", -1, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = strlen(rows[i].wire);

		for (size_t step = 1; step <= n; step++) {
			struct reply_reader r;
			enum reply_result result = feed(&r, rows[i].wire, step);

			if (rows[i].code <= 0) {
				assert_int_equal(result, rows[i].code ? REPLY_MORE : REPLY_BAD);
				continue;
			}
			assert_int_equal(result, REPLY_DONE);
			assert_int_equal(r.reply.code, rows[i].code);
			assert_string_equal(r.reply.status, rows[i].status);
			assert_string_equal(r.reply.text, rows[i].text);
		}
	}
}

static void test_several_replies_in_one_read(void **state)
{
	struct reply_reader r;
	struct str in = STR("250 2.0.0 queued\r\n250-a\r\n250 b\r\n550 no\r\n35");
	static const int codes[] = {250, 250, 550};

	(void)state;
	reply_init(&r);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(reply_read(&r, &in), REPLY_DONE);
		assert_int_equal(r.reply.code, codes[i]);
		assert_string_equal(r.reply.status, i ? "" : "2.0.0");
	}
	assert_string_equal(r.reply.text, "no");
	assert_int_equal(reply_read(&r, &in), REPLY_MORE);
	in = STR("4 go\r\n");
	assert_int_equal(reply_read(&r, &in), REPLY_DONE);
	assert_int_equal(r.reply.code, 354);
}

static void test_caps(void **state)
{
	struct reply_reader r;
	static char line[700];
	struct str in;
	size_t lines = 0;

	(void)state;
	/* A long line is cut, not refused. */
	memset(line, 'x', sizeof(line));
	memcpy(line, "250 ", 4);
	line[sizeof(line) - 1] = '\n';
	in = (struct str){line, sizeof(line)};
	reply_init(&r);
	assert_int_equal(reply_read(&r, &in), REPLY_DONE);
	assert_int_equal(strlen(r.reply.text), REPLY_TEXT_MAX - 4);

	/* A text that is longer than the room for it, ending within a character. */
	reply_init(&r);
	for (int i = 0; i < 60; i++) {
		in = STR("550-\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\r\n");
		assert_int_equal(reply_read(&r, &in), REPLY_MORE);
	}
	in = STR("550 end\r\n");
	assert_int_equal(reply_read(&r, &in), REPLY_DONE);
	assert_int_equal(utf8_invalid_at(str_of(r.reply.text)), REPLY_TEXT_MAX - 1);

	/* Lines without end, and a line without end. */
	reply_init(&r);
	do {
		in = STR("250-\r\n");
		lines++;
	} while (reply_read(&r, &in) == REPLY_MORE);
	assert_int_equal(lines, REPLY_LINES_MAX + 1);
	reply_init(&r);
	lines = 0;
	do {
		in = STR("xxxxxxxxxxxxxxxx");
		lines++;
	} while (reply_read(&r, &in) == REPLY_MORE);
	assert_int_equal(lines, REPLY_BYTES_MAX / 16 + 1);
}

static void count_line(void *user, struct str line)
{
	char *all = user;

	strncat(all, line.p, line.n);
	strncat(all, "|", 2);
}

static void test_lines_are_shown(void **state)
{
	struct reply_reader r;
	char all[64] = "";
	struct str in = STR("250-a\x07\r\n250 b\r\n");

	(void)state;
	reply_init(&r);
	r.on_line = count_line;
	r.user = all;
	assert_int_equal(reply_read(&r, &in), REPLY_DONE);
	assert_string_equal(all, "250-a?|250 b|");
}

static void test_ehlo(void **state)
{
	static const char *const lines[] = {"250-PIPELINING", "250-size 35882577", "250-STARTTLS",
		"AUTH PLAIN LOGIN", "AUTH=CRAM-MD5", "250-8BITMIME", "250-X-FANCY stuff",
		"250-PIPELINED", "250 DSN"};
	struct smtp_caps caps = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		smtp_caps_line(&caps, str_of(lines[i]));
	assert_true(caps.pipelining && caps.starttls && caps.eightbitmime && caps.dsn);
	assert_false(caps.smtputf8 || caps.chunking || caps.enhanced);
	assert_true(caps.has_size && caps.size == 35882577);
	assert_string_equal(caps.auth, "PLAIN LOGIN");

	memset(&caps, 0, sizeof(caps));
	smtp_caps_line(&caps, STR("SIZE"));
	assert_true(caps.has_size && caps.size == 0);
	smtp_caps_line(&caps, STR("SIZE 99999999999999999999999"));
	assert_true(caps.size == 0);
	smtp_caps_line(&caps, STR("AUTH=LOGIN PLAIN"));
	assert_string_equal(caps.auth, "LOGIN PLAIN");
}

/* Every real reply line of the corpus reads as the code it starts with. */
static void test_corpus(void **state)
{
	const char *corpus = getenv("LETTERMILL_CORPUS");
	char path[512], line[4096];
	FILE *f;
	size_t n = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/smtp-replies/replies.tsv",
		corpus ? corpus : "../shared/corpus");
	f = fopen(path, "r");
	if (!f) {
		print_message("skipped: no corpus\n");
		skip();
	}
	while (fgets(line, sizeof(line), f)) {
		struct reply_reader r;
		struct str in;
		long code = strtol(line, NULL, 10);

		if (code < 200 || code > 599 || (line[3] != ' ' && line[3] != '-'))
			continue;
		line[3] = ' ';
		line[strcspn(line, "\t\n")] = '\0';
		reply_init(&r);
		in = str_of(line);
		assert_int_equal(reply_read(&r, &in), REPLY_MORE);
		in = STR("\r\n");
		assert_int_equal(reply_read(&r, &in), REPLY_DONE);
		assert_int_equal(r.reply.code, code);
		n++;
	}
	fclose(f);
	assert_true(n > 150);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_several_replies_in_one_read),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_lines_are_shown),
		cmocka_unit_test(test_ehlo),
		cmocka_unit_test(test_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
