/* SPDX-License-Identifier: MIT */
#ifndef MAIL_PROGRAM_H
#define MAIL_PROGRAM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A compiled issue: what is the same for everybody as constant segments that are already encoded
 * for the wire, what differs as slots. Rendering walks the operations once. It is stored with the
 * issue row, so that neither an edited template nor a new version changes an issue that is on its
 * way.
 */
enum program_opcode {
	OP_TEXT, /* copy text */
	OP_SLOT, /* encode the value of `var`, or `text` where it is empty, for `context` */
	OP_JUMP_UNLESS, /* go to `target` unless the test of `var` against `text` holds */
	OP_JUMP, /* go to `target` */
};

enum program_context {
	CONTEXT_HTML, /* HTML-escaped, quoted-printable; starts and ends at column 0 */
	CONTEXT_URL, /* as an HTML attribute inside a URL: a component, percent-encoded */
	CONTEXT_URL_WHOLE, /* a whole URL made by the program itself: HTML-escaped only */
	CONTEXT_TEXT, /* text part: line breaks become spaces, quoted-printable */
	CONTEXT_HEADER, /* header text before RFC 2047 encoding */
};

struct program_op {
	enum program_opcode code;
	enum program_context context;
	uint8_t test; /* enum liquid_test, bit 7 = negated */
	uint32_t var; /* index in program.var */
	uint32_t target; /* index of an operation of the same sequence */
	struct str text;
};

struct program_ops {
	struct program_op *op;
	size_t n;
};

struct program {
	struct str *var; /* names of the values that the caller supplies, by index */
	size_t var_n;
	struct str headers; /* constant header fields, whole lines: From, Reply-To, List-Id, … */
	struct program_ops subject; /* decoded: encoded as a header when it is rendered */
	struct program_ops body; /* all that follows the header fields, blank line included */
	size_t size_hint; /* octets of a message whose slots are empty */
};

/* Serialise to `out`; the same program gives the same bytes on every machine. */
void program_pack(const struct program *p, struct buf *out);

/* Read back what program_pack() wrote; views into `packed`, arrays in `a`. ERR_INPUT for anything
 * that is not whole, or whose jumps or indexes lead outside. */
int program_unpack(struct arena *a, struct str packed, struct program *out, struct err *e);

#endif
