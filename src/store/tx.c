/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "db.h"
#include "flight.h"

#include <string.h>
#include <time.h>

/* Transactions, and the counts by state that are kept with them. */

static int begin(struct store *s, struct err *e)
{
	if (db_run(s, "BEGIN IMMEDIATE", NULL, e) < 0)
		return -1;
	s->open = true;
	s->broken = s->chain.known = false;
	return 0;
}

int store_begin(struct store *s, struct err *e)
{
	if (s->open)
		return err_set(e, ERR_BUG, "a transaction was begun inside another");
	return begin(s, e);
}

void store_rollback(struct store *s)
{
	/* After a full disk SQLite may have rolled back by itself. */
	if (s->open && !sqlite3_get_autocommit(s->db))
		db_run(s, "ROLLBACK", NULL, NULL);
	s->open = s->broken = s->truncate = false;
	s->moved_n = s->care_n = s->landed_n = 0;
	memset(s->relay, 0, sizeof s->relay);
}

/* What was erased is in the WAL until that is emptied. SQLite waits for readers by itself, not for another's
 * checkpoint; where one of them stays in the way, the next erasure or the last close does it. */
static void empty_wal(struct store *s)
{
	enum { PATIENCE_MS = 1000 };
	const struct timespec step = {0, 5 * 1000 * 1000};
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	int patience = s->patience_ms;

	s->patience_ms = PATIENCE_MS;
	while (sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
			SQLITE_BUSY &&
		clock_mono_ms() < until)
		nanosleep(&step, NULL);
	s->patience_ms = patience;
}

int store_commit(struct store *s, struct err *e)
{
	bool truncate = s->truncate;
	int rc = -1;

	if (!s->open)
		return err_set(e, ERR_BUG, "there is no transaction to commit");
	if (s->broken)
		err_set(e, ERR_IO,
			"nothing was written to '%s': a part of the transaction had failed",
			s->path);
	else if (counts_flush(s, e) == 0 && care_flush(s, e) == 0)
		rc = db_run(s, "COMMIT", NULL, e);
	if (rc < 0) {
		store_rollback(s);
		return -1;
	}
	s->open = s->truncate = false;
	flights_remove(s);
	if (truncate)
		empty_wal(s);
	return 0;
}

int tx_open(struct store *s, bool *own, struct err *e)
{
	*own = !s->open;
	return *own ? begin(s, e) : 0;
}

int tx_close(struct store *s, bool own, int rc, struct err *e)
{
	if (!own)
		return rc;
	if (rc < 0) {
		store_rollback(s);
		return -1;
	}
	return store_commit(s, e) < 0 ? -1 : rc;
}

/* ---- counts ---- */

int counts_move(struct store *s, int64_t issue, int64_t lane, enum delivery_state from,
	enum delivery_state to, int64_t n, struct err *e)
{
	size_t i = 0;

	while (i < s->moved_n && (s->moved[i].issue != issue || s->moved[i].lane != lane))
		i++;
	if (i == DB_COUNTS) {
		if (counts_flush(s, e) < 0)
			return -1;
		i = 0;
	}
	if (i == s->moved_n) {
		memset(&s->moved[i], 0, sizeof s->moved[i]);
		s->moved[i].issue = issue;
		s->moved[i].lane = lane;
		s->moved_n++;
	}
	if (from < DELIVERY_STATE_N)
		s->moved[i].n[from] -= n;
	s->moved[i].n[to] += n;
	return 0;
}

int counts_flush(struct store *s, struct err *e)
{
	for (size_t i = 0; i < s->moved_n; i++)
		for (int state = 0; state < DELIVERY_STATE_N; state++)
			if (s->moved[i].n[state] &&
				db_run(s,
					"INSERT INTO issue_counts (issue_id, state, lane, n)"
					" VALUES (?1, ?2, ?3, ?4)"
					" ON CONFLICT DO UPDATE SET n = n + excluded.n",
					VALS(INT(s->moved[i].issue), INT(state),
						INT(s->moved[i].lane), INT(s->moved[i].n[state])),
					e) < 0)
				return -1;
	s->moved_n = 0;
	return 0;
}
