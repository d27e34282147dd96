/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the send journal knows and the database does not, brought into the ledger. */

enum { RECORDS_STEP = 256 };

/* A few records. */
struct records {
	struct journal_record *r;
	size_t n, room;
};

struct replay {
	struct store *s;
	int64_t issue, now;
	struct records
		open; /* intents without an answer, oldest first: as many as were in flight */
	struct records strange; /* their numbers are not their readers' in this database */
	struct journal_news news;
};

static int put(struct records *to, const struct journal_record *r, struct err *e)
{
	if (to->n == to->room) {
		struct journal_record *more =
			realloc(to->r, (to->room * 2 + RECORDS_STEP) * sizeof *more);

		if (!more)
			return err_set(e, ERR_IO, "out of memory");
		to->r = more;
		to->room = to->room * 2 + RECORDS_STEP;
	}
	to->r[to->n++] = *r;
	return 0;
}

/* ---- one record ---- */

static uint64_t mark_of(const unsigned char hash[KEY_HASH_SIZE])
{
	uint64_t mark;

	memcpy(&mark, hash, sizeof mark);
	return mark;
}

int journal_mark(struct store *s, struct str email_key, uint64_t *mark, struct err *e)
{
	unsigned char hash[KEY_HASH_SIZE];

	if (key_hash(s, email_key, hash, e) < 0)
		return -1;
	*mark = mark_of(hash);
	return 0;
}

/* The relay of that hash; 0 where the database has none. */
static int find_relay(struct store *s, uint32_t hash, int64_t *id, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	*id = 0;
	if (db_query(s, "SELECT id, name FROM relays", NULL, &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1)
		if (journal_relay_hash(db_text(st, 1)) == hash)
			*id = sqlite3_column_int64(st, 0);
	return rc;
}

/* The row of the ledger a record is about. */
struct row {
	enum delivery_state state;
	int64_t lane;
	int attempts;
};

/* The attempt that the database lacks; the row goes with it. */
static int learn(
	struct replay *p, const struct journal_record *r, const struct row *row, struct err *e)
{
	bool sent = r->kind == JOURNAL_SENT;
	struct attempt a = {
		.issue = p->issue,
		.subscriber = r->subscriber,
		.at = r->at,
		.phase = PHASE_DOT,
		.state = sent ? DELIVERY_SENT : DELIVERY_IN_DOUBT,
		.text = sent ? STR("the relay took it: the send journal says so")
			     : STR("it was on its way: the send journal has no answer"),
	};
	int64_t relay;

	if (find_relay(p->s, r->relay, &relay, e) < 0 ||
		db_run(p->s,
			"UPDATE deliveries SET state = ?3, lease = 0, attempts = max(attempts, ?4),"
			" doubts = doubts + (?3 = 4), settled_at = ?5,"
			" relay_id = coalesce(?6, relay_id)"
			" WHERE issue_id = ?1 AND subscriber_id = ?2",
			VALS(INT(p->issue), INT(r->subscriber), INT(a.state), INT(r->attempt),
				INT(r->at), INT_OR_NULL(relay)),
			e) < 0 ||
		attempt_add(p->s, &a, e) < 0 ||
		counts_move(p->s, p->issue, row->lane, row->state, a.state, 1, e) < 0)
		return -1;
	p->news.sent += sent;
	p->news.in_doubt += !sent;
	return 0;
}

/* Whether a record is news for a row: that a copy was sent, for all that may be sent again; that one may have
 * been, where the row knows of no such attempt. What is `sending` knows, and its lease sees to it. */
static bool is_news(const struct journal_record *r, const struct row *row)
{
	switch (row->state) {
	case DELIVERY_SENDING:
		return r->kind == JOURNAL_SENT;
	case DELIVERY_QUEUED:
	case DELIVERY_CLAIMED:
	case DELIVERY_DEFERRED:
	case DELIVERY_IN_DOUBT:
		return r->kind == JOURNAL_SENT || row->attempts < r->attempt;
	default:
		return false;
	}
}

/* 1 when the number is that of the reader with this mark; else 0, or -1. */
static int apply(struct replay *p, const struct journal_record *r, struct err *e)
{
	struct row row = {0};
	sqlite3_stmt *st;
	uint64_t mark = 0;
	int rc;

	if (db_query(p->s,
		    "SELECT state, lane, attempts, email_key FROM deliveries"
		    " JOIN subscribers ON id = subscriber_id"
		    " WHERE issue_id = ?1 AND subscriber_id = ?2",
		    VALS(INT(p->issue), INT(r->subscriber)), &st, e) < 0)
		return -1;
	rc = db_row(p->s, st, e);
	if (rc != 1)
		return rc;
	row.state = (enum delivery_state)sqlite3_column_int(st, 0);
	row.lane = sqlite3_column_int64(st, 1);
	row.attempts = sqlite3_column_int(st, 2);
	rc = journal_mark(p->s, db_text(st, 3), &mark, e);
	db_end(st);
	if (rc < 0 || mark != r->mark)
		return rc;
	return is_news(r, &row) && learn(p, r, &row, e) < 0 ? -1 : 1;
}

static int apply_or_keep(struct replay *p, const struct journal_record *r, struct err *e)
{
	int rc = apply(p, r, e);

	return rc == 0 ? put(&p->strange, r, e) : rc < 0 ? -1 : 0;
}

/* ---- all of them ---- */

/* The answer to an attempt: it is not open any more. Of those that are, it is nearly always the oldest. */
static void answer(struct records *open, const struct journal_record *r)
{
	size_t i = 0;

	while (i < open->n && (open->r[i].mark != r->mark || open->r[i].attempt != r->attempt))
		i++;
	if (i == open->n)
		return;
	memmove(open->r + i, open->r + i + 1, (open->n - i - 1) * sizeof *open->r);
	open->n--;
}

static int note(void *user, const struct journal_record *r, struct err *e)
{
	struct replay *p = user;

	switch (r->kind) {
	case JOURNAL_INTENT:
		return put(&p->open, r, e);
	case JOURNAL_SENT:
		answer(&p->open, r);
		return apply_or_keep(p, r, e);
	case JOURNAL_NOT_SENT:
		answer(&p->open, r);
	}
	return 0;
}

static int by_mark(const void *a, const void *b)
{
	const struct journal_record *x = a, *y = b;

	return x->mark < y->mark ? -1 : x->mark > y->mark;
}

/* The readers of the strange records, found by their addresses; `out` gets each record with the number that
 * its reader has in this database. */
static int find_readers(struct replay *p, struct records *out, struct err *e)
{
	struct records *in = &p->strange;
	sqlite3_stmt *st;
	int rc;

	if (db_query(p->s,
		    "SELECT subscriber_id, email_key FROM deliveries"
		    " JOIN subscribers ON id = subscriber_id"
		    " WHERE issue_id = ?1 AND state IN (0, 1, 2, 3, 4)",
		    VALS(INT(p->issue)), &st, e) < 0)
		return -1;
	while ((rc = db_row(p->s, st, e)) == 1) {
		struct journal_record key = {0}, *found;

		if (journal_mark(p->s, db_text(st, 1), &key.mark, e) < 0) {
			rc = -1;
			break;
		}
		found = bsearch(&key, in->r, in->n, sizeof *in->r, by_mark);
		while (found && found > in->r && found[-1].mark == key.mark)
			found--;
		for (; rc == 1 && found && found < in->r + in->n && found->mark == key.mark;
			found++) {
			key = *found;
			key.subscriber = sqlite3_column_int64(st, 0);
			rc = put(out, &key, e) < 0 ? -1 : 1;
		}
		if (rc < 0)
			break;
	}
	db_end(st);
	return rc < 0 ? -1 : 0;
}

static int apply_strange(struct replay *p, struct err *e)
{
	struct records found = {0};
	int rc;

	if (!p->strange.n)
		return 0;
	qsort(p->strange.r, p->strange.n, sizeof *p->strange.r, by_mark);
	rc = find_readers(p, &found, e);
	/* What was sent first: what is in doubt beside it is none then. */
	for (int sent = 1; rc == 0 && sent >= 0; sent--)
		for (size_t i = 0; rc == 0 && i < found.n; i++)
			if ((found.r[i].kind == JOURNAL_SENT) == sent)
				rc = apply(p, &found.r[i], e) < 0 ? -1 : 0;
	free(found.r);
	return rc;
}

/* What stands behind the octet `from`. */
static int replay(struct store *s, struct journal *j, int64_t issue, int64_t from, int64_t now,
	struct journal_news *news, struct err *e)
{
	struct replay p = {.s = s, .issue = issue, .now = now};
	char detail[160];
	int rc = journal_scan(j, from, note, &p, e);

	for (size_t i = 0; rc == 0 && i < p.open.n; i++)
		rc = apply_or_keep(&p, &p.open.r[i], e);
	if (rc == 0)
		rc = apply_strange(&p, e);
	if (rc == 0 && (p.news.sent || p.news.in_doubt)) {
		snprintf(detail, sizeof detail,
			"issue %lld: the send journal knew of %lld copies that were sent and of "
			"%lld that may have been",
			(long long)issue, (long long)p.news.sent, (long long)p.news.in_doubt);
		log_msg(LOG_LEVEL_WARNING, "journal", "%s", detail);
		rc = store_event(s, now, "journal", 0, str_of(detail), e);
		news->sent += p.news.sent;
		news->in_doubt += p.news.in_doubt;
	}
	free(p.open.r);
	free(p.strange.r);
	return rc;
}

/* ---- one issue ---- */

/* How far the database has seen a journal. */
struct seen {
	unsigned char id[JOURNAL_ID_SIZE];
	int64_t end; /* 0 = nothing of it */
};

static int read_seen(struct store *s, int64_t issue, struct seen *out, struct err *e)
{
	sqlite3_stmt *st;
	struct str id;
	int rc;

	*out = (struct seen){0};
	if (db_query(s, "SELECT file, seen FROM journals WHERE issue_id = ?1", VALS(INT(issue)),
		    &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc;
	id = db_text(st, 0);
	if (id.n == sizeof out->id)
		memcpy(out->id, id.p, sizeof out->id);
	out->end = sqlite3_column_int64(st, 1);
	db_end(st);
	return 0;
}

int journal_seen(struct store *s, const struct journal *j, struct err *e)
{
	return db_run(s,
		"INSERT INTO journals (issue_id, file, seen) VALUES (?1, ?2, ?3)"
		" ON CONFLICT DO UPDATE SET file = excluded.file, seen = excluded.seen",
		VALS(INT(j->issue), BLOB(((struct str){(const char *)j->id, sizeof j->id})),
			INT(j->end)),
		e);
}

/* The journal that there is, with what is new in it brought in; `*out` NULL where there is none. */
static int catch_up(struct store *s, int64_t issue, const struct journal_owner *owner, int64_t now,
	struct journal **out, struct journal_news *news, struct err *e)
{
	struct seen seen;
	int found;

	*out = NULL;
	if (read_seen(s, issue, &seen, e) < 0)
		return -1;
	found = journal_find(s, owner, out, e);
	if (found < 0)
		return -1;
	if (found == 0)
		return 0;
	(*out)->issue = issue;
	if (memcmp(seen.id, (*out)->id, sizeof seen.id) != 0)
		seen.end = 0;
	if (replay(s, *out, issue, seen.end, now, news, e) < 0 ||
		((*out)->end != seen.end && journal_seen(s, *out, e) < 0)) {
		journal_close(*out);
		*out = NULL;
		return -1;
	}
	return 0;
}

int journal_open(struct store *s, int64_t issue, int64_t now, struct journal **out,
	struct journal_news *news, struct err *e)
{
	struct journal_owner owner;
	struct seen seen;
	int rc = journal_owner_of(s, issue, &owner, e);

	*out = NULL;
	if (rc != 1)
		return rc;
	if (catch_up(s, issue, &owner, now, out, news, e) < 0)
		return -1;
	if (*out)
		return 0;
	if (read_seen(s, issue, &seen, e) < 0)
		return -1;
	if (seen.end)
		log_msg(LOG_LEVEL_WARNING, "journal",
			"the send journal of issue %lld is gone: an older database would not know "
			"what it has sent so far",
			(long long)issue);
	if (journal_make(s, &owner, out, e) < 0)
		return -1;
	(*out)->issue = issue;
	return journal_seen(s, *out, e);
}

int journal_uuid_of(
	struct store *s, int64_t list, struct str slug, unsigned char uuid[16], struct err *e)
{
	struct journal_owner owner = {0};
	struct journal *j;
	sqlite3_stmt *st;
	int rc;

	if (db_query(s, "SELECT slug FROM lists WHERE id = ?1", VALS(INT(list)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc;
	snprintf(owner.list, sizeof owner.list, "%.*s", STR_ARG(db_text(st, 0)));
	snprintf(owner.slug, sizeof owner.slug, "%.*s", STR_ARG(slug));
	db_end(st);
	rc = journal_find(s, &owner, &j, e);
	if (rc == 1 && journal_uuid(j, uuid, e) < 0)
		rc = -1;
	journal_close(j);
	return rc;
}

int journal_exists(struct store *s, int64_t issue, struct err *e)
{
	struct journal_owner owner;
	struct journal *j = NULL;
	int rc = journal_owner_of(s, issue, &owner, e);

	if (rc == 1)
		rc = journal_find(s, &owner, &j, e);
	journal_close(j);
	return rc;
}

/* ---- all issues ---- */

static int replay_issue(
	struct store *s, int64_t issue, int64_t now, struct journal_news *news, struct err *e)
{
	struct journal_owner owner;
	struct journal *j = NULL;
	int rc = journal_owner_of(s, issue, &owner, e);

	if (rc == 1)
		rc = catch_up(s, issue, &owner, now, &j, news, e);
	journal_close(j);
	return rc;
}

int journal_replay_all(
	struct store *s, bool running, int64_t now, struct journal_news *news, struct err *e)
{
	int64_t issue = 0;
	int rc;

	while ((rc = db_int(s,
			"SELECT min(id) FROM issues WHERE id > ?1 AND"
			" (state = 1 OR (state IN (0, 2, 3, 4) AND NOT ?2))",
			VALS(INT(issue), INT(running)), &issue, e)) == 1) {
		struct err bad = {0};

		if (replay_issue(s, issue, now, news, &bad) == 0)
			continue;
		if (!running || bad.code != ERR_INPUT)
			return err_set(e, bad.code, "%s", bad.text);
		if (care_pause(s, issue, bad.text, now, e) < 0)
			return -1;
	}
	return rc;
}

int journal_replay(struct store *s, int64_t now, struct journal_news *news, struct err *e)
{
	bool own;

	*news = (struct journal_news){0};
	if (tx_open(s, &own, e) < 0)
		return -1;
	return tx_close(s, own, journal_replay_all(s, true, now, news, e), e);
}
