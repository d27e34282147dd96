/* SPDX-License-Identifier: MIT */
#ifndef BASE_EMBED_H
#define BASE_EMBED_H

#include "base/str.h"

/*
 * Files of the source tree that live inside the program: migrations, templates, the sample issue.
 * The tables are made by the Makefile, sorted by name, and end with a NULL name.
 */
struct embedded {
	const char
		*name; /* path below the embedded folder: "0001_first.sql", "default/theme.conf" */
	const char *data;
	size_t n;
};

extern const struct embedded embedded_sql[];
extern const struct embedded embedded_templates[];

/* The content of `name` in `table`, or {NULL, 0}. */
struct str embedded_get(const struct embedded *table, const char *name);

#endif
