/* SPDX-License-Identifier: MIT */
#ifndef APP_IMPORT_H
#define APP_IMPORT_H

#include "app/site.h"
#include "store/import.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Import of a CSV file (RFC 4180, UTF-8, first line = header). Columns are found by their names:
 * an address (email, e-mail, mail, "Email Address", …; it may be written `Name <address>`),
 * first_name, last_name, name (kept whole, as the first name, where there is no other), status (a
 * word such as subscribed, pending, unsubscribed, bounced, complained; without the column all are
 * subscribed); every other column becomes an attribute, its name in lower case with "_" for what
 * templates cannot read. All or nothing: a file whose form is broken changes nothing, a row whose
 * content is (no valid address, an unknown status, a field over 64 KB, more fields than the
 * header) is rejected by itself.
 */
struct import_map {
	const char *column; /* header in the file, compared without case */
	/* "email", "first_name", "last_name", "name", "status", an attribute, or "-" to drop it */
	const char *field;
};

struct import_options {
	const char *list; /* slug */
	const struct import_map *map;
	size_t map_n;
	bool dry_run;
	/* Each rejected row: its line, and why. May be NULL. */
	void (*rejected)(void *user, uint64_t line, const char *reason);
	/* Bytes done and in all, a few times a second. May be NULL. Returning false stops the
	 * import; nothing has changed then, and the result is ERR_DENIED. */
	bool (*progress)(void *user, uint64_t done, uint64_t size);
	void *user;
};

/* Import the file `path` ("-" = standard input). `id` is the import's number (0 for a dry run).
 * ERR_INPUT, starting "FILE:LINE: ", for bad quoting, invalid UTF-8, NUL, a field over 1 MB, a
 * header without an address column or with a name twice; ERR_MISSING for a list or file that
 * does not exist. */
int import_file(struct site *s, const char *path, const struct import_options *options, int64_t *id,
	struct import_counts *out, struct err *e);

#endif
