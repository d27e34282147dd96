/* SPDX-License-Identifier: MIT */
#include "compose.h"

#include <string.h>

/* What has been written last in the block, for quotes that start or end. */
struct smart {
	struct arena *a;
	bool quotes;
	uint32_t before; /* code point, 0 at the start of a block */
};

static bool is_space(uint32_t c)
{
	return c == 0 || c == ' ' || c == '\t' || c == '\n' || c == 0xa0;
}

static bool is_word(uint32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= 0xc0 && (c < 0x2000 || c > 0x206f));
}

/* Whether a quote behind `c` starts something. */
static bool opens_behind(uint32_t c)
{
	return is_space(c) || (c < 0x80 && strchr("([{/-", (int)c)) || c == 0x2013 || c == 0x2014 ||
	       c == 0x2018 || c == 0x201c;
}

static const char *quote(const struct smart *s, char c, uint32_t after)
{
	bool opens = opens_behind(s->before) && !is_space(after);

	if (c == '\'' && is_word(s->before) && is_word(after))
		return "’";
	if (!s->quotes)
		return c == '"' ? "\"" : "'";
	if (c == '"')
		return opens ? "“" : "”";
	return opens && !(after >= '0' && after <= '9') ? "‘" : "’";
}

/* What stands for a run of `n` times `c` between s->before and `after`; NULL = itself. */
static const char *run_of(const struct smart *s, char c, size_t n, uint32_t after)
{
	bool option = is_space(s->before) && !is_space(after); /* --json */

	if (c == '.' && n == 3)
		return "…";
	if (c == '-' && n == 2 && !option)
		return "–";
	if (c == '-' && n == 3 && !option)
		return "—";
	return NULL;
}

/* The code point at the start of `text` or of what follows in the same block. */
static uint32_t first_of(struct str text, bool more)
{
	if (text.n)
		return utf8_code_point(text);
	return more ? 'x' : 0;
}

static void smart_piece(struct smart *s, struct str text, bool more, struct buf *out)
{
	while (text.n) {
		size_t n = utf8_len(text), run = 1;
		uint32_t c = utf8_code_point(text);
		const char *better = NULL;

		while ((c == '-' || c == '.') && run < text.n && text.p[run] == text.p[0])
			run++;
		n = run > 1 ? run : n;
		if (c == '\'' || c == '"')
			better = quote(s, (char)c, first_of(str_slice(text, n, text.n), more));
		else if (run > 1)
			better =
				run_of(s, (char)c, run, first_of(str_slice(text, n, text.n), more));
		if (better)
			buf_cstr(out, better);
		else
			buf_add(out, text.p, n);
		s->before = better ? utf8_code_point(str_of(better)) : c;
		text = str_slice(text, n, text.n);
	}
}

/* Text with marks: the value of a slot counts as a word. */
static struct str smart_text(struct smart *s, struct str text, bool more)
{
	enum liquid_context context;
	struct str rest = text, before, result;
	struct buf out;
	int slot;

	buf_init(&out, 3 * text.n + 16);
	do {
		slot = liquid_next_mark(&rest, &before, &context);
		smart_piece(s, before, slot >= 0 ? context != LIQUID_CONTROL : more, &out);
		if (slot >= 0)
			liquid_mark(&out, context, slot);
		if (slot >= 0 && context != LIQUID_CONTROL)
			s->before = 'x';
	} while (slot >= 0);
	result = arena_str(s->a, buf_view(&out));
	buf_free(&out);
	return result;
}

/* Whether `n` is the text of a bare URL or address. */
static bool is_address(const struct md_node *n)
{
	struct str href = n->parent->href;

	return n->parent->kind == MD_LINK && n->text.n &&
	       (str_has_suffix(href, n->text) || str_search(n->text, STR("://")) < n->text.n);
}

static void walk(struct smart *s, struct md_node *n)
{
	bool inner = n->kind >= MD_TEXT && n->kind <= MD_IMAGE;

	if (!inner)
		s->before = 0;
	if (n->kind == MD_TEXT && !is_address(n))
		n->text = smart_text(s, n->text, n->next && n->next->kind != MD_SOFT_BREAK);
	else if (n->kind == MD_CODE || (n->kind == MD_TEXT && n->text.n))
		s->before = 'x';
	else if (n->kind == MD_SOFT_BREAK || n->kind == MD_HARD_BREAK)
		s->before = ' ';
	else if (n->kind == MD_CONTAINER)
		n->title = smart_text(s, n->title, false);
	for (struct md_node *child = n->first; child; child = child->next)
		walk(s, child);
	if (n->kind == MD_IMAGE)
		n->title = smart_text(s, n->title, false);
}

void compose_smart(struct arena *a, struct md_node *document, struct str lang)
{
	struct smart s = {.a = a, .quotes = str_has_prefix_nocase(lang, STR("en"))};

	walk(&s, document);
}
