/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_TEMPLATE_H
#define SRC_APP_TEMPLATE_H

#include "app/site.h"
#include "mail/theme.h"

/* One file below mail-templates/: the site's own copy, else the one inside the program; in `a`.
 * ERR_MISSING. */
int template_read(const struct site *s, struct arena *a, const char *folder, const char *file,
	struct str *out, struct err *e);

/* Whether `name` may be that of a theme, and so of a folder: a-z, 0-9, '-', '_'. */
bool template_is_name(struct str name);

/* The theme `name` (empty = "sheet"), in `a`; what it does not have is that of "sheet". ERR_MISSING,
 * ERR_INPUT. */
int template_theme(
	const struct site *s, struct arena *a, struct str name, struct theme *out, struct err *e);

#endif
