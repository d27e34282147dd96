/* SPDX-License-Identifier: MIT */
#include "base/embed.h"
#include "pages.h"
#include "template.h"

#include <string.h>

enum { LANGS_MAX = 32, ACCEPT_MAX = 16 };

static const char folder[] = "pages/lang/";

/* ---- reading ---- */

/* Every language has the same keys: English is the measure. */
static int compare(const struct page_lang *lang, const struct page_lang *english, struct err *e)
{
	for (size_t i = 0; i < lang->n; i++)
		if (!lang_entry(english, lang->text[i].key))
			return err_set(e, ERR_INPUT, "%s%.*s.conf:%zu: there is no text '%.*s'",
				folder, STR_ARG(lang->code), lang->text[i].line,
				STR_ARG(lang->text[i].key));
	for (size_t i = 0; i < english->n; i++)
		if (!lang_entry(lang, english->text[i].key))
			return err_set(e, ERR_INPUT, "%s%.*s.conf:1: the text '%.*s' is missing",
				folder, STR_ARG(lang->code), STR_ARG(english->text[i].key));
	return 0;
}

int page_langs_read(struct pages *p, struct err *e)
{
	const struct page_lang *english;

	p->lang = arena_array(&p->arena, LANGS_MAX, sizeof *p->lang);
	for (const struct embedded *f = embedded_templates; f->name; f++) {
		struct str name = str_of(f->name);

		if (str_has_prefix(name, STR("pages/lang/")) && p->lang_n < LANGS_MAX &&
			lang_read(p->site, &p->arena,
				str_slice(name, sizeof folder - 1, name.n - 5),
				&p->lang[p->lang_n++], e) < 0)
			return -1;
	}
	english = page_lang_get(p, STR("en"));
	for (size_t i = 0; i < p->lang_n; i++)
		if (compare(&p->lang[i], english, e) < 0)
			return -1;
	p->fallback = page_lang_get(p, p->site->config.publication.lang);
	if (!p->fallback)
		p->fallback = english;
	return 0;
}

struct str page_text(const struct page_lang *lang, const char *key)
{
	const struct page_entry *entry = lang_entry(lang, str_of(key));

	return entry ? entry->value : STR("");
}

struct page_entry *page_parts(struct arena *a, struct str text, size_t *n)
{
	struct page_entry *part;
	struct str line, rest = text;
	size_t most = 0;

	*n = 0;
	while (str_next(&rest, '\n', &line))
		most += str_has_prefix(line, STR("==="));
	part = arena_array(a, most + 1, sizeof *part);
	for (size_t number = 1; str_next(&text, '\n', &line); number++) {
		if (str_has_prefix(line, STR("==="))) {
			part[*n].key = str_trim(str_slice(line, 3, line.n));
			part[*n].line = number + 1;
			part[(*n)++].value = (struct str){line.p + line.n + (text.p != NULL), 0};
		} else if (*n) {
			struct str *value = &part[*n - 1].value;

			value->n = (size_t)(line.p + line.n - value->p);
		}
	}
	for (size_t i = 0; i < *n; i++)
		part[i].value = str_trim(part[i].value);
	return part;
}

/* ---- choosing ---- */

const struct page_lang *page_lang_get(const struct pages *p, struct str code)
{
	code = str_slice(code, 0, str_find(code, '-'));
	for (size_t i = 0; i < p->lang_n; i++)
		if (str_eq_nocase(p->lang[i].code, code))
			return &p->lang[i];
	return NULL;
}

/* "q=0.8" as 800; 1000 where there is none, 0 for what cannot be read. */
static int weight(struct str parameters)
{
	struct str p;
	int q = 0, digit = 100;

	while (str_next(&parameters, ';', &p)) {
		p = str_trim(p);
		if (!str_has_prefix_nocase(p, STR("q=")) || p.n < 3)
			continue;
		if (p.p[2] == '1')
			return 1000;
		for (size_t i = 4; i < p.n && i < 7 && p.p[i] >= '0' && p.p[i] <= '9'; i++) {
			q += (p.p[i] - '0') * digit;
			digit /= 10;
		}
		return q;
	}
	return 1000;
}

const struct page_lang *page_lang_choose(const struct pages *p, struct str accept)
{
	const struct page_lang *best = NULL;
	struct str range;
	int best_q = 0;

	for (int i = 0; i < ACCEPT_MAX && str_next(&accept, ',', &range); i++) {
		size_t semicolon = str_find(range, ';');
		const struct page_lang *lang =
			page_lang_get(p, str_trim(str_slice(range, 0, semicolon)));
		int q = weight(semicolon < range.n ? str_slice(range, semicolon + 1, range.n)
						   : (struct str){NULL, 0});

		if (lang && q > best_q) {
			best = lang;
			best_q = q;
		}
	}
	return best;
}
