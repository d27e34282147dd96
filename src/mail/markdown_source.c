/* SPDX-License-Identifier: MIT */
#include "markdown_parts.h"

#include "mail/liquid.h"

#include <string.h>

enum { BRACKETS_MAX = 64 };

static const char *const containers[] = {"toc", "sponsor", "callout"};
enum { CONTAINERS_N = sizeof(containers) / sizeof(containers[0]) };

/* A fenced code block that is open: nothing in it is ours. */
struct fence {
	char mark; /* 0 = none open */
	size_t n;
};

static struct str skip_blanks(struct str s)
{
	size_t n = 0;

	while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t'))
		n++;
	return str_slice(s, n, s.n);
}

static size_t run_of(struct str s, char c)
{
	size_t n = 0;

	while (n < s.n && s.p[n] == c)
		n++;
	return n;
}

/* What follows the marks of quotes and list items at the start of a line. */
static struct str skip_markers(struct str s)
{
	for (;;) {
		size_t n = 0;

		s = skip_blanks(s);
		while (n < s.n && n < 9 && s.p[n] >= '0' && s.p[n] <= '9')
			n++;
		if (s.n && s.p[0] == '>')
			s = str_slice(s, 1, s.n);
		else if (s.n > 1 && memchr("-+*", s.p[0], 3) && s.p[1] == ' ')
			s = str_slice(s, 2, s.n);
		else if (n && s.n > n + 1 && memchr(".)", s.p[n], 2) && s.p[n + 1] == ' ')
			s = str_slice(s, n + 2, s.n);
		else
			return s;
	}
}

/* Follow code fences; whether `text` belongs to one. */
static bool in_fence(struct fence *f, struct str text)
{
	struct str s = f->mark ? skip_blanks(text) : skip_markers(text);
	char c = s.n ? s.p[0] : 0;
	size_t n = run_of(s, c);
	struct str info = str_slice(s, n, s.n);

	if (f->mark) {
		while (s.n && s.p[0] == '>') {
			s = skip_blanks(str_slice(s, 1, s.n));
			c = s.n ? s.p[0] : 0;
			n = run_of(s, c);
			info = str_slice(s, n, s.n);
		}
		if (c == f->mark && n >= f->n && !str_trim(info).n)
			f->mark = 0;
		return true;
	}
	if (n < 3 || (c != '~' && (c != '`' || str_find(info, '`') < info.n)))
		return false;
	*f = (struct fence){c, n};
	return true;
}

/* Whether `text` is nothing but marks of conditions. */
static bool only_controls(struct str text)
{
	struct str rest = str_trim(text), before;
	enum liquid_context context;

	if (!rest.n)
		return false;
	while (rest.n) {
		if (liquid_next_mark(&rest, &before, &context) < 0 || str_trim(before).n ||
			context != LIQUID_CONTROL)
			return false;
	}
	return true;
}

static int take_directive(struct md_directives *d, const char *file, size_t line, struct str text,
	struct buf *out, struct err *e)
{
	struct md_directive *item = &d->item[d->n];
	size_t i;

	text = str_trim(str_slice(text, run_of(text, ':'), text.n));
	item->name = str_slice(text, 0, str_find(text, ' '));
	item->argument = str_trim(str_slice(text, item->name.n, text.n));
	item->line = line;
	for (i = 0; i < CONTAINERS_N && !str_eq(item->name, str_of(containers[i])); i++)
		;
	if (item->name.n && i == CONTAINERS_N)
		return err_set(e, ERR_INPUT,
			"%s:%zu: unknown container '::: %.*s', there are: toc, sponsor, callout",
			file, line, STR_ARG(item->name));
	buf_cstr(out, "<!--");
	buf_str(out, MD_DIRECTIVE);
	buf_printf(out, "%zu-->", d->n++);
	return 0;
}

/* md4c 0.4.8 takes time quadratic in the depth of nested brackets. */
static bool too_nested(struct str text, int *depth)
{
	if (!str_trim(text).n)
		*depth = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '[' && ++*depth > BRACKETS_MAX)
			return true;
		if (text.p[i] == ']' && *depth > 0)
			--*depth;
	}
	return false;
}

int md_prepare(struct arena *a, const char *file, size_t line, struct str source,
	struct md_directives *directives, struct buf *out, struct err *e)
{
	struct fence fence = {0, 0};
	struct str rest = source, text;
	size_t lines = 1;
	int brackets = 0;

	for (size_t i = 0; i < source.n; i++)
		lines += source.p[i] == '\n';
	directives->item = arena_array(a, lines, sizeof(*directives->item));
	for (; str_next(&rest, '\n', &text); line++) {
		struct str inner = skip_blanks(text);

		if (in_fence(&fence, text)) {
			buf_str(out, text);
		} else if (too_nested(text, &brackets)) {
			return err_set(e, ERR_INPUT,
				"%s:%zu: square brackets are nested more than %d deep here", file,
				line, BRACKETS_MAX);
		} else if (str_has_prefix(inner, STR(":::"))) {
			buf_add(out, text.p, text.n - inner.n);
			if (take_directive(directives, file, line, inner, out, e) < 0)
				return -1;
		} else if (only_controls(inner)) {
			buf_add(out, text.p, text.n - inner.n);
			buf_printf(out, "<!--%.*s-->", STR_ARG(str_trim(inner)));
		} else {
			buf_str(out, text);
		}
		buf_char(out, '\n');
	}
	return 0;
}
