/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPORT_H
#define MAIL_REPORT_H

#include "base/arena.h"
#include "base/err.h"
#include "mail/classify.h"

#include <stddef.h>

/*
 * Reading the mail that comes back: delivery reports (RFC 3464, 6533, and the shapes older than those),
 * complaints (RFC 5965), automatic replies (RFC 3834). Pure: octets in, a report out. All of it is
 * hostile; depth, parts and size are capped, and the time is linear.
 */
enum report_kind {
	REPORT_NONE, /* nothing of these: a letter, or one that cannot be read */
	REPORT_BOUNCE,
	REPORT_DELAYED, /* a warning; the relay still tries */
	REPORT_COMPLAINT,
	REPORT_AUTO_REPLY, /* out of office, challenge-response */
	REPORT_KIND_N,
};

enum {
	REPORT_BYTES_MAX = 32 * 1024 * 1024,
	REPORT_DEPTH_MAX = 20,
	REPORT_PARTS_MAX = 200,
	REPORT_RECIPIENTS_MAX = 1000
};

struct report_recipient {
	struct str
		address; /* Final-Recipient, or what the text names; as written, domain in lower case */
	struct str original; /* Original-Recipient (RFC 3461 ORCPT), may be empty */
	struct reply
		reply; /* code, status, text of the remote server; code 0 where none is quoted */
	struct finding finding; /* from the reply, else from the report's own Status */
};

struct report {
	enum report_kind kind;
	const char *rule; /* name of the rule that made it this kind; static */
	struct report_recipient *recipient;
	size_t recipient_n;
	struct str feedback_type; /* of a complaint, lower case */
	struct str envid; /* Original-Envelope-Id (RFC 3464 section 2.2.1), may be empty */
	struct str message_id; /* of the returned message, without <>, may be empty */
	/* Local parts to which the report came (To, Delivered-To, X-Original-To, …) and the returned
	 * message's return path: where a signed token may stand. */
	const struct str *mailbox;
	size_t mailbox_n;
};

/* Read one message. Views in `a` or in `message`. ERR_INPUT only for what is over the caps; a message
 * that makes no sense is REPORT_NONE. */
int report_read(struct arena *a, struct str message, struct report *out, struct err *e);

/* "bounce", "delayed", "complaint", "auto-reply", "none". */
const char *report_kind_name(enum report_kind kind);

#endif
