/* SPDX-License-Identifier: MIT */
#include "compose.h"

#include <stdio.h>
#include <string.h>

/*
 * The text part. Every block ends with a blank line, so that the branches of a condition can come and
 * go between blocks. Lines are as long as their paragraphs: whoever reads them wraps them.
 */
enum { RULE_WIDTH = 60, ITEM_SHORT = 72, CELL_MAX = 40, COLUMNS_MAX = 16 };

static void put_block(struct compose *c, const struct md_node *n, struct buf *out);
static void put_inline(struct compose *c, const struct md_node *n, struct buf *out);

static void put_run(struct buf *out, char ch, size_t n)
{
	while (n--)
		buf_char(out, ch);
}

/* How many columns `s` takes without its marks, counting a character as one. */
static size_t width_of(struct compose *c, struct str s)
{
	size_t n = 0;

	s = compose_unmarked(c->a, s);
	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

static struct str trim_end(struct str s)
{
	while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == ' '))
		s.n--;
	return s;
}

/* `s` with `prefix` in front of every line but the first; an empty line gets no blanks at its end. */
static void put_indented(struct buf *out, struct str s, const char *prefix)
{
	struct str line;
	bool first = true;

	while (str_next(&s, '\n', &line)) {
		if (!first) {
			buf_char(out, '\n');
			buf_str(out, line.n ? str_of(prefix) : trim_end(str_of(prefix)));
		}
		buf_str(out, line);
		first = false;
	}
}

/* ---- inline ---- */

static void put_inlines(struct compose *c, const struct md_node *n, struct buf *out)
{
	for (const struct md_node *child = n->first; child; child = child->next)
		put_inline(c, child, out);
}

/* Inline text of `n` in the arena. */
static struct str inlines_of(struct compose *c, const struct md_node *n)
{
	struct buf text;
	struct str result;

	buf_init(&text, COMPOSE_MAX);
	put_inlines(c, n, &text);
	result = arena_str(c->a, str_trim(buf_view(&text)));
	buf_free(&text);
	return result;
}

/* An address; marks in it are components, percent-encoded here as in HTML, but for whole addresses. */
static void put_address(struct compose *c, struct str href, struct buf *out)
{
	const struct liquid_slots *slots = &c->out->slots;
	enum liquid_context context;
	struct str before;
	int index;

	do {
		index = liquid_next_mark(&href, &before, &context);
		buf_str(out, before);
		if (index < 0)
			break;
		if (context != LIQUID_CONTROL &&
			!compose_whole_url(slots->vars[slots->slot[index].var]))
			context = LIQUID_URL;
		liquid_mark(out, context, index);
	} while (true);
}

static void put_link(struct compose *c, const struct md_node *n, struct buf *out)
{
	struct str words = inlines_of(c, n), href = n->href;

	if (str_has_prefix_nocase(href, STR("mailto:")) || str_has_prefix_nocase(href, STR("tel:")))
		href = str_slice(href, str_find(href, ':') + 1, href.n);
	buf_str(out, words);
	if (str_eq(words, href))
		return;
	if (words.n)
		buf_char(out, ' ');
	buf_char(out, '<');
	put_address(c, href, out);
	buf_char(out, '>');
}

static void put_image(struct compose *c, const struct md_node *n, struct buf *out)
{
	struct buf alt;

	buf_init(&alt, COMPOSE_MAX);
	compose_words(n, true, &alt);
	if (alt.n) {
		buf_char(out, '[');
		buf_str(out, compose_word(c, "t.issue_image"));
		buf_cstr(out, ": ");
		buf_str(out, buf_view(&alt));
		buf_char(out, ']');
	}
	buf_free(&alt);
}

static void put_inline(struct compose *c, const struct md_node *n, struct buf *out)
{
	const char *around = n->kind == MD_STRIKE ? "~~" : n->kind == MD_CODE ? "`" : "";

	if (n->kind == MD_SOFT_BREAK) {
		buf_char(out, ' ');
	} else if (n->kind == MD_NOTE) {
		buf_printf(out, "[%d]", n->start);
	} else if (n->kind == MD_HARD_BREAK) {
		buf_char(out, '\n');
	} else if (n->kind == MD_LINK) {
		put_link(c, n, out);
	} else if (n->kind == MD_IMAGE) {
		put_image(c, n, out);
	} else {
		buf_cstr(out, around);
		buf_str(out, n->text);
		put_inlines(c, n, out);
		buf_cstr(out, around);
	}
}

/* ---- blocks ---- */

static void put_blocks(struct compose *c, const struct md_node *first, struct buf *out)
{
	for (const struct md_node *n = first; n; n = n->next)
		put_block(c, n, out);
}

/* The blocks in `n` as one text in the arena, without blank lines at its end. */
static struct str blocks_of(struct compose *c, const struct md_node *n)
{
	struct buf text;
	struct str result;

	buf_init(&text, COMPOSE_MAX);
	put_blocks(c, n->first, &text);
	result = arena_str(c->a, trim_end(buf_view(&text)));
	buf_free(&text);
	return result;
}

static void put_heading(struct compose *c, const struct md_node *n, struct buf *out)
{
	struct str words = inlines_of(c, n);

	if (n->kicker.n) {
		buf_str(out, n->kicker);
		buf_char(out, '\n');
	}
	buf_str(out, words);
	buf_char(out, '\n');
	put_run(out, n->level <= 2 ? '=' : '-', width_of(c, words));
	buf_cstr(out, "\n\n");
}

/* Items that are sentences get a blank line between them, short ones none. */
static void put_list(struct compose *c, const struct md_node *list, struct buf *out)
{
	size_t n = 0, longest = 0;
	int number = list->start;
	struct str *item;

	for (const struct md_node *child = list->first; child; child = child->next)
		n++;
	item = arena_array(c->a, n + 1, sizeof(*item));
	n = 0;
	for (const struct md_node *child = list->first; child; child = child->next, n++) {
		size_t width;

		item[n] = blocks_of(c, child);
		width = width_of(c, item[n]);
		longest = width > longest ? width : longest;
	}
	n = 0;
	for (const struct md_node *child = list->first; child; child = child->next, n++) {
		char marker[16] = "* ";

		if (child->kind == MD_CONTROL) {
			buf_str(out, child->text);
			continue;
		}
		if (list->ordered)
			snprintf(marker, sizeof(marker), "%d. ", number++);
		buf_cstr(out, marker);
		memset(marker, ' ', strlen(marker));
		put_indented(out, item[n], marker);
		if (child->href.n) { /* an answer of a poll */
			buf_cstr(out, " <");
			put_address(c, child->href, out);
			buf_char(out, '>');
		}
		buf_cstr(out, longest > ITEM_SHORT && child->next ? "\n\n" : "\n");
	}
	buf_char(out, '\n');
}

static void column_widths(
	struct compose *c, const struct md_node *table, size_t widths[COLUMNS_MAX])
{
	for (const struct md_node *row = table->first; row; row = row->next) {
		size_t column = 0;

		for (const struct md_node *cell = row->first; cell && column < COLUMNS_MAX;
			cell = cell->next, column++) {
			size_t width = width_of(c, inlines_of(c, cell));

			if (width > widths[column])
				widths[column] = width > CELL_MAX ? CELL_MAX : width;
		}
	}
}

static void put_row(struct compose *c, const struct md_node *row, const size_t widths[COLUMNS_MAX],
	struct buf *out)
{
	size_t column = 0, line = 0;

	for (const struct md_node *cell = row->first; cell; cell = cell->next, column++) {
		struct str words = inlines_of(c, cell);
		size_t width = width_of(c, words);
		size_t room = column < COLUMNS_MAX ? widths[column] : 0;
		size_t pad = width < room ? room - width : 0;

		put_run(out, ' ', cell->align == MD_RIGHT ? pad : 0);
		buf_str(out, words);
		if (cell->next)
			put_run(out, ' ', (cell->align == MD_RIGHT ? 0 : pad) + 2);
		line += room + 2;
	}
	buf_char(out, '\n');
	if (row->first && row->first->header) {
		put_run(out, '-', line - 2);
		buf_char(out, '\n');
	}
}

static void put_table(struct compose *c, const struct md_node *table, struct buf *out)
{
	size_t widths[COLUMNS_MAX] = {0};

	column_widths(c, table, widths);
	for (const struct md_node *row = table->first; row; row = row->next)
		put_row(c, row, widths, out);
	buf_char(out, '\n');
}

static void put_container(struct compose *c, const struct md_node *n, struct buf *out)
{
	if (str_eq(n->text, STR("sponsor"))) {
		buf_str(out, compose_word(c, "t.issue_sponsor"));
		buf_char(out, ' ');
	}
	if (n->title.n) {
		buf_str(out, n->title);
		buf_cstr(out, "\n\n");
	}
	put_blocks(c, n->first, out);
}

static void put_paragraph(struct compose *c, const struct md_node *n, struct buf *out)
{
	bool buttons = n->look && strcmp(n->look, "buttons") == 0;

	for (const struct md_node *child = n->first; child; child = child->next) {
		put_inline(c, child, out);
		if (buttons && child->next)
			buf_char(out, '\n');
	}
	if (n->title.n && strcmp(n->look, "figure") == 0) { /* its caption */
		buf_char(out, '\n');
		buf_str(out, n->title);
	}
	buf_cstr(out, "\n\n");
}

static void put_block(struct compose *c, const struct md_node *n, struct buf *out)
{
	switch (n->kind) {
	case MD_SECTION:
		if (n->parent->first != n) {
			put_run(out, '-', RULE_WIDTH);
			buf_cstr(out, "\n\n");
		}
		put_blocks(c, n->first, out);
		break;
	case MD_HEADING:
		put_heading(c, n, out);
		break;
	case MD_LIST:
		put_list(c, n, out);
		break;
	case MD_TABLE:
		put_table(c, n, out);
		break;
	case MD_CONTAINER:
		put_container(c, n, out);
		break;
	case MD_QUOTE:
		buf_cstr(out, "> ");
		put_indented(out, blocks_of(c, n), "> ");
		buf_cstr(out, "\n\n");
		break;
	case MD_CODE_BLOCK:
		buf_cstr(out, "    ");
		put_indented(out, trim_end(n->text), "    ");
		buf_cstr(out, "\n\n");
		break;
	case MD_RULE:
		buf_cstr(out, "* * *\n\n");
		break;
	case MD_CONTROL:
		buf_str(out, n->text);
		break;
	case MD_HTML:
		break;
	default:
		put_paragraph(c, n, out);
	}
}

void compose_text(struct compose *c, const struct md_node *document, struct buf *out)
{
	put_blocks(c, document->first, out);
	if (!out->over)
		out->n = trim_end(buf_view(out)).n;
}
