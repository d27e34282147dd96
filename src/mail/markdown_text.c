/* SPDX-License-Identifier: MIT */
#include "markdown_parts.h"

#include "base/enc.h"
#include "source.h"

#include <string.h>

/* The named entities that people type; a browser knows two thousand. */
static const struct {
	const char *name, *text;
} entities[] = {
	{"&amp;", "&"},
	{"&lt;", "<"},
	{"&gt;", ">"},
	{"&quot;", "\""},
	{"&apos;", "'"},
	{"&nbsp;", "\u00a0"},
	{"&shy;", "\u00ad"},
	{"&copy;", "©"},
	{"&reg;", "®"},
	{"&trade;", "™"},
	{"&deg;", "°"},
	{"&middot;", "·"},
	{"&bull;", "•"},
	{"&hellip;", "…"},
	{"&ndash;", "–"},
	{"&mdash;", "—"},
	{"&lsquo;", "‘"},
	{"&rsquo;", "’"},
	{"&ldquo;", "“"},
	{"&rdquo;", "”"},
	{"&laquo;", "«"},
	{"&raquo;", "»"},
	{"&larr;", "←"},
	{"&rarr;", "→"},
	{"&times;", "×"},
	{"&euro;", "€"},
	{"&pound;", "£"},
	{"&cent;", "¢"},
	{"&sect;", "§"},
	{"&para;", "¶"},
	{"&thinsp;", "\u2009"},
};

static void put_code_point(struct buf *out, uint32_t c)
{
	if (c < 0x80) {
		buf_char(out, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_char(out, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_char(out, (char)(0xe0 | c >> 12));
		} else {
			buf_char(out, (char)(0xf0 | c >> 18));
			buf_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_char(out, (char)(0x80 | (c & 0x3f)));
}

/* The number in "&#38;" or "&#x26;"; 0 where it is none that fits a character. */
static uint32_t entity_number(struct str s)
{
	bool hex = s.n > 2 && (s.p[2] == 'x' || s.p[2] == 'X');
	uint32_t v = 0;

	for (size_t i = hex ? 3 : 2; i + 1 < s.n; i++) {
		char c = s.p[i];
		uint32_t digit = c <= '9' ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10);

		v = v * (hex ? 16 : 10) + digit;
		if (v > 0x10ffff)
			return 0;
	}
	return v >= 0xd800 && v <= 0xdfff ? 0 : v;
}

bool md_entity(struct buf *out, struct str entity)
{
	size_t before = out->n;
	uint32_t c;

	if (entity.n < 3 || entity.p[1] != '#') {
		for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
			if (str_eq(entity, str_of(entities[i].name))) {
				buf_cstr(out, entities[i].text);
				return true;
			}
		buf_str(out, entity);
		return true;
	}
	c = entity_number(entity);
	if (!c)
		return false;
	put_code_point(out, c);
	return source_check("", str_slice(buf_view(out), before, out->n), NULL) == 0;
}

/* ---- literals: U+E100 + c stands for the ASCII character c ---- */

void markdown_literal(struct buf *out, struct str value)
{
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];
		bool plain = c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			     (c >= 'a' && c <= 'z');

		if (plain)
			buf_char(out, (char)c);
		else
			put_code_point(out, 0xe100u + (c < 0x20 || c == 0x7f ? ' ' : c));
	}
}

struct str md_unliteral(struct arena *a, struct str s)
{
	size_t n = 0, first = str_search(s, STR("\xee\x84")),
	       other = str_search(s, STR("\xee\x85"));
	char *out;

	if (first == s.n && other == s.n)
		return s;
	out = arena_alloc(a, s.n + 1);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		unsigned char page = i + 2 < s.n ? (unsigned char)s.p[i + 1] : 0;

		if (c == 0xee && (page == 0x84 || page == 0x85)) {
			c = (unsigned char)((page & 1) << 6 | (s.p[i + 2] & 0x3f));
			i += 2;
		}
		out[n++] = (char)c;
	}
	return (struct str){out, n};
}

struct str md_unliteral_html(struct arena *a, struct str s)
{
	struct buf out;
	struct str result;

	buf_init(&out, 8 * s.n + 16);
	while (s.n) {
		size_t n = utf8_len(s);
		struct str plain = md_unliteral(a, str_slice(s, 0, n));

		if (plain.p == s.p)
			buf_add(&out, s.p, n);
		else
			enc_html(&out, plain);
		s = str_slice(s, n, s.n);
	}
	result = arena_str(a, buf_view(&out));
	buf_free(&out);
	return result;
}

/* ---- attributes ---- */

/* NAME="VALUE", or without the quotes: the value to `*value`. */
static bool named(struct str word, const char *name, struct str *value)
{
	struct str rest = str_slice(word, strlen(name), word.n);

	if (!str_has_prefix(word, str_of(name)) || !str_has_prefix(rest, STR("=")))
		return false;
	rest = str_slice(rest, 1, rest.n);
	if (rest.n >= 2 && rest.p[0] == '"' && rest.p[rest.n - 1] == '"')
		rest = str_slice(rest, 1, rest.n - 1);
	*value = rest;
	return rest.n > 0;
}

/* Take one word of `{…}` behind a link, an image or a heading. False for one that does not fit there. */
static bool take_attribute(struct md_node *node, struct str word)
{
	struct str value;
	int64_t width;

	if (node->kind == MD_HEADING && named(word, "toc", &value)) {
		node->unlisted = str_eq(value, STR("no"));
		node->entry = node->unlisted ? STR("") : value;
		return true;
	}
	if (node->kind == MD_HEADING && named(word, "kicker", &value)) {
		node->kicker = value;
		return true;
	}
	if (node->kind == MD_IMAGE && str_eq(word, STR(".decorative"))) {
		node->decorative = true;
		return true;
	}

	if (node->kind == MD_LINK && str_eq(word, STR(".button"))) {
		node->button = true;
		return true;
	}
	if (node->kind == MD_IMAGE && str_has_prefix(word, STR("width=")) &&
		str_to_int(str_slice(word, 6, word.n), 1, 2000, &width)) {
		node->width = (int)width;
		return true;
	}
	return false;
}

/* The next word of `*rest`: up to a blank outside quotes. */
static bool next_word(struct str *rest, struct str *word)
{
	bool quoted = false;
	size_t n = 0;

	*rest = str_trim(*rest);
	for (; n < rest->n && (quoted || rest->p[n] != ' '); n++)
		quoted ^= rest->p[n] == '"';
	*word = str_slice(*rest, 0, n);
	*rest = str_slice(*rest, n, rest->n);
	return word->n > 0;
}

/* Take the words between `{` and `}`. */
static int take_words(const char *file, struct md_node *node, struct str words, struct err *e)
{
	struct str word;

	while (next_word(&words, &word))
		if (!take_attribute(node, word))
			return err_set(e, ERR_INPUT,
				"%s:%zu: unknown attribute '%.*s', there are {.button} behind a "
				"link, "
				"{width=480} and {.decorative} behind an image, {toc=\"…\"}, "
				"{toc=no} "
				"and {kicker=\"…\"} behind a heading",
				file, node->line, STR_ARG(word));
	return 0;
}

/* Take `{…}` from the start of the text behind `node`. */
static int take_attributes(const char *file, struct md_node *node, struct err *e)
{
	struct str *text = &node->next->text;
	size_t close = str_find(*text, '}');

	if (close == text->n)
		return err_set(e, ERR_INPUT, "%s:%zu: '{' behind a link or an image is not closed",
			file, node->line);
	if (take_words(file, node, str_slice(*text, 1, close), e) < 0)
		return -1;
	*text = str_slice(*text, close + 1, text->n);
	return 0;
}

/* Take `{…}` from the end of a heading, where it is one of names and not of other words in braces. */
static int take_heading(const char *file, struct md_node *node, struct err *e)
{
	struct md_node *last = node->last;
	struct str text = last && last->kind == MD_TEXT ? str_trim(last->text) : STR("");
	size_t open = text.n;

	if (!str_has_suffix(text, STR("}")))
		return 0;
	while (open > 0 && text.p[open - 1] != '{')
		open--;
	if (!open || str_find(str_slice(text, open, text.n), '=') == text.n - open)
		return 0;
	if (take_words(file, node, str_slice(text, open, text.n - 1), e) < 0)
		return -1;
	last->text = str_trim(str_slice(text, 0, open - 1));
	return 0;
}

int md_finish(struct arena *a, const char *file, struct md_node *node, struct err *e)
{
	struct md_node **link = &node->first, *child;

	if (!node->line && node->parent)
		node->line = node->parent->line;
	node->last = NULL;
	while ((child = *link)) {
		bool attributes = (child->kind == MD_LINK || child->kind == MD_IMAGE) &&
				  child->next && child->next->kind == MD_TEXT &&
				  child->next->text.n && child->next->text.p[0] == '{';

		if (child->kind == MD_TEXT && !child->text.n) {
			*link = child->next;
			continue;
		}
		if (md_finish(a, file, child, e) < 0 ||
			(attributes && take_attributes(file, child, e) < 0))
			return -1;
		node->last = child;
		link = &child->next;
	}
	if (node->kind == MD_HEADING && take_heading(file, node, e) < 0)
		return -1;
	node->text = md_unliteral(a, node->text);
	node->href = md_unliteral(a, node->href);
	node->title = md_unliteral(a, node->title);
	return 0;
}
