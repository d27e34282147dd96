/* SPDX-License-Identifier: MIT */
#ifndef SRC_MAIL_REPORT_PARTS_H
#define SRC_MAIL_REPORT_PARTS_H

#include "inbound.h"
#include "mail/report.h"
#include "report_lines.h"

/* A report being read. Each reader below looks for its own kind, and says whether it found it; it then
 * has set the kind, the rule and the recipients of `out`. */
struct reading {
	struct arena *a;
	const struct inbound *in;
	struct report *out;
	struct lines lines; /* of all text parts */
	struct str text; /* the same as one */
	struct str subject;
	unsigned subject_says;
	struct str copy; /* header of the returned message, or its copy in the text */
	struct str to; /* the one recipient that the returned message names, or empty */
	bool daemon; /* a mail system sent it, or nobody: the null sender */
	bool null_sender;
	bool allow_own; /* also the addresses to which the report came may have failed */
	bool several; /* recipients: words without an address may be another's */
};

/* RFC 3464, RFC 6533: delivery-status parts, and text that holds their fields. */
bool report_status(struct reading *r);

/* RFC 5965: feedback reports, redacted ones as well. */
bool report_feedback(struct reading *r);

/* Notifications of Amazon SES: JSON, bare or within a notification of SNS. */
bool report_json(struct reading *r);

/* Reports in words alone. */
bool report_words(struct reading *r);

/* Whether a field of a report may mean an address: it need not be one that could be mailed. */
bool report_is_address(struct str s);

/* Add a recipient, or find it when it is there already (compared caselessly). NULL over the cap, or where
 * `address` is none. */
struct report_recipient *report_add(struct reading *r, struct str address);

/* Fill reply and finding of `p` from the server's words (may be empty), else from the text of the report,
 * else from `status`. */
void report_explain(
	struct reading *r, struct report_recipient *p, struct str words, struct str status);

/* Whether the address is one to which the report came, or a mail system's own. */
bool report_is_own(const struct reading *r, struct str address);

/* The first field `name` of the header block `header`, unfolded; empty when there is none. */
struct str report_field(struct arena *a, struct str header, const char *name);

/* The n-th address in `text`, from 0; empty when there are fewer. */
struct str report_address(struct str text, size_t n);

#endif
