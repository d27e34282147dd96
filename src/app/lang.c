/* SPDX-License-Identifier: MIT */
#include "lang.h"
#include "template.h"

enum { TEXTS_MAX = 200 };

const struct page_entry *lang_entry(const struct page_lang *lang, struct str key)
{
	for (size_t i = 0; i < lang->n; i++)
		if (str_eq(lang->text[i].key, key))
			return &lang->text[i];
	return NULL;
}

static int parse(struct arena *a, struct str text, struct page_lang *lang, struct err *e)
{
	struct str line;

	lang->text = arena_array(a, TEXTS_MAX, sizeof *lang->text);
	for (size_t n = 1; str_next(&text, '\n', &line); n++) {
		size_t equals = str_find(line, '=');
		struct str key = str_trim(str_slice(line, 0, equals));

		if (!str_trim(line).n || line.p[0] == '#')
			continue;
		if (equals == line.n || !key.n || lang_entry(lang, key) || lang->n == TEXTS_MAX)
			return err_set(e, ERR_INPUT,
				"%s:%zu: '%.*s' is no 'key = text' with a key of its own",
				lang->file, n, STR_ARG(line));
		lang->text[lang->n++] = (struct page_entry){
			.key = key,
			.value = str_trim(str_slice(line, equals + 1, line.n)),
			.name = arena_printf(a, "t.%.*s", STR_ARG(key)),
			.line = n,
		};
	}
	return 0;
}

int lang_read(const struct site *s, struct arena *a, struct str code, struct page_lang *out,
	struct err *e)
{
	const char *file = arena_printf(a, "%.*s.conf", STR_ARG(code));
	struct str text;

	*out = (struct page_lang){.code = code, .file = arena_printf(a, "pages/lang/%s", file)};
	if (template_read(s, a, "pages/lang", file, &text, e) < 0)
		return -1;
	return parse(a, text, out, e);
}
