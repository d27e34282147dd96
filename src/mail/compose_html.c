/* SPDX-License-Identifier: MIT */
#include "compose.h"

#include "base/enc.h"

#include <stdio.h>
#include <string.h>

enum { IMAGE_WIDTH = 600 };

static int draw(struct compose *c, const struct md_node *n, struct buf *out);

/* The theme's block that draws `n`. */
static const char *block_of(const struct md_node *n)
{
	static const char *const blocks[] = {
		[MD_SECTION] = "section",
		[MD_PARAGRAPH] = "paragraph",
		[MD_LIST] = "list",
		[MD_ITEM] = "item",
		[MD_QUOTE] = "quote",
		[MD_CODE_BLOCK] = "code-block",
		[MD_RULE] = "rule",
		[MD_TABLE] = "table",
		[MD_ROW] = "row",
		[MD_HARD_BREAK] = "break",
		[MD_STRONG] = "strong",
		[MD_EMPHASIS] = "emphasis",
		[MD_STRIKE] = "strike",
		[MD_CODE] = "code",
		[MD_LINK] = "link",
		[MD_IMAGE] = "inline-image",
		[MD_NOTE] = "note-mark",
	};
	static const char *const boxes[] = {"toc", "sponsor", "poll"};

	if (n->look)
		return n->look;
	if (n->kind == MD_HEADING)
		return n->level <= 2 ? "heading2" : "heading3";
	if (n->kind == MD_LIST && n->ordered)
		return "numbered-list";
	if (n->kind == MD_CELL)
		return n->header ? "header-cell" : "cell";
	if (n->kind == MD_CONTAINER) {
		for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++)
			if (str_eq(n->text, str_of(boxes[i])))
				return boxes[i];
		return "callout";
	}
	return blocks[n->kind];
}

static bool is_drawn(const struct md_node *n)
{
	return n->kind != MD_CONTROL;
}

/* The node drawn before `n` in the same parent, NULL for the first. */
static const struct md_node *before(const struct md_node *n)
{
	const struct md_node *found = NULL;

	for (const struct md_node *s = n->parent->first; s != n; s = s->next)
		if (is_drawn(s))
			found = s;
	return found;
}

static bool is_last(const struct md_node *n)
{
	for (n = n->next; n; n = n->next)
		if (is_drawn(n))
			return false;
	return true;
}

static int draw_from(struct compose *c, const struct md_node *first, struct buf *out)
{
	for (const struct md_node *n = first; n; n = n->next)
		if (draw(c, n, out) < 0)
			return -1;
	return 0;
}

/* Inner HTML of `n`: what goes into block.content and, for the blocks of a list item behind its first
 * paragraph, block.rest. */
static int draw_inner(
	struct compose *c, const struct md_node *n, struct buf *content, struct buf *rest)
{
	const struct md_node *first = n->first;

	if (n->kind == MD_CODE || n->kind == MD_CODE_BLOCK) {
		enc_html(content, n->text);
		return 0;
	}
	if (n->kind != MD_ITEM)
		return draw_from(c, first, content);
	if (first && first->kind == MD_PARAGRAPH && !first->look) {
		if (draw_from(c, first->first, content) < 0)
			return -1;
		first = first->next;
	}
	return draw_from(c, first, rest);
}

static void set(struct compose *c, enum block_name name, struct str value)
{
	c->name[name].value = value;
}

/* The number of a link to `url`, from 1. */
static int number_of(struct compose *c, struct str url)
{
	struct composed_link **link = &c->out->link;
	int n = 1;

	for (; *link && !str_eq((*link)->url, url); n++)
		link = &(*link)->next;
	if (!*link) {
		*link = arena_alloc(c->a, sizeof(**link));
		**link = (struct composed_link){.url = url};
	}
	return n;
}

/* Whether the reader sees an address: one that leads elsewhere than it says is what phishers write. */
static bool shows_address(const struct md_node *n)
{
	struct buf words;
	bool yes;

	buf_init(&words, COMPOSE_MAX);
	compose_words(n, true, &words);
	yes = str_search(buf_view(&words), STR("://")) < words.n ||
	      str_has_prefix_nocase(buf_view(&words), STR("www."));
	buf_free(&words);
	return yes;
}

/* Where the link of `n` leads: to the site, which counts and sends on, or straight there. Addresses with a
 * reader's own values in them are not stored, so they stay as they are. */
static int counted(struct compose *c, const struct md_node *n, struct str *href)
{
	*href = n->href;
	if (!c->in->clicks || (n->kind != MD_LINK && n->kind != MD_ITEM) ||
		!str_has_prefix_nocase(*href, STR("http")) ||
		compose_unmarked(c->a, *href).n != href->n || shows_address(n))
		return 0;
	return compose_own(c, arena_printf(c->a, "{{ click_url }}/%d", number_of(c, *href)), href);
}

/* Expand the block of `n` with the values that are its own. */
static int expand_block(struct compose *c, const struct md_node *n, struct str content,
	struct str rest, struct buf *out)
{
	static const struct str aligns[] = {[MD_UNALIGNED] = {"", 0},
		[MD_LEFT] = {"left", 4},
		[MD_CENTER] = {"center", 6},
		[MD_RIGHT] = {"right", 5}};
	const struct theme_entry *block = theme_block(c->in->theme, block_of(n));
	const struct md_node *previous = before(n);
	struct liquid_scope scope = compose_scope(c, 0);
	struct liquid_source in = {block->file, block->line, block->value, false};
	char start[16], width[16];
	struct str href;
	struct buf alt;
	int rc;

	if (counted(c, n, &href) < 0)
		return -1;
	buf_init(&alt, COMPOSE_MAX);
	if (n->kind == MD_IMAGE)
		compose_words(n, true, &alt);
	snprintf(start, sizeof(start), "%d", n->start);
	snprintf(width, sizeof(width), "%d", n->width ? n->width : IMAGE_WIDTH);
	set(c, BLOCK_CONTENT, content);
	set(c, BLOCK_REST, rest);
	set(c, BLOCK_HREF, href);
	set(c, BLOCK_TITLE, n->title);
	set(c, BLOCK_ALT, buf_view(&alt));
	set(c, BLOCK_WIDTH, str_of(width));
	set(c, BLOCK_START, str_of(start));
	set(c, BLOCK_KICKER, n->kicker);
	set(c, BLOCK_ALIGN, aligns[n->align]);
	set(c, BLOCK_FIRST, previous ? STR("") : STR("yes"));
	set(c, BLOCK_LAST, is_last(n) ? STR("yes") : STR(""));
	set(c, BLOCK_AFTER, previous ? str_of(block_of(previous)) : STR(""));
	rc = liquid_expand(c->a, &in, &scope, enc_html, &c->out->slots, out, c->e);
	buf_free(&alt);
	return rc;
}

static int draw(struct compose *c, const struct md_node *n, struct buf *out)
{
	struct buf content, rest;
	int rc;

	if (n->kind == MD_TEXT) {
		enc_html(out, n->text);
		return 0;
	}
	if (n->kind == MD_CONTROL || n->kind == MD_HTML) {
		buf_str(out, n->text);
		return 0;
	}
	if (n->kind == MD_SOFT_BREAK) {
		buf_char(out, '\n');
		return 0;
	}
	buf_init(&content, COMPOSE_MAX);
	buf_init(&rest, COMPOSE_MAX);
	rc = n->kind == MD_IMAGE ? 0 : draw_inner(c, n, &content, &rest);
	if (rc == 0)
		rc = expand_block(c, n, buf_view(&content), buf_view(&rest), out);
	if (rc == 0 && (out->over || content.over || rest.over))
		rc = err_set(c->e, ERR_INPUT, "%s:%zu: the HTML becomes larger than %d octets",
			c->in->issue->file, n->line, COMPOSE_MAX);
	buf_free(&content);
	buf_free(&rest);
	return rc;
}

int compose_html(struct compose *c, struct md_node *document, struct buf *out)
{
	return draw_from(c, document->first, out);
}
