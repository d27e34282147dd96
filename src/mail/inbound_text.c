/* SPDX-License-Identifier: MIT */
#include "inbound_text.h"

#include "inbound.h"

#include <string.h>

struct str inbound_unix(struct arena *a, struct str text)
{
	if (str_find(text, '\r') == text.n)
		return text;
	char *p = arena_alloc(a, text.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\r')
			p[n++] = text.p[i];
		else if (i + 1 == text.n || text.p[i + 1] != '\n')
			p[n++] = '\n';
	return (struct str){p, n};
}

/* An HTML page on its way to text: never longer than the page. */
struct unmark {
	char *p;
	size_t n;
};

static void put(struct unmark *u, struct str s)
{
	memcpy(u->p + u->n, s.p, s.n);
	u->n += s.n;
}

/* Elements that begin or end a line. */
static bool is_block(struct str name)
{
	static const char *const blocks[] = {"br", "p", "div", "tr", "td", "table", "li", "ul",
		"ol", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre", "title", "body",
		"blockquote"};
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (str_eq_nocase(name, str_of(blocks[i])))
			return true;
	return false;
}

/* Take the tag that `*rest` begins with. */
static void take_tag(struct unmark *u, struct str *rest)
{
	size_t end = str_find(*rest, '>');
	struct str tag = str_slice(*rest, 1, end);
	*rest = str_slice(*rest, end + 1, rest->n);
	bool closing = tag.n && tag.p[0] == '/';
	tag = str_slice(tag, closing, tag.n);
	size_t n = 0;
	while (n < tag.n && tag.p[n] != ' ' && tag.p[n] != '\n' && tag.p[n] != '\t' &&
		tag.p[n] != '/')
		n++;
	struct str name = {tag.p, n};
	if (is_block(name))
		put(u, STR("\n"));
	/* What is no words for a reader ends at the next tag of its own name; a "<" inside is none. */
	if (!closing && (str_eq_nocase(name, STR("style")) || str_eq_nocase(name, STR("script")))) {
		size_t at = str_search(*rest, STR("</"));
		*rest = str_slice(*rest, at, rest->n);
	}
}

static void take_entity(struct unmark *u, struct str *rest)
{
	static const struct {
		struct str name;
		const char *is;
	} entities[] = {{{"&lt;", 4}, "<"}, {{"&gt;", 4}, ">"}, {{"&amp;", 5}, "&"},
		{{"&quot;", 6}, "\""}, {{"&nbsp;", 6}, " "}, {{"&#64;", 5}, "@"},
		{{"&#39;", 5}, "'"}, {{"&apos;", 6}, "'"}, {{"&#46;", 5}, "."}, {{"&#43;", 5}, "+"},
		{{"&#160;", 6}, " "}, {{"&#x40;", 6}, "@"}};
	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
		if (str_has_prefix_nocase(*rest, entities[i].name)) {
			put(u, str_of(entities[i].is));
			*rest = str_slice(*rest, entities[i].name.n, rest->n);
			return;
		}
	put(u, str_slice(*rest, 0, 1));
	*rest = str_slice(*rest, 1, rest->n);
}

struct str inbound_unmark(struct arena *a, struct str html)
{
	struct unmark u = {.p = arena_alloc(a, html.n + 1)};
	while (html.n) {
		if (html.p[0] == '<')
			take_tag(&u, &html);
		else if (html.p[0] == '&')
			take_entity(&u, &html);
		else {
			put(&u, str_slice(html, 0, 1));
			html = str_slice(html, 1, html.n);
		}
	}
	return (struct str){u.p, u.n};
}

/* A folded value on one line: each fold is one space. */
static struct str unfold(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\n') {
			p[n++] = s.p[i];
			continue;
		}
		while (i + 1 < s.n && (s.p[i + 1] == ' ' || s.p[i + 1] == '\t'))
			i++;
		p[n++] = ' ';
	}
	return (struct str){p, n};
}

bool inbound_next_field(struct arena *a, struct str *rest, struct str *name, struct str *value)
{
	struct str line, more;
	while (str_next(rest, '\n', &line)) {
		if (!str_trim(line).n)
			return false;
		size_t colon = str_find(line, ':');
		*name = str_trim(str_slice(line, 0, colon));
		if (colon == line.n || !name->n || str_find(*name, ' ') < name->n)
			continue;
		struct str first = str_trim(str_slice(line, colon + 1, line.n));
		struct str whole = first;
		bool folded = false;
		while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t')) {
			struct str ahead = *rest;
			str_next(&ahead, '\n', &more);
			if (!str_trim(more).n)
				break;
			*rest = ahead;
			folded = true;
			whole = (struct str){first.p, (size_t)(more.p + more.n - first.p)};
		}
		*value = folded ? unfold(a, whole) : whole;
		return true;
	}
	return false;
}
