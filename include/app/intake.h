/* SPDX-License-Identifier: MIT */
#ifndef APP_INTAKE_H
#define APP_INTAKE_H

#include "app/site.h"
#include "store/returns.h"

#include <signal.h>
#include <stdbool.h>

/*
 * Reading the mail that comes back: bounces, complaints and unsubscribes by
 * mail. Each message is one arrival, known by its hash: read again, after a kill or from a
 * mailbox that cannot be emptied, it changes nothing. Nothing is ever answered (RFC 3834).
 *
 * Only what carries a token of ours moves anything: in the local part that the report came to ("verp"), in its
 * Original-Envelope-Id ("envid"), or, of a complaint, in the returned List-Unsubscribe ("list-unsubscribe").
 * A Message-ID or an address names a copy in the record, and proves nothing: such a report is filed.
 */
struct intake;

/* What a run did, by message. */
struct intake_totals {
	int64_t read; /* messages looked at */
	int64_t known; /* of these: seen before */
	int64_t bounces, complaints, unsubscribes; /* that were new and ours */
	int64_t ignored; /* automatic replies, warnings: nothing to do */
	int64_t filed; /* not understood, not signed, not ours */
	int64_t suppressed; /* addresses, by this run */
};

/* Ready to take messages from `source` ("stdin", "maildir", …; static). Reads the token keys. */
int intake_open(struct site *s, const char *source, struct intake **out, struct err *e);

/* Free; NULL is allowed. */
void intake_close(struct intake *in);

/* Take one message inside the transaction that the caller has begun. `recipient`: the envelope's, where the
 * caller knows it better than the headers; else empty. `*filed` tells whether it was filed (also when that was
 * earlier). ERR_IO, ERR_BUSY, ERR_BUG: roll back, and let the message come again. */
int intake_message(
	struct intake *in, struct str message, struct str recipient, bool *filed, struct err *e);

/* Read what is kept again, all of it or only what was filed, after the rules have changed: what a message did
 * is taken back, and done anew as of the time when it arrived. Unsubscribes stay done. */
int intake_replay(struct intake *in, bool filed, const volatile sig_atomic_t *stop, struct err *e);

/* Events as a relay's webhook posts them, one JSON value a line in `lines`: of SES (through SNS), Postmark,
 * SendGrid, Mailgun, or of our own form (man page). They come from the operator's hand, so an address and
 * a Message-ID are proof enough. A line that makes no sense is filed. */
int intake_events(struct intake *in, struct str lines, struct err *e);

/* What happened since intake_open(). */
const struct intake_totals *intake_totals(const struct intake *in);

/* ---- whole mailboxes ---- */

/* All messages of a Maildir (new and cur), or of one mbox file. Understood ones are removed from the Maildir,
 * filed ones go to its folder ".Filed"; an mbox stays as it is. A message is removed after its transaction is
 * durable. Stops early when `*stop` is set. */
int intake_maildir(
	struct intake *in, const char *folder, const volatile sig_atomic_t *stop, struct err *e);
int intake_mbox(
	struct intake *in, const char *file, const volatile sig_atomic_t *stop, struct err *e);

/* The configured mailbox, IMAP or POP3. Understood ones are removed; filed ones go to the folder
 * `mailbox.filed` (IMAP) or stay (POP3). ERR_CONFIG where there is none, ERR_RELAY where it is out of reach. */
int intake_mailbox(struct intake *in, const volatile sig_atomic_t *stop, struct err *e);

#endif
