/* SPDX-License-Identifier: MIT */
#include "template.h"

#include "base/embed.h"
#include "base/file.h"

enum { TEMPLATE_MAX = 256 * 1024 };

int template_read(const struct site *s, struct arena *a, const char *folder, const char *file,
	struct str *out, struct err *e)
{
	char *path = arena_printf(a, "%s/%s/%s", s->config.templates, folder, file);
	char *name = arena_printf(a, "%s/%s", folder, file);
	struct err missing = {0};
	struct buf b;

	buf_init(&b, TEMPLATE_MAX);
	if (file_read(path, &b, &missing) == 0) {
		*out = arena_str(a, buf_view(&b));
		buf_free(&b);
		return 0;
	}
	buf_free(&b);
	if (missing.code != ERR_MISSING)
		return err_set(e, missing.code, "%s", missing.text);
	*out = embedded_get(embedded_templates, name);
	if (out->p)
		return 0;
	return err_set(e, ERR_MISSING,
		"there is no template '%s': neither '%s' nor a built-in one of that name", name,
		path);
}

bool template_is_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return true;
}

/* The theme in `folder`, on top of `base`, which is NULL for the one at the bottom. */
static int read_theme(const struct site *s, struct arena *a, const char *folder,
	const struct theme *base, struct theme *out, struct err *e)
{
	struct theme_files files = {
		.name = arena_printf(a, "mail-templates/%s", folder), .base = base};

	if (template_read(s, a, folder, "theme.conf", &files.theme_conf, e) < 0 ||
		template_read(s, a, folder, "layout.html", &files.layout_html, e) < 0 ||
		template_read(s, a, folder, "blocks.html", &files.blocks_html, e) < 0 ||
		template_read(s, a, folder, "layout.txt", &files.layout_txt, e) < 0)
		return -1;
	return theme_parse(a, &files, out, e);
}

int template_theme(
	const struct site *s, struct arena *a, struct str name, struct theme *out, struct err *e)
{
	struct theme *base = arena_alloc(a, sizeof *base);

	if (read_theme(s, a, "sheet", NULL, base, e) < 0)
		return -1;
	if (!name.n || str_eq(name, STR("sheet"))) {
		*out = *base;
		return 0;
	}
	return read_theme(s, a, arena_cstr(a, name), base, out, e);
}
