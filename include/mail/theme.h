/* SPDX-License-Identifier: MIT */
#ifndef MAIL_THEME_H
#define MAIL_THEME_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

/*
 * The look of a message: a folder of mail-templates/, given as the bytes of its files. Each file
 * opens with a comment that lists its slots.
 *
 *   theme.conf    `name = value` lines: colours light and dark, type, spacing, labels
 *   layout.html   the page around the content
 *   blocks.html   one piece of HTML a kind of block, each under a line `=== NAME`
 *   layout.txt    the text part around the content
 *
 * Blocks and tokens that a theme does not have are those of `base`, so that a new look holds only what is
 * new in it.
 */
struct theme_files {
	const char *name; /* for messages: "mail-templates/NAME" */
	struct str theme_conf, layout_html, blocks_html, layout_txt;
	const struct theme *base; /* NULL = it has all of them itself; must outlive the theme */
};

struct theme_entry {
	struct str name, value;
	size_t line; /* of the value's first line in its file */
	const char *file; /* that file, for messages */
};

struct theme {
	const char *name;
	struct theme_entry *token; /* theme.conf, in its order */
	size_t token_n;
	struct theme_entry *block; /* blocks.html */
	size_t block_n;
	struct str layout_html, layout_txt; /* without the comment that opens them */
	size_t layout_html_line, layout_txt_line;
};

/* Take the files apart, in `a`. ERR_INPUT, starting "mail-templates/NAME/FILE:LINE: ", for characters
 * that no issue may hold either (mail/issue.h), a line that is no `name = value`, a token or block
 * given twice, an unknown block, a block that the theme and its base lack. */
int theme_parse(struct arena *a, const struct theme_files *files, struct theme *out, struct err *e);

/* The token `name`, or the empty view. */
struct str theme_token(const struct theme *t, const char *name);

/* The block `name`, or NULL. */
const struct theme_entry *theme_block(const struct theme *t, const char *name);

#endif
