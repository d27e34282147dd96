/* SPDX-License-Identifier: MIT */
#include "smtpd.h"

#include "base/enc.h"

#include <string.h>

enum { AUTH_PLAIN, AUTH_LOGIN_USER, AUTH_LOGIN_PASSWORD };

static void auth_finish(struct conn *c, bool ok)
{
	int code;

	c->state = STATE_COMMAND;
	if (ok)
		code = reply(c, STEP_AUTH, NULL, 235, "2.7.0", "welcome");
	else
		code = reply(c, STEP_AUTH, NULL, 535, "5.7.8", "user name or password is wrong");
	c->authenticated = code == 235;
}

static void auth_ask(struct conn *c, int step, const char *challenge)
{
	c->auth_step = step;
	c->state = STATE_AUTH;
	reply_plain(c, 334, "", challenge);
}

/* RFC 4616: authorization identity NUL user NUL password. */
static bool plain_fits(const struct options *o, struct str text)
{
	struct str identity, user;

	return str_next(&text, '\0', &identity) && str_next(&text, '\0', &user) && text.p &&
	       str_eq(user, str_of(o->user)) && str_eq(text, str_of(o->password));
}

void auth_line(struct conn *c, struct str line)
{
	const struct options *o = c->server->o;
	struct buf decoded;

	if (str_eq(line, STR("*"))) {
		c->state = STATE_COMMAND;
		reply_plain(c, 501, "5.7.0", "given up");
		return;
	}
	buf_init(&decoded, COMMAND_MAX);
	if (dec_base64(&decoded, line) < 0) {
		record_violation(c, "syntax", STR("AUTH: no base64"));
		c->state = STATE_COMMAND;
		reply_plain(c, 501, "5.5.2", "no base64");
	} else if (c->auth_step == AUTH_PLAIN) {
		auth_finish(c, plain_fits(o, buf_view(&decoded)));
	} else if (c->auth_step == AUTH_LOGIN_USER) {
		c->auth_user_fits = str_eq(buf_view(&decoded), str_of(o->user));
		auth_ask(c, AUTH_LOGIN_PASSWORD, "UGFzc3dvcmQ6");
	} else {
		auth_finish(
			c, c->auth_user_fits && str_eq(buf_view(&decoded), str_of(o->password)));
	}
	buf_free(&decoded);
}

void auth_begin(struct conn *c, struct str args)
{
	size_t space = str_find(args, ' ');
	struct str mechanism = str_slice(args, 0, space);
	struct str initial = str_slice(args, space + 1, args.n);

	if (c->authenticated) {
		reply_plain(c, 503, "5.5.1", "done already");
		return;
	}
	if (str_eq_nocase(mechanism, STR("PLAIN"))) {
		c->auth_step = AUTH_PLAIN;
		if (!initial.n)
			auth_ask(c, AUTH_PLAIN, "");
	} else if (str_eq_nocase(mechanism, STR("LOGIN"))) {
		c->auth_step = AUTH_LOGIN_USER;
		if (!initial.n)
			auth_ask(c, AUTH_LOGIN_USER, "VXNlcm5hbWU6");
	} else {
		record_violation(c, "not offered", mechanism);
		reply_plain(c, 504, "5.5.4", "mechanism not offered");
		return;
	}
	if (initial.n)
		auth_line(c, str_eq(initial, STR("=")) ? STR("") : initial);
}
