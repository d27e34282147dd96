/* SPDX-License-Identifier: MIT */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

#include "store/people.h"

/*
 * Import by batches: rows already checked and normalised, sorted by key inside (that is what makes
 * it fast), all batches of a file in one transaction. Nothing is visible before import_commit().
 */
struct import_row {
	struct str key, email, first_name, last_name; /* empty names leave what is there */
	struct str attributes; /* JSON object, or empty */
	enum subscription_status status;
	uint64_t line; /* in the file, for the consent record */
	struct str
		suppress; /* the reason for which the address is to be suppressed; empty = none */
	int64_t created_at; /* of somebody who is new; 0 = now */
	struct str detail; /* words for the consent record; empty = none */
};

/* Each row is counted once: `added` are people new to the list, `unchanged` also rows that
 * repeat one of the same batch. */
struct import_counts {
	int64_t rows, added, updated, unchanged, rejected, suppressed;
};

struct import;

/* Begin the import of `file` (for the record) into list `list`: takes the write lock. `id` is its
 * number. */
int import_begin(struct store *s, int64_t list, struct str file, int64_t now, struct import **out,
	int64_t *id, struct err *e);

/* Say which names `attributes` may hold, once: they become known fields. */
int import_fields(struct import *i, const struct str *names, size_t n, struct err *e);

/* Put rows into the order in which import_batch() is fast. It sorts by itself; a caller with a
 * thread to spare does so there. */
void import_sort(struct import_row *rows, size_t n);

/* Add up to some 100,000 rows; reorders and merges `rows`. Of several rows with the same key
 * the later ones are laid over the earlier ones, and the strictest status counts (COMPLAINED,
 * BOUNCED, UNSUBSCRIBED, PENDING, ACTIVE). Who was on the list already keeps a status that is
 * stricter, but for PENDING, which ACTIVE confirms. A row that would make somebody active or
 * pending whose address is suppressed, or whose subscription has ended, is counted as
 * suppressed and changes nothing. BOUNCED and COMPLAINED suppress the address. */
int import_batch(struct import *i, struct import_row *rows, size_t n, struct err *e);

/* Write the record with `rejected` rows counted in, and commit. Frees the handle also on error,
 * when nothing has changed. */
int import_commit(struct import *i, int64_t rejected, struct import_counts *out, struct err *e);

/* Undo all and free; NULL is allowed. Fills `out` (may be NULL) with what would have been done: the
 * dry run. */
void import_rollback(struct import *i, struct import_counts *out);

/* A line of `import ls`. */
struct import_record {
	int64_t id, at;
	struct str list, file;
	struct import_counts counts;
};
int import_each(struct store *s, bool (*each)(void *user, const struct import_record *r),
	void *user, struct err *e);

#endif
