/* SPDX-License-Identifier: MIT */
#ifndef SRC_MAIL_INBOUND_TEXT_H
#define SRC_MAIL_INBOUND_TEXT_H

#include "base/arena.h"
#include "base/str.h"

/* The text with LF line ends, whichever mixture of CRLF, LF and CR it came with. `text` itself where
 * nothing has to change. */
struct str inbound_unix(struct arena *a, struct str text);

/* The words of an HTML page: blocks on lines of their own, named and numbered characters of the usual
 * kind resolved, scripts and styles left out. */
struct str inbound_unmark(struct arena *a, struct str html);

/* Take the next field of a header block: name and value, folded lines joined by a space. Lines that are
 * no field are skipped. False at the end of the block (`*rest` then begins behind the empty line) or of
 * the text. */
bool inbound_next_field(struct arena *a, struct str *rest, struct str *name, struct str *value);

#endif
