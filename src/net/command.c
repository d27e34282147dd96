/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <stdio.h>
#include <string.h>

/* A command being put together. Its parts are bounded: addresses by transport_submit(), ENVID below. */
struct line {
	char *p;
	size_t n;
};

static void add(struct line *l, struct str s)
{
	if (s.n > COMMAND_MAX - l->n)
		s.n = COMMAND_MAX - l->n;
	memcpy(l->p + l->n, s.p, s.n);
	l->n += s.n;
}

static bool is_xchar(char c)
{
	return c > ' ' && c < 0x7f && c != '+' && c != '=';
}

size_t xtext_len(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += is_xchar(s.p[i]) ? 1 : 3;
	return n;
}

/* RFC 3461 section 4: the parameter `name` with `value` as xtext. */
static void add_xtext(struct line *l, struct str name, struct str value)
{
	add(l, name);
	for (size_t i = 0; i < value.n; i++) {
		char hex[4];

		if (is_xchar(value.p[i])) {
			add(l, str_slice(value, i, i + 1));
			continue;
		}
		snprintf(hex, sizeof(hex), "+%02X", (unsigned char)value.p[i]);
		add(l, (struct str){hex, 3});
	}
}

struct str command_mail(
	char line[COMMAND_MAX], const struct submission *s, const struct smtp_caps *caps)
{
	struct line l = {line, 0};
	char size[32];

	add(&l, STR("MAIL FROM:<"));
	add(&l, s->sender);
	add(&l, STR(">"));
	if (caps->has_size) {
		snprintf(size, sizeof(size), " SIZE=%zu", s->message->n);
		add(&l, str_of(size));
	}
	if (s->utf8)
		add(&l, STR(" SMTPUTF8"));
	if (caps->dsn) {
		add(&l, STR(" RET=HDRS"));
		if (s->envid.n && xtext_len(s->envid) <= ENVID_MAX)
			add_xtext(&l, STR(" ENVID="), s->envid);
	}
	add(&l, STR("\r\n"));
	return (struct str){l.p, l.n};
}

struct str command_rcpt(
	char line[COMMAND_MAX], const struct submission *s, const struct smtp_caps *caps)
{
	struct line l = {line, 0};

	add(&l, STR("RCPT TO:<"));
	add(&l, s->recipient);
	add(&l, STR(">"));
	if (caps->dsn) {
		add(&l, STR(" NOTIFY=FAILURE,DELAY"));
		/* The type rfc822 is for ASCII (RFC 6533 section 3). */
		if (!s->utf8)
			add_xtext(&l, STR(" ORCPT=rfc822;"), s->recipient);
	}
	add(&l, STR("\r\n"));
	return (struct str){l.p, l.n};
}
