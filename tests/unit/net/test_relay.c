/* SPDX-License-Identifier: MIT */
#include "net/transport.h"

#include "server.h"

#include <pthread.h>

/*
 * What comes before the first message: TLS, login, and that nothing leaves where they fail. Also what
 * configuration may not ask for, and relay_probe().
 */
static char dir[] = "/tmp/lettermill-certs.XXXXXX";

static const char *in_dir(const char *name)
{
	static char paths[4][64];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

/* A certificate by the same authority whose name is another's. */
static const char other_certificate[] =
	"cd \"$0\" && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "
	"/CN=other.example "
	"-keyout other.key -out other.csr 2>/dev/null && "
	"printf 'subjectAltName=DNS:other.example\\n' > other.ext && "
	"openssl x509 -req -in other.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile "
	"other.ext "
	"-out other.crt 2>/dev/null && cat other.crt other.key > other.pem && "
	"openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 0 "
	"-extfile server.ext -out old.crt 2>/dev/null && cat old.crt server.key > old.pem && "
	"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
	"/CN=Stranger "
	"-keyout /dev/null -out stranger.pem 2>/dev/null";

static void run_program(const char *const *argv)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int make_certificates(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	run_program((const char *const[]){"tests/smtpd/make-certs", dir, NULL});
	run_program((const char *const[]){"sh", "-c", other_certificate, dir, NULL});
	return 0;
}

static int remove_certificates(void **state)
{
	(void)state;
	run_program((const char *const[]){"rm", "-r", dir, NULL});
	return 0;
}

/* ---- TLS and login ---- */

struct talk {
	pthread_mutex_t lock;
	char text[8192];
	size_t n;
};

static void on_dialogue(void *user, char direction, struct str line)
{
	struct talk *t = user;
	int n;

	pthread_mutex_lock(&t->lock);
	n = snprintf(t->text + t->n, sizeof(t->text) - t->n, "%c %.*s\n", direction, STR_ARG(line));
	t->n += (size_t)n < sizeof(t->text) - t->n ? (size_t)n : sizeof(t->text) - t->n - 1;
	pthread_mutex_unlock(&t->lock);
}

/* clang-format off */
static const struct row {
	const char *name;
	enum relay_tls tls;
	const char *certificate, *ca; /* names in `dir` */
	const char *password;         /* the server takes "letmein" */
	const char *args[8];
	bool sent;
	enum smtp_phase phase;
	int code;
	const char *text;
} rows[] = {
	{"STARTTLS", RELAY_TLS_STARTTLS, "server.pem", "ca.pem", NULL, {0}, .sent = true},
	{"implicit TLS", RELAY_TLS_IMPLICIT, "server.pem", "ca.pem", NULL, {"--implicit-tls"}, .sent = true},
	{"STARTTLS and login", RELAY_TLS_STARTTLS, "server.pem", "ca.pem", "letmein", {0}, .sent = true},
	{"login without TLS on this machine", RELAY_TLS_NONE, NULL, NULL, "letmein", {0}, .sent = true},
	{"wrong password", RELAY_TLS_STARTTLS, "server.pem", "ca.pem", "wrong", {0},
		.phase = PHASE_AUTH, .code = 535, .text = ""},
	{"login refused for now", RELAY_TLS_STARTTLS, "server.pem", "ca.pem", "letmein",
		{"--rule", "auth reply 454 4.7.0 later"}, .phase = PHASE_AUTH, .code = 454, .text = "later"},
	{"login not offered", RELAY_TLS_STARTTLS, "server.pem", "ca.pem", "letmein", {"--no", "AUTH"},
		.phase = PHASE_AUTH, .text = "no AUTH"},
	{"closed at login", RELAY_TLS_STARTTLS, "server.pem", "ca.pem", "letmein",
		{"--rule", "auth close"}, .phase = PHASE_AUTH, .text = ""},
	{"STARTTLS stripped", RELAY_TLS_STARTTLS, "server.pem", "ca.pem", "letmein", {"--no", "STARTTLS"},
		.phase = PHASE_STARTTLS, .text = "does not offer STARTTLS"},
	{"HELO only, so no STARTTLS", RELAY_TLS_STARTTLS, "server.pem", "ca.pem", "letmein",
		{"--rule", "ehlo reply 502 5.5.1 what"}, .phase = PHASE_EHLO, .code = 502, .text = "what"},
	{"STARTTLS refused", RELAY_TLS_STARTTLS, "server.pem", "ca.pem", "letmein",
		{"--rule", "starttls reply 454 4.7.0 no"}, .phase = PHASE_STARTTLS, .code = 454, .text = "no"},
	{"a reply injected before TLS", RELAY_TLS_STARTTLS, "server.pem", "ca.pem", "letmein",
		{"--rule", "starttls reply 220 ok\\n250 AUTH PLAIN"}, .phase = PHASE_STARTTLS, .text = ""},
	{"a handshake of garbage", RELAY_TLS_STARTTLS, "server.pem", "ca.pem", "letmein",
		{"--rule", "tls garbage"}, .phase = PHASE_STARTTLS, .text = ""},
	{"no handshake", RELAY_TLS_STARTTLS, "server.pem", "ca.pem", "letmein",
		{"--rule", "tls stall"}, .phase = PHASE_STARTTLS, .text = ""},
	{"no TLS at the port for it", RELAY_TLS_IMPLICIT, "server.pem", "ca.pem", "letmein", {0},
		.phase = PHASE_STARTTLS, .text = ""},
	{"an authority we do not know", RELAY_TLS_STARTTLS, "server.pem", "stranger.pem", "letmein", {0},
		.phase = PHASE_STARTTLS, .text = "certificate"},
	{"an authority the system does not know", RELAY_TLS_IMPLICIT, "server.pem", NULL, "letmein",
		{"--implicit-tls"}, .phase = PHASE_STARTTLS, .text = "certificate"},
	{"a certificate for another name", RELAY_TLS_STARTTLS, "other.pem", "ca.pem", "letmein", {0},
		.phase = PHASE_STARTTLS, .text = "127.0.0.1"},
	{"a certificate that is over", RELAY_TLS_STARTTLS, "old.pem", "ca.pem", "letmein", {0},
		.phase = PHASE_STARTTLS, .text = "expired"},
};
/* clang-format on */

static void relay_make(struct relay *relay, const struct row *row, uint16_t port, struct talk *talk)
{
	*relay = (struct relay){.name = "test",
		.host = "127.0.0.1",
		.port = port,
		.tls = row->tls,
		.ca_file = row->ca ? in_dir(row->ca) : NULL,
		.username = row->password ? "writer" : NULL,
		.password = row->password,
		.connections = 2,
		.timeout_s = 1,
		.on_dialogue = on_dialogue,
		.user = talk};
}

static void row_server(struct server *server, const struct row *row)
{
	const char *args[SERVER_ARGS] = {NULL};
	size_t n = 0;

	if (row->certificate) {
		args[n++] = "--cert";
		args[n++] = in_dir(row->certificate);
	}
	if (row->password) {
		args[n++] = "--auth";
		args[n++] = "writer:letmein";
	}
	for (size_t i = 0; row->args[i]; i++)
		args[n++] = row->args[i];
	server_start(server, args);
}

static struct str text[2] = {
	STR("Subject: x\r\nMessage-ID: <1@x>\r\n\r\nx\r\n"),
	STR("Subject: x\r\nMessage-ID: <2@x>\r\n\r\nx\r\n"),
};
static const struct parts message[2] = {
	{.list = {.p = (char *)&text[0], .n = sizeof text[0]}, .n = 35},
	{.list = {.p = (char *)&text[1], .n = sizeof text[1]}, .n = 35},
};
static const struct submission submissions[2] = {
	{1, 0, STR("b-1@example.org"), STR("reader@example.org"), false, STR(""), &message[0],
		false, NULL},
	{2, 0, STR("b-2@example.org"), STR("second@example.org"), false, STR(""), &message[1],
		false, NULL},
};

static void test_row(void **state)
{
	const struct row *row = *state;
	struct talk talk = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct server server;
	struct relay relay;
	struct transport *t;
	struct outcome out[2];
	size_t n = 0;

	row_server(&server, row);
	relay_make(&relay, row, server.port, &talk);
	assert_int_equal(transport_open(&relay, 1, &t, NULL), 0);
	transport_submit(t, submissions, 2);
	while (n < 2)
		n += transport_wait(t, 1000, out + n, 2 - n);
	transport_stop(t, 0);
	transport_close(t);
	server_stop(&server);
	if (row->sent) {
		assert_int_equal(out[0].action, VERDICT_SENT);
		assert_int_equal(out[1].action, VERDICT_SENT);
		assert_int_equal(file_count(server.log, "\"message_id\""), 2);
		assert_int_equal(
			file_count(server.log, "\"tls\":true"), row->tls == RELAY_TLS_NONE ? 0 : 2);
		assert_int_equal(file_count(server.log, "\"auth\":true"), row->password ? 2 : 0);
	} else {
		if (out[0].action != VERDICT_PAUSE_RELAY || out[0].phase != row->phase ||
			out[0].reply.code != row->code || !strstr(out[0].reply.text, row->text))
			fail_msg("%s at %s: %d %s", verdict_name(out[0].action),
				smtp_phase_name(out[0].phase), out[0].reply.code,
				out[0].reply.text);
		assert_int_equal(out[1].action, VERDICT_AGAIN);
		assert_int_equal(file_count(server.transcript, " C MAIL"), 0);
		if (row->phase < PHASE_AUTH)
			assert_int_equal(file_count(server.transcript, " C AUTH"), 0);
	}
	/* "\0writer\0letmein" and "letmein" in base64, and in clear. */
	assert_null(strstr(talk.text, "AHdyaXRlcgBsZXRtZWlu"));
	assert_null(strstr(talk.text, "bGV0bWVpbg"));
	assert_null(strstr(talk.text, "letmein"));
	server_remove(&server);
}

static void test_dialogue(void **state)
{
	static const char *const lines[] = {"< 220 ", "> EHLO ", "< 250-PIPELINING\n",
		"> STARTTLS\n", "< 220 ", "> EHLO ", "> AUTH PLAIN\n", "< 334", "> (secret)\n",
		"< 235 ", "> MAIL FROM:<b-1@example.org> SIZE=", "> RCPT TO:<reader@example.org> ",
		"> DATA\n", "< 250 ", "< 354 ", "> (message of ", "< 250 ", "> QUIT\n", "< 221 "};
	struct talk talk = {.lock = PTHREAD_MUTEX_INITIALIZER};
	const struct row *row = &rows[2];
	struct server server;
	struct relay relay;
	struct transport *t;
	struct outcome out;
	const char *at = talk.text;

	(void)state;
	row_server(&server, row);
	relay_make(&relay, row, server.port, &talk);
	assert_int_equal(transport_open(&relay, 1, &t, NULL), 0);
	transport_submit(t, submissions, 1);
	assert_int_equal(transport_wait(t, 5000, &out, 1), 1);
	transport_stop(t, 1000);
	transport_close(t);
	server_stop(&server);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *found = strstr(at, lines[i]);

		if (!found)
			fail_msg("no '%s' in\n%s", lines[i], at);
		at = found + 1;
	}
	server_remove(&server);
}

/* ---- relay_probe() ---- */

static void test_probe(void **state)
{
	struct talk talk = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct relay_facts f;
	struct server server;
	struct relay relay;
	struct err e;

	(void)state;
	row_server(&server, &rows[2]);
	relay_make(&relay, &rows[2], server.port, &talk);
	if (relay_probe(&relay, &f, &e) < 0)
		fail_msg("%s", e.text);
	assert_non_null(strstr(f.greeting, "ESMTP"));
	assert_true(f.caps.pipelining && f.caps.dsn && f.caps.smtputf8 && f.caps.has_size);
	assert_string_equal(f.caps.auth, "PLAIN LOGIN");
	assert_true(str_has_prefix(str_of(f.tls_version), STR("TLSv1.")));
	assert_true(f.tls_cipher[0]);
	assert_non_null(strstr(f.certificate_subject, "localhost"));
	assert_non_null(strstr(f.certificate_issuer, "Test authority"));
	assert_true(f.certificate_expires[0]);
	assert_true(f.authenticated);
	server_stop(&server);
	assert_int_equal(file_count(server.transcript, " C QUIT"), 1);
	assert_int_equal(file_count(server.transcript, " C MAIL"), 0);
	server_remove(&server);

	/* Nobody is there any more. */
	assert_int_equal(relay_probe(&relay, &f, &e), -1);
	assert_int_equal(e.code, ERR_RELAY);
	assert_non_null(strstr(e.text, "phase connect"));
}

static void test_probe_refused(void **state)
{
	struct talk talk = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct relay_facts f;
	struct server server;
	struct relay relay;
	struct err e;

	(void)state;
	row_server(&server, &rows[4]);
	relay_make(&relay, &rows[4], server.port, &talk);
	assert_int_equal(relay_probe(&relay, &f, &e), -1);
	assert_int_equal(e.code, ERR_RELAY);
	assert_non_null(strstr(e.text, "phase auth: it said '535"));
	server_stop(&server);
	server_remove(&server);
}

/* ---- what configuration may not ask for ---- */

static void test_refused(void **state)
{
	static const struct {
		struct relay relay;
		const char *text;
	} refused[] = {
		{{.host = "mx.example.org",
			 .tls = RELAY_TLS_NONE,
			 .username = "u",
			 .password = "p"},
			"in clear"},
		{{.host = "mx.example.org", .username = "u"}, "go together"},
		{{.host = "127.0.0.1", .transport = RELAY_ESMTP, .tls = RELAY_TLS_STARTTLS},
			"injected"},
		{{.host = "127.0.0.1",
			 .transport = RELAY_ESMTP,
			 .tls = RELAY_TLS_NONE,
			 .username = "u",
			 .password = "p"},
			"no login"},
		{{.host = "mx.example.org", .transport = RELAY_ESMTP, .tls = RELAY_TLS_NONE},
			"on this machine"},
		{{.host = "128.0.0.1", .transport = RELAY_ESMTP, .tls = RELAY_TLS_NONE},
			"on this machine"},
		{{.host = "127.0.0.1.example.org", .transport = RELAY_ESMTP, .tls = RELAY_TLS_NONE},
			"on this machine"},
		{{.host = "::1", .transport = RELAY_ESMTP, .tls = RELAY_TLS_NONE}, "IPv6"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct relay relay = refused[i].relay;
		struct transport *t = NULL;
		struct relay_facts facts;
		struct err e = {0};

		relay.name = "main";
		relay.connections = 1;
		assert_int_equal(transport_open(&relay, 1, &t, &e), -1);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_true(str_has_prefix(str_of(e.text), STR("relay 'main': ")));
		if (!strstr(e.text, refused[i].text))
			fail_msg("%s", e.text);
		assert_null(t);
		assert_int_equal(relay_probe(&relay, &facts, &e), -1);
	}
}

int main(void)
{
	enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
	static struct CMUnitTest tests[ROWS + 4] = {
		cmocka_unit_test(test_dialogue),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_probe_refused),
		cmocka_unit_test(test_refused),
	};

	for (size_t i = 0; i < ROWS; i++)
		tests[4 + i] =
			(struct CMUnitTest){rows[i].name, test_row, NULL, NULL, (void *)&rows[i]};
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
