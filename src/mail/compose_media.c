/* SPDX-License-Identifier: MIT */
#include "compose.h"

#include <string.h>

enum { SHOWN_WIDTH = 600, OCTETS_LARGE = 300 * 1024, OCTETS_ALL = 1024 * 1024 };

static void lint_media(struct compose *c, const struct md_node *n, const struct compile_media *m)
{
	int shown = n->width ? n->width : SHOWN_WIDTH;

	if (m->data.n > OCTETS_LARGE)
		compose_warn(c, n->line, "large-image",
			"this image has more than 300 KB, which takes long on a phone: compress "
			"it");
	if (m->image.width < shown)
		compose_warn(c, n->line, "small-image",
			"this image has fewer pixels than it is shown with and will look blurred: "
			"give "
			"twice as many, or say {width=…} behind it");
	else if (2 * m->image.width > 5 * shown)
		compose_warn(c, n->line, "wide-image",
			"this image has more than 2.5 times the pixels that it is shown with, "
			"twice is "
			"enough");
}

/* The number of an embedded image: that of its first use. */
static int embed(struct compose *c, const struct compile_media *m)
{
	struct composed_media **link = &c->out->embedded;
	int number = 1;

	for (; *link && (*link)->media != m; link = &(*link)->next)
		number++;
	if (!*link) {
		*link = arena_alloc(c->a, sizeof(**link));
		(*link)->media = m;
	}
	return number;
}

static int place(struct compose *c, struct md_node *n)
{
	const struct compile_input *in = c->in;
	struct err why = {0};
	const struct compile_media *m = in->media ? in->media(in->media_user, n->href, &why) : NULL;

	if (!m)
		return err_set(c->e, ERR_INPUT, "%s:%zu: the image '%.*s': %s", in->issue->file,
			n->line, STR_ARG(n->href),
			why.text[0] ? why.text : "give its whole address, https://…");
	lint_media(c, n, m);
	n->href = m->url;
	if (!in->embed)
		return 0;
	return compose_own(c, /* a page has no parts to refer to */
		arena_printf(c->a,
			"{%% if view.web %%}%.*s{%% else %%}cid:image%d@%.*s{%% endif %%}",
			STR_ARG(m->url), embed(c, m), STR_ARG(in->sender->list_id)),
		&n->href);
}

/* Whether `href` names a file beside the issue. */
static bool is_local(struct str href)
{
	size_t colon = str_find(href, ':'), slash = str_find(href, '/');

	return href.n && href.p[0] != '/' && href.p[0] != '#' && colon >= slash &&
	       str_search(href, STR("\xee\x80\x80")) == href.n;
}

static int walk(struct compose *c, struct md_node *n)
{
	if (n->kind == MD_IMAGE && is_local(n->href) && place(c, n) < 0)
		return -1;
	for (struct md_node *child = n->first; child; child = child->next)
		if (walk(c, child) < 0)
			return -1;
	return 0;
}

int compose_media(struct compose *c, struct md_node *document)
{
	size_t octets = 0;

	if (walk(c, document) < 0)
		return -1;
	for (const struct composed_media *m = c->out->embedded; m; m = m->next)
		octets += m->media->data.n;
	if (octets > OCTETS_ALL)
		return err_set(c->e, ERR_INPUT,
			"%s:1: the embedded images have %zu octets, a message holds 1 MB of them: "
			"compress "
			"them, or schedule without --embed",
			c->in->issue->file, octets);
	return 0;
}
