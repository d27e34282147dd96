/* SPDX-License-Identifier: MIT */
#include "import_pack.h"
#include "store/people.h"

/* What is deleted or blanked, in an order that foreign keys allow. */
static const char *const erasures[] = {
	"UPDATE consents SET detail = NULL WHERE detail IS NOT NULL AND id IN (" CONSENTS_OF ")",
	"DELETE FROM events WHERE subscriber_id = ?1",
	"UPDATE import_rows SET detail = NULL, before = NULL WHERE subscriber_id = ?1"
	" AND import_id IN (SELECT id FROM imports)",
	/* The relay's words may quote the address. The ledger is asked issue by issue: its key
	 * begins with the issue. */
	"UPDATE attempts SET text = '' WHERE subscriber_id = ?1"
	" AND issue_id IN (SELECT id FROM issues)",
	"DELETE FROM asks WHERE subscriber_id = ?1",
	"DELETE FROM clicks WHERE subscriber_id = ?1 AND issue_id IN (SELECT id FROM issues)",
	"DELETE FROM returns WHERE subscriber_id = ?1",
	"UPDATE arrivals SET raw = x'', words = '' WHERE subscriber_id = ?1",
	"DELETE FROM subscribers WHERE id = ?1",
};

/* Copies that wait are skipped now; one in flight goes its way, and its row is kept either way. */
static int skip_waiting(struct store *s, int64_t subscriber, int64_t now, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT issue_id, deliveries.state, lane FROM issues JOIN deliveries ON "
		    "issue_id = "
		    "issues.id"
		    " WHERE subscriber_id = ?1 AND deliveries.state IN (0, 3)",
		    VALS(INT(subscriber)), &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		rc = counts_move(s, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 2),
			(enum delivery_state)sqlite3_column_int(st, 1), DELIVERY_SKIPPED, 1, e);
		if (rc < 0)
			break;
	}
	db_end(st);
	if (rc < 0)
		return -1;
	return db_run(s,
		"UPDATE deliveries SET state = 9, settled_at = ?2, reason = ?3"
		" WHERE subscriber_id = ?1 AND issue_id IN (SELECT id FROM issues)"
		" AND state IN (0, 3)",
		VALS(INT(subscriber), INT(now), INT(SKIP_ERASED)), e);
}

int subscriber_erase(
	struct store *s, int64_t subscriber, struct str key, int64_t now, struct err *e)
{
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = suppression_add(s, key, "erased", now, e);
	if (rc == 0)
		rc = skip_waiting(s, subscriber, now, e);
	if (rc == 0)
		rc = consent_remove(s, subscriber, 0, STR("erased"), now, e);
	if (rc == 0)
		rc = import_pack_forget(s, subscriber, e);
	for (size_t i = 0; rc == 0 && i < sizeof erasures / sizeof *erasures; i++)
		rc = db_run(s, erasures[i], VALS(INT(subscriber)), e);
	if (rc == 0)
		rc = store_event(s, now, "erase", 0, STR("a reader was erased"), e);
	s->truncate = true;
	return tx_close(s, own, rc, e);
}
