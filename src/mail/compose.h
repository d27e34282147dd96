/* SPDX-License-Identifier: MIT */
#ifndef COMPOSE_H
#define COMPOSE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/compile.h"
#include "mail/liquid.h"
#include "mail/markdown.h"

/*
 * The parts of compose():
 *
 *   body ─ liquid ─ markdown ─ media ─ shape ─┬─ html ─ blocks and layout of the theme ─ place
 *                                             └─ text ─ layout.txt
 */

/* No part of a message grows beyond this on its way; assemble() has the lower limit that counts. */
enum { COMPOSE_MAX = 512 * 1024 };

/* The names that only a block template knows, at these places of compose.name. */
enum block_name {
	BLOCK_CONTENT,
	BLOCK_REST,
	BLOCK_HREF,
	BLOCK_TITLE,
	BLOCK_ALT,
	BLOCK_WIDTH,
	BLOCK_START,
	BLOCK_ALIGN,
	BLOCK_FIRST,
	BLOCK_LAST,
	BLOCK_AFTER,
	BLOCK_KICKER,
	BLOCK_NAMES,
};

/* The state of one compose(). */
struct compose {
	struct arena *a;
	const struct compile_input *in;
	struct composed *out;
	struct liquid_name *name; /* block.*, content, theme.*, then what the issue may use too */
	size_t name_n;
	size_t layout_from; /* the first name that layouts know: content */
	size_t issue_from; /* the first name that the issue knows */
	size_t word_from; /* the first of in->word */
	struct err *e;
};

/* The scope of the names from `from` on, and those of recipients. */
struct liquid_scope compose_scope(const struct compose *c, size_t from);

/* The word `name` as it stands in its file, or the empty view. */
struct str compose_word(const struct compose *c, const char *name);

/* Add a remark; without a file, it is about the issue. */
void compose_remark(struct compose *c, struct compile_remark what);

/* Remark on `line` of the issue: what is unwise, and what it may not leave with. */
void compose_warn(struct compose *c, size_t line, const char *rule, const char *message);
void compose_error(struct compose *c, size_t line, const char *rule, const char *message);

/* Look over the finished issue: title, words, links, images, contents, the theme's colours. `document` is
 * NULL for a ready-made one. */
void compose_lint(struct compose *c, const struct md_node *document);

/* Expand `text`, which the program made itself: it may use names that no author knows. */
int compose_own(struct compose *c, const char *text, struct str *out);

/* Append the words below `node` without markup; marks only where `marks`. */
void compose_words(const struct md_node *node, bool marks, struct buf *out);

/* `s` without its marks, in `a` where there are any. */
struct str compose_unmarked(struct arena *a, struct str s);

/* Whether `name` is that of a whole URL, made by the program. */
bool compose_whole_url(struct str name);

/* Turn the tree that Markdown gave into the tree that is drawn: sections, greeting, labels, callouts,
 * figures, buttons, embeds, polls, contents; check conditions and addresses of links. ERR_INPUT. */
int compose_shape(struct compose *c, struct md_node *document);

/* Give local images the addresses that readers find them at. ERR_INPUT. */
int compose_media(struct compose *c, struct md_node *document);

/* Curl quotes, and make dashes and ellipses, in the texts of the tree but not in code or URLs. Quotes
 * only in English, whose way of quoting is known. */
void compose_smart(struct arena *a, struct md_node *document, struct str lang);

/* Draw the tree with the theme's blocks. ERR_INPUT. */
int compose_html(struct compose *c, struct md_node *document, struct buf *out);

/* Write the tree as plain text. */
void compose_text(struct compose *c, const struct md_node *document, struct buf *out);

/* Give each mark in `html` the context of the place where it stands. ERR_INPUT for a place where no
 * recipient's value may stand: a tag, a style, a comment, the scheme or host of a URL. */
int compose_place(struct compose *c, struct str html, struct buf *out);

#endif
