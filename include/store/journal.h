/* SPDX-License-Identifier: MIT */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/store.h"

/*
 * The send journal: what left, in files beside the database, so that an older copy of the database, put
 * back in its place, learns what was sent after it was made. For the database NAME.db there is a folder
 * NAME.db.journal with a file LIST.SLUG for each issue, which is only appended to:
 *
 *   intent     once the intent is committed, before the message is submitted
 *   sent       before the commit of the outcome
 *   not sent   the same, for every answer after which the relay does not have the message; an answer that
 *              got lost leaves the intent alone
 *
 * The database keeps how far it has seen each file, moved in the transaction of the outcome. What lies
 * behind that is news to it: journal_open() and journal_replay() bring it in. An intent that the database
 * knows of is none (each names its attempt), so a worker that was killed leaves no more doubts than without
 * a journal, and fewer where an outcome was written and not committed any more.
 *
 * Nothing here is synced for each message: what survives a power failure is the ledger. Notices
 * (store/pages.h) have no journal: a request to confirm that comes twice harms nobody, one that does not come
 * loses a reader.
 */
struct journal;

enum journal_kind { JOURNAL_INTENT = 'I', JOURNAL_SENT = 'S', JOURNAL_NOT_SENT = 'N' };

struct journal_entry {
	int64_t subscriber;
	uint64_t
		mark; /* of the address, as a claim has it: numbers may mean others in an older database */
	int64_t at;
	int attempt; /* 1 = the first */
	struct str relay; /* name; only a hash of it is written */
	enum journal_kind kind;
};

/* What a database has learnt: copies that are sent now, and that are in doubt now. */
struct journal_news {
	int64_t sent, in_doubt;
};

/* Open the journal of an issue for adding to it, making it where there is none, and bring in what is new
 * (added to `news`); `*out` is NULL for a notice. Both belong to the open transaction: after a rollback,
 * close it and open it again. ERR_INPUT for a file that is no journal, or that of another database. */
int journal_open(struct store *s, int64_t issue, int64_t now, struct journal **out,
	struct journal_news *news, struct err *e);
void journal_close(struct journal *j);

/* Add to what the next journal_write() writes, by one write(2): 1 when there was something, 0, or -1. It is
 * forgotten after an error, too. */
void journal_add(struct journal *j, const struct journal_entry *entry);
int journal_write(struct journal *j, struct err *e);

/* In a transaction: the database has seen all up to the last write. */
int journal_seen(struct store *s, const struct journal *j, struct err *e);

/* Bring in what is new of all issues that are being delivered. An issue whose journal cannot be used is
 * paused, with the reason. */
int journal_replay(struct store *s, int64_t now, struct journal_news *news, struct err *e);

/* Remove the journals of issues in which nothing has moved for 30 days and nothing will. */
int journals_drop(struct store *s, int64_t now, struct err *e);

#endif
