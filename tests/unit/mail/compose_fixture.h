/* SPDX-License-Identifier: MIT */
#ifndef TESTS_COMPOSE_FIXTURE_H
#define TESTS_COMPOSE_FIXTURE_H

#include "base/buf.h"
#include "base/file.h"
#include "mail/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An issue composed with the theme "sheet" and a publication of its own. */
struct fixture {
	struct arena a;
	struct theme theme;
	struct compile_sender sender;
	struct compile_word word[16];
	size_t word_n;
	struct issue_source issue;
	struct composed out;
	struct err e;
};

static inline struct str fixture_file(struct arena *a, const char *path)
{
	struct buf b;
	struct str text;

	buf_init(&b, 1 << 20);
	if (file_read(path, &b, NULL) < 0) {
		printf("# cannot read %s\n", path);
		abort();
	}
	text = arena_str(a, buf_view(&b));
	buf_free(&b);
	return text;
}

/* Take the theme `name` on top of that of `f`, if it has one already. */
static inline void fixture_theme(struct fixture *f, const char *name)
{
	struct theme_files files = {.name = arena_printf(&f->a, "mail-templates/%s", name)};
	struct theme *base = arena_alloc(&f->a, sizeof(*base));

	*base = f->theme;
	files.base = f->theme.block_n ? base : NULL;
	files.theme_conf = fixture_file(&f->a, arena_printf(&f->a, "%s/theme.conf", files.name));
	files.layout_html = fixture_file(&f->a, arena_printf(&f->a, "%s/layout.html", files.name));
	files.blocks_html = fixture_file(&f->a, arena_printf(&f->a, "%s/blocks.html", files.name));
	files.layout_txt = fixture_file(&f->a, arena_printf(&f->a, "%s/layout.txt", files.name));
	if (theme_parse(&f->a, &files, &f->theme, &f->e) < 0) {
		printf("# %s\n", f->e.text);
		abort();
	}
}

/* Take the words of the language `code`. */
static inline void fixture_words(struct fixture *f, const char *code)
{
	const char *file = arena_printf(&f->a, "mail-templates/pages/lang/%s.conf", code);
	struct str text = fixture_file(&f->a, file), line;

	f->word_n = 0;
	while (str_next(&text, '\n', &line)) {
		size_t equals = str_find(line, '=');
		struct str key = str_trim(str_slice(line, 0, equals));

		if (!str_has_prefix(key, STR("issue_")))
			continue;
		if (f->word_n == sizeof(f->word) / sizeof(f->word[0]))
			abort();
		f->word[f->word_n++] = (struct compile_word){
			.name = arena_printf(&f->a, "t.%.*s", STR_ARG(key)),
			.text = str_trim(str_slice(line, equals + 1, line.n)),
			.file = file,
		};
	}
}

static inline void fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	fixture_words(f, "en");
	fixture_theme(f, "sheet");
	f->sender = (struct compile_sender){
		.name = STR("The Daily Press"),
		.tagline = STR("News that keeps"),
		.address = STR("1 Mill Lane, Ashby"),
		.url = STR("https://press.example.org"),
		.lang = STR("en"),
		.list_slug = STR("daily"),
		.list_name = STR("Every day"),
		.from_email = STR("editor@press.example.org"),
		.accent_label = STR("In brief|Next in AI"),
		.callout_label = STR("Why it matters|Bottom line"),
	};
}

/* Compose the issue `source`, called `file`; an error is in f->e. */
static inline int fixture_compose(struct fixture *f, const char *file, struct str source)
{
	static const char *const fields[] = {"plan", "city"};
	struct compile_input in = {.issue = &f->issue,
		.theme = &f->theme,
		.sender = &f->sender,
		.word = f->word,
		.word_n = f->word_n,
		.fields = fields,
		.fields_n = 2};

	memset(&f->e, 0, sizeof(f->e));
	return issue_parse(&f->a, file, source, &f->issue, &f->e) < 0 ||
			       compose(&f->a, &in, &f->out, &f->e) < 0
		       ? -1
		       : 0;
}

static inline int fixture_body(struct fixture *f, const char *body)
{
	struct str head = STR("---\nsubject: s\npreheader: p\nlist: daily\n---\n");
	char *all = arena_printf(&f->a, "%.*s%s", STR_ARG(head), body);

	return fixture_compose(f, "x.md", str_of(all));
}

/* `s` with its marks readable: ⟦h subscriber.city|default⟧, ⟦if subscriber.plan == paid⟧, ⟦endif⟧. */
static inline struct str fixture_show(struct fixture *f, struct str s)
{
	static const char *const ops[] = {"", "if", "elsif", "else", "endif"};
	static const char *const tests[] = {"", " == ", " != ", " contains "};
	enum liquid_context context;
	struct str before, result;
	struct buf out;
	int i;

	buf_init(&out, 1 << 20);
	do {
		i = liquid_next_mark(&s, &before, &context);
		buf_str(&out, before);
		if (i >= 0) {
			struct liquid_slot *slot = &f->out.slots.slot[i];
			struct str var = slot->var < 0 ? STR("") : f->out.slots.vars[slot->var];

			buf_cstr(&out, "⟦");
			if (slot->op == LIQUID_VALUE)
				buf_char(&out, (char)context);
			buf_cstr(&out, slot->negate ? "unless" : ops[slot->op]);
			if (var.n)
				buf_printf(&out, " %.*s", STR_ARG(var));
			if (slot->text.n)
				buf_printf(&out, "%s%.*s",
					slot->op == LIQUID_VALUE ? "|" : tests[slot->test],
					STR_ARG(slot->text));
			buf_cstr(&out, "⟧");
		}
	} while (i >= 0);
	result = arena_str(&f->a, buf_view(&out));
	buf_free(&out);
	return result;
}

#endif
