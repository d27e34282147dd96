/* SPDX-License-Identifier: MIT */
#include "mail/classify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The replies that made the rules: one of each kind and of each that was mistaken for another. */
static const struct {
	enum smtp_phase phase;
	const char *words;
	enum reason reason;
	enum reaction action;
	bool hard;
} rows[] = {
	/* The phase goes before all words. */
	{PHASE_BANNER, "554 5.7.1 no such user here", REASON_RELAY, REACT_PAUSE_RELAY, false},
	{PHASE_EHLO, "421 4.3.2 too many connections", REASON_RELAY, REACT_PAUSE_RELAY, false},
	{PHASE_AUTH, "535 5.7.8 bad login", REASON_RELAY, REACT_PAUSE_RELAY, false},
	{PHASE_AUTH, "534 5.7.9 mechanism too weak", REASON_RELAY, REACT_PAUSE_RELAY, false},
	{PHASE_MAIL, "550 5.1.1 user unknown", REASON_SENDER, REACT_PAUSE_ISSUE, false},
	{PHASE_MAIL, "550 we do not like you", REASON_SENDER, REACT_PAUSE_ISSUE, false},
	{PHASE_MAIL, "552 too much", REASON_SIZE, REACT_PAUSE_ISSUE, false},
	{PHASE_MAIL, "451 4.3.0 later", REASON_TRANSIENT, REACT_RETRY, false},
	{PHASE_DOT, "550 5.1.1 no such user", REASON_RECIPIENT, REACT_FAIL, true},
	{PHASE_DOT, "550 no", REASON_CONTENT, REACT_FAIL, false},
	{PHASE_N, "550 no such user (in reply to end of DATA command)", REASON_RECIPIENT,
		REACT_SUPPRESS, true},
	{PHASE_N, "550 go away (in reply to MAIL FROM command)", REASON_SENDER, REACT_PAUSE_ISSUE,
		false},
	{PHASE_N, "550 go away (in reply to EHLO command)", REASON_TRANSIENT, REACT_FAIL, false},

	/* recipient */
	{PHASE_RCPT, "550 5.1.1 <a@b.example>: user unknown", REASON_RECIPIENT, REACT_SUPPRESS,
		true},
	{PHASE_RCPT, "550 5.1.1 nix da", REASON_RECIPIENT, REACT_SUPPRESS, true},
	{PHASE_RCPT, "450 4.1.1 <a@b.example>: user unknown", REASON_RECIPIENT, REACT_RETRY, false},
	{PHASE_RCPT, "450 4.1.1 rejected: unverified address: probe is under way", REASON_TRANSIENT,
		REACT_RETRY, false},
	{PHASE_RCPT, "550 5.7.1 No such user", REASON_RECIPIENT, REACT_SUPPRESS, true},
	{PHASE_RCPT, "550 5.4.1 Recipient address rejected: Access denied", REASON_RECIPIENT,
		REACT_SUPPRESS, true},
	{PHASE_RCPT, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found", REASON_RECIPIENT,
		REACT_SUPPRESS, true},
	{PHASE_RCPT, "550 The mailbox you wrote to doesn't exist", REASON_RECIPIENT, REACT_SUPPRESS,
		true},
	{PHASE_RCPT, "542 <a@b.example> Rejected", REASON_RECIPIENT, REACT_FAIL, false},
	{PHASE_RCPT, "550 <a@b.example>: Recipient address rejected.", REASON_RECIPIENT, REACT_FAIL,
		false},
	{PHASE_N, "450 busy 551 not our customer 503 need RCPT command", REASON_RECIPIENT,
		REACT_SUPPRESS, true},
	{PHASE_N, "550 nix 503 5.5.1 RCPT first 550 nix", REASON_RECIPIENT, REACT_FAIL, false},

	/* domain, disabled, full */
	{PHASE_RCPT, "550 5.1.10 null MX", REASON_DOMAIN, REACT_SUPPRESS, true},
	{PHASE_RCPT, "550 5.1.2 no data known", REASON_DOMAIN, REACT_SUPPRESS, true},
	{PHASE_RCPT, "550 mx.b.example does not exist", REASON_DOMAIN, REACT_SUPPRESS, true},
	{PHASE_RCPT, "550 5.2.1 this account is disabled", REASON_DISABLED, REACT_SUPPRESS, true},
	{PHASE_RCPT, "552 5.2.2 out of storage space and inactive", REASON_DISABLED, REACT_SUPPRESS,
		true},
	{PHASE_RCPT, "552 5.2.2 over quota", REASON_FULL, REACT_FAIL, false},
	{PHASE_RCPT, "452 4.2.2 mailbox full", REASON_FULL, REACT_RETRY, false},
	{PHASE_RCPT, "452 4.4.5 Insufficient disk space; try again later", REASON_TRANSIENT,
		REACT_RETRY, false},

	/* greylist, rate */
	{PHASE_RCPT, "450 4.2.0 Greylisted, come back in 300 seconds", REASON_GREYLIST, REACT_RETRY,
		false},
	{PHASE_RCPT, "451 4.7.1 Try again later", REASON_GREYLIST, REACT_RETRY, false},
	{PHASE_RCPT, "450 4.2.1 is receiving mail at a rate that is too high", REASON_RATE,
		REACT_RETRY, false},
	{PHASE_DOT, "421 4.7.0 [TSS04] Messages temporarily deferred; try again later", REASON_RATE,
		REACT_THROTTLE, false},
	{PHASE_RCPT, "421 4.7.1 deferred due to excessive volume. Try again later", REASON_RATE,
		REACT_THROTTLE, false},
	{PHASE_RCPT, "550 5.1.1 <a@b.example> has sent to too many recipients this hour",
		REASON_RATE, REACT_THROTTLE, false},
	{PHASE_RCPT, "450 4.7.500 busy", REASON_RATE, REACT_THROTTLE, false},

	/* block */
	{PHASE_RCPT, "550 5.7.1 Client host [192.0.2.1] blocked using zen.bl.example", REASON_BLOCK,
		REACT_PAUSE_DOMAIN, false},
	{PHASE_RCPT, "554 192.0.2.1 is listed on https://list.example/", REASON_BLOCK,
		REACT_PAUSE_DOMAIN, false},
	{PHASE_MAIL, "451 4.7.650 rate limited due to IP reputation (S3113)", REASON_BLOCK,
		REACT_PAUSE_DOMAIN, false},
	{PHASE_RCPT, "550 5.7.606 Access denied, banned sending IP", REASON_BLOCK,
		REACT_PAUSE_DOMAIN, false},

	/* auth, our relay */
	{PHASE_DOT, "421 4.7.26 rate limited because it is unauthenticated", REASON_AUTH,
		REACT_PAUSE_ISSUE, false},
	{PHASE_DOT, "550 5.7.26 nope", REASON_AUTH, REACT_PAUSE_ISSUE, false},
	{PHASE_DOT, "421 4.7.0 has no PTR record, so it is rate limited", REASON_AUTH,
		REACT_PAUSE_ISSUE, false},
	{PHASE_MAIL, "550 Unauthenticated senders not allowed", REASON_RELAY, REACT_PAUSE_RELAY,
		false},
	{PHASE_RCPT, "554 5.7.1 <a@b.example>: Relay access denied", REASON_RELAY,
		REACT_PAUSE_RELAY, false},
	{PHASE_RCPT, "530 please", REASON_RELAY, REACT_PAUSE_RELAY, false},
	{PHASE_DOT, "550 5.4.5 Daily user sending limit exceeded", REASON_RELAY, REACT_PAUSE_RELAY,
		false},
	{PHASE_DOT, "421 4.7.29 rate limited because this was not sent over a TLS connection",
		REASON_RELAY, REACT_PAUSE_RELAY, false},

	/* sender, before domain and recipient */
	{PHASE_RCPT, "450 4.1.8 Sender address rejected: Domain not found", REASON_SENDER,
		REACT_RETRY, false},
	{PHASE_RCPT, "553 5.1.8 Domain of sender address a@b.example does not exist", REASON_SENDER,
		REACT_PAUSE_ISSUE, false},

	/* content, size */
	{PHASE_DOT, "550 High probability of spam", REASON_CONTENT, REACT_FAIL, false},
	{PHASE_DOT, "554 Duplicate header 'DKIM-Signature'", REASON_CONTENT, REACT_FAIL, false},
	{PHASE_DOT, "552 5.3.4 The size of the <Subject> header exceeds the limit", REASON_CONTENT,
		REACT_FAIL, false},
	{PHASE_DOT, "554 5.7.1 Sender blocked using dbl.lists.example", REASON_CONTENT, REACT_FAIL,
		false},
	{PHASE_DOT, "550 5.7.1 rejected, it has a domain listed in the DBL", REASON_BLOCK,
		REACT_PAUSE_DOMAIN, false},
	{PHASE_DOT, "554 5.7.9 not accepted for policy reasons", REASON_CONTENT, REACT_FAIL, false},
	{PHASE_DOT, "552 5.3.4 message too big", REASON_SIZE, REACT_PAUSE_ISSUE, false},
	{PHASE_RCPT, "552 5.2.3 length exceeds limit set by recipient", REASON_SIZE, REACT_FAIL,
		false},

	/* protocol, transient, and what nothing else is known of */
	{PHASE_RCPT, "501 Syntax error in parameters", REASON_PROTOCOL, REACT_FAIL, false},
	{PHASE_DOT, "554 5.3.0 Internal system error", REASON_TRANSIENT, REACT_FAIL, false},
	{PHASE_RCPT, "450 hm", REASON_TRANSIENT, REACT_RETRY, false},
	{PHASE_N, "550 hm", REASON_TRANSIENT, REACT_FAIL, false},
	{PHASE_DOT, "the connection was lost", REASON_TRANSIENT, REACT_RETRY, false},

	/* Fragments of names decide nothing. */
	{PHASE_RCPT, "550 5.1.1 <spam-rbl-spf@b.example>: user unknown", REASON_RECIPIENT,
		REACT_SUPPRESS, true},
	{PHASE_RCPT, "450 see https://spamhaus.b.example.invalid/spam?blocked=dkim", REASON_BLOCK,
		REACT_PAUSE_DOMAIN, false},
	{PHASE_RCPT, "450 4.3.0 mx.spam.b.example says hm", REASON_TRANSIENT, REACT_RETRY, false},
};

static void test_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct finding f;
		struct reply reply;

		classify_words(rows[i].phase, str_of(rows[i].words), &reply, &f);
		if (f.reason != rows[i].reason || f.action != rows[i].action ||
			f.hard != rows[i].hard)
			fail_msg("'%s': %s, %s, %d by rule '%s'", rows[i].words,
				reason_name(f.reason), reaction_name(f.action), f.hard, f.rule);
	}
}

/* Whatever the words: no code but 5yz kills an address, no address dies outside RCPT and reports, nor for
 * a fault of ours, and no 2yz has failed. */
static void test_bounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (int code = 200; code < 600; code++) {
			for (int phase = 0; phase <= PHASE_N; phase++) {
				struct reply reply = {.code = code};
				struct finding f;

				snprintf(reply.text, sizeof reply.text, "%s", rows[i].words + 4);
				classify_reply(phase, &reply, &f);
				if (code < 400) {
					assert_null(f.rule);
					continue;
				}
				assert_non_null(f.rule);
				assert_true(f.wait_s >= 0 && f.wait_s <= 24 * 3600);
				if (f.hard)
					assert_true(code >= 500 && f.reason <= REASON_DISABLED);
				if (f.action == REACT_SUPPRESS)
					assert_true(f.hard &&
						    (phase == PHASE_RCPT || phase == PHASE_N));
				if (phase < PHASE_MAIL)
					assert_int_equal(f.reason, REASON_RELAY);
				if (f.action == REACT_FAIL)
					assert_true(code >= 500);
			}
		}
		i += 6; /* every seventh is enough */
	}
}

static void test_parts(void **state)
{
	static const struct {
		const char *words, *status;
		int code;
	} parts[] = {
		{"550 5.1.1 no", "5.1.1", 550},
		{"550-5.1.1 no", "5.1.1", 550},
		{"550 #5.7.1 no", "5.7.1", 550},
		{"550 550 5.1.1 no", "5.1.1", 550},
		{"sorry (#5.1.1)", "5.1.1", 0},
		{"550 gone (#5.5.0)", "5.5.0", 550},
		{"550 see 4.16.55.1", "", 550},
		{"450 5.1.1 no", "5.1.1", 450},
		{"", "", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		struct finding f;
		struct reply reply;

		classify_words(PHASE_N, str_of(parts[i].words), &reply, &f);
		assert_int_equal(reply.code, parts[i].code);
		assert_string_equal(reply.status, parts[i].status);
	}
}

static void test_waits(void **state)
{
	static const struct {
		const char *words;
		int wait_s, per_minute, connections;
	} waits[] = {
		{"450 greylisted, try again in 300 seconds", 300, 0, 0},
		{"451 try again after 5 minutes", 300, 0, 0},
		{"451 try again in 99999999999999999999 seconds", 0, 0, 0},
		{"451 try again in 0 seconds", 0, 0, 0},
		{"421 [TSS04] later", 7200, 0, 0},
		{"421 [TS02] later", 3600, 1, 0},
		{"421 unusual rate of mail", 1800, 10, 0},
		{"421 too many concurrent connections", 3600, 0, 1},
		{"450 hm", 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		struct finding f;

		classify_words(PHASE_RCPT, str_of(waits[i].words), NULL, &f);
		assert_int_equal(f.wait_s, waits[i].wait_s);
		assert_int_equal(f.per_minute, waits[i].per_minute);
		assert_int_equal(f.connections, waits[i].connections);
	}
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < REASON_N; i++)
		assert_int_equal(reason_of(str_of(reason_name(i))), i);
	assert_int_equal(reason_of(STR("nonsense")), REASON_N);
	assert_string_equal(reaction_name(REACT_PAUSE_DOMAIN), "pause-domain");
	assert_string_equal(reaction_name(REACT_N), "none");
}

/* ---- real replies, where they are ---- */

static const char *our_word(const char *category)
{
	static const char *const words[][2] = {{"policy", "content"}, {"spam", "content"},
		{"config", "relay"}, {"sender-rejected", "sender"}, {"mailbox-full", "full"},
		{"recipient-domain", "domain"}, {"recipient-disabled", "disabled"}};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(category, words[i][0]) == 0)
			return words[i][1];
	return category;
}

static void test_corpus(void **state)
{
	const char *folder = getenv("LETTERMILL_CORPUS");
	char path[4096], line[8192];
	size_t right = 0, all = 0;
	FILE *f;

	(void)state;
	snprintf(path, sizeof path, "%s/smtp-replies/replies.tsv",
		folder ? folder : "../shared/corpus");
	f = fopen(path, "r");
	if (!f) {
		print_message("skipped: there is no '%s'\n", path);
		skip();
	}
	while (fgets(line, sizeof line, f)) {
		struct str rest = {line, strlen(line)}, words, category;
		char label[64];
		const char *word;
		struct finding found;

		str_next(&rest, '\t', &words);
		if (!str_next(&rest, '\t', &category) || category.n >= sizeof label)
			continue;
		snprintf(label, sizeof label, "%.*s", STR_ARG(category));
		word = our_word(label);
		if (strcmp(word, "ambiguous") == 0 || strcmp(word, "our_category") == 0)
			continue;
		classify_words(PHASE_N, words, NULL, &found);
		all++;
		right += strcmp(word, reason_name(found.reason)) == 0;
		if (strcmp(word, "block") == 0 || strcmp(word, "auth") == 0 ||
			strcmp(word, "rate") == 0 || strcmp(word, "relay") == 0)
			assert_int_not_equal(found.action, REACT_SUPPRESS);
	}
	fclose(f);
	print_message("# %zu of %zu replies as labelled\n", right, all);
	assert_true(all > 200 && right * 100 >= all * 95);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
