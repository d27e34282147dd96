/* SPDX-License-Identifier: MIT */
#include "import_run.h"

/* Before a slice is written: which of its addresses are suppressed, and which are those of known readers in other
 * spellings. */

/* ---- suppressions ---- */

/* The reason for which a row makes its address suppressed. */
static struct str suppression_of(const struct import_row *row)
{
	if (row->suppress.n)
		return row->suppress;
	return row->status < SUBSCRIPTION_BOUNCED    ? STR("")
	       : row->status == SUBSCRIPTION_BOUNCED ? STR("bounce")
						     : STR("complaint");
}

/* Why a row is left alone whose address is suppressed. */
static int suppression_words(struct import *i, struct str key, struct str *out, struct err *e)
{
	unsigned char hash[KEY_HASH_SIZE];
	struct str reason;
	sqlite3_stmt *st;
	int rc;

	if (suppression_hash(i->s, key, hash, e) < 0 ||
		db_query(i->s, "SELECT reason FROM suppressions WHERE hash = ?1",
			VALS(BLOB(((struct str){(const char *)hash, sizeof hash}))), &st, e) < 0)
		return -1;
	rc = db_row(i->s, st, e);
	reason = rc == 1 ? db_text(st, 0) : STR("domain");
	*out = str_of(arena_printf(&i->a, "suppressed (%.*s)", STR_ARG(reason)));
	db_end(st);
	return rc < 0 ? -1 : 0;
}

static int mark_suppressed(
	struct import *i, const struct import_row *row, struct batch_mark *mark, struct err *e)
{
	struct str reason;
	int64_t at;
	int rc;

	if (!i->proof.n) {
		rc = suppression_find(i->s, row->key, e);
		mark->suppressed = rc == 1;
		return rc == 1 ? suppression_words(i, row->key, &mark->left, e) : rc;
	}
	rc = suppression_get(i->s, row->key, &i->a, &reason, &at, e);
	if (rc == 1) {
		mark->suppressed = import_is_ended(row->status) || str_eq(reason, STR("erased")) ||
				   str_eq(reason, STR("domain"));
		if (mark->suppressed)
			return suppression_words(i, row->key, &mark->left, e);
		mark->lifted = reason;
	}
	return rc < 0 ? -1 : 0;
}

/* ---- other spellings ---- */

static bool has_capitals(struct str key)
{
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] >= 'A' && key.p[i] <= 'Z')
			return true;
	return false;
}

/* A row whose address is there in another case of its letters, and not in its own, is about that reader; so is one whose
 * own is on no such list, where the other one has left it. ?1: there are readers with capitals, ?2: rows of the slice, ?3
 * the list. */
#define IS_ABOUT                                                                                   \
	" AND s.email_key <> b.key AND (NOT EXISTS (SELECT 1 FROM subscribers WHERE email_key ="   \
	" b.key) OR (EXISTS (SELECT 1 FROM subscriptions WHERE list_id = ?3"                       \
	" AND subscriber_id = s.id AND status >= 2)"                                               \
	" AND NOT EXISTS (SELECT 1 FROM subscribers AS own JOIN subscriptions"                     \
	" ON list_id = ?3 AND subscriber_id = own.id WHERE own.email_key = b.key)))"

static const char find_spellings[] =
	"SELECT b.rowid, s.email_key FROM batch AS b CROSS JOIN subscribers AS s"
	" ON lower(s.email_key) = lower(b.key) AND s.email_key <> lower(s.email_key)"
	" WHERE ?1" IS_ABOUT
	" UNION ALL SELECT b.rowid, s.email_key FROM batch AS b CROSS JOIN subscribers AS s"
	" ON s.email_key = lower(b.key) WHERE ?2" IS_ABOUT;

static int respell(struct import *i, struct import_row *rows, size_t n, struct err *e)
{
	int64_t known = 0;
	sqlite3_stmt *st;
	size_t at = 0;
	int rc;

	if (db_int(i->s,
		    "SELECT 1 FROM subscribers INDEXED BY subscribers_cased WHERE email_key <> "
		    "lower(email_key) LIMIT 1",
		    NULL, &known, e) < 0)
		return -1;
	while (at < n && !has_capitals(rows[at].key))
		at++;
	if (!known && at == n)
		return 0;
	if (db_query(i->s, find_spellings, VALS(INT(known), INT(at < n), INT(i->list)), &st, e) < 0)
		return -1;
	while ((rc = db_row(i->s, st, e)) == 1) {
		struct import_row *row = &rows[sqlite3_column_int64(st, 0)];

		row->key = db_copy(st, 1, &i->a);
		row->email = (struct str){0}; /* the spelling that is there stays */
	}
	return rc;
}

int import_prepare(struct import *i, struct import_row *rows, struct batch_mark *marks, size_t n,
	struct err *e)
{
	int64_t one;
	int any = db_int(i->s,
		"SELECT 1 FROM suppressions UNION ALL SELECT 1 FROM foreign_suppressions"
		" UNION ALL SELECT 1 FROM suppressed_domains LIMIT 1",
		NULL, &one, e);

	for (size_t at = 0; any >= 0 && at < n; at++) {
		i->counts.rows += 1 + rows[at].repeats;
		marks[at] = (struct batch_mark){0};
		rows[at].suppress = suppression_of(&rows[at]);
		if (any && mark_suppressed(i, &rows[at], &marks[at], e) < 0)
			return -1;
	}
	return any < 0 ? -1 : respell(i, rows, n, e);
}
