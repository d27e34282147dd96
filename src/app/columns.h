/* SPDX-License-Identifier: MIT */
#ifndef APP_COLUMNS_H
#define APP_COLUMNS_H

#include "app/import.h"
#include "csvfile.h"

/*
 * What the columns of a file are, by its header, and one row made into a subscriber.
 */
enum column_kind {
	COLUMN_DROPPED,
	COLUMN_ATTRIBUTE,
	COLUMN_EMAIL,
	COLUMN_FIRST_NAME,
	COLUMN_LAST_NAME,
	COLUMN_NAME,
	COLUMN_STATUS,
	COLUMN_SUPPRESSED, /* these three: of our own exports alone (app/export.h) */
	COLUMN_CREATED,
	COLUMN_ESCAPED,
	COLUMN_KIND_N,
};

struct columns {
	size_t n;
	struct {
		enum column_kind kind;
		struct str header; /* as in the file */
		struct str name; /* of the attribute */
		struct str member; /* "name": for JSON */
		bool json; /* its cells are JSON */
	} column[CSV_COLUMNS_MAX];
	bool own; /* it is one of our exports */
	size_t of[COLUMN_KIND_N]; /* place of the one column of that kind, CSV_COLUMNS_MAX = none */
};

/* Read the header `field` of the file that messages call `file`, with the operator's `map`. All
 * in `a`. ERR_INPUT, starting "FILE:LINE: ". */
int columns_read(struct columns *c, struct arena *a, const struct str *field, size_t n,
	const struct import_options *options, const char *file, uint64_t line, struct err *e);

/* One row as a subscriber, in `a`; `scratch` is used for the while. ERR_INPUT with the reason
 * (no FILE:LINE) when the row is to be rejected. */
int columns_row(const struct columns *c, struct arena *a, struct buf *scratch,
	const struct str *field, size_t n, uint64_t line, struct import_row *out, struct err *e);

#endif
