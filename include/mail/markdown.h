/* SPDX-License-Identifier: MIT */
#ifndef MAIL_MARKDOWN_H
#define MAIL_MARKDOWN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Markdown (CommonMark with tables, strikethrough and autolinks, through md4c) as a tree, from
 * which both parts of a message are written. Own constructs: `::: NAME argument` … `:::`
 * containers, and
 * `{.button}`-like attributes behind links and images.
 */
enum md_kind {
	MD_DOCUMENT,
	MD_PARAGRAPH,
	MD_HEADING, /* level */
	MD_LIST, /* ordered, start */
	MD_ITEM,
	MD_QUOTE,
	MD_CODE_BLOCK,
	MD_RULE,
	MD_TABLE,
	MD_ROW,
	MD_CELL, /* header, align */
	MD_CONTAINER, /* name, argument */
	MD_TEXT,
	MD_SOFT_BREAK,
	MD_HARD_BREAK,
	MD_STRONG,
	MD_EMPHASIS,
	MD_STRIKE,
	MD_CODE,
	MD_LINK, /* href, title, button */
	MD_IMAGE, /* href, title; its children are the alt text */
};

enum md_align { MD_ALIGN_NONE, MD_ALIGN_LEFT, MD_ALIGN_CENTER, MD_ALIGN_RIGHT };

struct md_node {
	enum md_kind kind;
	struct md_node *parent, *first, *last, *next;
	struct str text; /* TEXT, CODE, CODE_BLOCK: decoded; CONTAINER: its name */
	struct str href; /* LINK, IMAGE: decoded */
	struct str title; /* LINK, IMAGE: title; CONTAINER: argument */
	size_t line; /* in the file */
	int level; /* HEADING: 1-6; IMAGE: width in pixels, 0 = not given */
	int start; /* ordered LIST: its first number */
	bool ordered; /* LIST */
	bool header; /* CELL */
	bool button; /* LINK with {.button} */
	enum md_align align;
};

/* Parse `source`, whose first line is line `line` of `file`, into a tree in `a`. ERR_INPUT,
 * starting "FILE:LINE: ", for raw HTML, containers that are unknown or do not close, unknown
 * attributes, and a source so entangled that the parser's quadratic case is near. */
int markdown_parse(struct arena *a, const char *file, size_t line, struct str source,
	struct md_node **document, struct err *e);

#endif
