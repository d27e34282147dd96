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

int template_theme(const struct site *s, struct arena *a, struct str name, struct theme_files *out,
	struct err *e)
{
	const char *folder = name.n ? arena_cstr(a, name) : "sheet";

	out->name = arena_printf(a, "mail-templates/%s", folder);
	if (template_read(s, a, folder, "theme.conf", &out->theme_conf, e) < 0 ||
		template_read(s, a, folder, "layout.html", &out->layout_html, e) < 0 ||
		template_read(s, a, folder, "blocks.html", &out->blocks_html, e) < 0 ||
		template_read(s, a, folder, "layout.txt", &out->layout_txt, e) < 0)
		return -1;
	return 0;
}
