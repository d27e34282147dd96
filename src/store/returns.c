/* SPDX-License-Identifier: MIT */
#include "store/returns.h"
#include "db.h"

#include <stdio.h>
#include <string.h>

_Static_assert(RETURN_BOUNCE == 0 && RETURN_COMPLAINT == 1, "SQL has other numbers of kinds");

enum {
	EVENTS_MAX = 1000, /* looked at of one reader: more than any policy asks for */
};

/* What is there when a return comes: the copy, its reader, and what is known of it already. */
struct ground {
	enum delivery_state state;
	int64_t settled_at, lane;
	bool known, hard, undone; /* a return of this kind */
	int64_t sent_at; /* of the known one */
	int64_t state_before; /* of the known one; 0 = not moved */
	bool suppressed; /* by the known one */
	struct str email_key; /* empty = the reader was erased */
};

static int survey(
	struct store *s, const struct returned *r, struct arena *a, struct ground *g, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	*g = (struct ground){0};
	if (db_query(s,
		    "SELECT d.state, coalesce(settled_at, 0), email_key, r.sent_at,"
		    " coalesce(r.state_before, 0), r.hard, r.undone, r.suppressed, d.lane"
		    " FROM deliveries AS d LEFT JOIN subscribers ON id = d.subscriber_id"
		    " LEFT JOIN returns AS r ON r.subscriber_id = d.subscriber_id"
		    "  AND r.issue_id = d.issue_id AND r.kind = ?3"
		    " WHERE d.issue_id = ?1 AND d.subscriber_id = ?2",
		    VALS(INT(r->issue), INT(r->subscriber), INT(r->kind)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 0)
		return err_set(e, ERR_MISSING,
			"no copy of issue %lld was ever made for subscriber %lld",
			(long long)r->issue, (long long)r->subscriber);
	if (rc < 0)
		return -1;
	g->state = (enum delivery_state)sqlite3_column_int(st, 0);
	g->settled_at = sqlite3_column_int64(st, 1);
	g->email_key = db_copy(st, 2, a);
	g->lane = sqlite3_column_int64(st, 8);
	g->known = sqlite3_column_type(st, 3) != SQLITE_NULL;
	g->sent_at = sqlite3_column_int64(st, 3);
	g->state_before = sqlite3_column_int64(st, 4);
	g->hard = sqlite3_column_int(st, 5) != 0;
	g->undone = sqlite3_column_int(st, 6) != 0;
	g->suppressed = sqlite3_column_int(st, 7) != 0;
	db_end(st);
	return 0;
}

/* ---- the ledger ---- */

/* Whether a report may move a row. `sending` too: a signed report proves that the relay had the copy, and
 * the worker's own answer, when it comes, finds its lease gone and is only recorded. */
static bool may_move(enum delivery_state from, enum return_kind kind)
{
	return from == DELIVERY_SENT || from == DELIVERY_IN_DOUBT || from == DELIVERY_SENDING ||
	       (from == DELIVERY_BOUNCED && kind == RETURN_COMPLAINT);
}

static int set_state(struct store *s, int64_t issue, int64_t subscriber, enum delivery_state from,
	enum delivery_state to, int64_t at, struct err *e)
{
	int64_t lane;

	if (db_int(s,
		    "UPDATE deliveries SET state = ?3, lease = 0, settled_at = ?4"
		    " WHERE issue_id = ?1 AND subscriber_id = ?2 RETURNING lane",
		    VALS(INT(issue), INT(subscriber), INT(to), INT(at)), &lane, e) < 0)
		return -1;
	return counts_move(s, issue, lane, from, to, 1, e);
}

static int move(struct store *s, const struct returned *r, struct ground *g,
	struct return_effect *out, struct err *e)
{
	enum delivery_state to = r->kind == RETURN_BOUNCE ? DELIVERY_BOUNCED : DELIVERY_COMPLAINED;

	if (!g->known)
		g->sent_at = g->state == DELIVERY_SENT || g->state == DELIVERY_IN_DOUBT
				     ? g->settled_at
				     : r->at;
	if (!r->arrival || !may_move(g->state, r->kind))
		return 0;
	out->moved = true;
	/* Taken back, a row that was being sent is one that was sent. */
	g->state_before = g->state == DELIVERY_SENDING ? DELIVERY_SENT : g->state;
	return set_state(s, r->issue, r->subscriber, g->state, to, r->at, e);
}

/* ---- counting ---- */

static struct str line_name(const struct returned *r)
{
	enum reason reason;

	if (r->kind == RETURN_COMPLAINT)
		return STR("complaint");
	reason = policy_reason(&r->finding);
	return reason == REASON_N ? STR("") : str_of(reason_name(reason));
}

static struct str reason_word(const struct returned *r)
{
	return r->kind == RETURN_COMPLAINT ? STR("complaint")
					   : str_of(reason_name(r->finding.reason));
}

static int record(struct store *s, const struct returned *r, const struct ground *g, struct err *e)
{
	return db_run(s,
		"INSERT OR REPLACE INTO returns (subscriber_id, issue_id, kind, at, sent_at,"
		" arrival_id, state_before, key, reason, hard, counts_as, suppressed, undone, rule,"
		" code, status, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0,"
		" ?13, ?14, ?15, ?16)",
		VALS(INT(r->subscriber), INT(r->issue), INT(r->kind), INT(r->at), INT(g->sent_at),
			INT_OR_NULL(r->arrival), INT_OR_NULL(g->state_before), TEXT(r->key),
			TEXT(reason_word(r)), INT(r->finding.hard), TEXT(line_name(r)),
			INT(g->suppressed), TEXT(str_of(r->finding.rule)), INT(r->code),
			TEXT(r->status), TEXT(r->text)),
		e);
}

/* The instants of what counts on this line, since the reader last took a copy. */
static int events(
	struct store *s, const struct returned *r, int64_t at[EVENTS_MAX], size_t *n, struct err *e)
{
	int64_t accepted = 0;
	sqlite3_stmt *st;
	int rc;

	*n = 0;
	if (db_int(s,
		    "SELECT max(settled_at) FROM issues JOIN deliveries AS d ON issue_id = "
		    "issues.id"
		    " WHERE subscriber_id = ?1 AND d.state = 5 AND settled_at <= ?2",
		    VALS(INT(r->subscriber), INT(r->at - RETURN_GRACE)), &accepted, e) < 0 ||
		db_query(s,
			"SELECT sent_at FROM returns WHERE subscriber_id = ?1 AND kind = ?2"
			" AND counts_as = ?3 AND undone = 0 AND sent_at > ?4"
			" ORDER BY sent_at LIMIT ?5",
			VALS(INT(r->subscriber), INT(r->kind), TEXT(line_name(r)), INT(accepted),
				INT(EVENTS_MAX)),
			&st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1)
		at[(*n)++] = sqlite3_column_int64(st, 0);
	return rc;
}

static const struct policy_line *line_of(const struct policy *p, const struct returned *r)
{
	enum reason reason;

	if (r->kind == RETURN_COMPLAINT)
		return &p->complaint;
	reason = policy_reason(&r->finding);
	return reason == REASON_N ? NULL : &p->line[reason];
}

static int judge(struct store *s, const struct policy *policy, const struct returned *r,
	const struct ground *g, struct return_effect *out, struct err *e)
{
	const struct policy_line *line = line_of(policy, r);
	int64_t at[EVENTS_MAX];
	char source[96];
	size_t n;
	int rc;

	if (!line || !g->email_key.n)
		return 0;
	if (events(s, r, at, &n, e) < 0)
		return -1;
	if (!policy_reached(line, at, n))
		return 0;
	snprintf(source, sizeof source, "issue %lld, %.*s", (long long)r->issue,
		STR_ARG(line_name(r)));
	rc = suppression_put(s, g->email_key, r->kind == RETURN_BOUNCE ? "bounce" : "complaint",
		str_of(source), r->at, e);
	if (rc < 1)
		return rc;
	out->suppressed = true;
	return db_run(s,
		"UPDATE returns SET suppressed = 1 WHERE subscriber_id = ?1 AND issue_id = ?2"
		" AND kind = ?3",
		VALS(INT(r->subscriber), INT(r->issue), INT(r->kind)), e);
}

/* The line of the reader's history. */
static int tell(
	struct store *s, const struct returned *r, const struct return_effect *did, struct err *e)
{
	const char *then = did->suppressed       ? "; the address is suppressed"
			   : line_name(r).n == 0 ? "; counts against nobody"
						 : "; counted";
	char code[16] = "", words[1024];

	if (r->code)
		snprintf(code, sizeof code, "%d ", r->code);
	snprintf(words, sizeof words, "issue %lld: %.*s%s%s%.*s%s%.*s (rule %s, known by %.*s)%s",
		(long long)r->issue, STR_ARG(reason_word(r)), r->code || r->text.n ? ": " : "",
		code, STR_ARG(r->status), r->status.n ? " " : "",
		(int)(r->text.n < 512 ? r->text.n : 512), r->text.p ? r->text.p : "",
		r->finding.rule, STR_ARG(r->key), then);
	return store_event(s, r->at, r->kind == RETURN_BOUNCE ? "bounce" : "complaint",
		r->subscriber, str_of(words), e);
}

static int apply(struct store *s, const struct policy *policy, const struct returned *r,
	struct arena *a, struct return_effect *out, struct err *e)
{
	struct ground g;

	if (survey(s, r, a, &g, e) < 0)
		return -1;
	if (g.known && (g.undone || g.hard >= r->finding.hard))
		return 0;
	/* What the relay said while sending was counted when it was settled. */
	if (r->arrival && !g.known &&
		issue_trouble(s, r->issue, g.lane, r->kind == RETURN_BOUNCE ? &r->finding : NULL,
			r->at, e) < 0)
		return -1;
	if (move(s, r, &g, out, e) < 0 || record(s, r, &g, e) < 0 ||
		judge(s, policy, r, &g, out, e) < 0 || tell(s, r, out, e) < 0)
		return -1;
	return 1;
}

int return_apply(struct store *s, const struct policy *policy, const struct returned *r,
	struct return_effect *out, struct err *e)
{
	struct arena a = {0};
	bool own;
	int rc;

	*out = (struct return_effect){0};
	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = apply(s, policy, r, &a, out, e);
	arena_free(&a);
	return tx_close(s, own, rc, e);
}

/* ---- taking back ---- */

struct taken {
	int64_t issue, subscriber, at, sent_at;
	int kind, state_before, state;
	bool suppressed;
	struct str email_key;
};

#define TAKEN                                                                                      \
	"SELECT r.issue_id, r.subscriber_id, r.kind, r.at, r.sent_at, coalesce(state_before, -1)," \
	" r.suppressed, coalesce(email_key, ''), coalesce(d.state, -1) FROM returns AS r"          \
	" LEFT JOIN subscribers AS p ON p.id = r.subscriber_id"                                    \
	" LEFT JOIN deliveries AS d ON d.issue_id = r.issue_id"                                    \
	"  AND d.subscriber_id = r.subscriber_id "

static int next_taken(struct store *s, const char *sql, const struct val *v, struct arena *a,
	struct taken *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s, sql, v, &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc;
	*out = (struct taken){
		.issue = sqlite3_column_int64(st, 0),
		.subscriber = sqlite3_column_int64(st, 1),
		.kind = sqlite3_column_int(st, 2),
		.at = sqlite3_column_int64(st, 3),
		.sent_at = sqlite3_column_int64(st, 4),
		.state_before = sqlite3_column_int(st, 5),
		.suppressed = sqlite3_column_int(st, 6) != 0,
		.email_key = db_copy(st, 7, a),
		.state = sqlite3_column_int(st, 8),
	};
	db_end(st);
	return 1;
}

/* Lift what this return suppressed, unless another reason has taken its place. 1 when lifted. */
static int lift(struct store *s, const struct taken *t, struct err *e)
{
	unsigned char hash[KEY_HASH_SIZE];
	int64_t changed;

	if (!t->suppressed || !t->email_key.n)
		return 0;
	if (suppression_hash(s, t->email_key, hash, e) < 0 ||
		db_change(s, "DELETE FROM suppressions WHERE hash = ?1 AND at = ?2 AND reason = ?3",
			VALS(BLOB(((struct str){(const char *)hash, sizeof hash})), INT(t->at),
				TEXT(t->kind == RETURN_BOUNCE ? STR("bounce") : STR("complaint"))),
			&changed, e) < 0)
		return -1;
	if (changed == 0)
		return 0;
	return suppression_mark(s, t->email_key, false, e) < 0 ? -1 : 1;
}

static int withdraw(struct store *s, const struct taken *t, struct err *e)
{
	enum delivery_state made =
		t->kind == RETURN_BOUNCE ? DELIVERY_BOUNCED : DELIVERY_COMPLAINED;

	if (lift(s, t, e) < 0)
		return -1;
	if (t->state_before >= 0 && t->state == (int)made &&
		set_state(s, t->issue, t->subscriber, made, (enum delivery_state)t->state_before,
			t->sent_at, e) < 0)
		return -1;
	return db_run(s,
		"DELETE FROM returns WHERE subscriber_id = ?1 AND issue_id = ?2 AND kind = ?3",
		VALS(INT(t->subscriber), INT(t->issue), INT(t->kind)), e);
}

int returns_withdraw(struct store *s, int64_t arrival, struct err *e)
{
	struct arena a = {0};
	struct taken t;
	bool own;
	int n = 0, rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	while ((rc = next_taken(s, TAKEN "WHERE arrival_id = ?1 AND undone = 0 LIMIT 1",
			VALS(INT(arrival)), &a, &t, e)) == 1 &&
		(rc = withdraw(s, &t, e)) == 0)
		n++;
	arena_free(&a);
	return tx_close(s, own, rc < 0 ? -1 : n, e);
}

static int undo_one(struct store *s, const struct taken *t, int64_t now, struct return_undone *out,
	struct err *e)
{
	char words[96];
	int lifted = lift(s, t, e);

	snprintf(words, sizeof words, "the %s of issue %lld counts no more%s",
		t->kind == RETURN_BOUNCE ? "bounce" : "complaint", (long long)t->issue,
		lifted == 1 ? "; the suppression was lifted" : "");
	if (lifted < 0 ||
		db_run(s,
			"UPDATE returns SET undone = 1, suppressed = 0 WHERE subscriber_id = ?1"
			" AND issue_id = ?2 AND kind = ?3",
			VALS(INT(t->subscriber), INT(t->issue), INT(t->kind)), e) < 0 ||
		store_event(s, now, "undo", t->subscriber, str_of(words), e) < 0)
		return -1;
	out->returns++;
	out->lifted += lifted;
	return 0;
}

int returns_undo(struct store *s, const struct return_filter *filter, int64_t now, bool dry_run,
	struct return_undone *out, struct err *e)
{
	struct arena a = {0};
	struct taken t;
	int rc;

	*out = (struct return_undone){0};
	if (store_begin(s, e) < 0)
		return -1;
	while ((rc = next_taken(s,
			TAKEN "WHERE undone = 0 AND r.at BETWEEN ?1 AND ?2 AND r.reason = ?3"
			      " AND (?4 = '' OR " DOMAIN_OF("email_key") " = ?4) LIMIT 1",
			VALS(INT(filter->since), INT(filter->until), TEXT(filter->reason),
				TEXT(filter->domain)),
			&a, &t, e)) == 1 &&
		(rc = undo_one(s, &t, now, out, e)) == 0)
		arena_reset(&a);
	arena_free(&a);
	if (rc < 0 || dry_run) {
		store_rollback(s);
		return rc;
	}
	return store_commit(s, e);
}
