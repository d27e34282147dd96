/* SPDX-License-Identifier: MIT */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

/*
 * Writers of header fields (RFC 5322, RFC 2047). Each appends one whole field, folded at 78 columns
 * where it can be, with CRLF at its end. No value can start a line of its own: CR, LF, NUL and
 * other control octets become spaces before anything else happens.
 */

/* An unstructured field such as Subject: plain when it is ASCII and its words fit a line, else
 * UTF-8 encoded-words (RFC 2047 sections 2 and 5) that never split a character. */
void header_text(struct buf *out, const char *name, struct str value);

/* A field with one mailbox, or a List-Id (RFC 2919): `display` as it is, quoted, or as encoded-words,
 * absent when it is empty; `email` in angle brackets (RFC 5322 section 3.4). `email` has passed
 * addr_parse(). */
void header_mailbox(struct buf *out, const char *name, struct str display, struct str email);

/* A field whose value is made of ASCII tokens by the program itself (ids, URLs in angle brackets,
 * List-* fields). Folds only at the spaces that are there. */
void header_token(struct buf *out, const char *name, struct str value);

enum { HEADER_DATE_SIZE = 32 };

/* Write "Mon, 03 Nov 2025 06:00:00 +0000" (RFC 5322 section 3.3, UTC, whatever the locale) into
 * `out`; returns `out`. `t` is Unix seconds. */
char *header_date(int64_t t, char out[HEADER_DATE_SIZE]);

#endif
