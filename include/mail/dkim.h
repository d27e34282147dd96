/* SPDX-License-Identifier: MIT */
#ifndef MAIL_DKIM_H
#define MAIL_DKIM_H

#include "base/buf.h"
#include "base/err.h"
#include "base/parts.h"
#include "base/str.h"

#include <stdint.h>

/*
 * DKIM signatures (RFC 6376), rsa-sha256 (RFC 8301) and ed25519-sha256 (RFC 8463), relaxed/relaxed.
 * A handle is one thread's.
 */
struct dkim;

/* Load the private key from PEM (not kept). ERR_CONFIG for a key that is neither RSA of at least
 * 1024 bits nor Ed25519, or names that are too long. `domain` and `selector` are copied. */
int dkim_open(
	struct str pem, struct str domain, struct str selector, struct dkim **out, struct err *e);

/* Append a DKIM-Signature field by each of `n` keys, at least one, for `message` (header fields, blank line, body;
 * as it goes on the wire, before dot-stuffing) to `out`. Signs From, To, Subject, Date, Reply-To, Message-ID,
 * MIME-Version, Content-*, List-* and Feedback-ID where they are present, the first four and
 * Content-Type against a second one too. What is the same for all keys is done once, in buffers of the first. ERR_BUG. */
int dkim_sign(struct dkim *const *d, size_t n, const struct parts *message, int64_t now,
	struct buf *out, struct err *e);

/* Tell the first key of a text that many messages refer to (parts_refer()), and which stays where it is and as it is
 * until dkim_close(): what it costs to look through it is paid once, not for each message. */
void dkim_know(struct dkim *d, struct str text);

/* Append the record that publishes the key: "v=DKIM1; k=rsa; p=…" (RFC 6376 section 3.6.1, RFC 8463 section 4).
 * ERR_BUG. */
int dkim_record(const struct dkim *d, struct buf *out, struct err *e);

/* Make a private key and append it as PEM: RSA of 2048 bits, or Ed25519. ERR_BUG where OpenSSL cannot. */
enum dkim_type { DKIM_RSA, DKIM_ED25519 };
int dkim_generate(enum dkim_type type, struct buf *pem, struct err *e);

/* Free; NULL is allowed. */
void dkim_close(struct dkim *d);

#endif
