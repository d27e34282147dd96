/* SPDX-License-Identifier: MIT */
#include "compose.h"

#include "base/enc.h"
#include "compose_tree.h"
#include "html.h"

#include <stdio.h>
#include <string.h>

enum { POLL_CELLS = 4, POLL_SHORT = 14, VIDEO_ID = 11 };

/* ---- figures and buttons: paragraphs of their own ---- */

static void shape_figure(struct md_node *p)
{
	struct md_node *image = p->first;

	if (!image || image->next)
		return;
	if (tree_is(image, MD_LINK) && image->first && !image->first->next)
		image = image->first;
	if (!tree_is(image, MD_IMAGE))
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
	for (child = tree_take(p); child;) {
		if (child->kind == MD_LINK) {
			child->look = "button";
			child = tree_move(p, child);
		} else {
			child = child->next;
		}
	}
}

/* ---- contents ---- */

/* One entry for each section's heading, under the conditions that the sections are under. */
static void fill_toc(struct compose *c, struct md_node *toc, struct md_node *document)
{
	struct md_node *list = tree_new(c, MD_LIST, toc->line), *item, *p, *text;
	struct buf words;

	markdown_append(toc, list);
	for (struct md_node *s = document->first; s; s = s->next) {
		if (s->kind == MD_CONTROL) {
			item = tree_new(c, MD_CONTROL, s->line);
			item->text = s->text;
			markdown_append(list, item);
		} else if (tree_is(s->first, MD_HEADING) && !s->first->unlisted) {
			item = tree_new(c, MD_ITEM, s->line);
			p = tree_new(c, MD_PARAGRAPH, s->line);
			text = tree_new(c, MD_TEXT, s->line);
			buf_init(&words, COMPOSE_MAX);
			compose_words(s->first, true, &words);
			text->text = s->first->entry.n ? s->first->entry
						       : arena_str(c->a, buf_view(&words));
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

/* ---- embeds: an address alone in a paragraph ---- */

/* The addresses of a video, up to its name. */
static const char *const videos[] = {"https://www.youtube.com/watch?v=",
	"https://youtube.com/watch?v=", "https://youtu.be/", "https://www.youtube.com/shorts/"};

static struct str video_id(struct str url)
{
	for (size_t i = 0; i < sizeof(videos) / sizeof(videos[0]); i++) {
		struct str id = str_slice(url, strlen(videos[i]), url.n);
		size_t n = 0;

		if (!str_has_prefix(url, str_of(videos[i])))
			continue;
		while (n < id.n && !strchr("&?#/", id.p[n]))
			n++;
		return n == VIDEO_ID ? str_slice(id, 0, n) : STR("");
	}
	return STR("");
}

/* A video becomes its picture, linked; anything else a card. */
static void shape_embed(struct compose *c, struct md_node *p)
{
	struct md_node *link = p->first, *image;
	struct str id, url;

	if (!tree_is(link, MD_LINK) || link->next || link->button ||
		!tree_is(link->first, MD_TEXT) || link->first->next ||
		!str_eq(link->first->text, link->href) ||
		!str_has_prefix_nocase(link->href, STR("http")))
		return;
	id = video_id(link->href);
	if (id.n) {
		p->look = "figure";
		image = tree_new(c, MD_IMAGE, link->line);
		image->look = "image";
		image->href = str_of(arena_printf(
			c->a, "https://i.ytimg.com/vi/%.*s/hqdefault.jpg", STR_ARG(id)));
		link->first->text = compose_word(c, "t.issue_video");
		markdown_append(image, tree_take(link));
		markdown_append(link, image);
		return;
	}
	url = str_slice(link->href, str_search(link->href, STR("://")) + 3, link->href.n);
	p->look = "embed";
	p->href = link->href;
	p->title = str_slice(url, 0, str_find(url, '/'));
}

/* ---- polls ---- */

/* A vote by mail: to whom answers go, with question and answer as the subject. */
static struct str vote(struct compose *c, struct str question, struct str answer)
{
	const struct compile_sender *sender = c->in->sender;
	struct buf out;
	struct str href;

	buf_init(&out, COMPOSE_MAX);
	buf_cstr(&out, "mailto:");
	buf_str(&out, sender->reply_to_email.n ? sender->reply_to_email : sender->from_email);
	buf_cstr(&out, "?subject=");
	enc_url(&out, compose_unmarked(c->a, question));
	buf_cstr(&out, question.n ? "%20" : "");
	enc_url(&out, answer);
	href = arena_str(c->a, buf_view(&out));
	buf_free(&out);
	return href;
}

/* An option that is a link leads there, any other is a vote by mail. */
static size_t shape_option(struct compose *c, const struct md_node *poll, struct md_node *item)
{
	struct md_node *p = item->first, *link = tree_is(p, MD_PARAGRAPH) ? p->first : NULL;
	struct buf words;
	struct str answer;
	size_t width = 0;

	buf_init(&words, COMPOSE_MAX);
	compose_words(item, false, &words);
	answer = arena_str(c->a, str_trim(buf_view(&words)));
	buf_free(&words);
	if (tree_is(link, MD_LINK) && !link->next) {
		item->href = link->href;
		p->first = p->last = NULL;
		for (struct md_node *child = link->first; child;)
			child = tree_move(p, child);
	} else {
		item->href = vote(c, poll->title, answer);
	}
	for (size_t i = 0; i < answer.n; i++)
		width += (answer.p[i] & 0xc0) != 0x80;
	return width;
}

/* A few short options stand side by side, others below each other. */
static int shape_poll(struct compose *c, struct md_node *poll)
{
	struct md_node *list = poll->first;
	bool row = true;
	size_t longest = 0, width;
	int n = 0;

	if (!tree_is(list, MD_LIST) || list->next)
		return err_set(c->e, ERR_INPUT,
			"%s:%zu: a '::: poll QUESTION' holds a list of its answers and nothing "
			"else",
			c->in->issue->file, poll->line);
	for (struct md_node *item = list->first; item; item = item->next) {
		if (!tree_is(item, MD_ITEM)) {
			row = false; /* an answer under a condition */
			continue;
		}
		width = shape_option(c, poll, item);
		longest = width > longest ? width : longest;
		n++;
	}
	row = row && n <= POLL_CELLS && longest <= POLL_SHORT;
	list->look = row ? "poll-row" : "poll-list";
	for (struct md_node *item = list->first; item; item = item->next) {
		item->look = row ? "poll-cell" : "poll-item";
		item->width = n ? 100 / n : 0;
	}
	return 0;
}

int compose_shape_part(struct compose *c, struct md_node *n, struct md_node *document)
{
	if (tree_is(n, MD_PARAGRAPH)) {
		shape_figure(n);
		shape_buttons(n);
		shape_embed(c, n);
	}
	if (tree_is_box(n, "toc"))
		shape_toc(c, n, document);
	if (tree_is_box(n, "poll"))
		return shape_poll(c, n);
	if (tree_is(n, MD_HTML)) {
		if (!c->in->sender->raw_html)
			return err_set(c->e, ERR_INPUT,
				"%s:%zu: '::: html' is not allowed on this site: say raw_html = "
				"yes in "
				"the publication's settings",
				c->in->issue->file, n->line);
		return html_check(c->in->issue->file, n->line + 1, n->text, HTML_PIECE, c->e);
	}
	return 0;
}
