/* SPDX-License-Identifier: MIT */
#ifndef APP_CSVFILE_H
#define APP_CSVFILE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <csv.h>

/*
 * Reading a CSV file piece by piece: RFC 4180 in UTF-8, with LF, CRLF or CR, a byte order mark
 * dropped, spaces around fields trimmed. A file whose form is broken is refused with FILE:LINE;
 * nothing in it is guessed.
 */
enum {
	CSV_COLUMNS_MAX = 256,
	CSV_FIELD_MAX = 1024 * 1024, /* a larger one is a quote that was not closed */
	CSV_ROW_MAX = 4 * 1024 * 1024,
};

struct csvfile {
	/* Called with each row that is not empty: `line` is where it begins. The views are
	 * valid in the call. -1 with the error filled ends the reading. */
	int (*row)(void *user, const struct str *field, size_t n, uint64_t line, struct err *e);
	void *user;

	/* private */
	struct csv_parser parser;
	const char *name;
	struct buf text; /* of the row's fields, one behind the other */
	size_t end[CSV_COLUMNS_MAX];
	size_t n;
	uint64_t line, row_line;
	bool begun, cr, failed;
	struct err *e; /* of the call under way */
};

/* Make ready to read the file that messages call `name`. */
void csvfile_init(struct csvfile *c, const char *name,
	int (*row)(void *user, const struct str *field, size_t n, uint64_t line, struct err *e),
	void *user);

/* The next octets of the file; the first piece holds at least 3, if the file has them.
 * ERR_INPUT. */
int csvfile_feed(struct csvfile *c, struct str piece, struct err *e);

/* The file is at its end. ERR_INPUT when a quote is still open. */
int csvfile_end(struct csvfile *c, struct err *e);

/* Give the memory back. */
void csvfile_free(struct csvfile *c);

#endif
