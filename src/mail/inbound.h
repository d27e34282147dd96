/* SPDX-License-Identifier: MIT */
#ifndef SRC_MAIL_INBOUND_H
#define SRC_MAIL_INBOUND_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

/*
 * A message that came in, taken apart by GMime: the header fields somebody asks for and the parts that
 * hold words, decoded, in UTF-8 where the charset is known, with LF line ends. Everything else
 * (pictures, programs) is left out. All of it lives in the arena.
 */
enum inbound_what {
	INBOUND_TEXT, /* text/plain, or text/html without its marks where there is no plain text */
	INBOUND_STATUS, /* message/delivery-status, message/global-delivery-status */
	INBOUND_FEEDBACK, /* message/feedback-report */
	INBOUND_RETURNED, /* header of the returned message, without its body */
};

enum {
	INBOUND_FIELDS_MAX = 100, /* kept of one header */
	INBOUND_TEXT_MAX = 128 * 1024, /* octets kept of one part */
};

struct inbound_field {
	struct str name; /* as written */
	struct str value; /* unfolded, encoded words decoded */
};

struct inbound_part {
	enum inbound_what what;
	struct str text;
	struct inbound *message; /* of INBOUND_RETURNED that is a whole message, else NULL */
};

struct inbound {
	struct inbound_field field[INBOUND_FIELDS_MAX];
	size_t field_n;
	struct inbound_part *part;
	size_t part_n;
};

/* Take `message` apart. ERR_INPUT where it is over REPORT_BYTES_MAX; a message with more multiparts than
 * any report has is read as one text. */
int inbound_read(struct arena *a, struct str message, struct inbound **out, struct err *e);

/* The value of the first field `name` (any case), empty when there is none. */
struct str inbound_field(const struct inbound *in, const char *name);

#endif
