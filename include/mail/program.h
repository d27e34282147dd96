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
 * A compiled issue: what is the same for everybody as constant segments that are already encoded for
 * the wire, what differs as slots. Rendering walks the operations once. It is stored with the issue
 * row, so that neither an edited template nor a new version changes an issue that is on its way.
 */
enum program_opcode {
	OP_TEXT, /* copy text */
	OP_SLOT, /* the value of `var`, or `text` where it is empty, as `context` wants it */
	OP_JUMP_UNLESS, /* go to `target` unless the test of `var` against `text` holds */
	OP_JUMP, /* go to `target` */
};

enum program_context {
	CONTEXT_HTML, /* HTML-escaped, also fit for an attribute */
	CONTEXT_URL, /* a component of a URL: percent-encoded */
	CONTEXT_TEXT, /* as it is */
};

enum { PROGRAM_NEGATED = 0x80 };

struct program_op {
	enum program_opcode code;
	enum program_context context;
	uint8_t test; /* enum liquid_test, with PROGRAM_NEGATED for its opposite */
	uint32_t var; /* index in program.var */
	uint32_t target; /* index of a later operation of the same sequence, or their number */
	struct str text;
};

struct program_ops {
	struct program_op *op;
	size_t n;
};

/*
 * The message in its order. Of the parts, constant text is quoted-printable and every slot, and every
 * operation that can be jumped to, stands at column 0 of the encoder; of the subject it is plain.
 */
struct program {
	struct str *var; /* names of the values that the caller supplies, by index */
	size_t var_n;
	struct str sender_fields; /* From, Reply-To: whole lines */
	struct str subject_field; /* Subject, where it is the same for everybody; else empty */
	struct program_ops subject;
	/* To, Date, Message-ID and List-Unsubscribe of the copy come here. */
	struct str list_fields; /* List-Id and on, blank line, fields of the text part */
	struct program_ops text;
	struct str between; /* boundary and fields of the HTML part */
	struct program_ops html;
	struct str closing; /* the last boundary */
};

/* Serialise to `out`; the same program gives the same bytes on every machine. */
void program_pack(const struct program *p, struct buf *out);

/* Read back what program_pack() wrote; views into `packed`, arrays in `a`. ERR_INPUT for anything
 * that is not whole, or whose jumps or indexes lead outside. */
int program_unpack(struct arena *a, struct str packed, struct program *out, struct err *e);

#endif
