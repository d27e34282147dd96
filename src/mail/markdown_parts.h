/* SPDX-License-Identifier: MIT */
#ifndef MARKDOWN_PARTS_H
#define MARKDOWN_PARTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/markdown.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The parts of markdown_parse() before and behind md4c. A line `::: …`, and a line of control marks,
 * goes through md4c as an HTML comment of one line: that is a block boundary, keeps the count of lines
 * and leaves one parse with shared link references. What is written in the comment cannot be written
 * in an issue, whose own HTML is refused.
 */
struct md_directive {
	struct str name; /* empty = the `:::` that closes */
	struct str argument;
	size_t line;
};

struct md_directives {
	struct md_directive *item;
	size_t n;
};

/* What stands in front of a directive's index in its comment: U+E002. */
#define MD_DIRECTIVE STR("\xee\x80\x82")

/* Write `source` into `out` as md4c is to see it, and take its directives down. ERR_INPUT for an unknown
 * container and for brackets nested so deep that md4c would take quadratic time. */
int md_prepare(struct arena *a, const char *file, size_t line, struct str source,
	struct md_directives *directives, struct buf *out, struct err *e);

/* Append the character that an entity such as "&amp;" or "&#8217;" stands for, or the entity as it is
 * where its name is not known. False for a number of a character that no source may hold. */
bool md_entity(struct buf *out, struct str entity);

/* `s` with what markdown_literal() wrote turned back, in `a` where it differs. */
struct str md_unliteral(struct arena *a, struct str s);

/* Finish the tree below `node`: attributes behind links and images, literals, missing line numbers. */
int md_finish(struct arena *a, const char *file, struct md_node *node, struct err *e);

#endif
