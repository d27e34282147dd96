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
 * comments, quoted local parts and address literals (legal, but never a newsletter's reader), with
 * UTF-8 local parts (RFC 6531 section 3.3) and internationalised domains (RFC 5890).
 */
enum { ADDR_MAX = 254, ADDR_LOCAL_MAX = 64 };

struct addr {
	struct str email; /* local part as given, domain as it goes on the wire (A-labels) */
	struct str
		key; /* what makes it unique: local part as given, domain in lower case A-labels */
	struct str local; /* view into `email` */
	struct str domain; /* view into `email`: A-labels, lower case */
	bool utf8; /* the local part is not ASCII: only for relays that offer SMTPUTF8 */
};

/* Check and normalise one bare address; white space around it is ignored. The views of `*out` live
 * in `a`, NUL-terminated behind their ends. ERR_INPUT with a sentence that says what is wrong. */
int addr_parse(struct arena *a, struct str text, struct addr *out, struct err *e);

/* A mailbox with an optional display name, as in configuration and CSV: `Name <user@host>`,
 * `"Name" <user@host>` or `user@host` (RFC 5322 section 3.4). Refuses two of them. ERR_INPUT. */
struct mailbox {
	struct str name; /* decoded, without quotes; empty when there is none */
	struct addr addr;
};
int mailbox_parse(struct arena *a, struct str text, struct mailbox *out, struct err *e);

#endif
