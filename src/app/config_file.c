/* SPDX-License-Identifier: MIT */
#include "config_file.h"

#include <confuse.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { KEYS_MAX = 64 };

/* libconfuse hands its callbacks no pointer of the caller's. */
struct reading {
	struct arena *arena;
	const char *path;
	const struct config_block *block;
	size_t block_n;
	struct config_entry *first, **last;
	struct err *e;
};
static _Thread_local struct reading *reading;

static const struct config_block *block_of(const cfg_t *cfg)
{
	for (size_t i = 1; i < reading->block_n; i++)
		if (strcmp(reading->block[i].name, cfg->name) == 0)
			return &reading->block[i];
	return &reading->block[0];
}

static const struct config_key *key_of(const struct config_block *b, const char *name)
{
	for (size_t i = 0; i < b->key_n; i++)
		if (strcmp(b->key[i].name, name) == 0)
			return &b->key[i];
	return NULL;
}

/* What may stand where an unknown name was found: the keys of the block, and at the top the blocks. */
static size_t names_in(const struct config_block *b, const char *names[KEYS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < b->key_n; i++)
		names[n++] = b->key[i].name;
	for (size_t i = 1; b == reading->block && i < reading->block_n; i++)
		names[n++] = reading->block[i].name;
	return n;
}

static int set_unknown(const cfg_t *cfg, const char *name)
{
	const struct config_block *b = block_of(cfg);
	const char *names[KEYS_MAX], *near = str_nearest(str_of(name), names, names_in(b, names));
	const char *where = b->name[0] ? b->name : "top level";

	if (near)
		return err_set(reading->e, ERR_CONFIG,
			"%s:%d: there is no key '%s' at '%s': did you mean '%s'?", reading->path,
			cfg->line, name, where, near);
	for (size_t i = 0; i < reading->block_n; i++)
		if (key_of(&reading->block[i], name))
			return err_set(reading->e, ERR_CONFIG,
				"%s:%d: there is no key '%s' at '%s': it belongs to '%s'",
				reading->path, cfg->line, name, where,
				i ? reading->block[i].name : "top level");
	return err_set(reading->e, ERR_CONFIG,
		"%s:%d: there is no key '%s' at '%s': lettermill.conf(5) lists them all",
		reading->path, cfg->line, name, where);
}

/* Turn what libconfuse has to complain of into our sentence. */
static void complain(cfg_t *cfg, const char *fmt, va_list ap)
{
	static const char unknown[] = "no such option '";
	char text[512], *name;

	if (reading->e && reading->e->code)
		return; /* the first complaint is the cause */
	vsnprintf(text, sizeof text, fmt, ap);
	if (strncmp(text, unknown, sizeof unknown - 1) == 0) {
		name = text + sizeof unknown - 1;
		name[strcspn(name, "'")] = '\0';
		set_unknown(cfg, name);
		return;
	}
	err_set(reading->e, ERR_CONFIG,
		"%s:%d: %s: write 'key = \"value\"', blocks as 'name { … }'", reading->path,
		cfg->line, text);
}

/* Note one value. */
static int note(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	const struct config_key *key = key_of(block_of(cfg), opt->name);
	struct config_entry *entry;

	if (!key) { /* "publication|name = …" is understood by libconfuse, not by us */
		set_unknown(cfg, opt->name);
		return -1;
	}
	for (entry = reading->first; entry; entry = entry->next)
		if (entry->owner == cfg && entry->key == key) {
			err_set(reading->e, ERR_CONFIG,
				"%s:%d: '%s' is given twice, first in line %d: remove one",
				reading->path, cfg->line, opt->name, entry->line);
			return -1;
		}
	entry = arena_alloc(reading->arena, sizeof *entry);
	*entry = (struct config_entry){
		.key = key,
		.value = arena_str(reading->arena, str_of(value)),
		.line = cfg->line,
		.owner = cfg,
	};
	*reading->last = entry;
	reading->last = &entry->next;
	*(const char **)result = value;
	return 0;
}

static cfg_opt_t *make_options(struct arena *a, const struct config_block *b, size_t more)
{
	cfg_opt_t *opt = arena_array(a, b->key_n + more + 1, sizeof *opt);

	for (size_t i = 0; i < b->key_n; i++)
		opt[i] = (cfg_opt_t)CFG_STR_CB(b->key[i].name, NULL, CFGF_NODEFAULT, note);
	opt[b->key_n + more] = (cfg_opt_t)CFG_END();
	return opt;
}

static cfg_opt_t *make_grammar(struct arena *a, const struct config_block *block, size_t n)
{
	cfg_opt_t *top = make_options(a, block, n - 1);

	for (size_t i = 1; i < n; i++) {
		cfg_flag_t flags = CFGF_NONE;

		if (block[i].titled)
			flags = CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES;
		top[block->key_n + i - 1] =
			(cfg_opt_t)CFG_SEC(block[i].name, make_options(a, &block[i], 0), flags);
	}
	return top;
}

/* One section with the entries that were noted for `cfg`. */
static struct config_section *make_section(
	struct reading *r, const struct config_block *block, const cfg_t *cfg)
{
	struct config_section *s = arena_alloc(r->arena, sizeof *s);
	struct config_entry **last = &s->entry;

	s->block = block;
	s->title = cfg->title ? arena_cstr(r->arena, str_of(cfg->title)) : NULL;
	for (struct config_entry *entry = r->first; entry; entry = entry->next)
		if (entry->owner == cfg) {
			*last = arena_alloc(r->arena, sizeof **last);
			**last = *entry;
			(*last)->next = NULL;
			last = &(*last)->next;
		}
	s->line = s->entry || s->title ? cfg->line : 0;
	return s;
}

static struct config_section *make_sections(struct reading *r, cfg_t *cfg)
{
	struct config_section *first = make_section(r, r->block, cfg), **last = &first->next;

	for (size_t i = 1; i < r->block_n; i++)
		for (unsigned k = 0; k < cfg_size(cfg, r->block[i].name); k++) {
			*last = make_section(
				r, &r->block[i], cfg_getnsec(cfg, r->block[i].name, k));
			last = &(*last)->next;
		}
	return first;
}

/* Whether a comment begins at `p`, which stands outside of quotes. */
static bool comment_at(const char *text, const char *p)
{
	return (p == text || strchr(" \t\r\n", p[-1])) &&
	       (p[0] == '#' || (p[0] == '/' && p[1] == '/'));
}

/* The text with blanks for its comments: libconfuse counts a line with a comment three times, and so is wrong about the
 * lines behind it. */
static const char *without_comments(struct arena *a, const char *text)
{
	char *out = arena_cstr(a, str_of(text)), quote = 0;

	for (char *p = out; *p; p++) {
		if (quote && *p == '\\' && p[1]) {
			p++;
		} else if (quote) {
			quote = *p == quote ? 0 : quote;
		} else if (*p == '"' || *p == '\'') {
			quote = *p;
		} else if (p[0] == '/' && p[1] == '*') {
			char *end = strstr(p + 2, "*/");

			p = end ? end + 1 : p + strlen(p) - 1;
		} else if (comment_at(out, p)) {
			size_t n = strcspn(p, "\n");

			memset(p, ' ', n);
			p += n - 1;
		}
	}
	return out;
}

int config_file_parse(struct arena *a, const char *path, const char *text,
	const struct config_block *block, size_t n, struct config_section **out, struct err *e)
{
	struct err cause = {0};
	struct reading r = {.arena = a,
		.path = path,
		.block = block,
		.block_n = n,
		.last = &r.first,
		.e = &cause};
	cfg_t *cfg = cfg_init(make_grammar(a, block, n), CFGF_NONE);
	int rc = -1;

	if (!cfg)
		return err_set(e, ERR_IO, "out of memory");
	reading = &r;
	cfg_set_error_function(cfg, complain);
	if (cfg_parse_buf(cfg, without_comments(a, text)) == CFG_SUCCESS) {
		*out = make_sections(&r, cfg);
		rc = 0;
	} else if (cause.code) {
		err_set(e, cause.code, "%s", cause.text);
	} else {
		err_set(e, ERR_CONFIG, "%s:%d: this is not understood", path, cfg->line);
	}
	reading = NULL;
	cfg_free(cfg);
	return rc;
}

const struct config_entry *config_entry_get(const struct config_section *s, const char *name)
{
	for (const struct config_entry *entry = s->entry; entry; entry = entry->next)
		if (strcmp(entry->key->name, name) == 0)
			return entry;
	return NULL;
}
