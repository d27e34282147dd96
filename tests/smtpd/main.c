/* SPDX-License-Identifier: MIT */
#include "smtpd.h"

#include "base/file.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { EXIT_VIOLATIONS = 3, EXIT_USAGE = 64 };

static const char usage[] =
	"Usage: smtpd [OPTION]...\n"
	"\n"
	"A scripted SMTP server on 127.0.0.1 for tests. Prints \"listening PORT\", takes mail "
	"until\n"
	"SIGTERM (or the end of its parent), then prints a summary as JSON. Exit code 3: the "
	"client\n"
	"broke the protocol.\n"
	"\n"
	"  --port N              0, the default, takes a free one\n"
	"  --port-file FILE      write the port there instead of printing it\n"
	"  --max-seconds N       be killed by SIGALRM after that time, for safety\n"
	"  --rule RULE           see below; may be repeated\n"
	"  --script FILE         rules, one a line, '#' starts a comment\n"
	"  --no EXTENSION        withhold PIPELINING, SIZE, 8BITMIME, SMTPUTF8, DSN,\n"
	"                        ENHANCEDSTATUSCODES, CHUNKING, STARTTLS or AUTH; may be repeated\n"
	"  --size N              largest message in octets\n"
	"  --cert FILE           certificate chain (PEM): offers STARTTLS\n"
	"  --key FILE            its key, when not in the same file\n"
	"  --implicit-tls        TLS from the first octet\n"
	"  --require-tls         no MAIL without TLS\n"
	"  --auth USER:PASSWORD  no MAIL without AUTH PLAIN or LOGIN\n"
	"  --reply-delay MS      each reply comes so late: a round trip emulated\n"
	"  --dot-delay MS        the reply to a message takes so much longer\n"
	"  --log FILE            a JSON line for each accepted copy and each violation\n"
	"  --sha256              with the digest of each message\n"
	"  --maildir DIR         keep the messages\n"
	"  --transcript FILE     the dialogue: CONNECTION C|S LINE\n"
	"  --help\n"
	"\n"
	"RULE is  STEP [ADDRESS] [CONDITION]... [ACTION]... [reply TEXT]\n"
	"  STEP       connect helo ehlo starttls tls auth mail rcpt data body dot after-dot rset "
	"quit\n"
	"  ADDRESS    a pattern such as *@example.org: the sender at mail, a recipient elsewhere\n"
	"  CONDITION  n=3 n=2..4 n>=5 n<=2   the n-th time in the run that STEP and ADDRESS fit\n"
	"             conn=...               number of the connection\n"
	"             msg=...                number of the message on its connection\n"
	"             every=10  once  bytes=N (body: when so many octets have come)\n"
	"  ACTION     delay 200ms, garbage, close, reset, stall, endless\n"
	"  TEXT       one or more reply lines, \\n between them\n"
	"The first rule that fires wins. See README.md beside the source.\n";

enum {
	O_PORT = 256,
	O_PORT_FILE,
	O_MAX_SECONDS,
	O_RULE,
	O_SCRIPT,
	O_NO,
	O_SIZE,
	O_CERT,
	O_KEY,
	O_IMPLICIT_TLS,
	O_REQUIRE_TLS,
	O_AUTH,
	O_REPLY_DELAY,
	O_DOT_DELAY,
	O_LOG,
	O_SHA256,
	O_MAILDIR,
	O_TRANSCRIPT,
	O_HELP,
};

static const struct option longs[] = {
	{"port", required_argument, NULL, O_PORT},
	{"port-file", required_argument, NULL, O_PORT_FILE},
	{"max-seconds", required_argument, NULL, O_MAX_SECONDS},
	{"rule", required_argument, NULL, O_RULE},
	{"script", required_argument, NULL, O_SCRIPT},
	{"no", required_argument, NULL, O_NO},
	{"size", required_argument, NULL, O_SIZE},
	{"cert", required_argument, NULL, O_CERT},
	{"key", required_argument, NULL, O_KEY},
	{"implicit-tls", no_argument, NULL, O_IMPLICIT_TLS},
	{"require-tls", no_argument, NULL, O_REQUIRE_TLS},
	{"auth", required_argument, NULL, O_AUTH},
	{"reply-delay", required_argument, NULL, O_REPLY_DELAY},
	{"dot-delay", required_argument, NULL, O_DOT_DELAY},
	{"log", required_argument, NULL, O_LOG},
	{"sha256", no_argument, NULL, O_SHA256},
	{"maildir", required_argument, NULL, O_MAILDIR},
	{"transcript", required_argument, NULL, O_TRANSCRIPT},
	{"help", no_argument, NULL, O_HELP},
	{NULL, 0, NULL, 0},
};

static void __attribute__((noreturn)) fail(int code, const char *text)
{
	fprintf(stderr, "smtpd: %s\n", text);
	exit(code);
}

static int64_t number(const char *value, int64_t max)
{
	int64_t v;

	if (!str_to_int(str_of(value), 0, max, &v))
		fail(EXIT_USAGE, "an option's number is none, or too large");
	return v;
}

static void withhold(struct options *o, const char *name)
{
	for (size_t i = 0; i < extension_name_n; i++)
		if (str_eq_nocase(str_of(name), str_of(extension_names[i].name))) {
			o->extensions &= ~(unsigned)extension_names[i].bit;
			return;
		}
	fail(EXIT_USAGE, "--no: no such extension");
}

static void credentials(struct options *o, char *value)
{
	struct str all = str_of(value);
	size_t colon = str_find(all, ':');

	if (colon == all.n)
		fail(EXIT_USAGE, "--auth wants USER:PASSWORD");
	value[colon] = 0;
	o->user = value;
	o->password = value + colon + 1;
}

static void option_text(struct options *o, int option, char *value)
{
	struct err e;

	switch (option) {
	case O_PORT_FILE:
		o->port_file = value;
		break;
	case O_RULE:
		if (script_add(&o->script, str_of(value), &e) < 0)
			fail(EXIT_USAGE, e.text);
		break;
	case O_SCRIPT:
		if (script_read(&o->script, value, &e) < 0)
			fail(EXIT_USAGE, e.text);
		break;
	case O_NO:
		withhold(o, value);
		break;
	case O_CERT:
		o->cert = value;
		break;
	case O_KEY:
		o->key = value;
		break;
	case O_AUTH:
		credentials(o, value);
		break;
	case O_LOG:
		o->log = value;
		break;
	case O_MAILDIR:
		o->maildir = value;
		break;
	case O_TRANSCRIPT:
		o->transcript = value;
		break;
	default:
		fail(EXIT_USAGE, "see smtpd --help");
	}
}

static void options_read(struct options *o, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) >= 0) {
		switch (option) {
		case O_PORT:
			o->port = (int)number(optarg, 65535);
			break;
		case O_MAX_SECONDS:
			o->max_seconds = number(optarg, 86400);
			break;
		case O_SIZE:
			o->size = (uint64_t)number(optarg, 1 << 30);
			break;
		case O_IMPLICIT_TLS:
			o->implicit_tls = true;
			break;
		case O_REQUIRE_TLS:
			o->require_tls = true;
			break;
		case O_REPLY_DELAY:
			o->reply_delay_ms = number(optarg, 3600000);
			break;
		case O_DOT_DELAY:
			o->dot_delay_ms = number(optarg, 3600000);
			break;
		case O_SHA256:
			o->sha256 = true;
			break;
		case O_HELP:
			fputs(usage, stdout);
			exit(0);
		default:
			option_text(o, option, optarg);
		}
	}
	if (optind < argc || ((o->implicit_tls || o->require_tls) && !o->cert))
		fail(EXIT_USAGE, "TLS needs --cert; see smtpd --help");
}

/* Appears at once with its content, so that a test may wait for it. */
static void port_announce(const struct options *o)
{
	char line[16];
	int n = snprintf(line, sizeof(line), "%d\n", o->port);
	struct err e;

	if (!o->port_file) {
		printf("listening %s", line);
		fflush(stdout);
	} else if (file_write(o->port_file, (struct str){line, (size_t)n}, 0644, &e) < 0) {
		fail(EXIT_USAGE, e.text);
	}
}

int main(int argc, char **argv)
{
	struct options o = {.extensions = ~0u, .size = 50 << 20};
	pid_t parent = getppid();
	struct server s;
	struct err e;
	int code;

	options_read(&o, argc, argv);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		return 0;
	if (server_open(&s, &o, &e) < 0)
		fail(err_exit_code(e.code), e.text);
	port_announce(&o);
	if (server_run(&s, &e) < 0)
		fail(err_exit_code(e.code), e.text);
	record_summary(&s);
	code = s.totals.violations ? EXIT_VIOLATIONS : 0;
	server_close(&s);
	script_free(&o.script);
	return code;
}
