/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_FORMAT_H
#define SRC_APP_FORMAT_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What files of subscribers look like, service by service: data. Names of columns stand here as the
 * services write them, and are compared by header_key().
 */
enum column_kind {
	COLUMN_DROPPED,
	COLUMN_ATTRIBUTE,
	COLUMN_STATUS, /* of these there may be several */
	COLUMN_TAGS,
	COLUMN_OBJECT, /* a JSON object of attributes, and perhaps `tags` */
	COLUMN_REMARK, /* WORD=TEXT: the text goes into the consent record */
	COLUMN_EMAIL, /* and of these one of each */
	COLUMN_FIRST_NAME,
	COLUMN_LAST_NAME,
	COLUMN_NAME,
	COLUMN_CONFIRMED, /* times of consent, the best first */
	COLUMN_SIGNED_UP,
	COLUMN_CREATED,
	COLUMN_CONFIRMED_IP,
	COLUMN_IP,
	COLUMN_ERASED, /* filled where the other service has erased the address */
	COLUMN_SUPPRESSED, /* of our own exports alone (app/export.h) */
	COLUMN_ESCAPED,
	COLUMN_KIND_N,
};

/* What a file says of somebody's subscription, the strictest last. */
enum standing {
	STANDING_SUBSCRIBED,
	STANDING_PENDING,
	STANDING_UNSUBSCRIBED,
	STANDING_BOUNCED,
	STANDING_SUPPRESSED,
	STANDING_COMPLAINED,
	STANDING_N,
	STANDING_ASK = STANDING_N, /* subscribed, if the operator says so */
};

struct format_column {
	const char *header; /* a '*' in front stands for anything */
	enum column_kind kind;
	/*
	 * COLUMN_STATUS: "WORD=STANDING|...", where the word "*" is any text, and then an empty cell says
	 * nothing; without a meaning for it, an empty cell is an unknown word. "+TAG" may follow.
	 * COLUMN_TAGS: the characters that part tags, and "~CELL" behind them for a cell that means none; or "WORD=TAG", the tag "*" being the header; or "" for
	 * a cell that is one tag.
	 */
	const char *how;
};

enum { FORMAT_COLUMNS_MAX = 24, FORMAT_SIGNS_MAX = 4, FORMAT_SIGN_COLUMNS_MAX = 4 };

struct format {
	const char *name, *title;
	/* The header shows it when it has all columns of one of these sets. */
	const char *sign[FORMAT_SIGNS_MAX][FORMAT_SIGN_COLUMNS_MAX];
	struct format_column column[FORMAT_COLUMNS_MAX];
	bool in_order; /* the columns of the sign come first, in that order */
	bool own; /* our own exports: names and places are exact */
	bool first_is_email; /* headers are translated: column 1 is the address when no name fits */
	bool wants_status; /* nothing is implied: file name, column or operator must say */
	bool day_first;
	bool lax_quotes; /* a quote inside a field is plain text */
	const char *refused_suffix, *refused_why; /* addresses that nobody is to get */
	const char *note; /* for the operator */
};

/* Columns that are there in one file of a service only, and so say what all its people are. */
struct format_hint {
	const char *format, *column;
	enum standing standing;
};
extern const struct format_hint format_hints[];
extern const size_t format_hints_n;

/* By number from 0; NULL behind the last one. The first is `plain`. */
const struct format *format_at(size_t i);

/* By its name, NULL when there is none. */
const struct format *format_named(const char *name);

/* "plain, mailchimp, ...", in `a`. */
const char *format_names(struct arena *a);

/* Columns of other files, in many languages. */
extern const struct format_column format_aliases[];
extern const size_t format_aliases_n;

/* Words of a status column of no known service. */
extern const char format_words[];

/* `header` for comparison: letters and digits alone, without case, accents, widths; in `a`. */
struct str header_key(struct arena *a, struct str header);

/* "subscribed", ...; STANDING_N for a word that is none. */
const char *standing_name(enum standing standing);
enum standing standing_named(struct str word);

#endif
