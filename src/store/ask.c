/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "db.h"
#include "store/pages.h"

#include <stdio.h>

/* Forms to subscribe, and the consent that the answers to their confirmations are. */

enum { HOUR = 3600, DAY = 86400, DETAIL_MAX = 4096, TIDY_MOST = 10000 };

static const char by_form[] = "web form";

/* ---- taking ---- */

static int count(struct store *s, const char *sql, const struct val *v, int64_t *n, struct err *e)
{
	return db_int(s, sql, v, n, e) < 0 ? -1 : 0;
}

static int too_many(
	struct store *s, const struct ask *ask, int64_t hourly, int64_t now, struct err *e)
{
	int64_t all = 0, network = 0;

	if (count(s, "SELECT count(*) FROM asks WHERE at > ?1", VALS(INT(now - HOUR)), &all, e) <
			0 ||
		count(s, "SELECT count(*) FROM asks WHERE network = ?2 AND at > ?1",
			VALS(INT(now - HOUR), TEXT(ask->network)), &network, e) < 0)
		return -1;
	return all >= hourly || network >= ASKS_NETWORK;
}

/* What is known about the address: its subscriber (0 = none), the status on the list (-1 = none). */
struct known {
	int64_t subscriber, status, today, lately;
	bool barred; /* not to be written to */
	bool erased; /* suppressed, because it was erased */
};

static int look(struct store *s, const struct ask *ask, int64_t now, struct known *k, struct err *e)
{
	struct arena a = {0};
	struct str reason, key = ask->key;
	int64_t at;
	int rc = suppression_get(s, ask->key, &a, &reason, &at, e);

	*k = (struct known){.status = -1};
	k->erased = rc == 1 && str_eq(reason, STR("erased"));
	k->barred = rc == 1 && !k->erased;
	if (rc >= 0)
		rc = subscriber_respell(s, &a, &key, e);
	if (rc >= 0)
		rc = db_int(s, "SELECT id FROM subscribers WHERE email_key = ?1", VALS(TEXT(key)),
			&k->subscriber, e);
	arena_free(&a);
	if (rc < 0 ||
		db_int(s,
			"SELECT status FROM subscriptions WHERE list_id = ?1 AND subscriber_id = "
			"?2",
			VALS(INT(ask->list), INT(k->subscriber)), &k->status, e) < 0 ||
		count(s,
			"SELECT count(*) FROM asks WHERE subscriber_id = ?1 AND at > ?2"
			" AND issue_id IS NOT NULL",
			VALS(INT(k->subscriber), INT(now - DAY)), &k->today, e) < 0 ||
		count(s,
			"SELECT count(*) FROM asks WHERE subscriber_id = ?1 AND at > ?2"
			" AND issue_id IS NOT NULL AND list_id = ?3",
			VALS(INT(k->subscriber), INT(now - ASKS_GAP), INT(ask->list)), &k->lately,
			e) < 0)
		return -1;
	k->barred |= k->status == SUBSCRIPTION_BOUNCED || k->status == SUBSCRIPTION_COMPLAINED;
	return 0;
}

static struct str evidence(const struct ask *ask, char out[DETAIL_MAX])
{
	int n = snprintf(out, DETAIL_MAX, "list %.*s, from %.*s, %.*s, which said: %.*s",
		STR_ARG(ask->slug), STR_ARG(ask->client), STR_ARG(ask->form), STR_ARG(ask->words));

	return str_slice((struct str){out, DETAIL_MAX - 1}, 0, (size_t)n);
}

/* Somebody new is pending; who has left stays so until the answer comes. */
static int admit(struct store *s, const struct ask *ask, const struct known *k, int64_t now,
	struct ask_result *out, struct err *e)
{
	struct subscriber person = {.id = k->subscriber, .email = ask->email};
	bool subscribe = ask->single && !k->erased && k->status <= SUBSCRIPTION_PENDING, added;
	char detail[DETAIL_MAX];

	if (!person.id && subscriber_put(s, &person, ask->key, now, &added, e) < 0)
		return -1;
	out->subscriber = person.id;
	out->confirm = !subscribe;
	if (k->erased && db_run(s, "UPDATE subscribers SET suppressed = 2 WHERE id = ?1",
				 VALS(INT(person.id)), e) < 0)
		return -1;
	if ((subscribe || k->status < 0) &&
		subscription_put(s, person.id, ask->list,
			subscribe ? SUBSCRIPTION_ACTIVE : SUBSCRIPTION_PENDING, str_of(by_form),
			evidence(ask, detail), false, now, e) < 0)
		return -1;
	return store_event(
		s, now, subscribe ? "subscribe" : "ask", person.id, evidence(ask, detail), e);
}

static int note(
	struct store *s, const struct ask *ask, int64_t now, struct ask_result *out, struct err *e)
{
	if (db_run(s,
		    "INSERT INTO asks (at, list_id, subscriber_id, client, network, first_name, "
		    "form,"
		    " words) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		    VALS(INT(now), INT(ask->list), INT_OR_NULL(out->subscriber), TEXT(ask->client),
			    TEXT(ask->network), TEXT(ask->first_name), TEXT(ask->form),
			    TEXT(ask->words)),
		    e) < 0)
		return -1;
	out->id = sqlite3_last_insert_rowid(s->db);
	return 0;
}

int ask_take(struct store *s, const struct ask *ask, int64_t hourly, int64_t now,
	struct ask_result *out, struct err *e)
{
	struct known k;
	bool own;
	int rc;

	*out = (struct ask_result){0};
	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = too_many(s, ask, hourly, now, e);
	out->limited = rc == 1;
	if (rc == 0)
		rc = look(s, ask, now, &k, e);
	if (rc == 0 && !out->limited) {
		out->n = (int)k.today + 1;
		if (!k.barred && k.status != SUBSCRIPTION_ACTIVE && k.today < ASKS_ADDRESS &&
			k.lately == 0)
			rc = admit(s, ask, &k, now, out, e);
		if (rc == 0)
			rc = note(s, ask, now, out, e);
	}
	return tx_close(s, own, rc < 0 ? -1 : 0, e);
}

/* ---- answering ---- */

struct asked {
	int64_t id, list, at, used_at, status, suppressed;
	struct str slug, client, form, words, first_name;
};

static int find(struct store *s, int64_t issue, int64_t subscriber, struct arena *a,
	struct asked *out, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT asks.id, asks.list_id, at, coalesce(used_at, 0), coalesce(status, 0),"
		    " subscribers.suppressed, client, form, words, asks.first_name, slug FROM asks"
		    " JOIN lists ON lists.id = asks.list_id"
		    " JOIN subscribers ON subscribers.id = asks.subscriber_id"
		    " LEFT JOIN subscriptions AS p ON p.list_id = asks.list_id"
		    "  AND p.subscriber_id = asks.subscriber_id"
		    " WHERE asks.subscriber_id = ?1 AND asks.issue_id = ?2",
		    VALS(INT(subscriber), INT(issue)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc;
	*out = (struct asked){
		.id = sqlite3_column_int64(st, 0),
		.list = sqlite3_column_int64(st, 1),
		.at = sqlite3_column_int64(st, 2),
		.used_at = sqlite3_column_int64(st, 3),
		.status = sqlite3_column_int64(st, 4),
		.suppressed = sqlite3_column_int64(st, 5),
		.client = db_copy(st, 6, a),
		.form = db_copy(st, 7, a),
		.words = db_copy(st, 8, a),
		.first_name = db_copy(st, 9, a),
		.slug = db_copy(st, 10, a),
	};
	db_end(st);
	return 1;
}

static enum confirmation_state state_of(const struct asked *asked, int64_t now)
{
	if (now - asked->at > ASKS_KEPT || asked->suppressed == 1 ||
		asked->status >= SUBSCRIPTION_BOUNCED)
		return CONFIRMATION_GONE;
	if (asked->status == SUBSCRIPTION_ACTIVE && asked->used_at)
		return CONFIRMATION_USED;
	return asked->used_at ? CONFIRMATION_SPENT : CONFIRMATION_OPEN;
}

int confirmation_look(struct store *s, int64_t issue, int64_t subscriber, int64_t now,
	enum confirmation_state *state, int64_t *list, struct err *e)
{
	struct arena a = {0};
	struct asked asked;
	int rc = find(s, issue, subscriber, &a, &asked, e);

	*state = rc == 1 ? state_of(&asked, now) : CONFIRMATION_GONE;
	*list = rc == 1 ? asked.list : 0;
	arena_free(&a);
	return rc < 0 ? -1 : 0;
}

/* The address was erased once: its owner wants mail again. */
static int lift(struct store *s, int64_t subscriber, struct err *e)
{
	struct arena a = {0};
	sqlite3_stmt *st;
	struct str key;
	int rc;

	if (db_query(s, "SELECT email_key FROM subscribers WHERE id = ?1", VALS(INT(subscriber)),
		    &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 1) {
		key = db_copy(st, 0, &a);
		db_end(st);
		rc = suppression_remove(s, key, e);
	}
	arena_free(&a);
	return rc;
}

static int accept(struct store *s, const struct asked *asked, int64_t subscriber, struct str client,
	int64_t now, struct err *e)
{
	char detail[DETAIL_MAX], at[CLOCK_ISO_SIZE];
	int n = snprintf(detail, sizeof detail,
		"list %.*s, from %.*s; asked at %s from %.*s, %.*s, which said: %.*s",
		STR_ARG(asked->slug), STR_ARG(client), clock_iso(asked->at, at),
		STR_ARG(asked->client), STR_ARG(asked->form), STR_ARG(asked->words));
	const struct str how = str_slice((struct str){detail, sizeof detail - 1}, 0, (size_t)n);

	if (asked->suppressed && lift(s, subscriber, e) < 0)
		return -1;
	if (subscription_put(s, subscriber, asked->list, SUBSCRIPTION_ACTIVE,
		    STR("web form, confirmed by mail"), how, true, now, e) < 0 ||
		db_run(s, "UPDATE asks SET used_at = ?2 WHERE id = ?1",
			VALS(INT(asked->id), INT(now)), e) < 0 ||
		db_run(s,
			"UPDATE subscribers SET first_name = ?2 WHERE id = ?1 AND first_name = ''",
			VALS(INT(subscriber), TEXT(asked->first_name)), e) < 0)
		return -1;
	return store_event(s, now, "confirm", subscriber, how, e);
}

int confirmation_answer(struct store *s, int64_t issue, int64_t subscriber, struct str client,
	int64_t now, enum confirmation_state *state, int64_t *list, struct err *e)
{
	struct arena a = {0};
	struct asked asked;
	bool own, came;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = find(s, issue, subscriber, &a, &asked, e);
	*state = rc == 1 ? state_of(&asked, now) : CONFIRMATION_GONE;
	*list = rc == 1 ? asked.list : 0;
	came = rc == 1 && *state == CONFIRMATION_OPEN;
	if (came) {
		rc = accept(s, &asked, subscriber, client, now, e);
		*state = CONFIRMATION_USED;
	}
	arena_free(&a);
	rc = tx_close(s, own, rc < 0 ? -1 : 0, e);
	return rc < 0 ? -1 : came;
}

/* ---- forgetting ---- */

/* A reader who is on no list any more. */
static const char *const forgetting[] = {
	"DELETE FROM events WHERE subscriber_id = ?1 AND NOT EXISTS"
	" (SELECT 1 FROM subscriptions WHERE subscriber_id = ?1)",
	"DELETE FROM subscribers WHERE id = ?1 AND NOT EXISTS"
	" (SELECT 1 FROM subscriptions WHERE subscriber_id = ?1) AND NOT EXISTS"
	" (SELECT 1 FROM consents WHERE subscriber_id = ?1 AND previous IS NOT NULL AND status >= "
	"0)",
};

static int forget(
	struct store *s, int64_t id, int64_t subscriber, int64_t list, int64_t now, struct err *e)
{
	int64_t one;
	int pending = db_int(s,
		"SELECT 1 FROM subscriptions AS p JOIN consents AS c ON c.id = consent_id"
		" WHERE p.subscriber_id = ?1 AND p.list_id = ?2 AND p.status = 0"
		" AND source_id = (SELECT id FROM sources WHERE words = 'web form')",
		VALS(INT(subscriber), INT(list)), &one, e);

	if (pending < 0 ||
		(pending && consent_remove(s, subscriber, list, STR("not confirmed"), now, e) < 0))
		return -1;
	for (size_t i = 0; pending && i < sizeof forgetting / sizeof forgetting[0]; i++)
		if (db_run(s, forgetting[i], VALS(INT(subscriber)), e) < 0)
			return -1;
	return db_run(s, "DELETE FROM asks WHERE id = ?1", VALS(INT(id)), e);
}

int64_t asks_tidy(struct store *s, int64_t now, struct err *e)
{
	sqlite3_stmt *st;
	int64_t n = 0;
	bool own;
	int rc = 1;

	if (tx_open(s, &own, e) < 0)
		return -1;
	while (rc == 1 && n < TIDY_MOST) {
		int64_t id = 0, subscriber = 0, list = 0;

		if (db_query(s,
			    "SELECT id, CASE WHEN EXISTS (SELECT 1 FROM asks AS later WHERE"
			    "  later.subscriber_id = asks.subscriber_id AND later.id > asks.id)"
			    " THEN 0 ELSE coalesce(subscriber_id, 0) END, list_id FROM asks WHERE "
			    "at < ?1"
			    " ORDER BY at LIMIT 1",
			    VALS(INT(now - ASKS_KEPT)), &st, e) < 0) {
			rc = -1;
			break;
		}
		rc = db_row(s, st, e);
		if (rc != 1)
			break;
		id = sqlite3_column_int64(st, 0);
		subscriber = sqlite3_column_int64(st, 1);
		list = sqlite3_column_int64(st, 2);
		db_end(st);
		rc = forget(s, id, subscriber, list, now, e) < 0 ? -1 : 1;
		n += rc == 1;
	}
	return tx_close(s, own, rc < 0 ? -1 : 0, e) < 0 ? -1 : n;
}
