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
	struct str raw; /* of `html`: the lines up to its `:::`, which is none of its own */
	size_t line;
};

struct md_directives {
	struct md_directive *item;
	size_t n;
};

/* Names of footnotes, each once. `[^NAME]` goes through md4c as MD_NOTE_REF, its index and MD_NOTE_END,
 * the `[^NAME]:` of a definition as MD_NOTE_TEXT, index, MD_NOTE_END. */
struct md_notes {
	struct md_note {
		struct str name;
		size_t line; /* where it was seen first */
	} * item;
	size_t n;
};
#define MD_NOTE_REF  STR("\xee\x80\x83") /* U+E003 */
#define MD_NOTE_TEXT STR("\xee\x80\x84") /* U+E004 */
#define MD_NOTE_END  STR("\xee\x80\x85") /* U+E005 */

/* What stands in front of a directive's index in its comment: U+E002. */
#define MD_DIRECTIVE STR("\xee\x80\x82")

/* Write `source` into `out` as md4c is to see it, and take its directives and footnotes down. ERR_INPUT
 * for an unknown container, for one of HTML that does not close, and for what md4c would take quadratic
 * time for: brackets nested too deep, backtick runs of too many lengths. */
int md_prepare(struct arena *a, const char *file, size_t line, struct str source,
	struct md_directives *directives, struct md_notes *notes, struct buf *out, struct err *e);

/* Append the character that an entity such as "&amp;" or "&#8217;" stands for, or the entity as it is
 * where its name is not known. False for a number of a character that no source may hold. */
bool md_entity(struct buf *out, struct str entity);

/* `s` with what markdown_literal() wrote turned back, in `a` where it differs. */
struct str md_unliteral(struct arena *a, struct str s);

/* `s` as it is written inside HTML: literals escaped. */
struct str md_unliteral_html(struct arena *a, struct str s);

/* Turn footnotes' marks into nodes and move their texts to the end of `document`; in code and addresses
 * they become again what was typed. ERR_INPUT. */
int md_notes_finish(struct arena *a, const char *file, const struct md_notes *notes,
	struct md_node *document, struct err *e);

/* Finish the tree below `node`: attributes behind links, images and headings, literals, missing line numbers. */
int md_finish(struct arena *a, const char *file, struct md_node *node, struct err *e);

#endif
