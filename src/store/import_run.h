/* SPDX-License-Identifier: MIT */
#ifndef STORE_IMPORT_RUN_H
#define STORE_IMPORT_RUN_H

#include "import_pack.h"
#include "store/import.h"

/*
 * An import under way. import_prepare.c and import_batch.c write the rows and the journal, import_apply.c gives the list its people,
 * import_undo.c takes back. Private to src/store.
 */
enum import_state {
	IMPORT_READING,
	IMPORT_APPLYING,
	IMPORT_DONE,
	IMPORT_UNDOING,
	IMPORT_UNDONE,
};

/* Why undoing left something as it is: bits of import_rows.kept. */
enum import_kept {
	IMPORT_KEPT_SUBSCRIPTION = 1, /* it has changed since */
	IMPORT_KEPT_DATA = 2, /* something else has happened to the reader */
	IMPORT_KEPT_MAIL = 4, /* issues went there: the ledger names the reader */
	IMPORT_KEPT_LIST = 8, /* on another list, too */
};
const char *import_kept_words(enum import_kept bit);

/* Readers in one transaction: some 30 ms, 150 where each of them is to be suppressed. */
enum { IMPORT_SLICE = 12500 };

struct import {
	struct store *s;
	int64_t id, list, now;
	int lock; /* file that says that the process lives */
	bool dry_run;
	void (*progress)(void *user, int64_t done, int64_t all);
	void *user;
	bool look_first; /* most of the last slice were known */
	struct str proof;
	struct import_counts counts;
	int64_t left; /* rows of import_left */
	struct batch_mark *mark;
	size_t mark_max;
	struct str *field;
	size_t field_n;
	struct buf erased; /* hashes of those whom the other service has erased */
	struct arena a; /* of one batch */
	struct arena names; /* lives as long as the import */
};

/* Take the lock of imports, which ends with the process. 1 with its descriptor, 0 when another process has it, -1. */
int import_lock(struct store *s, int *lock, struct err *e);

/* COMPLAINED > BOUNCED > UNSUBSCRIBED > PENDING > ACTIVE */
enum subscription_status import_stricter(enum subscription_status a, enum subscription_status b);

/* Whether somebody has left, by a status or -1. */
static inline bool import_is_ended(int64_t status)
{
	return status >= SUBSCRIPTION_UNSUBSCRIBED;
}

/* Fill the marks of a slice's rows, and give rows the spelling under which their reader is known. Within the slice's
 * transaction: whoever was suppressed or erased a moment ago does not come back. */
int import_prepare(struct import *i, struct import_row *rows, struct batch_mark *marks, size_t n,
	struct err *e);

/* Between two transactions: leave room for whoever waits to write, who asks every half millisecond. Not after each short
 * one: nobody waits much longer than that takes. */
void import_pause(struct store *s);

/* Long work by short transactions. While `durable` is false, commits may be lost by a power failure, as a whole:
 * for what another, durable one has to follow. */
int import_pace(struct store *s, bool durable, struct err *e);

/* The next readers of an import, those behind its `passed`: a pack, or up to IMPORT_SLICE rows of the journal. */
struct import_slice {
	int64_t from, to; /* numbers behind `from`, up to `to` */
	struct import_pack pack; /* n = 0: rows; the caller frees its arena */
};
/* 1, 0 when there are no more, or -1. Within the transaction that deals with them. */
int import_next(struct store *s, int64_t id, struct import_slice *out, struct err *e);

/* Finish import `id`, which was decided for. `i` is its handle, for progress; NULL after it broke off. */
int import_apply(struct store *s, int64_t id, const struct import *i, struct err *e);

/* Take back, slice by slice, what import `id` did; its state is READING or UNDOING. */
int import_take_back(
	struct store *s, int64_t id, int64_t now, struct import_undone *out, struct err *e);

/* Delete all that is known of import `id`, which did nothing. */
int import_forget(struct store *s, int64_t id, struct err *e);

#endif
