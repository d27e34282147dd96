/* SPDX-License-Identifier: MIT */
#include "compose.h"

#include "compose_check.h"
#include "compose_tree.h"

#include <string.h>

enum { GREETING_MAX = 60, CONDITIONS_MAX = 4 };

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
	struct md_node *control = tree_new(c, MD_CONTROL, text->line);
	struct str s = text->text, close = STR("\uE001");
	size_t at = str_search(s, close) + close.n;

	if (end)
		for (at = s.n - close.n; !str_has_prefix(str_slice(s, at, s.n), STR("\uE000"));)
			at--;
	control->text = end ? str_slice(s, at, s.n) : str_slice(s, 0, at);
	text->text = end ? str_slice(s, 0, at) : str_slice(s, at, s.n);
	return control;
}

/* `::: web-only` and `::: email-only` are conditions: marks of one to `*begin` and `*end`. */
static int box_condition(
	struct compose *c, const struct md_node *box, struct str *begin, struct str *end)
{
	bool web = str_eq(box->text, STR("web-only"));
	struct liquid_source in = {c->in->issue->file, box->line,
		web ? STR("{% if view.web %} {% endif %}")
		    : STR("{% unless view.web %} {% endunless %}"),
		false};
	struct liquid_scope scope = compose_scope(c, c->issue_from);
	struct buf out;
	struct str both;
	int rc;

	buf_init(&out, COMPOSE_MAX);
	rc = liquid_expand(c->a, &in, &scope, buf_str, &c->out->slots, &out, c->e);
	both = arena_str(c->a, buf_view(&out));
	buf_free(&out);
	*begin = str_slice(both, 0, str_find(both, ' '));
	*end = str_slice(both, begin->n + 1, both.n);
	return rc;
}

/* The conditions of such boxes do not nest: one in the other would be seen nowhere, or be said twice. */
static int no_box_in(struct compose *c, const struct md_node *n, const struct md_node *box)
{
	for (const struct md_node *child = n->first; child; child = child->next) {
		if (tree_is_box(child, "web-only") || tree_is_box(child, "email-only"))
			return err_set(c->e, ERR_INPUT,
				"%s:%zu: '::: %.*s' cannot stand inside '::: %.*s'",
				c->in->issue->file, child->line, STR_ARG(child->text),
				STR_ARG(box->text));
		if (no_box_in(c, child, box) < 0)
			return -1;
	}
	return 0;
}

/* Put the children of such a box in its place in `parent`, with its condition around them. */
static int open_box(struct compose *c, struct md_node *parent, struct md_node *box)
{
	struct md_node *begin = tree_new(c, MD_CONTROL, box->line),
		       *end = tree_new(c, MD_CONTROL, box->line);

	if (box_condition(c, box, &begin->text, &end->text) < 0)
		return -1;
	markdown_append(parent, begin);
	if (no_box_in(c, box, box) < 0)
		return -1;
	for (struct md_node *child = tree_take(box); child;)
		child = tree_move(parent, child);
	markdown_append(parent, end);
	return 0;
}

static int open_boxes(struct compose *c, struct md_node *n)
{
	struct md_node *child = tree_take(n), *next;

	for (; child; child = next) {
		next = child->next;
		if (tree_is_box(child, "web-only") || tree_is_box(child, "email-only")) {
			if (open_box(c, n, child) < 0)
				return -1;
			continue;
		}
		if (open_boxes(c, child) < 0)
			return -1;
		tree_move(n, child);
	}
	return 0;
}

/* Put the condition of such a paragraph around it, so that it leaves nothing where it does not hold. */
static void lift_conditions(struct compose *c, struct md_node *n)
{
	struct md_node *child = tree_take(n), *next, *end;

	for (; child; child = next) {
		next = child->next;
		if (!tree_is(child, MD_PARAGRAPH) || !is_conditional(c, child)) {
			lift_conditions(c, child);
			tree_move(n, child);
			continue;
		}
		markdown_append(n, split_mark(c, child->first, false));
		end = split_mark(c, child->last, true);
		tree_move(n, child);
		markdown_append(n, end);
		for (struct md_node *word = tree_take(child), *after; word; word = after) {
			after = word->next;
			if (word->kind != MD_TEXT || word->text.n)
				tree_move(child, word);
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

	return tree_is(strong, MD_STRONG) && str_has_suffix(words_of(c, strong), STR(":")) ? strong
											   : NULL;
}

/* A callout in which `parent` gets the nodes from `first` up to a heading or condition, or only
 * `first`; returns what follows them. */
static struct md_node *wrap_callout(
	struct compose *c, struct md_node *parent, struct md_node *first, bool all)
{
	struct md_node *box = tree_new(c, MD_CONTAINER, first->line), *next;

	box->text = STR("callout");
	markdown_append(parent, box);
	next = tree_move(box, first);
	while (all && next && next->kind != MD_HEADING && next->kind != MD_CONTROL)
		next = tree_move(box, next);
	return next;
}

/* Find the labels among the children of `n`, and make callouts of those that are to be. */
static void shape_labels(struct compose *c, struct md_node *n)
{
	const struct compile_sender *sender = c->in->sender;
	bool inside = tree_is_box(n, "callout");
	struct md_node *child = tree_take(n), *label;

	while (child) {
		if (tree_is(child, MD_HEADING) && child->level > 2 && !inside &&
			is_listed(words_of(c, child), sender->callout_label)) {
			child = wrap_callout(c, n, child, true);
			continue;
		}
		label = tree_is(child, MD_PARAGRAPH) ? label_of(c, child) : NULL;
		if (label && !label->next && tree_is(child->next, MD_LIST)) {
			child->look = "label";
			child->first = child->last = NULL;
			for (struct md_node *word = label->first; word;)
				word = tree_move(child, word);
		} else if (label && is_listed(words_of(c, label), sender->accent_label)) {
			label->look = "lede";
		} else if (label && is_listed(words_of(c, label), sender->callout_label)) {
			label->look = "callout-label";
			if (!inside) {
				child = wrap_callout(c, n, child, false);
				continue;
			}
		}
		child = tree_move(n, child);
	}
}

/* ---- sections ---- */

/* Cut the document at its `##` headings. A condition that stands right before one goes around whole
 * sections, any other stays inside its section. */
static int shape_sections(struct compose *c, struct md_node *document)
{
	struct md_node *section = NULL, *child = tree_take(document), *next;
	bool around[CONDITIONS_MAX + 1] = {false};
	int depth = 0;

	while (child) {
		enum liquid_op op = LIQUID_VALUE;
		bool outer = false, heading = tree_is(child, MD_HEADING) && child->level <= 2;

		if (child->kind == MD_CONTROL) {
			op = check_op(c, child->text);
			for (next = child; tree_is(next, MD_CONTROL);)
				next = next->next;
			if (op == LIQUID_IF && depth < CONDITIONS_MAX)
				around[++depth] = tree_is(next, MD_HEADING) && next->level <= 2;
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
			child = tree_move(document, child);
			continue;
		}
		if (!section || heading) {
			section = tree_new(c, MD_SECTION, child->line);
			markdown_append(document, section);
		}
		child = tree_move(section, child);
	}
	return 0;
}

/* A short first paragraph before the first `##`, such as "Good morning", greets. */
static void shape_greeting(struct compose *c, struct md_node *document)
{
	struct md_node *section = document->first;
	struct md_node *p = tree_is(section, MD_SECTION) ? section->first : NULL;
	struct str words;

	if (!tree_is(p, MD_PARAGRAPH) || p->look || (!p->next && !section->next))
		return;
	for (struct md_node *n = p->first; n; n = n->next)
		if (n->kind != MD_TEXT && n->kind != MD_EMPHASIS)
			return;
	words = str_trim(words_of(c, p));
	if (utf8_prefix(words, GREETING_MAX) < words.n || str_has_suffix(words, STR(".")))
		return;
	p->look = "greeting";
}

static int walk(struct compose *c, struct md_node *n, struct md_node *document)
{
	if (compose_shape_part(c, n, document) < 0)
		return -1;
	for (struct md_node *child = n->first; child; child = child->next)
		if (walk(c, child, document) < 0)
			return -1;
	if (tree_is(n, MD_SECTION) || tree_is(n, MD_ITEM) || tree_is(n, MD_CONTAINER) ||
		tree_is(n, MD_QUOTE))
		shape_labels(c, n);
	return 0;
}

int compose_shape(struct compose *c, struct md_node *document)
{
	if (check_conditions(c, document) < 0 || open_boxes(c, document) < 0)
		return -1;
	lift_conditions(c, document);
	if (shape_sections(c, document) < 0 || walk(c, document, document) < 0)
		return -1;
	shape_greeting(c, document);
	return check_links(c, document);
}
