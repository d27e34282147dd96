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

/* A body on its way to relaxed form, which comes in pieces and leaves in pieces: what of it is in that form
 * already, as all of a message of our own is, as views into what has come. Begins with `take` and `user`
 * alone; what may be at the end of a line or of the body is held back. */
struct dkim_relaxer {
	void (*take)(void *user, struct str piece);
	void *user;
	size_t lines; /* line ends, without the blanks before them ... */
	bool blank; /* ... blanks behind these ... */
	bool cr; /* ... and a CR, of which it is not known whether an LF follows */
	bool any; /* something has left */
};
void dkim_relax_body(struct dkim_relaxer *r, struct str piece, bool is_relaxed);
void dkim_relax_end(struct dkim_relaxer *r);

/* Whether nothing in a piece changes but, perhaps, at its ends: what costs most of the time of dkim_relax_body(), which
 * is spared where it is known. */
bool dkim_is_relaxed(struct str piece);

/* Take the next field from the front of `*fields`: `name`, and `value` as above without the CRLF at its
 * end. False at the end, or where there is no field. */
bool dkim_next_field(struct str *fields, struct str *name, struct str *value);

#endif
