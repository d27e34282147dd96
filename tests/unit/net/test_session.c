/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "net/transport.h"

#include "server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

/*
 * Relays that answer as no relay should: a thread that says what a table says for each verb, whatever has
 * come before. And what becomes of the messages when the transport is stopped.
 */
struct answer {
	const char *verb; /* the line begins so; "." is the dot */
	const char *reply;
};

struct canned {
	const struct answer *answers;
	int listener;
	uint16_t port;
	pthread_t thread;
	char heard[4096]; /* what the last connection said */
	size_t heard_n;
};

static const char *canned_reply(const struct canned *c, const char *line)
{
	for (const struct answer *a = c->answers; a->verb; a++) {
		if (!strncmp(line, a->verb, strlen(a->verb)))
			return a->reply;
	}
	return NULL;
}

static void canned_say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		return; /* the client has gone */
}

static void canned_talk(struct canned *c, FILE *f)
{
	const char *greeting = canned_reply(c, "greeting");
	char line[512];

	c->heard_n = 0;
	canned_say(fileno(f), greeting ? greeting : "220 canned\r\n");
	while (fgets(line, sizeof(line), f)) {
		const char *reply = canned_reply(c, line);
		size_t n = strlen(line);

		if (c->heard_n + n < sizeof(c->heard)) {
			memcpy(c->heard + c->heard_n, line, n + 1);
			c->heard_n += n;
		}
		if (reply)
			canned_say(fileno(f), reply);
	}
}

static void *canned_run(void *arg)
{
	struct canned *c = arg;
	int fd;

	while ((fd = accept(c->listener, NULL, NULL)) >= 0) {
		FILE *f = fdopen(fd, "r");

		canned_talk(c, f);
		fclose(f);
	}
	return NULL;
}

static void canned_start(struct canned *c, const struct answer *answers)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(addr);

	*c = (struct canned){.answers = answers, .listener = socket(AF_INET, SOCK_STREAM, 0)};
	assert_int_equal(bind(c->listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(c->listener, 10), 0);
	assert_int_equal(getsockname(c->listener, (struct sockaddr *)&addr, &n), 0);
	c->port = ntohs(addr.sin_port);
	assert_int_equal(pthread_create(&c->thread, NULL, canned_run, c), 0);
}

static void canned_stop(struct canned *c)
{
	shutdown(c->listener, SHUT_RDWR);
	pthread_join(c->thread, NULL);
	close(c->listener);
}

static struct str text = STR("Subject: x\r\n\r\nthe content\r\n");
static const struct parts message = {.list = {.p = (char *)&text, .n = sizeof text}, .n = 28};
static const struct submission submission = {7, 0, STR("b-1@example.org"),
	STR("reader@example.org"), false, STR(""), &message, false, NULL};

static void relay_make(struct relay *relay, uint16_t port)
{
	*relay = (struct relay){.name = "test",
		.host = "127.0.0.1",
		.port = port,
		.tls = RELAY_TLS_NONE,
		.helo = "client.example",
		.connections = 1,
		.timeout_s = 1};
}

static void send_one(uint16_t port, struct outcome *out)
{
	struct transport *t;
	struct relay relay;

	relay_make(&relay, port);
	assert_int_equal(transport_open(&relay, 1, &t, NULL), 0);
	transport_submit(t, &submission, 1);
	while (!transport_wait(t, 1000, out, 1))
		;
	transport_stop(t, 1000);
	transport_close(t);
}

#define EHLO                                                                                       \
	{                                                                                          \
		"EHLO", "250-canned\r\n250 PIPELINING\r\n"                                         \
	}
#define EHLO_SIMPLE                                                                                \
	{                                                                                          \
		"EHLO", "250 canned\r\n"                                                           \
	}

/* DATA is answered 354 although nobody is left to send to: a lone dot, and no content. */
static void test_lone_dot(void **state)
{
	static const struct answer tables[2][8] = {
		{EHLO, {"MAIL", "250 ok\r\n"}, {"RCPT", "550 5.1.1 no\r\n"}, {"DATA", "354 go\r\n"},
			{".", "554 no recipient\r\n"}, {"QUIT", "221 bye\r\n"}, {0}},
		{EHLO, {"MAIL", "550 not you\r\n"}, {"RCPT", "503 MAIL first\r\n"},
			{"DATA", "354 go\r\n"}, {".", "250 and now?\r\n"}, {"QUIT", "221 bye\r\n"},
			{0}},
	};
	static const enum verdict_action actions[2] = {VERDICT_FAIL, VERDICT_PAUSE_ISSUE};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct canned c;
		struct outcome out;

		canned_start(&c, tables[i]);
		send_one(c.port, &out);
		canned_stop(&c);
		assert_int_equal(out.action, actions[i]);
		assert_int_equal(out.reply.code, 550);
		assert_non_null(strstr(c.heard, "DATA\r\n.\r\n"));
		assert_null(strstr(c.heard, "content"));
	}
}

/* Answers to what has not been asked: never "sent". */
static void test_answers_in_advance(void **state)
{
	static const struct answer tables[][8] = {
		{{"EHLO", "250-canned\r\n250 PIPELINING\r\n250 a\r\n250 b\r\n354 c\r\n250 d\r\n"},
			{0}},
		{EHLO, {"MAIL", "250 a\r\n250 b\r\n354 c\r\n250 d\r\n"}, {0}},
		{EHLO, {"DATA", "250 a\r\n250 b\r\n354 c\r\n250 d\r\n"}, {0}},
		{EHLO_SIMPLE, {"MAIL", "250 a\r\n250 b\r\n354 c\r\n250 d\r\n"}, {0}},
		{EHLO_SIMPLE, {"MAIL", "250 a\r\n"}, {"RCPT", "250 b\r\n"},
			{"DATA", "354 c\r\n250 d\r\n"}, {0}},
		{EHLO, {"MAIL", "250 a\r\n"}, {"RCPT", "250 b\r\n"}, {"DATA", "250 d\r\n"}, {0}},
		{EHLO, {"MAIL", "250 a\r\n"}, {"RCPT", "150 b\r\n"}, {"DATA", "354 d\r\n"}, {0}},
		{EHLO, {"MAIL", "250 a\r\n"}, {"RCPT", "250 b\r\n"}, {"DATA", "654 d\r\n"}, {0}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		struct canned c;
		struct outcome out;

		canned_start(&c, tables[i]);
		send_one(c.port, &out);
		canned_stop(&c);
		if (out.action != VERDICT_PAUSE_RELAY)
			fail_msg("%zu: %s at %s: %d %s", i, verdict_name(out.action),
				smtp_phase_name(out.phase), out.reply.code, out.reply.text);
	}
}

/* A refusal that comes while the content is still on its way is a verdict, and ends the session. */
static void test_refused_within_content(void **state)
{
	static const struct answer table[] = {EHLO, {"MAIL", "250 a\r\n"}, {"RCPT", "250 b\r\n"},
		{"DATA", "354 c\r\n552 5.3.4 too large\r\n"}, {0}};
	struct canned c;
	struct outcome out;

	(void)state;
	canned_start(&c, table);
	send_one(c.port, &out);
	canned_stop(&c);
	assert_int_equal(out.action, VERDICT_PAUSE_ISSUE);
	assert_int_equal(out.finding.reason, REASON_SIZE);
	assert_int_equal(out.phase, PHASE_BODY);
	assert_int_equal(out.reply.code, 552);
}

/* ---- stopping ---- */

struct stop_row {
	const char *name, *rule;
	const char *seen; /* in the transcript when it is time to stop */
	enum verdict_action action;
};

static const struct stop_row stop_rows[] = {
	{"stopped while connecting", "connect stall", NULL, VERDICT_AGAIN},
	{"stopped at RCPT", "rcpt stall", " C RCPT", VERDICT_AGAIN},
	{"stopped after the dot", "after-dot stall", "message_id", VERDICT_DOUBT},
};

static void stop_run(const struct stop_row *row, enum relay_transport transport)
{
	const char *args[] = {"--rule", row->rule, NULL};
	struct server server;
	struct transport *t;
	struct relay relay;
	struct outcome out;

	server_start(&server, args);
	relay_make(&relay, server.port);
	relay.transport = transport;
	relay.timeout_s = 100;
	assert_int_equal(transport_open(&relay, 1, &t, NULL), 0);
	transport_submit(t, &submission, 1);
	while (row->seen && !file_count(server.transcript, row->seen) &&
		!file_count(server.log, row->seen))
		assert_int_equal(transport_wait(t, 10, &out, 1), 0);
	transport_stop(t, 0);
	assert_int_equal(transport_wait(t, 10000, &out, 1), 1);
	assert_int_equal(out.id, 7);
	assert_int_equal(out.action, row->action);
	assert_int_equal(transport_wait(t, 0, &out, 1), 0);
	transport_submit(t, &submission, 1);
	assert_int_equal(transport_wait(t, 10000, &out, 1), 1);
	assert_int_equal(out.action, VERDICT_AGAIN);
	transport_close(t);
	server_stop(&server);
	server_remove(&server);
}

static void test_stop(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		stop_run(&stop_rows[i], RELAY_CURL);
		stop_run(&stop_rows[i], RELAY_ESMTP);
	}
}

/* What is in flight may end within the grace. */
static void test_grace(void **state)
{
	const char *args[] = {"--dot-delay", "200", NULL};
	struct server server;
	struct transport *t;
	struct relay relay;
	struct outcome out;

	(void)state;
	for (int i = 0; i < 2; i++) {
		server_start(&server, args);
		relay_make(&relay, server.port);
		relay.transport = i ? RELAY_ESMTP : RELAY_CURL;
		assert_int_equal(transport_open(&relay, 1, &t, NULL), 0);
		transport_submit(t, &submission, 1);
		while (!file_count(server.transcript, " C DATA") &&
			!file_count(server.transcript, " C BDAT"))
			assert_int_equal(transport_wait(t, 10, &out, 1), 0);
		transport_stop(t, 10000);
		assert_int_equal(transport_wait(t, 10000, &out, 1), 1);
		assert_int_equal(out.action, VERDICT_SENT);
		transport_close(t);
		server_stop(&server);
		assert_int_equal(file_count(server.transcript, " C QUIT"), 1);
		server_remove(&server);
	}
}

/* ---- several relays ---- */

static void submit_to(struct transport *t, unsigned relay, uint64_t id)
{
	struct submission s = submission;

	s.relay = relay;
	s.id = id;
	transport_submit(t, &s, 1);
}

static void expect_outcome(
	struct transport *t, uint64_t id, unsigned relay, enum verdict_action action)
{
	struct outcome out;

	assert_int_equal(transport_wait(t, 10000, &out, 1), 1);
	assert_int_equal(out.id, id);
	assert_int_equal(out.relay, relay);
	if (out.action != action)
		fail_msg("%s: %d %s", verdict_name(out.action), out.reply.code, out.reply.text);
}

/* The trouble of one is its own; a probe opens one connection, and what it proves opens the rest. */
static void test_trouble_is_a_relays_own(void **state)
{
	const char *bad[] = {"--rule", "connect n<=2 reply 421 4.3.2 down", NULL};
	const char *refuses[] = {"--rule", "mail reply 550 5.7.1 not you", NULL};
	struct server server[3];
	struct relay relay[4];
	struct transport *t;

	(void)state;
	server_start(&server[0], NULL);
	server_start(&server[1], bad);
	server_start(&server[2], refuses);
	for (size_t i = 0; i < 4; i++)
		relay_make(&relay[i], server[i % 3].port);
	relay[1].connections = 3;
	relay[3].transport = RELAY_ESMTP;
	assert_int_equal(transport_open(relay, 4, &t, NULL), 0);
	assert_int_equal(transport_room(t, 1), 3 * TRANSPORT_DEPTH);
	for (uint64_t id = 0; id < 2; id++) { /* the second one is no probe: it was not resumed */
		submit_to(t, 1, id);
		expect_outcome(t, id, 1, id ? VERDICT_AGAIN : VERDICT_PAUSE_RELAY);
		assert_int_equal(transport_room(t, 1), 0);
	}
	submit_to(t, 0, 2);
	expect_outcome(t, 2, 0, VERDICT_SENT);
	submit_to(t, 2, 3);
	expect_outcome(t, 3, 2, VERDICT_PAUSE_ISSUE);
	assert_int_equal(transport_room(t, 2), TRANSPORT_DEPTH);
	submit_to(t, 3, 4);
	expect_outcome(t, 4, 3, VERDICT_SENT);
	transport_resume(t, 1, 1);
	assert_int_equal(transport_room(t, 1), TRANSPORT_DEPTH);
	submit_to(t, 1, 5);
	expect_outcome(t, 5, 1, VERDICT_PAUSE_RELAY);
	transport_resume(t, 1, 1);
	submit_to(t, 1, 6);
	expect_outcome(t, 6, 1, VERDICT_SENT);
	transport_resume(t, 1, 0);
	assert_int_equal(transport_room(t, 1), 3 * TRANSPORT_DEPTH);
	transport_close(t);
	for (size_t i = 0; i < 3; i++) {
		server_stop(&server[i]);
		server_remove(&server[i]);
	}
	assert_int_equal(server[1].connections, 3);
}

/* What waits behind its time is not begun. */
static void test_until(void **state)
{
	struct server server;
	struct relay relay;
	struct transport *t;

	(void)state;
	server_start(&server, NULL);
	for (uint64_t id = 0; id < 2; id++) {
		relay_make(&relay, server.port);
		relay.transport = id ? RELAY_ESMTP : RELAY_CURL;
		assert_int_equal(transport_open(&relay, 1, &t, NULL), 0);
		transport_until(t, clock_mono_ms());
		submit_to(t, 0, id);
		expect_outcome(t, id, 0, VERDICT_AGAIN);
		transport_until(t, clock_mono_ms() + 60000);
		submit_to(t, 0, id);
		expect_outcome(t, id, 0, VERDICT_SENT);
		transport_close(t);
	}
	server_stop(&server);
	server_remove(&server);
}

/* A connection that has nothing to do is given back, and another is opened when there is something. */
static void test_idle(void **state)
{
	struct server server;
	struct relay relay;
	struct transport *t;
	struct outcome out;

	(void)state;
	server_start(&server, NULL);
	relay_make(&relay, server.port);
	assert_int_equal(transport_open(&relay, 1, &t, NULL), 0);
	for (uint64_t id = 0; id < 2; id++) {
		submit_to(t, 0, id);
		expect_outcome(t, id, 0, VERDICT_SENT);
		while (file_count(server.transcript, " C QUIT") <= id)
			assert_int_equal(transport_wait(t, 10, &out, 1), 0);
	}
	transport_close(t);
	server_stop(&server);
	assert_int_equal(server.connections, 2);
	server_remove(&server);
}

static void test_close_unused(void **state)
{
	struct transport *t;
	struct relay relay;

	(void)state;
	for (int i = 0; i < 2; i++) {
		relay_make(&relay, 1);
		relay.transport = i ? RELAY_ESMTP : RELAY_CURL;
		assert_int_equal(transport_open(&relay, 1, &t, NULL), 0);
		assert_int_equal(transport_room(t, 0), TRANSPORT_DEPTH);
		transport_close(t);
	}
	transport_close(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lone_dot),
		cmocka_unit_test(test_answers_in_advance),
		cmocka_unit_test(test_refused_within_content),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_grace),
		cmocka_unit_test(test_trouble_is_a_relays_own),
		cmocka_unit_test(test_until),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_close_unused),
	};

	signal(SIGPIPE, SIG_IGN); /* of the canned relay */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
