/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_STANDING_H
#define SRC_APP_STANDING_H

#include "columns.h"

/*
 * What a file says of its people's subscriptions: by its name, by a column that only one of a service's files has,
 * by words in columns. Where several speak, the strictest counts.
 */

/* Read the words of a status column into it. */
void standing_prepare(struct columns *c, struct column *column);

/* What all rows are at least. ERR_INPUT where nothing says it and the format is one that must. */
int standing_base(struct columns *c, const struct import_options *options, struct str name,
	const struct format_hint *hint, struct err *e);

/* What the row `field` is; a tag that a word implies goes into `*tag`. ERR_INPUT for an unknown word. */
int standing_of(struct columns *c, const struct str *field, size_t n, enum standing *out,
	struct str *tag, struct err *e);

#endif
