/* SPDX-License-Identifier: MIT */
#ifndef MAIL_SEGMENT_H
#define MAIL_SEGMENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/*
 * A segment: which readers are meant, as the operator writes it.
 *
 *     tag = "vip" and (city = "Lisbon" or city = "Porto") and not clicked_any(5)
 *
 *     either   = both { "or" both }
 *     both     = one { "and" one }
 *     one      = "not" one | "(" either ")" | FIELD OP VALUE | CALL "(" VALUE ")"
 *     OP       = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" (contains)
 *     VALUE    = "text" (with \" and \\ inside) | number | 2026-01-31
 *
 * FIELD is email, domain, first_name, last_name, created_at, tag, list, status (on the list that is asked
 * about), or the name of an attribute; tag, list and status know = and != alone. CALL is received("SLUG"),
 * clicked("SLUG") (an issue's slug) or clicked_any(N) (one of the last N issues). The value says what is compared:
 * texts without regard to the case of ASCII letters, numbers with what reads as one, days with what begins
 * like one. A field that a reader does not have is the empty text, no number and no day; != is always the contrary
 * of =.
 */
enum { SEGMENT_MAX = 4096, SEGMENT_TESTS_MAX = 64, SEGMENT_DEPTH_MAX = 32, SEGMENT_NAME_MAX = 64 };

enum segment_kind { SEGMENT_AND, SEGMENT_OR, SEGMENT_NOT, SEGMENT_TEST, SEGMENT_CALL };
enum segment_op {
	SEGMENT_EQ,
	SEGMENT_NE,
	SEGMENT_LT,
	SEGMENT_LE,
	SEGMENT_GT,
	SEGMENT_GE,
	SEGMENT_CONTAINS,
	SEGMENT_OP_N
};
enum segment_type { SEGMENT_TEXT, SEGMENT_NUMBER, SEGMENT_DAY };

struct segment {
	enum segment_kind kind;
	const struct segment *left, *right; /* of AND, OR; `left` of NOT */
	struct str name; /* of the field or the call */
	enum segment_op op;
	enum segment_type type;
	struct str value; /* the text without its quotes; number or day as written */
};

/* The tree of `text`, in `a`. ERR_INPUT: a sentence that quotes the place. */
int segment_parse(struct arena *a, struct str text, const struct segment **out, struct err *e);

/* Write it with all its parentheses, so that it parses to the same tree: how it was understood. */
void segment_print(const struct segment *s, struct buf *out);

#endif
