/* SPDX-License-Identifier: MIT */
#include "base/zone.h"
#include "db.h"

#include <stdio.h>

/* When the copies of an issue may leave: its window, its stages, its readers' own times. */

/* The window that is open at `at`, or the next one; always open for an issue without one. */
static int window_at(
	struct str zone, struct str hours, int64_t at, int64_t *from, int64_t *until, struct err *e)
{
	struct zone_window w;
	struct zone *z;

	*from = 0;
	*until = INT64_MAX;
	if (!hours.n)
		return 0;
	if (!zone_window_parse(hours, &w))
		return err_set(e, ERR_INPUT, "'%.*s' is no window: write it as 06:00-22:00",
			STR_ARG(hours));
	if (zone_open(zone, &z, e) < 0)
		return -1;
	zone_window_at(z, w, at, from, until);
	zone_close(z);
	return 0;
}

/* ---- at the freeze ---- */

static void local_due(sqlite3_context *to, int argc, sqlite3_value **argv)
{
	const struct issue_plan *plan = sqlite3_user_data(to);
	const char *zone = (const char *)sqlite3_value_text(argv[0]);

	(void)argc;
	sqlite3_result_int64(to, plan->due_at(plan->user, str_of(zone)));
}

/* Every reader's own time. */
static int spread(struct store *s, const struct issue *i, struct err *e)
{
	if (!i->plan->due_at)
		return 0;
	if (sqlite3_create_function(s->db, "local_due", 1, SQLITE_UTF8, (void *)i->plan, local_due,
		    NULL, NULL) != SQLITE_OK)
		return db_fail(s, e);
	return db_run(s,
		"UPDATE deliveries SET due_at = local_due("
		" (SELECT attributes ->> '$.timezone' FROM subscribers WHERE id = subscriber_id))"
		" WHERE issue_id = ?1",
		VALS(INT(i->id)), e);
}

/* The copies of the first stages are due a little earlier than the others, and so are claimed before
 * them. Multiples of the golden ratio fall evenly into any part of 0 to 1: each stretch of readers, by
 * the order in which they came, has its share in each stage, and so has each lane. */
static int sample(
	struct store *s, const struct issue *i, const struct care_stages *stages, struct err *e)
{
	for (int k = stages->n - 1; k >= 0; k--)
		if (db_run(s,
			    "UPDATE deliveries SET due_at = due_at - 1 WHERE issue_id = ?1"
			    " AND (subscriber_id * 2654435769 & 4294967295) * 10000 < ?2 * "
			    "4294967296",
			    VALS(INT(i->id), INT(stages->share[k])), e) < 0)
			return -1;
	return 0;
}

int care_plan(struct store *s, struct issue *i, int64_t copies, struct err *e)
{
	static const struct issue_plan at_once = {.zone = {"UTC", 3}};
	const struct issue_plan *plan = i->plan ? i->plan : &at_once;
	struct care_stages stages = {0};
	int64_t from, until, ceiling, last = i->due_at;

	if (!care_stages_parse(plan->shares, &stages))
		return err_set(e, ERR_INPUT, "'%.*s' are no stages: write them as 1%%,10%%",
			STR_ARG(plan->shares));
	ceiling = care_ceiling(&stages, 0, copies);
	if (window_at(plan->zone, plan->hours, i->due_at, &from, &until, e) < 0)
		return -1;
	if (i->plan && spread(s, i, e) < 0)
		return -1;
	/* The issue begins with its first reader: before that it is not late. */
	if (plan->due_at &&
		(db_int(s, "SELECT max(due_at) FROM deliveries WHERE issue_id = ?1",
			 VALS(INT(i->id)), &last, e) < 0 ||
			db_int(s, "SELECT min(due_at) FROM deliveries WHERE issue_id = ?1",
				VALS(INT(i->id)), &i->due_at, e) < 0 ||
			db_run(s, "UPDATE issues SET due_at = ?2 WHERE id = ?1",
				VALS(INT(i->id), INT(i->due_at)), e) < 0))
		return -1;
	if (ceiling < copies && sample(s, i, &stages, e) < 0)
		return -1;
	return db_run(s,
		"INSERT INTO issue_care (issue_id, copies, due_last, zone, hours, open_from,"
		" open_until, shares, stage_wait, stage, ceiling, settled_at)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, NULL)",
		VALS(INT(i->id), INT(copies), INT(last), TEXT(plan->zone), TEXT(plan->hours),
			INT(from), INT(until), TEXT(plan->shares), INT(plan->stage_wait),
			INT_OR_NULL(ceiling < copies ? ceiling : 0)),
		e);
}

/* ---- while it is delivered ---- */

int care_room(struct store *s, int64_t issue, int64_t now, int64_t *room, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	*room = INT64_MAX;
	if (db_query(s,
		    "SELECT open_from <= ?2 AND ?2 < open_until, ceiling - copies"
		    " FROM issue_care WHERE issue_id = ?1",
		    VALS(INT(issue), INT(now)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 1) {
		struct issue_counts n = {0};
		bool open = sqlite3_column_int(st, 0) != 0;
		bool staged = sqlite3_column_type(st, 1) != SQLITE_NULL;
		int64_t above = sqlite3_column_int64(st, 1);

		db_end(st);
		if (open && staged && issue_counts(s, issue, &n, e) < 0)
			return -1;
		if (!open)
			*room = 0;
		else if (staged)
			*room = n.n[DELIVERY_QUEUED] + above > 0 ? n.n[DELIVERY_QUEUED] + above : 0;
	}
	return rc < 0 ? -1 : 0;
}

struct watched {
	int64_t issue;
	struct issue_care care;
};

static int turn_window(struct store *s, const struct watched *w, int64_t now, struct err *e)
{
	struct err bad = {0};
	int64_t from, until;

	if (w->care.open_until > now)
		return 0;
	if (window_at(w->care.zone, w->care.hours, now, &from, &until, &bad) < 0)
		return care_pause(s, w->issue, bad.text, now, e);
	return db_run(s,
		"UPDATE issue_care SET open_from = ?2, open_until = ?3 WHERE issue_id = ?1",
		VALS(INT(w->issue), INT(from), INT(until)), e);
}

static int set_settled(struct store *s, int64_t issue, int64_t at, struct err *e)
{
	return db_run(s, "UPDATE issue_care SET settled_at = ?2 WHERE issue_id = ?1",
		VALS(INT(issue), INT_OR_NULL(at)), e);
}

/* A stage is over when all its copies had an answer and the time to wait has passed; the next begins when
 * the rates are fine. */
static int turn_stage(struct store *s, const struct watched *w, int64_t now, struct err *e)
{
	const struct issue_care *c = &w->care;
	char why[CARE_WHY_SIZE], reason[CARE_WHY_SIZE + 64];
	struct issue_counts n;
	int64_t ceiling;

	if (c->ceiling == c->copies)
		return 0;
	if (issue_counts(s, w->issue, &n, e) < 0)
		return -1;
	if (c->copies - n.n[DELIVERY_QUEUED] < c->ceiling)
		return c->settled_at ? set_settled(s, w->issue, 0, e) : 0;
	if (n.n[DELIVERY_CLAIMED] + n.n[DELIVERY_SENDING] > 0)
		return 0;
	if (!c->settled_at)
		return set_settled(s, w->issue, now, e);
	if (now - c->settled_at < c->stage_wait)
		return 0;
	if (care_judge(&c->care, true, why) != CARE_FINE) {
		snprintf(reason, sizeof reason, "after stage %d of %d: %s", c->stage + 1,
			c->stages.n + 1, why);
		return care_pause(s, w->issue, reason, now, e);
	}
	ceiling = care_ceiling(&c->stages, c->stage + 1, c->copies);
	return db_run(s,
		"UPDATE issue_care SET stage = stage + 1, ceiling = ?2, settled_at = NULL"
		" WHERE issue_id = ?1",
		VALS(INT(w->issue), INT_OR_NULL(ceiling < c->copies ? ceiling : 0)), e);
}

int care_turn(struct store *s, int64_t now, struct err *e)
{
	struct arena a = {0};
	struct watched *w;
	int64_t count = 0;
	sqlite3_stmt *st;
	size_t n = 0;
	int rc = -1;

	if (db_int(s, "SELECT count(*) FROM issues WHERE state IN (0, 1)", NULL, &count, e) < 0 ||
		db_query(s,
			"SELECT issue_id FROM issues JOIN issue_care ON issue_id = id"
			" WHERE state IN (0, 1) AND (open_until <= ?1 OR ceiling IS NOT NULL)",
			VALS(INT(now)), &st, e) < 0)
		goto out;
	w = arena_array(&a, (size_t)count + 1, sizeof *w);
	while ((rc = db_row(s, st, e)) == 1)
		w[n++].issue = sqlite3_column_int64(st, 0);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		rc = issue_care_get(s, w[i].issue, &a, &w[i].care, e);
		if (rc == 0)
			rc = turn_window(s, &w[i], now, e);
		if (rc == 0)
			rc = turn_stage(s, &w[i], now, e);
	}
out:
	arena_free(&a);
	return rc;
}
