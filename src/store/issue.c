/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "journal.h"
#include "segment.h"

#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

static const char *const state_name[ISSUE_STATE_N] = {
	[ISSUE_SCHEDULED] = "scheduled",
	[ISSUE_DELIVERING] = "delivering",
	[ISSUE_PAUSED] = "paused",
	[ISSUE_DONE] = "done",
	[ISSUE_HELD] = "held",
	[ISSUE_CANCELLED] = "cancelled",
};

const char *issue_state_name(enum issue_state state)
{
	return (unsigned)state < ISSUE_STATE_N ? state_name[state] : "?";
}

/* ---- scheduling ---- */

static int note(struct store *s, int64_t now, const char *what, int64_t issue, struct str reason,
	struct err *e)
{
	char detail[1024];

	snprintf(detail, sizeof detail, "issue %lld%s%.*s", (long long)issue, reason.n ? ": " : "",
		STR_ARG(str_slice(reason, 0, 900)));
	return store_event(s, now, what, 0, str_of(detail), e);
}

static int insert(struct store *s, struct issue *i, int64_t list, int64_t now, struct err *e)
{
	int known = journal_uuid_of(s, list, i->slug, i->uuid, e);

	if (known < 0)
		return -1;
	if (!known)
		uuid_generate_random(i->uuid);
	if (db_run(s,
		    "INSERT INTO issues (list_id, slug, subject, state, created_at, due_at, "
		    "word_at,"
		    " uuid, hash, pause_reason, source, program, segment)"
		    " VALUES (?1, ?2, ?3, 0, ?4, ?5, ?4, ?6, ?7, '', ?8, ?9, ?10)",
		    VALS(INT(list), TEXT(i->slug), TEXT(i->subject), INT(now), INT(i->due_at),
			    BLOB(((struct str){(const char *)i->uuid, sizeof i->uuid})),
			    TEXT(i->hash), TEXT(i->source), BLOB(i->program), TEXT(i->segment)),
		    e) < 0)
		return -1;
	i->id = sqlite3_last_insert_rowid(s->db);
	return 0;
}

static int insert_links(struct store *s, const struct issue *i, struct err *e)
{
	int64_t n = 0;

	for (const struct composed_link *l = i->link; l; l = l->next)
		if (db_run(s, "INSERT INTO links (issue_id, n, url) VALUES (?1, ?2, ?3)",
			    VALS(INT(i->id), INT(++n), TEXT(l->url)), e) < 0)
			return -1;
	return 0;
}

/* Put those whom the issue is for into the first set. */
static int find_segment(struct store *s, const struct issue *i, int64_t list, struct err *e)
{
	const struct segment *segment;
	struct arena a = {0};
	int64_t n;
	int rc;

	if (!i->segment.n)
		return 0;
	rc = segment_parse(&a, i->segment, &segment, e);
	if (rc == 0)
		rc = segment_find(s, segment, list, SEGMENT_FIRST, &n, e);
	arena_free(&a);
	return rc;
}

static int count_audience(
	struct store *s, const struct issue *i, int64_t list, int64_t *n, struct err *e)
{
	const struct val v[] = {INT(list), INT(0), INT(i->due_at), {.type = VAL_END}};

	return db_int(s,
		       i->segment.n ? "SELECT count(*)" AUDIENCE IN_SEGMENT
				    : "SELECT count(*)" AUDIENCE,
		       v, n, e) < 0
		       ? -1
		       : 0;
}

/* An issue for nobody is most likely a segment that was mistyped. */
static int some_audience(const struct issue *i, int64_t n, struct err *e)
{
	return n || !i->segment.n
		       ? 0
		       : err_set(e, ERR_MISSING,
				 "nobody on the list '%.*s' is in the segment '%.*s': 'lettermill "
				 "issue audience' shows who is",
				 STR_ARG(i->list), STR_ARG(str_slice(i->segment, 0, 200)));
}

/* Also one that was cancelled keeps its slug: some of its copies may have left, with links that name it. */
static int refuse_slug(struct store *s, struct str slug, int64_t taken, struct err *e)
{
	int64_t state;

	if (db_int(s, "SELECT state FROM issues WHERE id = ?1", VALS(INT(taken)), &state, e) < 0)
		return -1;
	return err_set(e, ERR_EXISTS,
		"issue %lld of this list (%s) has the slug '%.*s' already: add a line 'slug: …' "
		"with another one to the front matter",
		(long long)taken, issue_state_name((enum issue_state)state), STR_ARG(slug));
}

int issue_schedule(struct store *s, struct issue *issue, int64_t list, bool dry_run, int64_t now,
	int64_t *frozen, struct err *e)
{
	int64_t taken;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = issue_find(s, list, issue->slug, &taken, e);
	if (rc == 1)
		rc = refuse_slug(s, issue->slug, taken, e);
	if (rc == 0)
		rc = find_segment(s, issue, list, e);
	if (rc == 0 && dry_run)
		rc = count_audience(s, issue, list, frozen, e) < 0
			     ? -1
			     : some_audience(issue, *frozen, e);
	else if (rc == 0 && (insert(s, issue, list, now, e) < 0 || insert_links(s, issue, e) < 0 ||
				    lane_freeze(s, issue, list, frozen, e) < 0 ||
				    some_audience(issue, *frozen, e) < 0 ||
				    care_plan(s, issue, *frozen, e) < 0 ||
				    note(s, now, "schedule", issue->id, issue->slug, e) < 0))
		rc = -1;
	return tx_close(s, own, rc, e);
}

/* ---- reading ---- */

#define ISSUE_COLUMNS                                                                              \
	"SELECT issues.id, issues.slug, subject, lists.slug, state, issues.created_at, due_at,"    \
	" coalesce(done_at, 0), uuid, hash, pause_reason,"                                         \
	" EXISTS (SELECT 1 FROM notices WHERE issue_id = issues.id), segment"

static void issue_row(sqlite3_stmt *st, struct issue *out)
{
	struct str uuid = db_text(st, 8);

	*out = (struct issue){
		.id = sqlite3_column_int64(st, 0),
		.slug = db_text(st, 1),
		.subject = db_text(st, 2),
		.list = db_text(st, 3),
		.state = (enum issue_state)sqlite3_column_int(st, 4),
		.created_at = sqlite3_column_int64(st, 5),
		.due_at = sqlite3_column_int64(st, 6),
		.done_at = sqlite3_column_int64(st, 7),
		.hash = db_text(st, 9),
		.pause_reason = db_text(st, 10),
		.confirmation = sqlite3_column_int(st, 11) != 0,
		.segment = db_text(st, 12),
	};
	if (uuid.n == sizeof out->uuid)
		memcpy(out->uuid, uuid.p, sizeof out->uuid);
}

int issue_find(struct store *s, int64_t list, struct str slug, int64_t *id, struct err *e)
{
	return db_int(s, "SELECT id FROM issues WHERE list_id = ?1 AND slug = ?2",
		VALS(INT(list), TEXT(slug)), id, e);
}

/* The number that `name` stands for: itself, or that of a slug that only one list has. */
static int number_of(struct store *s, struct str name, int64_t *id, struct err *e)
{
	int64_t first = 0, last = 0;

	if (str_to_int(name, 1, INT64_MAX, id))
		return 0;
	if (db_int(s, "SELECT min(id) FROM issues WHERE slug = ?1", VALS(TEXT(name)), &first, e) <
			0 ||
		db_int(s, "SELECT max(id) FROM issues WHERE slug = ?1", VALS(TEXT(name)), &last,
			e) < 0)
		return -1;
	*id = first;
	if (first != last)
		return err_set(e, ERR_USAGE,
			"'%.*s' is an issue of several lists: say its number (%lld, %lld, …)",
			STR_ARG(name), (long long)first, (long long)last);
	return 0;
}

int issue_get(struct store *s, struct str name, struct arena *a, struct issue *out, struct err *e)
{
	sqlite3_stmt *st;
	int64_t id;
	int rc;

	if (number_of(s, name, &id, e) < 0 ||
		db_query(s,
			ISSUE_COLUMNS
			", source, program FROM issues JOIN lists ON lists.id = list_id"
			" WHERE issues.id = ?1",
			VALS(INT(id)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 0)
		err_set(e, ERR_MISSING, "there is no issue '%.*s'", STR_ARG(name));
	if (rc != 1)
		return -1;
	issue_row(st, out);
	out->slug = arena_str(a, out->slug);
	out->subject = arena_str(a, out->subject);
	out->list = arena_str(a, out->list);
	out->hash = arena_str(a, out->hash);
	out->pause_reason = arena_str(a, out->pause_reason);
	out->segment = arena_str(a, out->segment);
	out->source = db_copy(st, 13, a);
	out->program = db_copy(st, 14, a);
	db_end(st);
	return 0;
}

int issue_each(struct store *s, bool (*each)(void *user, const struct issue *issue), void *user,
	struct err *e)
{
	struct issue issue;
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    ISSUE_COLUMNS
		    " FROM issues JOIN lists ON lists.id = list_id ORDER BY issues.id DESC",
		    NULL, &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		issue_row(st, &issue);
		if (!each(user, &issue))
			break;
	}
	db_end(st);
	return rc < 0 ? -1 : 0;
}

int issue_counts(struct store *s, int64_t issue, struct issue_counts *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	*out = (struct issue_counts){0};
	if (counts_flush(s, e) < 0 ||
		db_query(s,
			"SELECT state, sum(n) FROM issue_counts WHERE issue_id = ?1 GROUP BY state",
			VALS(INT(issue)), &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		int state = sqlite3_column_int(st, 0);

		if (state >= 0 && state < DELIVERY_STATE_N)
			out->n[state] = sqlite3_column_int64(st, 1);
	}
	return rc;
}

/* ---- the operator's words ---- */

#define BIT(state) (1U << (state))

/* The state of an issue, which must be one of `allowed`. */
static int state_of(struct store *s, int64_t issue, unsigned allowed, const char *verb,
	enum issue_state *out, struct err *e)
{
	int64_t state;
	int rc = db_int(s, "SELECT state FROM issues WHERE id = ?1", VALS(INT(issue)), &state, e);

	if (rc == 0)
		return err_set(e, ERR_MISSING, "there is no issue %lld", (long long)issue);
	if (rc < 0)
		return -1;
	*out = (enum issue_state)state;
	if (BIT(*out) & allowed)
		return 0;
	return err_set(e, ERR_DENIED, "issue %lld is %s: it cannot be %s", (long long)issue,
		issue_state_name(*out), verb);
}

int issue_pause(struct store *s, int64_t issue, struct str reason, int64_t now, struct err *e)
{
	enum issue_state state;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = state_of(s, issue,
		BIT(ISSUE_SCHEDULED) | BIT(ISSUE_DELIVERING) | BIT(ISSUE_PAUSED) | BIT(ISSUE_HELD),
		"paused", &state, e);
	if (rc == 0 && state != ISSUE_SCHEDULED && state != ISSUE_DELIVERING) {
		rc = 1;
	} else if (rc == 0) {
		rc = db_run(s, "UPDATE issues SET state = ?2, pause_reason = ?3 WHERE id = ?1",
			VALS(INT(issue), INT(ISSUE_PAUSED), TEXT(reason)), e);
		if (rc == 0)
			rc = note(s, now, "pause", issue, reason, e);
	}
	return tx_close(s, own, rc, e);
}

int issue_resume(struct store *s, int64_t issue, int64_t now, struct err *e)
{
	enum issue_state state;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = state_of(s, issue, BIT(ISSUE_PAUSED) | BIT(ISSUE_HELD), "resumed", &state, e);
	if (rc == 0)
		rc = db_run(s,
			"UPDATE issues SET state = due_at <= ?2, pause_reason = '', word_at = ?2"
			" WHERE id = ?1",
			VALS(INT(issue), INT(now)), e);
	if (rc == 0)
		rc = care_forget(s, issue, e);
	if (rc == 0)
		rc = note(s, now, "resume", issue, STR(""), e);
	return tx_close(s, own, rc, e);
}

int issue_cancel(struct store *s, int64_t issue, int64_t now, int64_t *rows, struct err *e)
{
	enum issue_state state;
	bool own;
	int rc;

	*rows = 0;
	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = state_of(s, issue,
		BIT(ISSUE_SCHEDULED) | BIT(ISSUE_DELIVERING) | BIT(ISSUE_PAUSED) | BIT(ISSUE_HELD),
		"cancelled", &state, e);
	if (rc == 0 && (db_run(s, "UPDATE issues SET state = 5, pause_reason = '' WHERE id = ?1",
				VALS(INT(issue)), e) < 0 ||
			       lanes_end(s, issue, DELIVERY_QUEUED, DELIVERY_CANCELLED, now, rows,
				       e) < 0 ||
			       lanes_end(s, issue, DELIVERY_DEFERRED, DELIVERY_CANCELLED, now, rows,
				       e) < 0 ||
			       note(s, now, "cancel", issue, STR(""), e) < 0))
		rc = -1;
	return tx_close(s, own, rc, e);
}

/* ---- time ---- */

struct turning {
	int64_t id, due_at, word_at, open_from, open;
	enum issue_state state;
	bool begun, doubted;
};

static int set_state(struct store *s, const struct turning *t, enum issue_state state, int64_t now,
	struct err *e)
{
	char at[CLOCK_ISO_SIZE], reason[128] = "";

	if (state == ISSUE_HELD)
		snprintf(reason, sizeof reason,
			"it was due at %s and was not begun in time: resume or cancel it",
			clock_iso(t->due_at, at));
	if (db_run(s, "UPDATE issues SET state = ?2, pause_reason = ?3, done_at = ?4 WHERE id = ?1",
		    VALS(INT(t->id), INT(state), TEXT(str_of(reason)),
			    INT_OR_NULL(state == ISSUE_DONE ? now : 0)),
		    e) < 0)
		return -1;
	return state == ISSUE_DELIVERING
		       ? 0
		       : note(s, now, state == ISSUE_HELD ? "hold" : "done", t->id, STR(""), e);
}

static int turn(struct store *s, const struct turning *t, int64_t now, int64_t late_after,
	bool resend_in_doubt, struct err *e)
{
	int64_t since = t->due_at > t->word_at ? t->due_at : t->word_at;
	enum issue_state state = t->state;

	if (t->due_at > now)
		return 0;
	if (since < t->open_from) /* it waited for its window */
		since = t->open_from;
	if (late_after > 0 && !t->begun && t->open > 0 && now - since > late_after)
		state = ISSUE_HELD;
	else if (t->open == 0 && !(t->doubted && resend_in_doubt))
		state = ISSUE_DONE;
	else
		state = ISSUE_DELIVERING;
	if (state == t->state)
		return 0;
	return set_state(s, t, state, now, e) < 0 ? -1 : 1;
}

int issues_turn(
	struct store *s, int64_t now, int64_t late_after, bool resend_in_doubt, struct err *e)
{
	struct arena a = {0};
	struct turning *t;
	int64_t count = 0;
	sqlite3_stmt *st;
	int changed = 0, rc = -1;
	size_t n = 0;
	bool own;

	if (tx_open(s, &own, e) < 0)
		return -1;
	if (care_turn(s, now, e) < 0 || counts_flush(s, e) < 0 ||
		db_int(s, "SELECT count(*) FROM issues WHERE state IN (0, 1)", NULL, &count, e) <
			0 ||
		db_query(s,
			"SELECT id, state, due_at, word_at,"
			" (SELECT coalesce(sum(n), 0) FROM issue_counts AS c"
			"  WHERE issue_id = issues.id AND c.state IN (0, 1, 2, 3)),"
			" EXISTS (SELECT 1 FROM issue_counts AS c"
			"  WHERE issue_id = issues.id AND c.state NOT IN (0, 1, 8, 9) AND n > 0),"
			" EXISTS (SELECT 1 FROM deliveries AS d INDEXED BY deliveries_doubted"
			"  WHERE issue_id = issues.id AND d.state = 4 AND doubts = 1),"
			" coalesce((SELECT open_from FROM issue_care WHERE issue_id = issues.id), "
			"0)"
			" FROM issues WHERE state IN (0, 1)",
			NULL, &st, e) < 0)
		goto out;
	t = arena_array(&a, (size_t)count + 1, sizeof *t);
	while ((rc = db_row(s, st, e)) == 1)
		t[n++] = (struct turning){
			.id = sqlite3_column_int64(st, 0),
			.state = (enum issue_state)sqlite3_column_int(st, 1),
			.due_at = sqlite3_column_int64(st, 2),
			.word_at = sqlite3_column_int64(st, 3),
			.open = sqlite3_column_int64(st, 4),
			.begun = sqlite3_column_int(st, 5) != 0,
			.doubted = sqlite3_column_int(st, 6) != 0,
			.open_from = sqlite3_column_int64(st, 7),
		};
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		rc = turn(s, &t[i], now, late_after, resend_in_doubt, e);
		changed += rc == 1;
	}
out:
	arena_free(&a);
	return tx_close(s, own, rc < 0 ? -1 : changed, e);
}
