/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "base/zone.h"
#include "db.h"

#include <stdio.h>
#include <string.h>

/* Counting what comes of the copies, and pausing an issue that would do harm. Windows and stages are in
 * stage.c. */

enum { WHOLE_ISSUE = -1, COMPLAINT = -1 };

/* ---- counts ---- */

static int load(struct store *s, struct care_entry *entry, struct err *e)
{
	struct care *c = &entry->care;
	sqlite3_stmt *st;
	struct str recent;
	int rc;

	if (db_query(s,
		    "SELECT tries, blocked, sent, refused, hard, complaints, recent FROM care"
		    " WHERE issue_id = ?1 AND lane = ?2",
		    VALS(INT(entry->issue), INT(entry->lane)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc;
	c->tries = sqlite3_column_int64(st, 0);
	c->blocked = sqlite3_column_int64(st, 1);
	c->sent = sqlite3_column_int64(st, 2);
	c->refused = sqlite3_column_int64(st, 3);
	c->hard = sqlite3_column_int64(st, 4);
	c->complaints = sqlite3_column_int64(st, 5);
	recent = db_text(st, 6);
	if (recent.n == sizeof c->recent)
		memcpy(&c->recent, recent.p, sizeof c->recent);
	db_end(st);
	return 0;
}

/* The counts of a lane of an issue, read at most once in a transaction; NULL on error. Valid until the
 * next call. */
static struct care *counts_of(struct store *s, int64_t issue, int64_t lane, struct err *e)
{
	struct care_entry *entry = s->care;

	while (entry < s->care + s->care_n && (entry->issue != issue || entry->lane != lane))
		entry++;
	if (entry < s->care + s->care_n)
		return &entry->care;
	if (s->care_n == DB_CARE) {
		if (care_flush(s, e) < 0)
			return NULL;
		entry = s->care;
	}
	*entry = (struct care_entry){.issue = issue, .lane = lane};
	if (load(s, entry, e) < 0)
		return NULL;
	s->care_n++;
	return &entry->care;
}

int care_flush(struct store *s, struct err *e)
{
	for (size_t i = 0; i < s->care_n; i++) {
		const struct care_entry *entry = &s->care[i];
		const struct care *c = &entry->care;
		struct str recent = {(const char *)&c->recent, sizeof c->recent};

		if (db_run(s,
			    "INSERT OR REPLACE INTO care (issue_id, lane, tries, blocked, sent,"
			    " refused, hard, complaints, recent)"
			    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
			    VALS(INT(entry->issue), INT(entry->lane), INT(c->tries),
				    INT(c->blocked), INT(c->sent), INT(c->refused), INT(c->hard),
				    INT(c->complaints), BLOB(recent)),
			    e) < 0)
			return -1;
	}
	s->care_n = 0;
	return 0;
}

int care_forget(struct store *s, int64_t issue, struct err *e)
{
	if (care_flush(s, e) < 0)
		return -1;
	return db_run(s, "DELETE FROM care WHERE issue_id = ?1", VALS(INT(issue)), e);
}

/* ---- pausing ---- */

int care_pause(struct store *s, int64_t issue, const char *why, int64_t now, struct err *e)
{
	struct err denied = {0};
	int rc = issue_pause(s, issue, str_of(why), now, &denied);

	if (rc == 0) /* once, whatever is still in flight says */
		log_msg(LOG_LEVEL_WARNING, "issue-paused", "issue %lld paused: %s",
			(long long)issue, why);
	if (rc >= 0)
		return 0;
	if (denied.code == ERR_DENIED ||
		denied.code == ERR_MISSING) /* it is over: nothing to stop */
		return 0;
	return err_set(e, denied.code, "%s", denied.text);
}

static int judge(struct store *s, int64_t issue, int64_t lane, const struct finding *f, int64_t now,
	struct err *e)
{
	const struct care *of_issue = counts_of(s, issue, WHOLE_ISSUE, e), *of_lane;
	char why[CARE_WHY_SIZE];

	if (!of_issue)
		return -1;
	if (care_judge(of_issue, false, why) == CARE_PAUSE)
		return care_pause(s, issue, why, now, e);
	if (!f || !care_of_setup(f->reason))
		return 0;
	of_lane = counts_of(s, issue, lane, e);
	if (!of_lane)
		return -1;
	if (care_judge_lane(&of_lane->recent, f->reason, why) == CARE_PAUSE)
		return care_pause(s, issue, why, now, e);
	return 0;
}

/* ---- what came of a copy ---- */

static int note_reason(struct store *s, int64_t issue, int reason, struct err *e)
{
	return db_run(s,
		"INSERT INTO issue_reasons VALUES (?1, ?2, 1) ON CONFLICT DO UPDATE SET n = n + 1",
		VALS(INT(issue), INT(reason)), e);
}

static void add(struct care *c, const struct attempt *a, const struct finding *f, bool trouble)
{
	c->tries++;
	c->sent += a->state == DELIVERY_SENT;
	c->refused += a->state == DELIVERY_FAILED;
	c->hard += f && f->hard;
	c->blocked += f && f->reason == REASON_BLOCK;
	care_recent_add(&c->recent, trouble);
}

int care_settle(struct store *s, const struct attempt *a, int64_t lane, const struct finding *f,
	struct err *e)
{
	struct care *c = counts_of(s, a->issue, lane, e);

	if (!c)
		return -1;
	add(c, a, f, f && care_of_setup(f->reason));
	c = counts_of(s, a->issue, WHOLE_ISSUE, e);
	if (!c)
		return -1;
	add(c, a, f, f && care_of_content(f->reason));
	if (f && note_reason(s, a->issue, (int)f->reason, e) < 0)
		return -1;
	/* Also after a success: it may be the one that makes enough to judge by. */
	return judge(s, a->issue, lane, f, a->at, e);
}

int issue_trouble(struct store *s, int64_t issue, int64_t lane, const struct finding *finding,
	int64_t now, struct err *e)
{
	const int64_t lanes[] = {lane, WHOLE_ISSUE};
	bool own;
	int rc = 0;

	if (tx_open(s, &own, e) < 0)
		return -1;
	for (int i = 0; rc == 0 && i < 2; i++) {
		struct care *c = counts_of(s, issue, lanes[i], e);

		if (!c) {
			rc = -1;
			break;
		}
		c->complaints += !finding;
		c->hard += finding && finding->hard;
		c->blocked += finding && finding->reason == REASON_BLOCK;
		/* What the relay had taken is refused behind it: once more the same trouble. */
		if (finding && (i == 0 ? care_of_setup(finding->reason)
				       : care_of_content(finding->reason)))
			care_recent_add(&c->recent, true);
	}
	if (rc == 0)
		rc = note_reason(s, issue, finding ? (int)finding->reason : COMPLAINT, e);
	if (rc == 0)
		rc = judge(s, issue, lane, finding, now, e);
	return tx_close(s, own, rc, e);
}

/* ---- telling ---- */

static int read_reasons(struct store *s, int64_t issue, struct issue_care *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s, "SELECT reason, n FROM issue_reasons WHERE issue_id = ?1", VALS(INT(issue)),
		    &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		int reason = sqlite3_column_int(st, 0);

		if (reason == COMPLAINT)
			out->complaints = sqlite3_column_int64(st, 1);
		else if (reason >= 0 && reason < REASON_N)
			out->reasons[reason] = sqlite3_column_int64(st, 1);
	}
	return rc;
}

int issue_care_get(
	struct store *s, int64_t issue, struct arena *a, struct issue_care *out, struct err *e)
{
	struct care_entry of_issue = {.issue = issue, .lane = WHOLE_ISSUE};
	sqlite3_stmt *st;
	int rc;

	*out = (struct issue_care){.open_until = INT64_MAX};
	if (care_flush(s, e) < 0 || load(s, &of_issue, e) < 0 ||
		db_query(s,
			"SELECT copies, due_last, zone, hours, open_from, open_until, shares,"
			" stage_wait, stage, coalesce(ceiling, copies), coalesce(settled_at, 0)"
			" FROM issue_care WHERE issue_id = ?1",
			VALS(INT(issue)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc;
	out->copies = sqlite3_column_int64(st, 0);
	out->due_last = sqlite3_column_int64(st, 1);
	out->zone = db_copy(st, 2, a);
	out->hours = db_copy(st, 3, a);
	out->open_from = sqlite3_column_int64(st, 4);
	out->open_until = sqlite3_column_int64(st, 5);
	care_stages_parse(db_text(st, 6), &out->stages);
	out->stage_wait = sqlite3_column_int64(st, 7);
	out->stage = sqlite3_column_int(st, 8);
	out->ceiling = sqlite3_column_int64(st, 9);
	out->settled_at = sqlite3_column_int64(st, 10);
	out->care = of_issue.care;
	db_end(st);
	return read_reasons(s, issue, out, e);
}
