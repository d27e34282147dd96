/* SPDX-License-Identifier: MIT */
#include "db.h"
#include "store/people.h"

static const char *const status_name[SUBSCRIPTION_STATUS_N] = {
	[SUBSCRIPTION_PENDING] = "pending",
	[SUBSCRIPTION_ACTIVE] = "subscribed",
	[SUBSCRIPTION_UNSUBSCRIBED] = "unsubscribed",
	[SUBSCRIPTION_BOUNCED] = "bounced",
	[SUBSCRIPTION_COMPLAINED] = "complained",
};

const char *subscription_status_name(enum subscription_status status)
{
	return (unsigned)status < SUBSCRIPTION_STATUS_N ? status_name[status] : "?";
}

/* ---- changing ---- */

static int replace(struct store *s, int64_t subscriber, int64_t list,
	enum subscription_status status, struct str source, struct str detail, int64_t now,
	struct err *e)
{
	int64_t id;

	if (source_id(s, source, &id, e) < 0)
		return -1;
	return consent_add(s, subscriber, list, (int)status, id, 0, detail, now, e);
}

/* Whoever has left comes back only by an act of their own. Pending counts as coming back: from
 * there a mere import would lead on. */
static int may_change(
	enum subscription_status from, enum subscription_status to, bool proof, struct err *e)
{
	if (from < SUBSCRIPTION_UNSUBSCRIBED || to >= SUBSCRIPTION_UNSUBSCRIBED || proof)
		return 0;
	return err_set(e, ERR_DENIED,
		"this reader has the status '%s' on the list: only their own confirmation brings "
		"them back",
		subscription_status_name(from));
}

static int exists(struct store *s, const char *sql, const char *what, int64_t id, struct err *e)
{
	int64_t found;
	int rc = db_int(s, sql, VALS(INT(id)), &found, e);

	if (rc == 0)
		return err_set(e, ERR_MISSING, "there is no %s number %lld", what, (long long)id);
	return rc < 0 ? -1 : 0;
}

int subscription_put(struct store *s, int64_t subscriber, int64_t list,
	enum subscription_status status, struct str source, struct str detail, bool proof,
	int64_t now, struct err *e)
{
	int64_t from = -1;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = db_int(s, "SELECT status FROM subscriptions WHERE list_id = ?1 AND subscriber_id = ?2",
		VALS(INT(list), INT(subscriber)), &from, e);
	if (rc == 0 && (exists(s, "SELECT id FROM lists WHERE id = ?1", "list", list, e) < 0 ||
			       exists(s, "SELECT id FROM subscribers WHERE id = ?1", "subscriber",
				       subscriber, e) < 0))
		rc = -1;
	if (rc == 1)
		rc = may_change((enum subscription_status)from, status, proof, e);
	if (rc == 0 && (from != (int64_t)status || proof))
		rc = replace(s, subscriber, list, status, source, detail, now, e);
	return tx_close(s, own, rc, e);
}

int subscriber_unsubscribe(struct store *s, int64_t subscriber, int64_t list, struct str source,
	int64_t now, struct err *e)
{
	int64_t next = 0;
	bool own;
	int n = 0, rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	while ((rc = db_int(s,
			"SELECT list_id FROM lists JOIN subscriptions ON list_id = lists.id"
			" WHERE subscriber_id = ?1 AND ?2 IN (0, list_id) AND status < 2 LIMIT 1",
			VALS(INT(subscriber), INT(list)), &next, e)) == 1) {
		rc = replace(s, subscriber, next, SUBSCRIPTION_UNSUBSCRIBED, source,
			(struct str){NULL, 0}, now, e);
		if (rc < 0)
			break;
		n++;
	}
	return tx_close(s, own, rc < 0 ? -1 : n, e);
}

/* ---- telling ---- */

/* What the operator wrote of a consent c is its detail: it may tell of the person, and goes with an erasure. */
#define SOURCE_WORDS                                                                               \
	"words || CASE words WHEN 'by hand' THEN coalesce(': ' || c.detail, '') ELSE '' END"

/* "import 7 line 12" */
static struct str source_words(sqlite3_stmt *st, int words, struct arena *a)
{
	if (sqlite3_column_type(st, words + 1) == SQLITE_NULL)
		return db_copy(st, words, a);
	return str_of(arena_printf(a, "%.*s line %lld", STR_ARG(db_text(st, words)),
		(long long)sqlite3_column_int64(st, words + 1)));
}

int subscriber_subscriptions(struct store *s, int64_t id, struct arena *a,
	struct subscription **out, size_t *n, struct err *e)
{
	int64_t count = 0;
	sqlite3_stmt *st;
	int rc;

	*n = 0;
	if (db_int(s, "SELECT count(*) FROM lists", NULL, &count, e) < 0 ||
		db_query(s,
			"SELECT slug, p.status, at, " SOURCE_WORDS ", line FROM lists"
			" JOIN subscriptions AS p ON p.list_id = lists.id"
			" JOIN consents AS c ON c.id = consent_id JOIN sources ON sources.id = "
			"source_id"
			" WHERE p.subscriber_id = ?1 ORDER BY slug LIMIT ?2",
			VALS(INT(id), INT(count)), &st, e) < 0)
		return -1;
	*out = arena_array(a, (size_t)count + 1, sizeof **out);
	while ((rc = db_row(s, st, e)) == 1)
		(*out)[(*n)++] = (struct subscription){
			.list = db_copy(st, 0, a),
			.status = (enum subscription_status)sqlite3_column_int(st, 1),
			.changed_at = sqlite3_column_int64(st, 2),
			.source = source_words(st, 3, a),
		};
	return rc;
}

/* Events, and the consents as events. */
#define HISTORY                                                                                    \
	"SELECT at, what, detail, NULL AS status, NULL AS words, NULL AS line, 0 AS kind, id"      \
	" FROM events WHERE subscriber_id = ?1"                                                    \
	" UNION ALL SELECT at, '', slug, status, " SOURCE_WORDS                                    \
	", line, 1, c.id FROM consents AS c"                                                       \
	" JOIN lists ON lists.id = list_id JOIN sources ON sources.id = source_id"                 \
	" WHERE c.id IN (" CONSENTS_OF ")"

static struct event event_row(sqlite3_stmt *st, struct arena *a)
{
	struct event event = {.at = sqlite3_column_int64(st, 0)};

	if (sqlite3_column_type(st, 3) == SQLITE_NULL) {
		event.what = db_copy(st, 1, a);
		event.detail = db_copy(st, 2, a);
		return event;
	}
	event.what = str_of(consent_status_name(sqlite3_column_int(st, 3)));
	event.detail = str_of(arena_printf(
		a, "list %.*s, %s", STR_ARG(db_text(st, 2)), source_words(st, 4, a).p));
	return event;
}

int subscriber_events(struct store *s, int64_t subscriber, struct arena *a, struct event **out,
	size_t *n, struct err *e)
{
	int64_t count = 0;
	sqlite3_stmt *st;
	int rc;

	*n = 0;
	if (db_int(s, "SELECT count(*) FROM (" HISTORY ")", VALS(INT(subscriber)), &count, e) < 0 ||
		db_query(s, HISTORY " ORDER BY at, kind, id LIMIT ?2",
			VALS(INT(subscriber), INT(count)), &st, e) < 0)
		return -1;
	*out = arena_array(a, (size_t)count + 1, sizeof **out);
	while ((rc = db_row(s, st, e)) == 1)
		(*out)[(*n)++] = event_row(st, a);
	return rc;
}
