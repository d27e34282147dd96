/* SPDX-License-Identifier: MIT */
#ifndef MAIL_RENDER_H
#define MAIL_RENDER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/parts.h"
#include "base/str.h"
#include "mail/program.h"

#include <stdint.h>

/* What one copy needs beside the program. */
struct render_copy {
	struct str to; /* the recipient's address, past addr_parse_as() */
	struct str message_id; /* "<…@…>" */
	int64_t date; /* time of sending, Unix seconds */
	struct str unsubscribe_url; /* https, RFC 8058; empty in a proof copy */
	struct str unsubscribe_mailto; /* "mailto:…", or empty */
	const struct str *value; /* program.var_n values; an empty one takes its default */
};

/* Characters of a value that are used; what is behind them is not sent. */
enum { RENDER_VALUE_MAX = 1000 };

/* Append the whole message to `out`, ready for the wire: CRLF line ends, no line that starts with a
 * dot, ending CRLF (RFC 5321 section 4.5.2). Values are hostile: none can add a line, a field or a
 * part; their control characters become spaces, and what is not UTF-8 becomes U+FFFD. ERR_INPUT when the ceiling of `out` is passed. */
int render(const struct program *p, const struct render_copy *copy, struct buf *out, struct err *e);

/* The same message; `out` refers to the longer texts of the program. */
int render_parts(
	const struct program *p, const struct render_copy *copy, struct parts *out, struct err *e);

/* What a reader sees, for the preview: `which` with its slots filled and without transfer encoding,
 * "subject", or the content type of a part: "text/html", "text/plain". ERR_INPUT as above. */
int render_part(const struct program *p, const struct render_copy *copy, const char *which,
	struct buf *out, struct err *e);

#endif
