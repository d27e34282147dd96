/* SPDX-License-Identifier: MIT */
#include "db.h"
#include "store/pages.h"

#include <uuid/uuid.h>

/* Issues that hold notices: the ledger has a row for each copy, and delivery knows no difference. */

int is_confirmation(struct store *s, int64_t issue, struct err *e)
{
	int64_t one;

	return db_int(s, "SELECT 1 FROM notices WHERE issue_id = ?1 AND kind <> 2",
		VALS(INT(issue)), &one, e);
}

int notice_find(struct store *s, const struct notice *what, int64_t *issue, struct err *e)
{
	return db_int(s,
		"SELECT issue_id FROM notices WHERE kind = ?1 AND list_id = ?2 AND lang = ?3"
		" AND day = ?4 AND n = ?5",
		VALS(INT(what->kind), INT(what->list), TEXT(what->lang), INT(what->day),
			INT(what->n)),
		issue, e);
}

int notice_open(
	struct store *s, struct issue *issue, const struct notice *what, int64_t now, struct err *e)
{
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	uuid_generate_random(issue->uuid);
	rc = db_run(s,
		"INSERT INTO issues (list_id, slug, subject, state, created_at, due_at, word_at,"
		" uuid, hash, pause_reason, source, program)"
		" VALUES (?1, ?2, ?3, 1, ?4, ?4, ?4, ?5, ?6, '', ?7, ?8)",
		VALS(INT(what->list), TEXT(issue->slug), TEXT(issue->subject), INT(now),
			BLOB(((struct str){(const char *)issue->uuid, sizeof issue->uuid})),
			TEXT(issue->hash), TEXT(issue->source), BLOB(issue->program)),
		e);
	if (rc == 0) {
		issue->id = sqlite3_last_insert_rowid(s->db);
		rc = db_run(s,
			"INSERT INTO notices (issue_id, kind, list_id, lang, day, n)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
			VALS(INT(issue->id), INT(what->kind), INT(what->list), TEXT(what->lang),
				INT(what->day), INT(what->n)),
			e);
	}
	return tx_close(s, own, rc, e);
}

int notice_queue(struct store *s, int64_t issue, int64_t subscriber, int64_t now, struct err *e)
{
	int64_t added = 0;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = db_change(s,
		"INSERT OR IGNORE INTO deliveries (issue_id, subscriber_id, state, due_at)"
		" VALUES (?1, ?2, 0, ?3)",
		VALS(INT(issue), INT(subscriber), INT(now)), &added, e);
	if (rc == 0 && added)
		rc = counts_move(s, issue, LANE_OTHER, DELIVERY_STATE_N, DELIVERY_QUEUED, 1, e);
	/* It may have been done, or held because nothing delivered for hours; only a pause stays. */
	if (rc == 0 && added)
		rc = db_run(s,
			"UPDATE issues SET state = 1, done_at = NULL, pause_reason = '',"
			" word_at = ?2 WHERE id = ?1 AND state IN (0, 1, 3, 4)",
			VALS(INT(issue), INT(now)), e);
	return tx_close(s, own, rc, e);
}

int confirmation_queue(
	struct store *s, const struct ask_result *ask, int64_t issue, int64_t now, struct err *e)
{
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = notice_queue(s, issue, ask->subscriber, now, e);
	if (rc == 0)
		rc = db_run(s, "UPDATE asks SET issue_id = ?2 WHERE id = ?1",
			VALS(INT(ask->id), INT(issue)), e);
	return tx_close(s, own, rc, e);
}
