/* SPDX-License-Identifier: MIT */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The store: opening, migrations, transactions, settings. The other headers of this folder add the
 * verbs of each domain to the same handle. A handle is one thread's. Errors: ERR_BUSY when another
 * process holds the write lock too long, ERR_IO for disk trouble, ERR_BUG for SQL that does not
 * fit.
 */
struct store;

/* Create a new database at `path` (mode 0640) with the newest schema. ERR_EXISTS where there is
 * one. */
int store_create(const char *path, struct store **out, struct err *e);

/* Open the database at `path`. ERR_MISSING where there is none; ERR_INPUT for a file that is no
 * Lettermill database; ERR_CONFIG, naming the cure, when its schema is older (migrate it) or newer
 * (a newer program wrote it) than this program's. */
int store_open(const char *path, struct store **out, struct err *e);

/* How long a verb waits for another process's write lock before ERR_BUSY: 30 s unless set here. */
void store_patience(struct store *s, int ms);

/* Close; NULL is allowed. An open transaction is rolled back. */
void store_close(struct store *s);

/* What store_migrate() did. */
struct store_migration {
	int from, to; /* schema numbers */
	char copy[1024]; /* where the copy from before was put; "" when nothing was to do */
};

/* Bring the database at `path` to the newest schema: first a copy beside it, PATH.before-N, then
 * all missing migrations in one transaction. `dry_run` only tells. ERR_CONFIG when it is newer. */
int store_migrate(const char *path, bool dry_run, struct store_migration *out, struct err *e);

/* Write all that the store holds at this moment into the new file `path` (0600), whole and checked;
 * writers go on meanwhile. ERR_EXISTS where there is one. */
int store_backup(struct store *s, const char *path, struct err *e);

/* What store_restore() did. */
struct store_restoration {
	int64_t paused; /* issues whose time had come: who has left since is not in the backup */
	int64_t blind; /* of these without a send journal: what was sent is not known, either */
	int64_t sent, in_doubt; /* copies of which the send journal knew more than the backup */
	int64_t unknown; /* issues of which it knows, and the backup does not */
	char kept[1024]; /* where the database from before is; "" when there was none */
};

/* Put a checked copy of `backup` in the place of the database at `path`, in one step, while nobody has
 * that open (ERR_BUSY); the one from before is kept beside it. What the send journal (store/journal.h)
 * knows is brought in, and running issues are paused. A database that is damaged is replaced, too.
 * `dry_run` only tells. ERR_MISSING; ERR_INPUT, ERR_CONFIG
 * as store_open(); ERR_INPUT also for a journal of another database. */
int store_restore(const char *path, const char *backup, int64_t now, bool dry_run,
	struct store_restoration *out, struct err *e);

/* Check the file (quick or whole, sqlite's own checks), foreign keys, and the ledger's invariants:
 * counts equal to the rows, no lease on a row at rest, every sent row with an attempt. Each finding
 * is given to `finding`. Returns their number, or -1. */
int store_check(struct store *s, bool whole, void (*finding)(void *user, const char *text),
	void *user, struct err *e);

/* Group several verbs into one transaction: begin (takes the write lock), then commit or roll back.
 * Every verb that changes something may also stand alone, and is then its own transaction. Counts by
 * state are brought up to date in the commit. After a verb has failed with ERR_IO, ERR_BUSY or
 * ERR_BUG the transaction can only be rolled back: store_commit() does so and answers ERR_IO. */
int store_begin(struct store *s, struct err *e);
int store_commit(struct store *s, struct err *e);
void store_rollback(struct store *s);

/* A setting of the site that is data, not configuration (site id, paused relays). Reading one that
 * is not there gives the empty view. Values in `a`. */
int store_setting_get(
	struct store *s, const char *name, struct arena *a, struct str *value, struct err *e);
int store_setting_put(struct store *s, const char *name, struct str value, struct err *e);

/* Append to the site's history: what happened (a word such as "import", "unsubscribe"), to which
 * subscriber (0 = none), and the detail in words. Append-only. */
int store_event(struct store *s, int64_t at, const char *what, int64_t subscriber,
	struct str detail, struct err *e);

#endif
