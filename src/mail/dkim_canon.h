/* SPDX-License-Identifier: MIT */
#ifndef SRC_MAIL_DKIM_CANON_H
#define SRC_MAIL_DKIM_CANON_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

/* The "relaxed" canonicalisation of DKIM (RFC 6376 sections 3.4.2 and 3.4.4). */

/* Append the field `name`: `value` (all behind the colon, with its folds) in relaxed form, CRLF at its
 * end. */
void dkim_relax_field(struct str name, struct str value, struct buf *out);

/* Hand the relaxed form of `body` to `take`, piece by piece. Pieces that are in that form already, as
 * all of a message of our own is, are views into `body`. */
void dkim_relax_body(struct str body, void (*take)(void *user, struct str piece), void *user);

/* Take the next field from the front of `*fields`: `name`, and `value` as above without the CRLF at its
 * end. False at the end, or where there is no field. */
bool dkim_next_field(struct str *fields, struct str *name, struct str *value);

#endif
