/* SPDX-License-Identifier: MIT */
#include "mail/markdown.h"

#include "mail/liquid.h"
#include "markdown_parts.h"

#include <md4c.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32, NODES_MAX = 20000 };

struct builder {
	struct arena *a;
	const char *file;
	struct str source; /* what md4c sees: its pointers lead here */
	const char **line_at; /* where each line of it starts */
	size_t lines;
	size_t first_line;
	size_t line; /* of what was seen last */
	const struct md_directives *directives;
	struct md_node *cur; /* the innermost open node */
	struct buf run; /* text not yet in a node */
	size_t run_line;
	bool html; /* inside a block of HTML */
	bool implicit; /* `cur` is a paragraph that md4c does not know of, in a tight list item */
	int depth;
	size_t nodes;
	struct err *e;
};

static int fail(struct builder *b, size_t line, const char *what)
{
	return err_set(b->e, ERR_INPUT, "%s:%zu: %s", b->file, line, what);
}

/* ---- lines ---- */

static void index_lines(struct builder *b)
{
	size_t n = 1;

	for (size_t i = 0; i < b->source.n; i++)
		n += b->source.p[i] == '\n';
	b->line_at = arena_array(b->a, n, sizeof(*b->line_at));
	b->line_at[b->lines++] = b->source.p;
	for (size_t i = 0; i < b->source.n; i++)
		if (b->source.p[i] == '\n')
			b->line_at[b->lines++] = b->source.p + i + 1;
}

/* Remember the line of `p` where it points into the source (md4c copies a little of it). */
static void see(struct builder *b, const char *p)
{
	size_t low = 0, high = b->lines;

	if (!p || p < b->source.p || p >= b->source.p + b->source.n)
		return;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (b->line_at[middle] <= p)
			low = middle;
		else
			high = middle;
	}
	b->line = b->first_line + low;
	for (struct md_node *n = b->cur; n && !n->line; n = n->parent)
		n->line = b->line;
}

/* ---- the tree ---- */

void markdown_append(struct md_node *parent, struct md_node *child)
{
	child->parent = parent;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

static struct md_node *add(struct builder *b, enum md_kind kind)
{
	struct md_node *n = arena_alloc(b->a, sizeof(*n));

	n->kind = kind;
	markdown_append(b->cur, n);
	b->nodes++;
	return n;
}

/* Put the text read so far into the tree. */
static void flush(struct builder *b)
{
	struct str text = arena_str(b->a, buf_view(&b->run));
	struct md_node *n = b->cur;

	if (!b->run.n)
		return;
	if (n->kind != MD_CODE && n->kind != MD_CODE_BLOCK) {
		n = add(b, MD_TEXT);
		n->line = b->run_line;
	}
	n->text = text;
	buf_reset(&b->run);
}

static int open_node(struct builder *b, enum md_kind kind)
{
	flush(b);
	if (++b->depth > DEPTH_MAX)
		return fail(b, b->line, "quotes, lists and emphasis are nested too deep here");
	if (b->nodes >= NODES_MAX)
		return fail(b, b->line, "there are too many pieces of markup up to here");
	b->cur = add(b, kind);
	return 0;
}

static void close_node(struct builder *b)
{
	flush(b);
	b->depth--;
	b->cur = b->cur->parent;
}

/* Text of a tight list item, or of a container in one, comes without a paragraph: give it one. */
static int need_paragraph(struct builder *b)
{
	enum md_kind kind = b->cur->kind;

	if (kind != MD_ITEM && kind != MD_CONTAINER && kind != MD_QUOTE && kind != MD_DOCUMENT)
		return 0;
	b->implicit = true;
	return open_node(b, MD_PARAGRAPH);
}

static bool is_span(const struct md_node *n)
{
	return n->kind >= MD_STRONG && n->kind <= MD_IMAGE;
}

/* End what md4c does not: spans that it left open, and a paragraph that it does not know of. */
static void end_implicit(struct builder *b)
{
	while (is_span(b->cur))
		close_node(b);
	if (b->implicit)
		close_node(b);
	b->implicit = false;
}

/* ---- what md4c takes for HTML ---- */

static int raw_html(struct builder *b, size_t at, struct str text)
{
	struct str line = str_slice(text, 0, str_find(text, '\n'));

	return err_set(b->e, ERR_INPUT,
		"%s:%zu: raw HTML such as '%.*s' is not allowed here, write '&lt;' for a '<' that "
		"is meant as one",
		b->file, at, STR_ARG(str_slice(line, 0, utf8_prefix(line, 40))));
}

static int directive(struct builder *b, struct str number)
{
	const struct md_directive *d;
	int64_t i;

	if (!str_to_int(number, 0, (int64_t)b->directives->n - 1, &i))
		return fail(b, b->line, "a container cannot stand here");
	d = &b->directives->item[i];
	if (str_eq(d->name, STR("html"))) {
		struct md_node *n = add(b, MD_HTML);

		n->text = md_unliteral_html(b->a, d->raw);
		n->line = d->line;
		return 0;
	}
	if (d->name.n) {
		if (open_node(b, MD_CONTAINER) < 0)
			return -1;
		b->cur->text = d->name;
		b->cur->title = d->argument;
		b->cur->line = d->line;
		return 0;
	}
	if (b->cur->kind != MD_CONTAINER)
		return fail(b, d->line, "this ':::' closes nothing that was opened before it");
	close_node(b);
	return 0;
}

static void controls(struct builder *b, size_t line, struct str marks)
{
	enum liquid_context context;
	struct str before, rest = marks;
	size_t from = 0;

	while (liquid_next_mark(&rest, &before, &context) >= 0) {
		struct md_node *n = add(b, MD_CONTROL);
		size_t to = marks.n - rest.n;

		n->text = str_trim(str_slice(marks, from, to));
		n->line = line;
		from = to;
	}
}

/* A block of HTML is whole: only the comments that md_prepare() wrote may be in it, one a line. */
static int html_block(struct builder *b)
{
	struct str rest = arena_str(b->a, buf_view(&b->run)), text;

	buf_reset(&b->run);
	for (size_t line = b->run_line; str_next(&rest, '\n', &text); line++) {
		struct str inner;

		text = str_trim(text);
		if (!text.n)
			continue;
		inner = str_slice(text, 4, text.n - 3);
		if (!str_has_prefix(text, STR("<!--\xee\x80")) || !str_has_suffix(text, STR("-->")))
			return raw_html(b, line, text);
		if (!str_has_prefix(inner, MD_DIRECTIVE))
			controls(b, line, inner);
		else if (directive(b, str_slice(inner, 3, inner.n)) < 0)
			return -1;
	}
	return 0;
}

/* ---- callbacks ---- */

static int attribute(struct builder *b, const MD_ATTRIBUTE *from, struct str *to)
{
	struct buf out;
	bool ok = true;

	buf_init(&out, 2 * b->source.n + 64);
	see(b, from->text);
	for (size_t i = 0; from->text && from->substr_offsets[i] < from->size; i++) {
		struct str piece = {from->text + from->substr_offsets[i],
			from->substr_offsets[i + 1] - from->substr_offsets[i]};

		if (from->substr_types[i] == MD_TEXT_ENTITY)
			ok = md_entity(&out, piece) && ok;
		else
			buf_str(&out, piece);
	}
	*to = arena_str(b->a, buf_view(&out));
	buf_free(&out);
	return ok ? 0 : fail(b, b->line, "a numeric entity names a character that is not allowed");
}

static int enter_block(MD_BLOCKTYPE type, void *detail, void *user)
{
	static const enum md_kind kinds[] = {
		[MD_BLOCK_QUOTE] = MD_QUOTE,
		[MD_BLOCK_UL] = MD_LIST,
		[MD_BLOCK_OL] = MD_LIST,
		[MD_BLOCK_LI] = MD_ITEM,
		[MD_BLOCK_HR] = MD_RULE,
		[MD_BLOCK_H] = MD_HEADING,
		[MD_BLOCK_CODE] = MD_CODE_BLOCK,
		[MD_BLOCK_P] = MD_PARAGRAPH,
		[MD_BLOCK_TABLE] = MD_TABLE,
		[MD_BLOCK_TR] = MD_ROW,
		[MD_BLOCK_TH] = MD_CELL,
		[MD_BLOCK_TD] = MD_CELL,
	};
	struct builder *b = user;

	end_implicit(b);
	if (type == MD_BLOCK_HTML)
		b->html = true;
	if (type == MD_BLOCK_DOC || type == MD_BLOCK_HTML || type == MD_BLOCK_THEAD ||
		type == MD_BLOCK_TBODY)
		return 0;
	if (open_node(b, kinds[type]) < 0)
		return -1;
	if (type == MD_BLOCK_OL) {
		b->cur->ordered = true;
		b->cur->start = (int)((MD_BLOCK_OL_DETAIL *)detail)->start;
	} else if (type == MD_BLOCK_H) {
		b->cur->level = (int)((MD_BLOCK_H_DETAIL *)detail)->level;
	} else if (type == MD_BLOCK_TH || type == MD_BLOCK_TD) {
		b->cur->header = type == MD_BLOCK_TH;
		b->cur->align = (enum md_align)((MD_BLOCK_TD_DETAIL *)detail)->align;
	}
	return 0;
}

static int leave_block(MD_BLOCKTYPE type, void *detail, void *user)
{
	struct builder *b = user;

	(void)detail;
	end_implicit(b);
	if (type == MD_BLOCK_HTML) {
		b->html = false;
		return html_block(b);
	}
	if (b->cur->kind == MD_CONTAINER)
		return err_set(b->e, ERR_INPUT,
			"%s:%zu: '::: %.*s' is not closed by a ':::' in the same list item, quote "
			"or document",
			b->file, b->cur->line, STR_ARG(b->cur->text));
	if (type != MD_BLOCK_DOC && type != MD_BLOCK_THEAD && type != MD_BLOCK_TBODY)
		close_node(b);
	return 0;
}

static const enum md_kind span_kinds[] = {
	[MD_SPAN_EM] = MD_EMPHASIS,
	[MD_SPAN_STRONG] = MD_STRONG,
	[MD_SPAN_A] = MD_LINK,
	[MD_SPAN_IMG] = MD_IMAGE,
	[MD_SPAN_CODE] = MD_CODE,
	[MD_SPAN_DEL] = MD_STRIKE,
};

static int enter_span(MD_SPANTYPE type, void *detail, void *user)
{
	struct builder *b = user;
	MD_SPAN_A_DETAIL *link = detail;
	MD_SPAN_IMG_DETAIL *image = detail;

	if (need_paragraph(b) < 0 || open_node(b, span_kinds[type]) < 0)
		return -1;
	if (type == MD_SPAN_A && (attribute(b, &link->href, &b->cur->href) < 0 ||
					 attribute(b, &link->title, &b->cur->title) < 0))
		return -1;
	if (type == MD_SPAN_IMG && (attribute(b, &image->src, &b->cur->href) < 0 ||
					   attribute(b, &image->title, &b->cur->title) < 0))
		return -1;
	return 0;
}

/* md4c 0.4.8 leaves spans that it never entered, and the other way round, where emphasis and a bare URL
 * overlap ("http://a.example/b*c*"): leave only what is open, with all in it. */
static int leave_span(MD_SPANTYPE type, void *detail, void *user)
{
	struct builder *b = user;
	const struct md_node *n = b->cur;

	(void)detail;
	while (is_span(n) && n->kind != span_kinds[type])
		n = n->parent;
	if (n->kind != span_kinds[type])
		return 0;
	while (b->cur != n)
		close_node(b);
	close_node(b);
	return 0;
}

static int text(MD_TEXTTYPE type, const MD_CHAR *p, MD_SIZE n, void *user)
{
	struct builder *b = user;
	struct str s = {p, n};

	if (!b->html && need_paragraph(b) < 0)
		return -1;
	see(b, p);
	if (!b->run.n)
		b->run_line = b->line;
	if (type == MD_TEXT_HTML && !b->html)
		return raw_html(b, b->line, s);
	if (type == MD_TEXT_CODE && str_search(s, STR("<!--\xee\x80")) < s.n)
		return fail(b, b->line, "a container or condition cannot stand inside code");
	if (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR) {
		flush(b);
		add(b, type == MD_TEXT_BR ? MD_HARD_BREAK : MD_SOFT_BREAK)->line = b->line;
	} else if (type == MD_TEXT_ENTITY) {
		if (!md_entity(&b->run, s))
			return fail(b, b->line,
				"a numeric entity names a character that is not allowed");
	} else {
		buf_str(&b->run, s);
	}
	return 0;
}

int markdown_parse(struct arena *a, const char *file, size_t line, struct str source,
	struct md_node **document, struct err *e)
{
	static const MD_PARSER parser = {
		.flags = MD_FLAG_TABLES | MD_FLAG_STRIKETHROUGH | MD_FLAG_PERMISSIVEURLAUTOLINKS |
			 MD_FLAG_PERMISSIVEEMAILAUTOLINKS | MD_FLAG_NOINDENTEDCODEBLOCKS |
			 MD_FLAG_COLLAPSEWHITESPACE,
		.enter_block = enter_block,
		.leave_block = leave_block,
		.enter_span = enter_span,
		.leave_span = leave_span,
		.text = text,
	};
	struct md_directives directives = {NULL, 0};
	struct md_notes notes = {NULL, 0};
	struct err own = {ERR_NONE, ""};
	struct builder b = {
		.a = a, .file = file, .first_line = line, .directives = &directives, .e = &own};
	struct buf prepared;
	int rc = -1;

	buf_init(&prepared, 2 * source.n + 64);
	buf_init(&b.run, 2 * source.n + 64);
	if (md_prepare(a, file, line, source, &directives, &notes, &prepared, &own) < 0)
		goto out;
	b.source = buf_view(&prepared);
	b.line = line;
	index_lines(&b);
	b.cur = arena_alloc(a, sizeof(*b.cur));
	b.cur->line = line;
	*document = b.cur;
	if (md_parse(b.source.p, (MD_SIZE)b.source.n, &parser, &b) == 0)
		rc = md_notes_finish(a, file, &notes, *document, &own) < 0
			     ? -1
			     : md_finish(a, file, *document, &own);
	else if (own.code == ERR_NONE)
		err_set(&own, ERR_IO, "%s: the Markdown parser ran out of memory", file);
out:
	if (rc < 0 && e)
		*e = own;
	buf_free(&b.run);
	buf_free(&prepared);
	return rc;
}
