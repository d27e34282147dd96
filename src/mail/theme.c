/* SPDX-License-Identifier: MIT */
#include "mail/theme.h"

#include "source.h"

#include <stdbool.h>

/* Every block there is: a theme has them all and no others. */
static const char *const block_names[] = {
	"section",
	"greeting",
	"paragraph",
	"label",
	"lede",
	"heading2",
	"heading3",
	"list",
	"numbered-list",
	"item",
	"quote",
	"code-block",
	"rule",
	"table",
	"row",
	"cell",
	"header-cell",
	"toc",
	"toc-list",
	"toc-item",
	"sponsor",
	"callout",
	"callout-label",
	"poll",
	"poll-row",
	"poll-cell",
	"poll-list",
	"poll-item",
	"embed",
	"note-mark",
	"notes",
	"note",
	"figure",
	"image",
	"inline-image",
	"buttons",
	"button",
	"link",
	"strong",
	"emphasis",
	"strike",
	"code",
	"break",
};
enum { BLOCKS_N = sizeof(block_names) / sizeof(block_names[0]) };

/* A file of a theme that is being read line by line. */
struct reader {
	const struct theme_files *files;
	const char *file;
	const char *path; /* with the folder, for messages */
	struct str rest;
	size_t line; /* of the line taken last */
};

static bool next_line(struct reader *r, struct str *text)
{
	r->line++;
	return str_next(&r->rest, '\n', text);
}

/* Skip the comment that opens a file; returns the line on which the rest begins. */
static size_t skip_comment(struct str *s)
{
	struct str comment;
	size_t line = 1;

	if (!str_has_prefix(*s, STR("<!--")))
		return line;
	comment = str_slice(*s, 0, str_search(*s, STR("-->")) + 3);
	*s = str_slice(*s, comment.n, s->n);
	for (; s->n && (*s->p == '\n' || *s->p == '\r'); *s = str_slice(*s, 1, s->n))
		line += *s->p == '\n';
	for (size_t i = 0; i < comment.n; i++)
		line += comment.p[i] == '\n';
	return line;
}

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < 'a' || s.p[i] > 'z') && (s.p[i] < '0' || s.p[i] > '9') &&
			s.p[i] != '_' && s.p[i] != '-')
			return false;
	return s.n > 0;
}

static const struct theme_entry *find(const struct theme_entry *entry, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(entry[i].name, name))
			return &entry[i];
	return NULL;
}

/* How many entries there can be at most: one a line, and those of the base. */
static struct theme_entry *room(struct arena *a, struct str text, size_t inherited)
{
	size_t lines = 1 + inherited;

	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	return arena_array(a, lines, sizeof(struct theme_entry));
}

static int put(const struct reader *r, struct theme_entry *entry, size_t *n, struct str name,
	struct str value, struct err *e)
{
	const struct theme_entry *first = find(entry, *n, name);

	if (first)
		return err_set(e, ERR_INPUT, "%s/%s:%zu: '%.*s' is given already on line %zu",
			r->files->name, r->file, r->line, STR_ARG(name), first->line);
	entry[(*n)++] = (struct theme_entry){name, value, r->line, r->path};
	return 0;
}

static int parse_tokens(struct arena *a, struct reader r, struct theme *out, struct err *e)
{
	struct str text;

	out->token = room(a, r.rest, r.files->base ? r.files->base->token_n : 0);
	while (next_line(&r, &text)) {
		size_t equals = str_find(text, '=');
		struct str name = str_trim(str_slice(text, 0, equals));

		if (!str_trim(text).n || str_trim(text).p[0] == '#')
			continue;
		if (equals == text.n || !is_name(name))
			return err_set(e, ERR_INPUT,
				"%s/%s:%zu: '%.*s' is not of the form: name = value", r.files->name,
				r.file, r.line, STR_ARG(text));
		if (put(&r, out->token, &out->token_n, name,
			    str_trim(str_slice(text, equals + 1, text.n)), e) < 0)
			return -1;
	}
	return 0;
}

static bool block_known(struct str name)
{
	for (size_t i = 0; i < BLOCKS_N; i++)
		if (str_eq(name, str_of(block_names[i])))
			return true;
	return false;
}

/* A line `=== NAME` opens a block that goes up to the next one. */
static int parse_blocks(struct arena *a, struct reader r, struct theme *out, struct err *e)
{
	struct theme_entry *open = NULL;
	struct str text;

	out->block = room(a, r.rest, r.files->base ? r.files->base->block_n : 0);
	while (next_line(&r, &text)) {
		struct str name = str_trim(str_slice(text, 3, text.n));
		const char *near;

		if (!str_has_prefix(text, STR("==="))) {
			if (open)
				open->value.n = (size_t)(text.p + text.n - open->value.p);
			else if (str_trim(text).n)
				return err_set(e, ERR_INPUT,
					"%s/%s:%zu: text before the first '=== NAME' line",
					r.files->name, r.file, r.line);
			continue;
		}
		if (!block_known(name)) {
			near = str_nearest(name, block_names, BLOCKS_N);
			return err_set(e, ERR_INPUT, "%s/%s:%zu: unknown block '%.*s'%s%s%s",
				r.files->name, r.file, r.line, STR_ARG(name),
				near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
		}
		if (put(&r, out->block, &out->block_n, name, (struct str){text.p + text.n, 0}, e) <
			0)
			return -1;
		open = &out->block[out->block_n - 1];
	}
	return 0;
}

/* Take the line ends around a block away, and move its line to where its text starts. */
static void trim_block(struct theme_entry *block)
{
	struct str trimmed = str_trim(block->value);

	for (const char *p = block->value.p; p < trimmed.p; p++)
		block->line += *p == '\n';
	block->value = trimmed;
}

/* The text of one file, checked. */
static int take_file(struct arena *a, const struct theme_files *files, const char *file,
	struct str *text, struct err *e)
{
	*text = source_lines(a, *text);
	return source_check(arena_printf(a, "%s/%s", files->name, file), *text, e);
}

/* Entries of the base whose names are not there yet. */
static void inherit(
	struct theme_entry *entry, size_t *n, const struct theme_entry *base, size_t base_n)
{
	for (size_t i = 0; i < base_n; i++)
		if (!find(entry, *n, base[i].name))
			entry[(*n)++] = base[i];
}

int theme_parse(struct arena *a, const struct theme_files *files, struct theme *out, struct err *e)
{
	struct theme theme = {.name = files->name,
		.layout_html = files->layout_html,
		.layout_txt = files->layout_txt};
	struct reader conf = {files, "theme.conf", arena_printf(a, "%s/theme.conf", files->name),
		files->theme_conf, 0};
	struct reader blocks = {files, "blocks.html",
		arena_printf(a, "%s/blocks.html", files->name), files->blocks_html, 0};

	if (take_file(a, files, conf.file, &conf.rest, e) < 0 ||
		take_file(a, files, blocks.file, &blocks.rest, e) < 0 ||
		take_file(a, files, "layout.html", &theme.layout_html, e) < 0 ||
		take_file(a, files, "layout.txt", &theme.layout_txt, e) < 0)
		return -1;
	theme.layout_html_line = skip_comment(&theme.layout_html);
	theme.layout_txt_line = skip_comment(&theme.layout_txt);
	blocks.line = skip_comment(&blocks.rest) - 1;
	if (parse_tokens(a, conf, &theme, e) < 0 || parse_blocks(a, blocks, &theme, e) < 0)
		return -1;
	for (size_t i = 0; i < theme.block_n; i++)
		trim_block(&theme.block[i]);
	if (files->base) {
		inherit(theme.token, &theme.token_n, files->base->token, files->base->token_n);
		inherit(theme.block, &theme.block_n, files->base->block, files->base->block_n);
	}
	for (size_t i = 0; i < BLOCKS_N; i++)
		if (!theme_block(&theme, block_names[i]))
			return err_set(e, ERR_INPUT,
				"%s/blocks.html:1: the block '%s' is missing, add a line '=== %s' "
				"and its HTML",
				files->name, block_names[i], block_names[i]);
	*out = theme;
	return 0;
}

struct str theme_token(const struct theme *t, const char *name)
{
	const struct theme_entry *entry = find(t->token, t->token_n, str_of(name));

	return entry ? entry->value : (struct str){NULL, 0};
}

const struct theme_entry *theme_block(const struct theme *t, const char *name)
{
	return find(t->block, t->block_n, str_of(name));
}
