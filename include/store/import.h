/* SPDX-License-Identifier: MIT */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

#include "store/people.h"

/*
 * Import by batches: rows already checked and normalised, sorted by key inside (that is what makes it fast).
 *
 * The people of a file go in by short transactions, so that delivery is never kept waiting, but on no list: a
 * journal remembers what each row is to do, and what was there before. import_commit() decides for the whole
 * file in one moment; from then on the list gets them all, whatever happens. What breaks off before that moment is
 * taken back, what breaks off behind it is finished, by import_recover().
 */
struct import_row {
	struct str key, email, first_name, last_name; /* empty names leave what is there */
	struct str attributes; /* JSON object, or empty */
	enum subscription_status status;
	uint64_t line; /* in the file, for the consent record */
	struct str
		suppress; /* the reason for which the address is to be suppressed; empty = none */
	int64_t created_at; /* of somebody who is new; 0 = now */
	struct str detail; /* what else is known of the consent, in words; empty = nothing */
	/* by import_sort() */
	unsigned repeats; /* later rows with the same key that were laid over this one */
	bool again; /* an earlier batch had the key */
};

/* Each row is counted once: `added` are people new to the list, `unchanged` also rows whose address the file has had
 * before. */
struct import_counts {
	int64_t rows, added, updated, unchanged, rejected, suppressed;
	/* Not in the record: */
	int64_t repeats; /* of the unchanged: the file has had their address before */
	int64_t mailed; /* people who get mail by it and got none before */
};

struct import;

struct import_start {
	int64_t list;
	struct str file; /* for the record */
	/* Where the proof lies that those who had left want to come back; empty = they may not. Who was erased,
	 * or whose domain is suppressed, never does. */
	struct str proof;
	int64_t now;
	bool dry_run; /* count, and change nothing */
	/* Called by import_commit(): how many of the people the list has got. May be NULL. */
	void (*progress)(void *user, int64_t done, int64_t all);
	void *user;
};

/* Begin an import. ERR_BUSY while another one is under way. */
int import_begin(
	struct store *s, const struct import_start *start, struct import **out, struct err *e);

/* Say which names `attributes` may hold; they become known fields. The views live as long as the import. */
int import_fields(struct import *i, const struct str *names, size_t n, struct err *e);

/* What remembers which addresses a file has had; NULL when there is no memory. */
struct import_sorter *import_sorter_new(void);
void import_sorter_free(struct import_sorter *sorter);

/* Make the next rows of a file a batch: sorted by key, one row of each. Of several with the same key the later
 * ones are laid over the earlier ones, and the strictest status counts (COMPLAINED, BOUNCED, UNSUBSCRIBED,
 * PENDING, ACTIVE); what has to be made anew is in `a`. For the thread that reads: the one that writes has
 * more to do. */
int import_sort(struct import_sorter *sorter, struct import_row *rows, size_t *n, struct arena *a,
	struct err *e);

/* Add the rows of a batch, which import_sort() has made of the file's: the larger, the faster. Who was on the
 * list already keeps a status that is stricter, but for PENDING, which ACTIVE confirms. Without a proof, a row
 * that would make somebody active or pending whose address is suppressed, or whose subscription has ended, is
 * counted as suppressed and changes nothing. BOUNCED and COMPLAINED suppress the address. */
int import_batch(struct import *i, struct import_row *rows, size_t n, struct err *e);

/* Write down that the row at `line` was rejected. */
int import_reject(struct import *i, uint64_t line, struct str reason, struct err *e);

/* Keep the SHA-512 of an address that the other service has erased (SUPPRESSION_SHA512), once the import is decided
 * for: no later one brings that address. Counts nothing. */
int import_erased(struct import *i, const unsigned char hash[SUPPRESSION_HASH_SIZE], struct err *e);

/* Decide for the import and give the list its people. `hash` is the file's SHA-256 in hex, `report` what was read
 * as what (JSON); both may be empty. Frees the handle also on error, when nothing has changed, or will not
 * have as soon as import_recover() was called. `id` is the import's number. */
int import_commit(struct import *i, struct str hash, struct str report, int64_t *id,
	struct import_counts *out, struct err *e);

/* Take all back and free; NULL is allowed. Fills `out` (may be NULL) with what would have been done: the
 * dry run. */
void import_rollback(struct import *i, struct import_counts *out);

/* Finish what broke off, or take it back, unless its process still lives. The number of the import, and whether it
 * was finished; 0 when there is nothing to do. */
int import_recover(struct store *s, int64_t now, int64_t *id, bool *finished, struct err *e);

/* What import_undo() did. */
struct import_undone {
	int64_t ended; /* subscriptions given back their status from before, or ended */
	int64_t restored; /* readers whose own data are as before */
	int64_t removed; /* readers whom the import had made, and who are gone */
	int64_t kept; /* readers of whom something was left as it is */
};

/* Undo an import: what was there before it is there again, except where something happened since.
 * ERR_MISSING; ERR_DENIED when it was undone before; ERR_BUSY while an import is under way. */
int import_undo(struct store *s, int64_t id, int64_t now, struct import_undone *out, struct err *e);

/* A line of `import ls`, and of `import show`. */
struct import_record {
	int64_t id, at;
	struct str list, file, hash, proof, report;
	bool undone;
	struct import_counts counts;
};
/* All imports, oldest first: `each` returns false to end. */
int import_each(struct store *s, bool (*each)(void *user, const struct import_record *r),
	void *user, struct err *e);

/* One import, in `a`. ERR_MISSING. */
int import_get(
	struct store *s, int64_t id, struct arena *a, struct import_record *out, struct err *e);

/* The last import of the same text into the same list before `id` that was not undone: its number and time.
 * 1, 0, or -1. */
int import_same(struct store *s, int64_t id, int64_t *before, int64_t *at, struct err *e);

/* What an import did to one reader, or why it did nothing with a row. */
struct import_effect {
	int64_t line;
	struct str email; /* empty: of somebody who is gone, or of a rejected row */
	struct str words; /* "added as subscribed", "rejected: ...", ... */
	struct str kept; /* after undoing: why something was left as it is; empty = nothing was */
};
int import_effects(struct store *s, int64_t id,
	bool (*each)(void *user, const struct import_effect *effect), void *user, struct err *e);

#endif
