/* SPDX-License-Identifier: MIT */
#ifndef APP_CSVFILE_H
#define APP_CSVFILE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <csv.h>

/*
 * Reading a file of rows piece by piece, as RFC 4180 has it: in UTF-8 or UTF-16, with or without a byte order
 * mark; a field that is not UTF-8 is taken for Windows-1252. Lines end in LF, CRLF or CR; fields are parted by
 * comma, semicolon, tab or bar, whichever the header has most of, or by what a first line `sep=;` says. Spaces
 * around fields are trimmed. A file whose first line is an address alone is a list of one address a line. Fields
 * reach the caller as valid UTF-8 without NUL. A file whose form is broken is refused with FILE:LINE.
 */
enum {
	CSV_COLUMNS_MAX = 256,
	CSV_FIELD_MAX = 1024 * 1024, /* a larger one is a quote that was not closed */
	CSV_ROW_MAX = 4 * 1024 * 1024,
	CSV_HEAD = 64 * 1024, /* what the form is judged by */
};

enum csv_form {
	CSV_FORM_GUESSED,
	CSV_FORM_TABLE, /* with a header */
	CSV_FORM_ADDRESSES,
};

struct csvfile {
	/* Called with each row that is not empty: `line` is where it begins. The views are
	 * valid in the call. -1 with the error filled ends the reading. */
	int (*row)(void *user, const struct str *field, size_t n, uint64_t line, struct err *e);
	void *user;
	enum csv_form form; /* may be set before the first piece; known from the first row on */

	/* for a report, from the first row on */
	const char *encoding; /* "UTF-8", "UTF-16LE", "UTF-16BE" */
	char delimiter;
	uint64_t converted,
		converted_line; /* fields that were not UTF-8, and the first one's line */

	/* private */
	struct csv_parser parser;
	const char *name;
	struct buf head; /* until the form is known; then the start of an address's line */
	struct buf utf8; /* of UTF-16 */
	unsigned char odd[4]; /* octets of a character whose others are still to come */
	size_t odd_n;
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

/* The next octets of the file. ERR_INPUT. */
int csvfile_feed(struct csvfile *c, struct str piece, struct err *e);

/* The file is at its end. ERR_INPUT when a quote is still open. */
int csvfile_end(struct csvfile *c, struct err *e);

/* From the next row on, a quote inside a field that does not begin with one is plain text. Called from `row`. */
void csvfile_lax_quotes(struct csvfile *c);

/* Give the memory back. */
void csvfile_free(struct csvfile *c);

#endif
