/* SPDX-License-Identifier: MIT */
#ifndef APP_COLUMNS_H
#define APP_COLUMNS_H

#include "app/import.h"
#include "csvfile.h"
#include "format.h"
#include "mail/addr.h"

/*
 * What the columns of a file are, by its header, and one row made into a subscriber.
 */
struct status_word {
	struct str word, tag;
	enum standing standing;
	uint64_t rows; /* that said it */
};

struct column {
	enum column_kind kind;
	bool kept; /* a time of no known service: an attribute as well */
	bool json; /* its cells are JSON */
	struct str header; /* as in the file */
	struct str name; /* of the attribute */
	struct str member; /* "name": for JSON */
	const char *how; /* see format.h */
	struct status_word *word;
	size_t word_n;
	struct status_word *any; /* the word "*" */
};

enum { UNKNOWN_WORDS_MAX = 16, OBJECT_NAMES_MAX = 256 };

struct columns {
	const struct format *format;
	enum addr_rule rule; /* of addresses */
	const char *place; /* " in MEMBER" of an archive for consent records, or "" */
	struct column column[CSV_COLUMNS_MAX];
	size_t n;
	size_t of[COLUMN_KIND_N]; /* place of the one column of a kind, CSV_COLUMNS_MAX = none */
	size_t status[CSV_COLUMNS_MAX], status_n; /* and of those of which there are several */
	size_t tags[CSV_COLUMNS_MAX], tags_n;
	size_t object[CSV_COLUMNS_MAX], object_n;
	enum standing base; /* what all are at least */
	const char *base_why;
	int64_t now; /* no consent is younger */

	/* what rows said; words that no status is known for, the first few */
	uint64_t rows_of[STANDING_N];
	struct {
		size_t column;
		struct str word;
		uint64_t rows;
	} unknown[UNKNOWN_WORDS_MAX];
	size_t unknown_n;
	bool no_zone; /* a time had none: taken for UTC */
	uint64_t unreadable; /* times */
	struct str object_name[OBJECT_NAMES_MAX]; /* attributes found in JSON objects */
	size_t object_name_n;
	bool tagged; /* some row has a tag */
	/* Of the last row, which was rejected since its service has erased the address: where that stands as SHA-512. */
	unsigned char erased[SUPPRESSION_HASH_SIZE];
	bool has_erased;
	struct arena a; /* of this all */
};

/* Whether `format` and `status` of the options are words there are. ERR_USAGE. */
int columns_check(const struct import_options *options, struct err *e);

/* Read the header `field` of the file that messages call `file`, whose own name (without folders) is `name`.
 * ERR_INPUT, starting "FILE:LINE: ". */
int columns_read(struct columns *c, const struct str *field, size_t n,
	const struct import_options *options, const char *file, struct str name, uint64_t line,
	struct err *e);

/* For a file of one address a line, without a header. */
int columns_read_addresses(struct columns *c, const struct import_options *options,
	const char *file, struct str name, struct err *e);

/* Whether the header has what may be an address, without a word of the operator: for files of an archive. */
bool columns_has_address(const struct str *field, size_t n);

/* One row as a subscriber, in `a`; `scratch` is used for the while. ERR_INPUT with the reason
 * (no FILE:LINE) when the row is to be rejected. */
int columns_row(struct columns *c, struct arena *a, struct buf *scratch, const struct str *field,
	size_t n, uint64_t line, struct import_row *out, struct err *e);

/* Give the memory back. */
void columns_free(struct columns *c);

/* The name by which templates call an attribute, in `a`: lower case, what they could not read as "_". Empty when
 * nothing is left. */
struct str attribute_name(struct arena *a, struct str header);

#endif
