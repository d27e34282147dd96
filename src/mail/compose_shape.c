/* SPDX-License-Identifier: MIT */
#include "compose.h"

#include "compose_check.h"

#include <string.h>

enum { GREETING_MAX = 60, CONDITIONS_MAX = 4 };

static bool is_kind(const struct md_node *n, enum md_kind kind)
{
	return n && n->kind == kind;
}

static struct md_node *new_node(struct compose *c, enum md_kind kind, size_t line)
{
	struct md_node *n = arena_alloc(c->a, sizeof(*n));

	n->kind = kind;
	n->line = line;
	return n;
}

/* Take all children out of `n`; returns the first, still linked. */
static struct md_node *take_children(struct md_node *n)
{
	struct md_node *first = n->first;

	n->first = n->last = NULL;
	return first;
}

/* Put `child` behind the children of `parent`; returns what was linked behind it. */
static struct md_node *move(struct md_node *parent, struct md_node *child)
{
	struct md_node *next = child->next;

	child->next = NULL;
	markdown_append(parent, child);
	return next;
}

/* ---- conditions around a whole paragraph ---- */

/* Whether all of `p` is one `{% if … %}…{% endif %}` without another branch. */
static bool is_conditional(const struct compose *c, const struct md_node *p)
{
	enum liquid_context context;
	struct str rest, before;
	int depth = 0, index;

	for (const struct md_node *n = p->first; n; n = n->next) {
		rest = n->kind == MD_TEXT ? n->text : STR("");
		while ((index = liquid_next_mark(&rest, &before, &context)) >= 0) {
			enum liquid_op op = c->out->slots.slot[index].op;

			if (!depth && (n != p->first || before.n || op != LIQUID_IF))
				return false;
			if (depth == 1 && (op == LIQUID_ELSE || op == LIQUID_ELSIF))
				return false;
			depth += (op == LIQUID_IF) - (op == LIQUID_ENDIF);
			if (!depth)
				return !n->next && !rest.n;
		}
	}
	return false;
}

/* Split the mark off the start or the end of a text; the node of it. */
static struct md_node *split_mark(struct compose *c, struct md_node *text, bool end)
{
	struct md_node *control = new_node(c, MD_CONTROL, text->line);
	struct str s = text->text, close = STR("\uE001");
	size_t at = str_search(s, close) + close.n;

	if (end)
		for (at = s.n - close.n; !str_has_prefix(str_slice(s, at, s.n), STR("\uE000"));)
			at--;
	control->text = end ? str_slice(s, at, s.n) : str_slice(s, 0, at);
	text->text = end ? str_slice(s, 0, at) : str_slice(s, at, s.n);
	return control;
}

/* Put the condition of such a paragraph around it, so that it leaves nothing where it does not hold. */
static void lift_conditions(struct compose *c, struct md_node *n)
{
	struct md_node *child = take_children(n), *next, *end;

	for (; child; child = next) {
		next = child->next;
		if (!is_kind(child, MD_PARAGRAPH) || !is_conditional(c, child)) {
			lift_conditions(c, child);
			move(n, child);
			continue;
		}
		markdown_append(n, split_mark(c, child->first, false));
		end = split_mark(c, child->last, true);
		move(n, child);
		markdown_append(n, end);
		for (struct md_node *word = take_children(child), *after; word; word = after) {
			after = word->next;
			if (word->kind != MD_TEXT || word->text.n)
				move(child, word);
		}
	}
}

/* ---- labels: "**Why it matters:** …" ---- */

/* Whether `label`, with or without a colon at its end, is one of `names`, which has "|" between. */
static bool is_listed(struct str label, struct str names)
{
	struct str name;

	label = str_trim(label);
	if (str_has_suffix(label, STR(":")))
		label.n--;
	while (label.n && str_next(&names, '|', &name))
		if (str_eq_nocase(label, str_trim(name)))
			return true;
	return false;
}

static struct str words_of(struct compose *c, const struct md_node *n)
{
	struct buf words;
	struct str text;

	buf_init(&words, COMPOSE_MAX);
	compose_words(n, false, &words);
	text = arena_str(c->a, buf_view(&words));
	buf_free(&words);
	return text;
}

/* The bold words with a colon that start the paragraph `p`, or NULL. */
static struct md_node *label_of(struct compose *c, struct md_node *p)
{
	struct md_node *strong = p->first;

	return is_kind(strong, MD_STRONG) && str_has_suffix(words_of(c, strong), STR(":")) ? strong
											   : NULL;
}

/* A callout in which `parent` gets the nodes from `first` up to a heading or condition, or only
 * `first`; returns what follows them. */
static struct md_node *wrap_callout(
	struct compose *c, struct md_node *parent, struct md_node *first, bool all)
{
	struct md_node *box = new_node(c, MD_CONTAINER, first->line), *next;

	box->text = STR("callout");
	markdown_append(parent, box);
	next = move(box, first);
	while (all && next && next->kind != MD_HEADING && next->kind != MD_CONTROL)
		next = move(box, next);
	return next;
}

/* Find the labels among the children of `n`, and make callouts of those that are to be. */
static void shape_labels(struct compose *c, struct md_node *n)
{
	const struct compile_sender *sender = c->in->sender;
	bool inside = is_kind(n, MD_CONTAINER) && str_eq(n->text, STR("callout"));
	struct md_node *child = take_children(n), *label;

	while (child) {
		if (is_kind(child, MD_HEADING) && child->level > 2 && !inside &&
			is_listed(words_of(c, child), sender->callout_label)) {
			child = wrap_callout(c, n, child, true);
			continue;
		}
		label = is_kind(child, MD_PARAGRAPH) ? label_of(c, child) : NULL;
		if (label && !label->next && is_kind(child->next, MD_LIST)) {
			child->look = "label";
			child->first = child->last = NULL;
			for (struct md_node *word = label->first; word;)
				word = move(child, word);
		} else if (label && is_listed(words_of(c, label), sender->accent_label)) {
			label->look = "lede";
		} else if (label && is_listed(words_of(c, label), sender->callout_label)) {
			label->look = "callout-label";
			if (!inside) {
				child = wrap_callout(c, n, child, false);
				continue;
			}
		}
		child = move(n, child);
	}
}

/* ---- figures and buttons: paragraphs of their own ---- */

static void shape_figure(struct md_node *p)
{
	struct md_node *image = p->first;

	if (!image || image->next)
		return;
	if (is_kind(image, MD_LINK) && image->first && !image->first->next)
		image = image->first;
	if (!is_kind(image, MD_IMAGE))
		return;
	p->look = "figure";
	p->title = image->title;
	image->look = "image";
}

static void shape_buttons(struct md_node *p)
{
	struct md_node *child;

	for (child = p->first; child; child = child->next)
		if (child->kind != MD_SOFT_BREAK && child->kind != MD_HARD_BREAK &&
			!(child->kind == MD_LINK && child->button) &&
			!(child->kind == MD_TEXT && !str_trim(child->text).n))
			return;
	if (!p->first)
		return;
	p->look = "buttons";
	for (child = take_children(p); child;) {
		if (child->kind == MD_LINK) {
			child->look = "button";
			child = move(p, child);
		} else {
			child = child->next;
		}
	}
}

/* ---- contents ---- */

/* One entry for each section's heading, under the conditions that the sections are under. */
static void fill_toc(struct compose *c, struct md_node *toc, struct md_node *document)
{
	struct md_node *list = new_node(c, MD_LIST, toc->line), *item, *p, *text;
	struct buf words;

	markdown_append(toc, list);
	for (struct md_node *s = document->first; s; s = s->next) {
		if (s->kind == MD_CONTROL) {
			item = new_node(c, MD_CONTROL, s->line);
			item->text = s->text;
			markdown_append(list, item);
		} else if (is_kind(s->first, MD_HEADING)) {
			item = new_node(c, MD_ITEM, s->line);
			p = new_node(c, MD_PARAGRAPH, s->line);
			text = new_node(c, MD_TEXT, s->line);
			buf_init(&words, COMPOSE_MAX);
			compose_words(s->first, true, &words);
			text->text = arena_str(c->a, buf_view(&words));
			buf_free(&words);
			markdown_append(p, text);
			markdown_append(item, p);
			markdown_append(list, item);
		}
	}
}

static void shape_toc(struct compose *c, struct md_node *toc, struct md_node *document)
{
	if (!toc->first)
		fill_toc(c, toc, document);
	for (struct md_node *list = toc->first; list; list = list->next) {
		if (list->kind != MD_LIST)
			continue;
		list->look = "toc-list";
		for (struct md_node *item = list->first; item; item = item->next)
			if (item->kind == MD_ITEM)
				item->look = "toc-item";
	}
}

/* ---- sections ---- */

/* Cut the document at its `##` headings. A condition that stands right before one goes around whole
 * sections, any other stays inside its section. */
static int shape_sections(struct compose *c, struct md_node *document)
{
	struct md_node *section = NULL, *child = take_children(document), *next;
	bool around[CONDITIONS_MAX + 1] = {false};
	int depth = 0;

	while (child) {
		enum liquid_op op = LIQUID_VALUE;
		bool outer = false, heading = is_kind(child, MD_HEADING) && child->level <= 2;

		if (child->kind == MD_CONTROL) {
			op = check_op(c, child->text);
			for (next = child; is_kind(next, MD_CONTROL);)
				next = next->next;
			if (op == LIQUID_IF && depth < CONDITIONS_MAX)
				around[++depth] = is_kind(next, MD_HEADING) && next->level <= 2;
			outer = around[depth];
			depth -= op == LIQUID_ENDIF && depth > 0;
		} else if (heading && depth && !around[depth]) {
			return err_set(c->e, ERR_INPUT,
				"%s:%zu: a '##' inside a condition must come right after its '{%% "
				"if … %%}'",
				c->in->issue->file, child->line);
		}
		if (outer) {
			section = NULL;
			child = move(document, child);
			continue;
		}
		if (!section || heading) {
			section = new_node(c, MD_SECTION, child->line);
			markdown_append(document, section);
		}
		child = move(section, child);
	}
	return 0;
}

/* A short first paragraph before the first `##`, such as "Good morning", greets. */
static void shape_greeting(struct compose *c, struct md_node *document)
{
	struct md_node *section = document->first;
	struct md_node *p = is_kind(section, MD_SECTION) ? section->first : NULL;
	struct str words;

	if (!is_kind(p, MD_PARAGRAPH) || p->look || (!p->next && !section->next))
		return;
	for (struct md_node *n = p->first; n; n = n->next)
		if (n->kind != MD_TEXT && n->kind != MD_EMPHASIS)
			return;
	words = str_trim(words_of(c, p));
	if (utf8_prefix(words, GREETING_MAX) < words.n || str_has_suffix(words, STR(".")))
		return;
	p->look = "greeting";
}

static void walk(struct compose *c, struct md_node *n, struct md_node *document)
{
	if (is_kind(n, MD_PARAGRAPH)) {
		shape_figure(n);
		shape_buttons(n);
	}
	if (is_kind(n, MD_CONTAINER) && str_eq(n->text, STR("toc")))
		shape_toc(c, n, document);
	for (struct md_node *child = n->first; child; child = child->next)
		walk(c, child, document);
	if (is_kind(n, MD_SECTION) || is_kind(n, MD_ITEM) || is_kind(n, MD_CONTAINER) ||
		is_kind(n, MD_QUOTE))
		shape_labels(c, n);
}

int compose_shape(struct compose *c, struct md_node *document)
{
	if (check_conditions(c, document) < 0)
		return -1;
	lift_conditions(c, document);
	if (shape_sections(c, document) < 0)
		return -1;
	walk(c, document, document);
	shape_greeting(c, document);
	return check_links(c, document);
}
