/* SPDX-License-Identifier: MIT */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/import.h"

#include <sqlite3.h>

/*
 * The rows of an import in memory as a table "batch" that SQL can select from: one INSERT … SELECT
 * for 100,000 rows costs half of as many INSERTs. Private to src/store.
 */

/* What is known of a row beside its content. */
struct batch_mark {
	bool suppressed; /* nothing may come of it */
	bool found; /* the subscriber was there before */
	struct str lifted; /* the reason of the suppression that is to be lifted; empty = none */
	struct str left; /* why the row is left alone; empty = it is not */
};

struct batch {
	const struct import_row *row;
	const struct batch_mark *mark;
	size_t n;
};

/* Make the table known to a connection; it shows what `*b` holds at the time of a query. */
int batch_register(sqlite3 *db, const struct batch *b);

#endif
