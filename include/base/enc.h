/* SPDX-License-Identifier: MIT */
#ifndef BASE_ENC_H
#define BASE_ENC_H

#include "base/buf.h"
#include "base/str.h"

/* Encoders append to `out`; they cannot fail but for the buffer's ceiling. */

/* Base64 with padding (RFC 4648 section 4), no line breaks. */
void enc_base64(struct buf *out, struct str in);

/* Base64 for URLs, without padding (RFC 4648 section 5). */
void enc_base64url(struct buf *out, struct str in);

/* Base32 in lower case a-z2-7, without padding (RFC 4648 section 6, folded): survives mail systems
 * that change the case of local parts. */
void enc_base32(struct buf *out, struct str in);

/* Lower-case hexadecimal. */
void enc_hex(struct buf *out, struct str in);

/* Escape & < > " ' for HTML text and attribute values; control octets but TAB and LF become '?'. */
void enc_html(struct buf *out, struct str in);

/* Percent-encode everything but the unreserved characters (RFC 3986 section 2.3): for one
 * component. */
void enc_url(struct buf *out, struct str in);

/* One JSON string with its quotes (RFC 8259 section 7); invalid UTF-8 becomes U+FFFD. */
void enc_json(struct buf *out, struct str in);

/* Decode base32 of either case, without padding, into `out`; -1 for a foreign character, or for
 * trailing bits that are not zero, so that one value has one spelling. */
int dec_base32(struct buf *out, struct str in);

/* Decode base64 (either alphabet, padding optional, line breaks skipped); -1 for anything else. */
int dec_base64(struct buf *out, struct str in);

#endif
