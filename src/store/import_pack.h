/* SPDX-License-Identifier: MIT */
#ifndef STORE_IMPORT_PACK_H
#define STORE_IMPORT_PACK_H

#include "db.h"
#include "store/import.h"

/*
 * The journal of readers whom an import made, a slice of them packed in one row. Private to src/store.
 */
struct import_pack {
	int64_t import;
	int64_t last; /* number of the last reader; the first is last - n + 1 */
	size_t n;
	struct import_row *row; /* of each: line, status, detail, suppress */
	struct batch_mark *mark; /* lifted; `found` where nobody has the number */
	bool suppresses; /* some suppress or lift */
	struct arena a; /* holds it all: the caller frees it */
};

/* Write down the new readers of s->batch, whose numbers begin behind `before`. */
int import_pack(struct store *s, int64_t import, int64_t before, struct err *e);

/* The first pack that ends behind the number `from`, of one import or (0) of whichever: 1, 0, or -1. */
int import_pack_read(
	struct store *s, int64_t import, int64_t from, struct import_pack *out, struct err *e);

/* It as s->batch, for SQL. */
struct batch import_pack_batch(const struct import_pack *p);

/* Make it rows of import_rows. Within a transaction. */
int import_unpack(struct store *s, const struct import_pack *p, struct err *e);

/* Copy what is packed of an import into the table temp.shown_rows, which is like import_rows. */
int import_show_packs(struct store *s, int64_t import, struct err *e);

/* Forget what is said of a reader beside the line and the status. Within a transaction. */
int import_pack_forget(struct store *s, int64_t subscriber, struct err *e);

#endif
