/* SPDX-License-Identifier: MIT */
#ifndef MAIL_ADDR_H
#define MAIL_ADDR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

/*
 * Mail addresses that may be mailed: the Mailbox of RFC 5321 section 4.1.2 without source routes,
 * comments and address literals (legal, but never a newsletter's reader), with UTF-8 local parts
 * (RFC 6531 section 3.3) and internationalised domains (RFC 5890); with quoted local parts only
 * where the rule says so.
 */
enum { ADDR_MAX = 254, ADDR_LOCAL_MAX = 64 };

/* What may stand before the '@'. */
enum addr_rule {
	ADDR_PLAIN, /* atoms, dots between them (Dot-string) */
	ADDR_QUOTED, /* a Quoted-string as well: "ann lee"@example.org */
};

struct addr {
	/* local part as given, but with no more quotes and backslashes than it needs, so that each
	 * mailbox has one spelling (RFC 5321 section 4.1.2); domain as on the wire (A-labels) */
	struct str email;
	struct str
		key; /* what makes it unique: local part of `email`, domain in lower case A-labels */
	struct str local; /* view into `email` */
	struct str domain; /* view into `email`: A-labels, lower case */
	bool utf8; /* the local part is not ASCII: only for relays that offer SMTPUTF8 */
};

/* Check and normalise one bare address; white space around it is ignored. The views of `*out` live
 * in `a`, NUL-terminated behind their ends. ERR_INPUT with a sentence that says what is wrong.
 * addr_parse() goes by ADDR_PLAIN. To look somebody up, take ADDR_QUOTED: they may be there already. */
int addr_parse_as(
	struct arena *a, struct str text, enum addr_rule rule, struct addr *out, struct err *e);
int addr_parse(struct arena *a, struct str text, struct addr *out, struct err *e);

/* The octets of the Quoted-string that `s` begins with, its quotes among them; 0 where there is none, or
 * it has no end. */
size_t addr_quoted(struct str s);

/* The domain of an address or key that addr_parse_as() made: what stands behind the last '@'. */
struct str addr_domain(struct str email);

/* A mailbox with an optional display name, as in configuration and CSV: `Name <user@host>`,
 * `"Name" <user@host>` or `user@host` (RFC 5322 section 3.4). Refuses two of them. ERR_INPUT. */
struct mailbox {
	struct str name; /* decoded, without quotes; empty when there is none */
	struct addr addr;
};
int mailbox_parse_as(
	struct arena *a, struct str text, enum addr_rule rule, struct mailbox *out, struct err *e);
int mailbox_parse(struct arena *a, struct str text, struct mailbox *out, struct err *e);

#endif
