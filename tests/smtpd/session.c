/* SPDX-License-Identifier: MIT */
#include "smtpd.h"

#include <inttypes.h>
#include <string.h>

const struct extension_name extension_names[] = {
	{"PIPELINING", EXT_PIPELINING},
	{"SIZE", EXT_SIZE},
	{"8BITMIME", EXT_8BITMIME},
	{"SMTPUTF8", EXT_SMTPUTF8},
	{"DSN", EXT_DSN},
	{"ENHANCEDSTATUSCODES", EXT_ENHANCED},
	{"CHUNKING", EXT_CHUNKING},
	{"STARTTLS", EXT_STARTTLS},
	{"AUTH", EXT_AUTH},
};
const size_t extension_name_n = sizeof(extension_names) / sizeof(extension_names[0]);

/* What this connection offers now. */
static unsigned offered(const struct conn *c)
{
	const struct options *o = c->server->o;
	unsigned ext = o->extensions;

	if (!o->cert || c->tls == TLS_UP)
		ext &= ~(unsigned)EXT_STARTTLS;
	if (!o->user || ext & EXT_STARTTLS)
		ext &= ~(unsigned)EXT_AUTH;
	return ext;
}

static void hello(struct conn *c, enum step step)
{
	transaction_reset(&c->t);
	c->extended = false;
	c->greeted = false;
	if (step == STEP_HELO) {
		c->greeted = reply(c, step, NULL, 250, "", "smtpd.test") / 100 == 2;
		return;
	}
	const struct rule *r = reply_rule(c, step, NULL, 0);
	unsigned ext = offered(c);
	struct buf text;

	buf_init(&text, 1024);
	buf_cstr(&text, "250-smtpd.test\r\n");
	for (size_t i = 0; i < extension_name_n; i++) {
		if (!(ext & extension_names[i].bit))
			continue;
		buf_printf(&text, "250-%s", extension_names[i].name);
		if (extension_names[i].bit == EXT_SIZE)
			buf_printf(&text, " %" PRIu64, c->server->o->size);
		if (extension_names[i].bit == EXT_AUTH)
			buf_cstr(&text, " PLAIN LOGIN");
		buf_cstr(&text, "\r\n");
	}
	buf_cstr(&text, "250 HELP\r\n");
	c->extended = c->greeted = reply_perform(c, r, 0, 250, buf_view(&text)) / 100 == 2;
	buf_free(&text);
}

static void command_helo(struct conn *c, struct str args)
{
	(void)args;
	hello(c, STEP_HELO);
}

static void command_ehlo(struct conn *c, struct str args)
{
	if (!args.n)
		record_violation(c, "syntax", STR("EHLO without a name"));
	hello(c, STEP_EHLO);
}

static void command_starttls(struct conn *c, struct str args)
{
	(void)args;
	if (!(offered(c) & EXT_STARTTLS)) {
		record_violation(c, "not offered", STR("STARTTLS"));
		reply_plain(c, 502, "5.5.1", "not offered");
		return;
	}
	if (reply(c, STEP_STARTTLS, NULL, 220, "2.0.0", "go ahead") != 220)
		return;
	transaction_reset(&c->t);
	c->tls = TLS_WANTED;
	c->greeted = c->extended = false;
}

static void command_auth(struct conn *c, struct str args)
{
	if (!(offered(c) & EXT_AUTH)) {
		record_violation(c, "not offered", STR("AUTH"));
		reply_plain(c, 502, "5.5.1", "not offered");
		return;
	}
	auth_begin(c, args);
}

static void command_mail(struct conn *c, struct str args)
{
	const struct options *o = c->server->o;

	if (!c->greeted)
		reply_plain(c, 503, "5.5.1", "EHLO first");
	else if (c->t.open)
		reply_plain(c, 503, "5.5.1", "a transaction is open");
	else if (o->require_tls && c->tls != TLS_UP)
		reply_plain(c, 530, "5.7.0", "STARTTLS first");
	else if (o->user && !c->authenticated)
		reply_plain(c, 530, "5.7.0", "AUTH first");
	else
		envelope_mail(c, args);
}

static void command_rset(struct conn *c, struct str args)
{
	(void)args;
	transaction_reset(&c->t);
	reply(c, STEP_RSET, NULL, 250, "2.0.0", "ok");
}

static void command_noop(struct conn *c, struct str args)
{
	(void)args;
	reply_plain(c, 250, "2.0.0", "ok");
}

static void command_vrfy(struct conn *c, struct str args)
{
	(void)args;
	reply_plain(c, 252, "2.1.5", "send it and see");
}

static void command_quit(struct conn *c, struct str args)
{
	(void)args;
	reply(c, STEP_QUIT, NULL, 221, "2.0.0", "bye");
	if (c->state != STATE_DEAF)
		out_end(c, END_CLOSE, 0);
}

/* `last`: may only stand at the end of a pipelined group (RFC 2920 section 3.1). */
static const struct command {
	const char *name;
	void (*run)(struct conn *c, struct str args);
	bool last;
} commands[] = {
	{"MAIL", command_mail, false},
	{"RCPT", envelope_rcpt, false},
	{"DATA", data_command, true},
	{"BDAT", data_chunk_command, false},
	{"RSET", command_rset, false},
	{"EHLO", command_ehlo, true},
	{"HELO", command_helo, true},
	{"STARTTLS", command_starttls, true},
	{"AUTH", command_auth, true},
	{"NOOP", command_noop, true},
	{"VRFY", command_vrfy, true},
	{"QUIT", command_quit, true},
};

static bool pipelining(const struct conn *c)
{
	return c->extended && c->server->o->extensions & EXT_PIPELINING;
}

/* The client may send nothing more until it has what is now in `out`. */
static void sync_here(struct conn *c, const char *after)
{
	c->sync = true;
	c->sync_after = after;
}

/* Input is at hand: was the client allowed to send it? */
static void sync_check(struct conn *c)
{
	if (c->sync && !out_empty(c))
		record_violation(c, "sent without waiting for the reply", str_of(c->sync_after));
	c->sync = false;
}

static void command_run(struct conn *c, struct str line)
{
	size_t space = str_find(line, ' ');
	struct str name = str_slice(line, 0, space), args = str_slice(line, space + 1, line.n);

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!str_eq_nocase(name, str_of(commands[i].name)))
			continue;
		if (commands[i].last || !pipelining(c))
			sync_here(c, commands[i].name);
		if (c->refused && commands[i].run != command_quit)
			reply_plain(c, 503, "5.5.1", "this server takes no mail");
		else
			commands[i].run(c, args);
		return;
	}
	record_violation(c, "unknown command", name);
	reply_plain(c, 500, "5.5.2", "unknown command");
	sync_here(c, "an unknown command");
}

/* Take one line of the dialogue from the front of `in`; 0 when it is not whole yet. */
static size_t line_take(struct conn *c, struct str in)
{
	size_t at = str_find(in, '\n'), n = at;
	struct str line;

	if (at >= COMMAND_MAX) {
		record_violation(c, "command line too long", str_slice(in, 0, 40));
		reply_plain(c, 500, "5.5.2", "line too long");
		return at < in.n ? at + 1 : at;
	}
	if (at == in.n)
		return 0;
	if (n && in.p[n - 1] == '\r')
		n--;
	else
		record_violation(c, "bare LF", STR("in a command"));
	line = str_slice(in, 0, n);
	if (memchr(line.p, '\r', n) || memchr(line.p, 0, n))
		record_violation(c, "bare CR or NUL", STR("in a command"));
	record_dialogue(c, 'C', line);
	sync_check(c);
	if (c->state == STATE_AUTH) {
		sync_here(c, "AUTH");
		auth_line(c, line);
	} else {
		command_run(c, line);
	}
	return at + 1;
}

void session_open(struct conn *c)
{
	sync_here(c, "connecting");
	c->refused = reply(c, STEP_CONNECT, NULL, 220, "", "smtpd.test ESMTP") != 220;
}

/* Take what can be taken from the front of `in`; 0 when more is needed first. */
static size_t session_take(struct conn *c, struct str in)
{
	switch (c->state) {
	case STATE_COMMAND:
	case STATE_AUTH:
		return line_take(c, in);
	case STATE_DATA:
		sync_check(c);
		return data_take(c, in);
	case STATE_BDAT:
		return data_chunk_take(c, in);
	case STATE_DEAF:
		break;
	}
	return in.n;
}

void session_input(struct conn *c)
{
	struct str in = {c->in, c->in_n};

	while (in.n && !c->dead && !c->hold_until) {
		size_t n;

		if (c->tls == TLS_WANTED) {
			record_violation(c, "sent behind STARTTLS", str_slice(in, 0, 40));
			in.n = 0;
			break;
		}
		n = session_take(c, in);
		if (!n)
			break;
		in = str_slice(in, n, in.n);
	}
	if (in.n && in.p != c->in)
		memmove(c->in, in.p, in.n);
	c->in_n = in.n;
}
