/* SPDX-License-Identifier: MIT */
#ifndef STORE_JOURNAL_FILE_H
#define STORE_JOURNAL_FILE_H

#include "db.h"
#include "store/journal.h"

/*
 * The file of a journal: a header, then records of 32 octets, each with a check sum. A record that was torn
 * is stepped over, octet by octet, to the next whole one, so nothing ever has to be cut off or locked.
 * Private to src/store: journal.c has the file, replay.c what follows for the ledger.
 */
enum { JOURNAL_ID_SIZE = 16, JOURNAL_PATH_SIZE = 4096 };

struct journal_record {
	int64_t subscriber, at;
	uint64_t mark;
	int attempt;
	uint32_t relay; /* journal_relay_hash() */
	enum journal_kind kind;
};

struct journal {
	int fd;
	int64_t issue;
	unsigned char id[JOURNAL_ID_SIZE]; /* of this file: one that is made anew is another */
	int64_t end; /* of the last write */
	struct buf more;
	char path[JOURNAL_PATH_SIZE];
};

/* Whose a journal is. */
struct journal_owner {
	char list[64], slug[64];
	unsigned char uuid[16]; /* of the issue; only written */
};

/* Whose the journal of an issue is: 1, 0 for a notice, or -1. */
int journal_owner_of(struct store *s, int64_t issue, struct journal_owner *out, struct err *e);

/* Open the file of that issue where there is one: 1 with `*out`, 0, or -1. */
int journal_find(
	struct store *s, const struct journal_owner *owner, struct journal **out, struct err *e);

/* Make it. */
int journal_make(
	struct store *s, const struct journal_owner *owner, struct journal **out, struct err *e);

/* The issue's UUID in its header, so that an issue that is scheduled again keeps its Message-IDs. */
int journal_uuid(const struct journal *j, unsigned char uuid[16], struct err *e);

/* Every whole record from the octet `from` on, until `each` fails. Sets j->end. */
int journal_scan(struct journal *j, int64_t from,
	int (*each)(void *user, const struct journal_record *r, struct err *e), void *user,
	struct err *e);

uint32_t journal_relay_hash(struct str name);

/* The mark of an address, as records have it. */
int journal_mark(struct store *s, struct str email_key, uint64_t *mark, struct err *e);

/* The UUID that an issue of that list and slug had when something of it left: 1, 0 when there is no journal
 * of it, or -1. */
int journal_uuid_of(
	struct store *s, int64_t list, struct str slug, unsigned char uuid[16], struct err *e);

/* Add an answer that was found out after the death of the worker that waited for it; nothing where the issue has
 * no journal, or its reader was erased. A journal that cannot be used is only told of: an older database has a
 * doubt then. */
int journal_note(struct store *s, int64_t issue, int64_t subscriber, int attempt,
	enum journal_kind kind, int64_t now, struct err *e);

/* The folder of the journals of the database at `path`. */
int journal_folder(const char *path, char folder[JOURNAL_PATH_SIZE], struct err *e);

/* Whether an issue has a journal: 1, 0 or -1. */
int journal_exists(struct store *s, int64_t issue, struct err *e);

/* How many files are of no issue in the database. */
int journals_unknown(struct store *s, int64_t *n, struct err *e);

/* What is new of every issue that is not cancelled. `running`: of those that are being delivered, and one
 * whose journal cannot be used is paused; else that is an error. */
int journal_replay_all(
	struct store *s, bool running, int64_t now, struct journal_news *news, struct err *e);

#endif
