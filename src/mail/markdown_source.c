/* SPDX-License-Identifier: MIT */
#include "markdown_parts.h"

#include "mail/liquid.h"

#include <string.h>

enum { BRACKETS_MAX = 64, BACKTICKS_MAX = 32, NOTE_NAME_MAX = 32 };

static const char *const containers[] = {
	"toc", "sponsor", "callout", "poll", "web-only", "email-only", "html"};
enum { CONTAINERS_N = sizeof(containers) / sizeof(containers[0]) };

/* The state of one md_prepare(). */
struct prepare {
	struct arena *a;
	const char *file;
	size_t line;
	struct str rest; /* of the source, behind the line at hand */
	struct md_directives *directives;
	struct md_notes *notes;
	struct buf *out;
	struct err *e;
};

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

/* Take the lines up to `:::` as they are, and leave blank ones in their place. */
static int take_html(struct prepare *p, struct md_directive *item)
{
	struct str text, all = p->rest;

	for (size_t n = 0; str_next(&p->rest, '\n', &text); n++) {
		if (str_eq(str_trim(text), STR(":::"))) {
			item->raw = str_slice(all, 0, (size_t)(text.p - all.p));
			for (p->line += n + 1; n + 1; n--)
				buf_char(p->out, '\n');
			return 0;
		}
	}
	return err_set(p->e, ERR_INPUT, "%s:%zu: '::: html' is not closed by a line ':::'", p->file,
		item->line);
}

static int take_directive(struct prepare *p, struct str text)
{
	struct md_directive *item = &p->directives->item[p->directives->n];
	size_t i;

	text = str_trim(str_slice(text, run_of(text, ':'), text.n));
	item->name = str_slice(text, 0, str_find(text, ' '));
	item->argument = str_trim(str_slice(text, item->name.n, text.n));
	item->line = p->line;
	for (i = 0; i < CONTAINERS_N && !str_eq(item->name, str_of(containers[i])); i++)
		;
	if (item->name.n && i == CONTAINERS_N)
		return err_set(p->e, ERR_INPUT,
			"%s:%zu: unknown container '::: %.*s', there are: toc, sponsor, callout, "
			"poll, "
			"web-only, email-only, html",
			p->file, p->line, STR_ARG(item->name));
	buf_cstr(p->out, "<!--");
	buf_str(p->out, MD_DIRECTIVE);
	buf_printf(p->out, "%zu-->", p->directives->n++);
	return str_eq(item->name, STR("html")) ? take_html(p, item) : 0;
}

/* What md4c 0.4.8 takes quadratic time for: brackets nested deep, which add up over the lines of a
 * paragraph, and runs of backticks of ever new lengths. */
static const char *entangled(struct str text, int *depth)
{
	if (!str_trim(text).n)
		*depth = 0;
	for (size_t i = 0, ticks = 0; i < text.n; i++) {
		ticks = text.p[i] == '`' ? ticks + 1 : 0;
		if (ticks > BACKTICKS_MAX)
			return "a run of more than 32 backticks stands here";
		if (text.p[i] == '[' && ++*depth > BRACKETS_MAX)
			return "square brackets are nested more than 64 deep here";
		if (text.p[i] == ']' && *depth > 0)
			--*depth;
	}
	return NULL;
}

/* ---- footnotes ---- */

/* The name in the `[^NAME]` that `s` starts with; empty where it starts with none. */
static struct str note_name(struct str s)
{
	size_t n = 0;

	if (!str_has_prefix(s, STR("[^")))
		return STR("");
	for (s = str_slice(s, 2, s.n); n < s.n && n <= NOTE_NAME_MAX && s.p[n] != ']'; n++) {
		char c = s.p[n];

		if ((c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') &&
			c != '-' && c != '_')
			return STR("");
	}
	return n <= NOTE_NAME_MAX && n < s.n ? str_slice(s, 0, n) : STR("");
}

static size_t note_index(struct prepare *p, struct str name)
{
	struct md_notes *notes = p->notes;
	size_t i = 0;

	while (i < notes->n && !str_eq(notes->item[i].name, name))
		i++;
	if (i == notes->n)
		notes->item[notes->n++] = (struct md_note){name, p->line};
	return i;
}

/* A line of text; a footnote's text starts one. */
static void put_line(struct prepare *p, struct str text)
{
	bool start = true;

	while (text.n) {
		struct str name = note_name(text);
		size_t n = name.n ? name.n + 3 : 1;
		bool definition = name.n && start && n < text.n && text.p[n] == ':';

		if (name.n) {
			buf_str(p->out, definition ? MD_NOTE_TEXT : MD_NOTE_REF);
			buf_printf(p->out, "%zu", note_index(p, name));
			buf_str(p->out, MD_NOTE_END);
		} else {
			buf_char(p->out, text.p[0]);
		}
		start = start && text.p[0] == ' ';
		text = str_slice(text, n + definition, text.n);
	}
}

static size_t count(struct str s, struct str what)
{
	size_t n = 0, at;

	while ((at = str_search(s, what)) < s.n) {
		s = str_slice(s, at + what.n, s.n);
		n++;
	}
	return n;
}

int md_prepare(struct arena *a, const char *file, size_t line, struct str source,
	struct md_directives *directives, struct md_notes *notes, struct buf *out, struct err *e)
{
	struct prepare p = {a, file, line, source, directives, notes, out, e};
	struct fence fence = {0, 0};
	struct str text;
	int brackets = 0;

	directives->item = arena_array(a, count(source, STR(":::")) + 1, sizeof(*directives->item));
	notes->item = arena_array(a, count(source, STR("[^")) + 1, sizeof(*notes->item));
	for (; str_next(&p.rest, '\n', &text); p.line++) {
		struct str inner = skip_blanks(text);
		bool fenced = in_fence(&fence, text);
		const char *trouble = fenced ? NULL : entangled(text, &brackets);

		if (trouble)
			return err_set(e, ERR_INPUT, "%s:%zu: %s", file, p.line, trouble);
		if (fenced) {
			buf_str(out, text);
		} else if (str_has_prefix(inner, STR(":::"))) {
			buf_add(out, text.p, text.n - inner.n);
			if (take_directive(&p, inner) < 0)
				return -1;
		} else if (only_controls(inner)) {
			buf_add(out, text.p, text.n - inner.n);
			buf_printf(out, "<!--%.*s-->", STR_ARG(str_trim(inner)));
		} else {
			put_line(&p, text);
		}
		buf_char(out, '\n');
	}
	return 0;
}
