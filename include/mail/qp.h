/* SPDX-License-Identifier: MIT */
#ifndef MAIL_QP_H
#define MAIL_QP_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Quoted-printable (RFC 2045 section 6.7) that needs no further pass: lines of at most 76 columns with
 * CRLF, no white space at a line's end, no line that starts with '.' (no dot-stuffing, RFC 5321
 * section 4.5.2) or 'F' (no "From "), and already in DKIM relaxed form (RFC 6376 section 3.4.4): tabs
 * and the second of two spaces are encoded too.
 */
struct qp {
	struct buf *out;
	size_t column; /* of the line being written */
	bool space; /* a space was seen and is not yet written: it may end the line */
	bool spaced; /* the octet written last is a space */
};

/* Start at column 0 of `out`. */
void qp_init(struct qp *q, struct buf *out);

/* Append text; its line breaks are LF, each becomes CRLF. */
void qp_add(struct qp *q, struct str text);

/* End the current encoder line softly ("=" CRLF) unless at column 0: what follows may be encoded
 * without knowledge of what came before. */
void qp_break(struct qp *q);

/* Finish: hold nothing back and end the last line with CRLF unless at column 0. */
void qp_end(struct qp *q);

/* Append what qp_add() was given, from what it wrote. */
void qp_decode(struct str encoded, struct buf *out);

#endif
