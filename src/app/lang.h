/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_LANG_H
#define SRC_APP_LANG_H

#include "app/site.h"

/* The texts of one language, for pages and around issues: mail-templates/pages/lang/CODE.conf. */
struct page_entry {
	struct str key, value;
	const char *name; /* "t.KEY" */
	size_t line;
};

struct page_lang {
	struct str code; /* "en" */
	const char *file; /* for messages */
	struct page_entry *text;
	size_t n;
};

/* Read the texts of the language `code`, the site's own file first; in `a`. ERR_MISSING, ERR_INPUT for a line
 * that is no `key = value` and for a key given twice. */
int lang_read(const struct site *s, struct arena *a, struct str code, struct page_lang *out,
	struct err *e);

/* The entry of `key`, or NULL. */
const struct page_entry *lang_entry(const struct page_lang *lang, struct str key);

#endif
