/* SPDX-License-Identifier: MIT */
#ifndef MAIL_MARKDOWN_H
#define MAIL_MARKDOWN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Markdown (CommonMark with tables, strikethrough and autolinks, without indented code, through md4c) as
 * a tree, from which both parts of a message are written. Own constructs: `::: NAME argument` … `:::`
 * containers, `{.button}`-like attributes behind links, images and headings, footnotes (`[^1]` and
 * `[^1]: text`), and lines that hold nothing but marks (mail/liquid.h), which become nodes of their own.
 *
 * Footnotes that are referred to stand at the end of the document, as an ordered list of the look "notes",
 * in the order of their first references.
 *
 * Whatever the source, a block holds either blocks (DOCUMENT, LIST, ITEM, QUOTE, TABLE, ROW, CONTAINER) or
 * inline nodes (PARAGRAPH, HEADING, CELL; CODE_BLOCK and HTML have neither), never both.
 */
enum md_kind {
	MD_DOCUMENT,
	MD_PARAGRAPH,
	MD_HEADING, /* level */
	MD_LIST, /* ordered, start */
	MD_ITEM,
	MD_QUOTE,
	MD_CODE_BLOCK, /* text */
	MD_RULE,
	MD_TABLE,
	MD_ROW,
	MD_CELL, /* header, align */
	MD_CONTAINER, /* text: its name, title: its argument */
	MD_CONTROL, /* text: marks of IF, ELSIF, ELSE, ENDIF that stood alone on a line */
	MD_HTML, /* text: what stood between `::: html` and its `:::`, as it is */
	MD_TEXT, /* text */
	MD_SOFT_BREAK,
	MD_HARD_BREAK,
	MD_NOTE, /* reference to a footnote; start: its number */
	MD_STRONG,
	MD_EMPHASIS,
	MD_STRIKE,
	MD_CODE, /* text */
	MD_LINK, /* href, title, button */
	MD_IMAGE, /* href, title, width, decorative; its children are the alt text */
	MD_SECTION, /* not from the parser: a `##` and what belongs to it (compose) */
};

enum md_align { MD_UNALIGNED, MD_LEFT, MD_CENTER, MD_RIGHT };

struct md_node {
	enum md_kind kind;
	struct md_node *parent, *first, *last, *next;
	struct str text; /* decoded; may hold marks, as may href and title */
	struct str href;
	struct str title;
	size_t line; /* in the file */
	int level; /* 1 to 6 */
	int width; /* in pixels, 0 = not given */
	int start; /* the list's first number; that of a footnote */
	bool ordered;
	bool header;
	bool button; /* {.button} */
	bool decorative; /* {.decorative}: needs no alt text */
	bool unlisted; /* a heading's {toc=no}: not in the contents */
	struct str entry; /* a heading's {toc="…"}: its wording in the contents */
	struct str kicker; /* a heading's {kicker="…"}: the small line above it */
	enum md_align align;
	const char
		*look; /* not from the parser: the theme's block that draws it, where its kind alone
	                     does not say (compose) */
};

/* Parse `source`, whose first line is line `line` of `file`, into a tree in `a`. ERR_INPUT, starting
 * "FILE:LINE: ", for raw HTML outside `::: html`, containers that are unknown or do not close, unknown
 * attributes, footnotes without a text or a reference, and a source so entangled that the parser's quadratic case is near. */
int markdown_parse(struct arena *a, const char *file, size_t line, struct str source,
	struct md_node **document, struct err *e);

/* An escape for liquid_expand(): append `value` so that markdown_parse() takes all of it as plain text,
 * wherever it stands. */
void markdown_literal(struct buf *out, struct str value);

/* Put `child`, which has no parent, behind the last child of `parent`. */
void markdown_append(struct md_node *parent, struct md_node *child);

#endif
