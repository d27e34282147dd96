/* SPDX-License-Identifier: MIT */
#include "net/transport.h"

#include "base/enc.h"
#include "server.h"

/*
 * The same table for both transports: what the server does, what becomes of the messages, how many copies
 * the server has taken. Each message has exactly one outcome, no recipient gets two copies, a message that
 * is sent has been recorded, and one that is not (and is not in doubt) has not.
 */
struct counts {
	int sent, retry, fail, doubt, again, pause_relay, pause_issue, throttle;
};

struct row {
	const char *name;
	const char *args[SERVER_ARGS];
	int messages;
	unsigned connections, per_connection; /* 0: 1 connection, no limit */
	size_t octets; /* of a message beside its header; 0: 500 */
	const char *body; /* instead of so many octets */
	const char *recipient; /* instead of userN@example.org */
	bool utf8;
	bool no_server;
	bool again; /* what comes back VERDICT_AGAIN is submitted once more, as a delivery does */
	struct counts expect;
	enum smtp_phase phase; /* of every outcome that is not sent or again */
	int code;
	int esmtp_code; /* where it differs */
	struct counts esmtp; /* where it differs, and why: */
	const char *why;
	const char *curl_only; /* why */
};

#define PAUSED                                                                                     \
	{                                                                                          \
		.pause_relay = 1, .again = 1                                                       \
	}

/* A row's words side by side: */
/* clang-format off */
static const struct row rows[] = {
	{.name = "two hundred messages over five connections", .messages = 200, .connections = 5,
		.octets = 33000, .expect = {.sent = 200}},
	{.name = "one message", .messages = 1, .connections = 20, .expect = {.sent = 1}},
	{.name = "no pipelining", .args = {"--no", "PIPELINING"}, .messages = 60,
		.connections = 3, .expect = {.sent = 60}},
	{.name = "no extension at all", .args = {"--rule", "ehlo reply 502 5.5.1 what"},
		.messages = 30, .connections = 2, .expect = {.sent = 30}},
	{.name = "no chunking", .args = {"--no", "CHUNKING"}, .messages = 20, .connections = 2,
		.octets = 100000, .expect = {.sent = 20}},
	{.name = "seven messages a connection", .messages = 50, .connections = 2,
		.per_connection = 7, .expect = {.sent = 50}},
	{.name = "an empty message", .messages = 2, .body = "", .expect = {.sent = 2}},
	{.name = "dots and a missing line end", .messages = 3, .args = {"--no", "CHUNKING"},
		.body = ".\r\n..\r\n.x\r\n\r\n.\r\nlast.", .expect = {.sent = 3}},
	{.name = "one recipient refused", .messages = 100, .connections = 4,
		.args = {"--rule", "rcpt user17@example.org reply 550 5.1.1 no such user"},
		.expect = {.sent = 99, .fail = 1}, .phase = PHASE_RCPT, .code = 550},
	{.name = "one recipient refused, no pipelining", .messages = 40, .connections = 2,
		.args = {"--no", "PIPELINING", "--rule", "rcpt user17@* reply 550-5.1.1 no\\n550 5.1.1 such"},
		.expect = {.sent = 39, .fail = 1}, .phase = PHASE_RCPT, .code = 550},
	{.name = "every recipient refused", .messages = 30, .connections = 2,
		.args = {"--rule", "rcpt reply 550 5.1.1 no such user"}, .expect = {.fail = 30},
		.phase = PHASE_RCPT, .code = 550},
	{.name = "4xx to RCPT", .messages = 20,
		.args = {"--rule", "rcpt user3@* reply 450 4.2.1 later"},
		.expect = {.sent = 19, .retry = 1}, .phase = PHASE_RCPT, .code = 450},
	{.name = "4xx to DATA", .messages = 20,
		.args = {"--no", "CHUNKING", "--rule", "data n=4 reply 451 4.3.0 later"},
		.expect = {.sent = 19, .retry = 1}, .phase = PHASE_DATA, .code = 451},
	{.name = "5xx to DATA, no pipelining", .messages = 20,
		.args = {"--no", "PIPELINING", "--no", "CHUNKING", "--rule", "data n=4 reply 554 5.7.1 no"},
		.expect = {.sent = 19, .fail = 1}, .phase = PHASE_DATA, .code = 554},
	{.name = "4xx to the dot", .messages = 20,
		.args = {"--rule", "dot n=4 reply 451 4.3.0 later"},
		.expect = {.sent = 19, .retry = 1}, .phase = PHASE_DOT, .code = 451},
	{.name = "5xx to the dot", .messages = 20, .connections = 2,
		.args = {"--rule", "dot every=5 reply 554 5.6.0 spam"},
		.expect = {.sent = 16, .fail = 4}, .phase = PHASE_DOT, .code = 554},
	{.name = "4xx to MAIL", .messages = 10,
		.args = {"--rule", "mail n=3 reply 451 4.3.0 later"},
		.expect = {.sent = 9, .retry = 1}, .phase = PHASE_MAIL, .code = 451},
	{.name = "the sender refused", .messages = 2,
		.args = {"--rule", "mail reply 550 5.7.1 not you"},
		.expect = {.pause_issue = 2}, .phase = PHASE_MAIL, .code = 550},
	{.name = "login wanted", .messages = 2,
		.args = {"--rule", "mail reply 530 5.7.0 log in"}, .expect = PAUSED,
		.phase = PHASE_MAIL, .code = 530},
	{.name = "too large", .messages = 2, .octets = 5000, .args = {"--size", "2000"},
		.expect = {.pause_issue = 2}, .phase = PHASE_MAIL, .code = 0, .esmtp_code = 552},
	{.name = "SMTPUTF8", .messages = 1, .recipient = "us\xc3\xa9r@example.org", .utf8 = true,
		.expect = {.sent = 1}, .phase = PHASE_MAIL, .esmtp = {.fail = 1},
		.why = "libesmtp has no SMTPUTF8"},
	{.name = "SMTPUTF8 not offered", .messages = 1, .recipient = "us\xc3\xa9r@example.org",
		.utf8 = true, .args = {"--no", "SMTPUTF8"}, .expect = {.fail = 1},
		.phase = PHASE_MAIL},
	{.name = "a local part in quotes", .messages = 1,
		.recipient = "\"a> <b @c\\\"\"@example.org", .expect = {.sent = 1}},
	{.name = "quotes that end too early", .messages = 1,
		.recipient = "\"a\"> NOTIFY=NEVER <\"b\"@example.org", .expect = {.fail = 1},
		.phase = PHASE_RCPT},
	{.name = "quotes without an end", .messages = 1, .recipient = "\"a>@example.org",
		.expect = {.fail = 1}, .phase = PHASE_RCPT},
	{.name = "an address with a line end", .messages = 1,
		.recipient = "a@b>\r\nRCPT TO:<c@example.org", .expect = {.fail = 1},
		.phase = PHASE_RCPT},
	{.name = "421 to MAIL", .messages = 60, .connections = 3, .again = true,
		.args = {"--rule", "mail msg=4 reply 421 4.7.0 enough"}, .expect = {.sent = 60}},
	{.name = "421 to RCPT", .messages = 30, .connections = 2,
		.args = {"--rule", "rcpt n=10 reply 421 4.7.0 enough"}, .expect = {.sent = 30}},
	{.name = "421 to DATA", .messages = 30, .connections = 2,
		.args = {"--rule", "data n=9 reply 421 4.7.0 enough"}, .expect = {.sent = 30}},
	{.name = "421 to the dot", .messages = 30, .connections = 2,
		.args = {"--rule", "dot n=9 reply 421 4.7.0 enough"},
		.expect = {.sent = 29, .throttle = 1}, .phase = PHASE_DOT, .code = 421},
	{.name = "421 to every MAIL", .messages = 2,
		.args = {"--rule", "mail reply 421 4.3.2 down"}, .expect = PAUSED,
		.phase = PHASE_MAIL, .code = 421},
	/* Nothing was said about any copy: whatever others had meanwhile, none has used up an attempt. */
	{.name = "421 to the first MAIL of many connections", .messages = 60, .connections = 6,
		.args = {"--rule", "mail conn>=2 msg=1 reply 421 4.3.2 too many", "--reply-delay", "5"},
		.expect = {.sent = 60}},
	{.name = "closed at RCPT", .messages = 30, .connections = 3,
		.args = {"--rule", "rcpt n=7 close", "--rule", "rcpt n=19 reset"},
		.expect = {.sent = 30}},
	{.name = "closed at every MAIL", .messages = 2, .args = {"--rule", "mail close"},
		.expect = PAUSED, .phase = PHASE_MAIL},
	{.name = "always closed at one recipient", .messages = 20, .connections = 2,
		.args = {"--rule", "rcpt user4@* close"}, .expect = {.sent = 19, .retry = 1},
		.phase = PHASE_RCPT},
	{.name = "reset within the content", .messages = 3, .octets = 16000000,
		.args = {"--rule", "body once bytes=100000 reset"}, .expect = {.sent = 3}},
	{.name = "closed before the answer to the dot", .messages = 20, .connections = 2,
		.args = {"--rule", "dot n=5 close"}, .expect = {.sent = 19, .doubt = 1},
		.phase = PHASE_DOT},
	{.name = "recorded, then closed", .messages = 20, .connections = 2,
		.args = {"--rule", "after-dot n=5 reset"}, .expect = {.sent = 19, .doubt = 1},
		.phase = PHASE_DOT},
	{.name = "silent at MAIL once", .messages = 4, .args = {"--rule", "mail n=2 stall"},
		.expect = {.sent = 4}},
	{.name = "silent at one recipient", .messages = 10, .connections = 2,
		.args = {"--rule", "rcpt user4@* stall"}, .expect = {.sent = 9, .retry = 1},
		.phase = PHASE_RCPT},
	{.name = "silent after the dot", .messages = 4,
		.args = {"--rule", "after-dot n=2 stall"}, .expect = {.sent = 3, .doubt = 1},
		.phase = PHASE_DOT},
	{.name = "takes no content", .messages = 2, .octets = 16000000,
		.args = {"--rule", "body once bytes=100000 delay 4s"}, .expect = {.sent = 2}},
	{.name = "takes no content, no chunking", .messages = 2, .octets = 16000000,
		.args = {"--no", "CHUNKING", "--rule", "body once bytes=100000 delay 4s"}, .expect = {.sent = 2}},
	{.name = "no greeting", .messages = 2, .args = {"--rule", "connect stall"},
		.expect = PAUSED, .phase = PHASE_BANNER},
	{.name = "endless greeting", .messages = 2, .args = {"--rule", "connect endless"},
		.expect = PAUSED, .phase = PHASE_BANNER},
	{.name = "endless reply to EHLO", .messages = 2, .args = {"--rule", "ehlo endless"},
		.expect = PAUSED, .phase = PHASE_EHLO,
		.curl_only = "libesmtp reads on for ever"},
	{.name = "endless reply to RCPT", .messages = 4, .args = {"--rule", "rcpt once endless"},
		.expect = {.sent = 4}},
	{.name = "garbage for a greeting", .messages = 2, .args = {"--rule", "connect garbage"},
		.expect = PAUSED, .phase = PHASE_BANNER},
	{.name = "garbage at MAIL", .messages = 4, .args = {"--rule", "mail n=2 garbage"},
		.expect = {.sent = 4}},
	{.name = "garbage at the dot", .messages = 4,
		.args = {"--rule", "after-dot n=2 garbage"}, .expect = {.sent = 3, .doubt = 1},
		.phase = PHASE_DOT},
	{.name = "354 to RCPT", .messages = 4, .args = {"--rule", "rcpt once reply 354 go on"},
		.expect = {.sent = 4}},
	{.name = "nobody there", .messages = 2, .no_server = true, .expect = PAUSED,
		.phase = PHASE_CONNECT},
	{.name = "5xx greeting", .messages = 2, .args = {"--rule", "connect reply 554 5.7.1 no"},
		.expect = PAUSED, .phase = PHASE_BANNER, .code = 554},
	{.name = "421 greeting", .messages = 2,
		.args = {"--rule", "connect reply 421 4.3.2 busy"}, .expect = PAUSED,
		.phase = PHASE_BANNER, .code = 421},
	{.name = "EHLO refused", .messages = 2, .args = {"--rule", "ehlo reply 421 4.3.2 busy"},
		.expect = PAUSED, .phase = PHASE_EHLO, .code = 421},
	{.name = "one connection and no more", .messages = 40, .connections = 4,
		.args = {"--rule", "connect n>=2 reply 421 4.3.2 too many"},
		.expect = {.sent = 40},
		.curl_only = "libesmtp ends a session whenever nothing waits, and a second is refused"},
};
/* clang-format on */

/* ---- one row ---- */

struct run {
	const struct row *row;
	struct relay relay;
	struct server server;
	struct transport *transport;
	char (*recipient)[64];
	struct parts *message;
	bool *settled;
	atomic_uchar *stage;
	enum verdict_action *action;
	struct counts counts;
	int *again; /* to be submitted once more */
	int submitted, settled_n, again_n;
};

/* Most of it is referred to, as by render_parts(). */
static void message_make(struct parts *p, const struct row *row, int i)
{
	static char lines[6400];
	static const char line[] =
		"A line of sixty-two octets of text, which says nothing at all.\r\n";
	size_t octets = row->octets ? row->octets : 500;
	struct buf *b = &p->made;

	for (size_t n = 0; n < sizeof(lines); n++)
		lines[n] = line[n % 64];
	parts_init(p, 64 * 1024 * 1024);
	buf_printf(b,
		"From: News <news@example.org>\r\nTo: reader@example.org\r\nSubject: %d\r\n"
		"Date: Mon, 05 Jan 2026 07:00:00 +0000\r\nMessage-ID: <%d@example.org>\r\n"
		"MIME-Version: 1.0\r\n\r\n",
		i, i);
	if (row->body) {
		buf_cstr(b, row->body);
		octets = 0;
	}
	for (size_t n = 0; n < octets; n += sizeof(lines)) {
		size_t some =
			octets - n < sizeof(lines) ? (octets - n + 63) / 64 * 64 : sizeof(lines);

		parts_refer(p, (struct str){lines, some});
	}
	parts_end(p);
}

static void run_submit(struct run *r)
{
	while ((r->again_n || r->submitted < r->row->messages) && transport_room(r->transport, 0)) {
		int i = r->again_n ? r->again[--r->again_n] : r->submitted++;
		struct submission s = {
			.id = (uint64_t)i,
			.sender = STR("b-token@example.org"),
			.recipient =
				str_of(r->row->recipient ? r->row->recipient : r->recipient[i]),
			.utf8 = r->row->utf8,
			.envid = STR("issue+1"),
			.message = &r->message[i],
			/* One of the two ways that content goes: what has dots at the start of a line has no
			 * choice. */
			.dotless = !r->row->body && i % 2,
			.stage = &r->stage[i],
		};

		transport_submit(r->transport, &s, 1);
	}
}

static void run_settle(struct run *r, const struct outcome *o)
{
	struct counts *c = &r->counts;
	int *count[] = {
		[VERDICT_SENT] = &c->sent,
		[VERDICT_RETRY] = &c->retry,
		[VERDICT_FAIL] = &c->fail,
		[VERDICT_DOUBT] = &c->doubt,
		[VERDICT_AGAIN] = &c->again,
		[VERDICT_PAUSE_RELAY] = &c->pause_relay,
		[VERDICT_PAUSE_ISSUE] = &c->pause_issue,
		[VERDICT_THROTTLE] = &c->throttle,
	};
	int code = r->relay.transport == RELAY_ESMTP && r->row->esmtp_code ? r->row->esmtp_code
									   : r->row->code;

	assert_true(o->id < (uint64_t)r->row->messages);
	assert_false(r->settled[o->id]);
	assert_int_equal(r->stage[o->id], o->action == VERDICT_SENT    ? FLIGHT_TAKEN
					  : o->action == VERDICT_DOUBT ? FLIGHT_LEAVING
								       : FLIGHT_HERE);
	if (o->action == VERDICT_AGAIN && r->row->again) {
		r->again[r->again_n++] = (int)o->id;
		return;
	}
	r->settled[o->id] = true;
	r->action[o->id] = o->action;
	r->settled_n++;
	++*count[o->action];
	assert_true(o->took_ms >= 0);
	if (o->action == VERDICT_SENT) {
		assert_int_equal(o->phase, PHASE_DOT);
		assert_int_equal(o->reply.code, 250);
	} else if (o->action != VERDICT_AGAIN) {
		if (o->phase != r->row->phase || o->reply.code != code)
			fail_msg("%s: %s at %s: %d %s", r->row->name, verdict_name(o->action),
				smtp_phase_name(o->phase), o->reply.code, o->reply.text);
		assert_true(o->reply.text[0]);
	}
}

static void run_compare(const struct run *r)
{
	bool esmtp = r->relay.transport == RELAY_ESMTP;
	const struct counts *expect = esmtp && r->row->why ? &r->row->esmtp : &r->row->expect;
	const struct counts *c = &r->counts;
	char size[64];

	if (memcmp(c, expect, sizeof(*c)))
		fail_msg("%s: sent %d, retry %d, fail %d, doubt %d, again %d, relay %d, issue %d",
			r->row->name, c->sent, c->retry, c->fail, c->doubt, c->again,
			c->pause_relay, c->pause_issue);
	if (r->row->no_server)
		return;
	/* libesmtp leaves a session without waiting when it has not understood it. */
	if (r->server.exit_code != 0)
		fail_msg("%s: the protocol was broken: %s", r->row->name, r->server.log);
	for (int i = 0; i < r->row->messages; i++) {
		struct buf to;
		size_t copies;

		buf_init(&to, 1024);
		buf_cstr(&to, "\"to\":");
		enc_json(&to, str_of(r->row->recipient ? r->row->recipient : r->recipient[i]));
		buf_char(&to, '\0');
		copies = file_count(r->server.log, to.p);
		buf_free(&to);
		if (r->action[i] == VERDICT_DOUBT)
			assert_in_range(copies, 0, 1);
		else
			assert_int_equal(copies, r->action[i] == VERDICT_SENT);
	}
	/* Nothing was cut, added or left over: the octets the server has unstuffed are ours. */
	if (r->row->messages <= 10 && c->sent && !c->doubt) {
		size_t n = r->message[0].n;

		if (!str_has_suffix(buf_view(&r->message[0].made), STR("\r\n")))
			n += 2;
		snprintf(size, sizeof(size), "\"bytes\":%zu,", n);
		assert_int_equal(file_count(r->server.log, size), c->sent);
	}
	if (r->row->per_connection)
		assert_true(
			r->server.connections >= r->row->messages / (long)r->row->per_connection);
}

static void run(const struct row *row, enum relay_transport transport)
{
	struct run r = {.row = row};
	struct outcome out[8];
	struct err e;
	size_t n = (size_t)row->messages;

	server_start(&r.server, row->args);
	r.relay = (struct relay){.name = "test",
		.host = "127.0.0.1",
		.port = r.server.port,
		.transport = transport,
		.tls = RELAY_TLS_NONE,
		.helo = "client.example",
		.connections = row->connections ? row->connections : 1,
		.messages_per_connection = row->per_connection,
		.timeout_s = 1};
	if (row->no_server)
		server_stop(&r.server);
	r.recipient = calloc(n, sizeof(*r.recipient));
	r.message = calloc(n, sizeof(*r.message));
	r.settled = calloc(n, sizeof(*r.settled));
	r.action = calloc(n, sizeof(*r.action));
	r.stage = calloc(n, sizeof(*r.stage));
	r.again = calloc(n, sizeof(*r.again));
	for (int i = 0; i < row->messages; i++) {
		snprintf(r.recipient[i], sizeof(r.recipient[i]), "user%d@example.org", i);
		message_make(&r.message[i], row, i);
	}
	if (transport_open(&r.relay, 1, &r.transport, &e) < 0)
		fail_msg("%s", e.text);
	do {
		size_t got;

		run_submit(&r);
		got = transport_wait(r.transport, 1000, out, 8);
		for (size_t i = 0; i < got; i++)
			run_settle(&r, &out[i]);
	} while (r.settled_n < r.submitted ||
		 (r.submitted < row->messages && transport_room(r.transport, 0)));
	assert_int_equal(transport_wait(r.transport, 0, out, 8), 0);
	transport_stop(r.transport, 1000);
	assert_int_equal(transport_room(r.transport, 0), 0);
	transport_close(r.transport);
	if (!row->no_server)
		server_stop(&r.server);
	run_compare(&r);
	server_remove(&r.server);
	for (size_t i = 0; i < n; i++)
		parts_free(&r.message[i]);
	free(r.recipient);
	free(r.message);
	free(r.settled);
	free(r.again);
	free(r.action);
	free(r.stage);
}

static void test_row_curl(void **state)
{
	run(*state, RELAY_CURL);
}

static void test_row_esmtp(void **state)
{
	run(*state, RELAY_ESMTP);
}

int main(void)
{
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	static struct CMUnitTest tests[2 * ROWS];
	static char names[2 * ROWS][120];
	const char *only = getenv("ONLY");
	size_t n = 0;

	for (size_t i = 0; i < 2 * ROWS; i++) {
		const struct row *row = &rows[i % ROWS];
		bool esmtp = i >= ROWS;

		snprintf(names[n], sizeof(names[n]), "%s: %s", esmtp ? "esmtp" : "curl", row->name);
		if ((only && !strstr(names[n], only)) || (esmtp && row->curl_only))
			continue;
		tests[n] = (struct CMUnitTest){
			names[n], esmtp ? test_row_esmtp : test_row_curl, NULL, NULL, (void *)row};
		n++;
	}
	return _cmocka_run_group_tests("transports", tests, n, NULL, NULL);
}
