/* SPDX-License-Identifier: MIT */
#include "smtpd.h"

#include <stdio.h>

/* Octets that no SMTP reply consists of: binary, without a line end for the first half. */
static const char garbage[] = "\x16\x03\xff\x00\xfe<html>\xc3\x28 999 \x80\x81\r\n\x01\x02xyz\r\n";

const struct rule *reply_rule(struct conn *c, enum step step, const char *const *address, size_t n)
{
	struct moment m = {.conn = c->number, .msg = c->msg, .address = address, .address_n = n};

	return script_match(&c->server->o->script, step, &m);
}

int reply_code(const struct rule *r, int code)
{
	int64_t scripted;

	if (!r || (!r->reply && !r->garbage && r->end == END_NONE))
		return code;
	if (r->reply && str_to_int(str_slice(str_of(r->reply), 0, 3), 100, 999, &scripted))
		return (int)scripted;
	return 0;
}

int reply_perform(
	struct conn *c, const struct rule *r, int64_t delay_ms, int code, struct str usual)
{
	int seen = reply_code(r, code);

	if (r) {
		delay_ms += r->delay_ms;
		if (r->garbage)
			usual = (struct str){garbage, sizeof(garbage) - 1};
		else if (r->reply)
			usual = str_of(r->reply);
		else if (r->end != END_NONE)
			usual.n = 0;
	}
	out_add(c, usual, delay_ms);
	if (r && r->end != END_NONE)
		out_end(c, r->end, 0);
	else if (seen == 421)
		out_end(c, END_CLOSE, 0);
	return seen;
}

struct str reply_format(
	const struct conn *c, char line[512], int code, const char *status, const char *text)
{
	bool enhanced = c->extended && c->server->o->extensions & EXT_ENHANCED && *status;
	int n = snprintf(line, 512, "%d %s%s%s\r\n", code, enhanced ? status : "",
		enhanced ? " " : "", text);

	return (struct str){line, (size_t)n};
}

int reply(struct conn *c, enum step step, const char *address, int code, const char *status,
	const char *text)
{
	const struct rule *r = reply_rule(c, step, &address, address ? 1 : 0);
	char line[512];

	return reply_perform(c, r, 0, code, reply_format(c, line, code, status, text));
}

void reply_plain(struct conn *c, int code, const char *status, const char *text)
{
	char line[512];

	out_add(c, reply_format(c, line, code, status, text), 0);
}
