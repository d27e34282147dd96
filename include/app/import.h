/* SPDX-License-Identifier: MIT */
#ifndef APP_IMPORT_H
#define APP_IMPORT_H

#include "app/site.h"
#include "store/import.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Import of a file as another service, or a spreadsheet, wrote it: CSV and its kin in whatever encoding, by
 * itself, gzipped, or several in a zip. The header tells what it is (src/app/formats.c); what nobody knows
 * becomes an attribute, its name in lower case with "_" for what templates cannot read. All or nothing: a
 * file whose form is broken changes nothing, a row whose content is (no valid address, a status word that
 * its service does not have, a field over 64 KB, more fields than the header) is rejected by itself.
 */
struct import_map {
	const char *column; /* header in the file, compared without case */
	/* "email", "first_name", "last_name", "name", "status", "tags", "created_at", an attribute, or "-" to
	 * drop it */
	const char *field;
};

/* How far an import is: first the file is read, then the list gets its people. */
struct import_progress {
	uint64_t octets, size; /* of the file: read, and in all */
	int64_t rows; /* read */
	int64_t given, people; /* given to the list, and in all; 0 while the file is read */
};

struct import_options {
	const char *list; /* slug */
	const struct import_map *map;
	size_t map_n;
	const char *format; /* name of a format, NULL = by the header */
	const char *
		status; /* what all are at least: "subscribed", "pending", ...; NULL = by the file */
	bool dry_run;
	const char *
		proof; /* where the proof lies that those who had left want to come back; NULL = they do not */
	/* Each rejected row: the member of the archive it is in ("" = the file itself), its line, and why. May
	 * be NULL. */
	void (*rejected)(void *user, const char *file, uint64_t line, const char *reason);
	/* A few times a second. May be NULL. Returning false while the file is read stops the import; nothing has
	 * changed then, and the result is ERR_DENIED. Later there is no way back but `import undo`. */
	bool (*progress)(void *user, const struct import_progress *p);
	/* What was made of the files, when all is read: one JSON object, see below. May be NULL. */
	void (*report)(void *user, struct str json);
	void *user;
};

/*
 * The report: {"sha256": of the text, unpacked, in hex, "files": [FILE...], "left_out": [{"file", "why"}...]},
 * where FILE is {"file", "format", "title", "encoding", "delimiter", "rows", "rejected",
 *   "columns": [{"column", "to", "name"}...]   to: a field, "attribute" (called name), "consent", "-" dropped
 *   "statuses": [{"column", "word", "rows", "status"}...]    what was read ("*" = any text), and its meaning
 *   "unknown": [{"column", "word", "rows"}...]               whose rows were rejected
 *   "became": {STATUS: rows}, "base": {"status", "why"}      what all were at least
 *   "typos": [{"domain", "meant", "rows"}...], "roles": {"rows", "examples": [ADDRESS...]},
 *   "converted": {"fields", "line"}                          read as Windows-1252, the first in that line
 *   "notes": [TEXT...]}.
 */

/* Import the file `path` ("-" = standard input). `id` is the import's number (0 for a dry run).
 * ERR_INPUT, starting "FILE:LINE: ", for bad quoting, invalid UTF-8, NUL, a field over 1 MB, a
 * header without an address column or with a name twice; ERR_MISSING for a list or file that
 * does not exist. */
int import_file(struct site *s, const char *path, const struct import_options *options, int64_t *id,
	struct import_counts *out, struct err *e);

#endif
