/* SPDX-License-Identifier: MIT */
#ifndef COMPOSE_TREE_H
#define COMPOSE_TREE_H

#include "compose.h"

/* Moving nodes of the tree about, for those who shape it. */

static inline bool tree_is(const struct md_node *n, enum md_kind kind)
{
	return n && n->kind == kind;
}

/* Whether `n` is a container of this name. */
static inline bool tree_is_box(const struct md_node *n, const char *name)
{
	return tree_is(n, MD_CONTAINER) && str_eq(n->text, str_of(name));
}

static inline struct md_node *tree_new(struct compose *c, enum md_kind kind, size_t line)
{
	struct md_node *n = arena_alloc(c->a, sizeof(*n));

	n->kind = kind;
	n->line = line;
	return n;
}

/* Take all children out of `n`; returns the first, still linked. */
static inline struct md_node *tree_take(struct md_node *n)
{
	struct md_node *first = n->first;

	n->first = n->last = NULL;
	return first;
}

/* Put `child` behind the children of `parent`; returns what was linked behind it. */
static inline struct md_node *tree_move(struct md_node *parent, struct md_node *child)
{
	struct md_node *next = child->next;

	child->next = NULL;
	markdown_append(parent, child);
	return next;
}

/* Shape what a paragraph or container is by itself: figure, buttons, embed, poll, contents of
 * `document`. ERR_INPUT. */
int compose_shape_part(struct compose *c, struct md_node *n, struct md_node *document);

#endif
