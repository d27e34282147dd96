/* SPDX-License-Identifier: MIT */
#include "mail/markdown.h"

#include "markdown_parts.h"

#include <string.h>

/*
 * Footnotes. In the tree that md4c gave, references and definitions are marks in texts (markdown_parts.h):
 * here references become nodes, and definitions move to the end in the order of their first references.
 */
struct notes {
	struct arena *a;
	const char *file;
	const struct md_notes *names;
	struct md_node **text; /* of each name: its paragraph, taken out of the tree */
	int *number; /* 0 = not referred to yet */
	size_t *order; /* order[number - 1]: index of the name */
	int numbers;
	struct err *e;
};

/* The first mark in `s` that starts with `start`: its index, with the octets of it in `*from` and `*to`;
 * -1 for none. */
static int64_t find_mark(
	const struct notes *k, struct str s, struct str start, size_t *from, size_t *to)
{
	int64_t index;

	*from = str_search(s, start);
	if (*from == s.n)
		return -1;
	*to = *from + start.n + str_search(str_slice(s, *from + start.n, s.n), MD_NOTE_END);
	if (!str_to_int(str_slice(s, *from + start.n, *to), 0, (int64_t)k->names->n - 1, &index))
		return -1;
	*to += MD_NOTE_END.n;
	return index;
}

/* ---- definitions ---- */

/* The definition that starts the text `n`, or -1; its mark is cut off. */
static int64_t take_definition(struct notes *k, struct md_node *n)
{
	size_t from = 0, to = 0;
	int64_t index =
		n && n->kind == MD_TEXT ? find_mark(k, n->text, MD_NOTE_TEXT, &from, &to) : -1;

	if (index < 0 || from > 0)
		return -1;
	n->text = str_slice(n->text, to, n->text.n);
	while (n->text.n && n->text.p[0] == ' ')
		n->text = str_slice(n->text, 1, n->text.n);
	return index;
}

/* Take the definitions that make up the paragraph `p` out of it: each starts a line. `index` is that of the
 * first, whose mark is cut off already. */
static int take_definitions(struct notes *k, struct md_node *p, int64_t index)
{
	struct md_node *pause = NULL, *next;

	for (struct md_node *child = p->first; child; child = next) {
		next = child->next;
		child->next = NULL;
		if (child != p->first && pause)
			index = take_definition(k, child);
		if (child == p->first || (pause && index >= 0)) {
			if (k->text[index])
				return err_set(k->e, ERR_INPUT,
					"%s:%zu: the footnote [^%.*s] has a text already on line "
					"%zu",
					k->file, child->line, STR_ARG(k->names->item[index].name),
					k->text[index]->line);
			k->text[index] = arena_alloc(k->a, sizeof(*p));
			*k->text[index] =
				(struct md_node){.kind = MD_PARAGRAPH, .line = child->line};
			p->last = k->text[index];
		} else if (pause) {
			markdown_append(p->last, pause);
		}
		pause = child->kind == MD_SOFT_BREAK ? child : NULL;
		if (!pause)
			markdown_append(p->last, child);
	}
	return 0;
}

/* Take all definitions out of the blocks below `n`. */
static int take_all(struct notes *k, struct md_node *n)
{
	struct md_node *child = n->first, *next;

	n->first = n->last = NULL;
	for (; child; child = next) {
		int64_t index = child->kind == MD_PARAGRAPH ? take_definition(k, child->first) : -1;

		next = child->next;
		child->next = NULL;
		if (index >= 0 ? take_definitions(k, child, index) < 0 : take_all(k, child) < 0)
			return -1;
		if (index < 0)
			markdown_append(n, child);
	}
	return 0;
}

/* ---- references ---- */

static int reference(struct notes *k, struct md_node *n, int64_t index)
{
	n->kind = MD_NOTE;
	if (!k->text[index])
		return err_set(k->e, ERR_INPUT,
			"%s:%zu: the footnote [^%.*s] has no text, add a line '[^%.*s]: …'",
			k->file, n->line, STR_ARG(k->names->item[index].name),
			STR_ARG(k->names->item[index].name));
	if (!k->number[index]) {
		k->order[k->numbers++] = (size_t)index;
		k->number[index] = k->numbers;
	}
	n->start = k->number[index];
	return 0;
}

/* Cut the text `n`, whose references become nodes behind it. */
static int split_text(struct notes *k, struct md_node *n)
{
	size_t from, to;
	int64_t index;

	while ((index = find_mark(k, n->text, MD_NOTE_REF, &from, &to)) >= 0) {
		struct md_node *note = arena_alloc(k->a, sizeof(*n)),
			       *rest = arena_alloc(k->a, sizeof(*n));

		*note = *rest = (struct md_node){.parent = n->parent, .line = n->line};
		rest->kind = MD_TEXT;
		rest->text = str_slice(n->text, to, n->text.n);
		rest->next = n->next;
		note->next = rest;
		n->next = note;
		if (n->parent->last == n)
			n->parent->last = rest;
		n->text = str_slice(n->text, 0, from);
		if (reference(k, note, index) < 0)
			return -1;
		n = rest;
	}
	return 0;
}

/* `s` with marks turned back into what was typed. */
static struct str typed(struct notes *k, struct str s)
{
	size_t from, to;
	int64_t index;

	for (int definition = 0; definition < 2; definition++)
		while ((index = find_mark(
				k, s, definition ? MD_NOTE_TEXT : MD_NOTE_REF, &from, &to)) >= 0)
			s = str_of(arena_printf(k->a, "%.*s[^%.*s]%s%.*s", (int)from, s.p,
				STR_ARG(k->names->item[index].name), definition ? ":" : "",
				STR_ARG(str_slice(s, to, s.n))));
	return s;
}

static int walk(struct notes *k, struct md_node *n, bool literal)
{
	literal = literal || n->kind == MD_IMAGE; /* whose text is its alt text */
	n->href = typed(k, n->href);
	n->title = typed(k, n->title);
	if (n->kind != MD_TEXT || literal)
		n->text = typed(k, n->text);
	else if (split_text(k, n) < 0)
		return -1;
	n->text = typed(k, n->text); /* a definition's mark amid a line */
	for (struct md_node *child = n->first; child; child = child->next)
		if (walk(k, child, literal) < 0)
			return -1;
	return 0;
}

/* The list of those that are referred to; texts may refer to further ones. */
static int put_list(struct notes *k, struct md_node *document)
{
	struct md_node *list = arena_alloc(k->a, sizeof(*list)), *item;

	*list = (struct md_node){.kind = MD_LIST, .ordered = true, .start = 1, .look = "notes"};
	for (int i = 0; i < k->numbers; i++) {
		struct md_node *text = k->text[k->order[i]];

		if (walk(k, text, false) < 0)
			return -1;
		item = arena_alloc(k->a, sizeof(*item));
		*item = (struct md_node){
			.kind = MD_ITEM, .line = text->line, .start = i + 1, .look = "note"};
		markdown_append(item, text);
		markdown_append(list, item);
	}
	list->line = list->first ? list->first->line : 0;
	if (list->first)
		markdown_append(document, list);
	return 0;
}

int md_notes_finish(struct arena *a, const char *file, const struct md_notes *names,
	struct md_node *document, struct err *e)
{
	struct notes k = {.a = a, .file = file, .names = names, .e = e};

	if (!names->n)
		return 0;
	k.text = arena_array(a, names->n, sizeof(*k.text));
	k.number = arena_array(a, names->n, sizeof(*k.number));
	k.order = arena_array(a, names->n, sizeof(*k.order));
	if (take_all(&k, document) < 0 || walk(&k, document, false) < 0 ||
		put_list(&k, document) < 0)
		return -1;
	for (size_t i = 0; i < names->n; i++)
		if (k.text[i] && !k.number[i])
			return err_set(e, ERR_INPUT,
				"%s:%zu: nothing refers to the footnote [^%.*s], add '[^%.*s]' "
				"where it "
				"belongs",
				file, k.text[i]->line, STR_ARG(names->item[i].name),
				STR_ARG(names->item[i].name));
	return 0;
}
