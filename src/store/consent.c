/* SPDX-License-Identifier: MIT */
#include "db.h"
#include "store/people.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Consents and their chain of hashes; store/people.h says what a hash covers. */

const char *consent_status_name(int status)
{
	return status == CONSENT_REMOVED
		       ? "removed"
		       : subscription_status_name((enum subscription_status)status);
}

/* ---- hashing ---- */

static void put_int(unsigned char to[8], int64_t i)
{
	for (int at = 0; at < 8; at++)
		to[at] = (unsigned char)((uint64_t)i >> (56 - 8 * at));
}

/* The hash of `c`, which follows c->before. False when OpenSSL fails. */
static bool compute(struct store *s, const struct consent *c, struct str key,
	unsigned char out[CONSENT_HASH_SIZE])
{
	const struct str text[] = {key, c->list, c->source, c->detail};
	unsigned char head[CONSENT_HASH_SIZE + 4 * 8];
	bool ok;

	memcpy(head, c->before, CONSENT_HASH_SIZE);
	put_int(head + CONSENT_HASH_SIZE, c->id);
	put_int(head + CONSENT_HASH_SIZE + 8, c->status);
	put_int(head + CONSENT_HASH_SIZE + 16, c->at);
	put_int(head + CONSENT_HASH_SIZE + 24, c->line);
	if (!s->sha) {
		EVP_MD *sha = EVP_MD_fetch(NULL, "SHA256", NULL);

		s->sha = EVP_MD_CTX_new();
		ok = s->sha && EVP_DigestInit_ex(s->sha, sha, NULL) == 1;
		EVP_MD_free(sha);
	} else {
		ok = EVP_DigestInit_ex(s->sha, NULL, NULL) == 1;
	}
	ok = ok && EVP_DigestUpdate(s->sha, head, sizeof head) == 1;
	for (size_t i = 0; ok && i < sizeof text / sizeof *text; i++)
		ok = (i == 0 || EVP_DigestUpdate(s->sha, "", 1) == 1) &&
		     EVP_DigestUpdate(s->sha, text[i].p, text[i].n) == 1;
	return ok && EVP_DigestFinal_ex(s->sha, out, NULL) == 1;
}

static struct str value_text(sqlite3_value *v)
{
	const char *p = (const char *)sqlite3_value_text(v);

	return (struct str){p ? p : "", p ? (size_t)sqlite3_value_bytes(v) : 0};
}

static void consent_hash(sqlite3_context *to, int argc, sqlite3_value **argv)
{
	struct store *s = sqlite3_user_data(to);
	struct consent c = {
		.id = s->chain.id + 1,
		.list = value_text(argv[1]),
		.source = value_text(argv[2]),
		.status = sqlite3_value_int(argv[3]),
		.at = sqlite3_value_int64(argv[4]),
		.line = sqlite3_value_int64(argv[5]),
		.detail = value_text(argv[6]),
	};

	(void)argc;
	memcpy(c.before, s->chain.hash, sizeof c.before);
	if (!s->chain.known || !compute(s, &c, value_text(argv[0]), s->chain.hash)) {
		sqlite3_result_error(to, "the chain of consents cannot be continued", -1);
		return;
	}
	s->chain.id = c.id;
	sqlite3_result_blob(to, s->chain.hash, sizeof s->chain.hash, SQLITE_TRANSIENT);
}

int consent_register(struct store *s)
{
	return sqlite3_create_function(s->db, "consent_hash", 7, SQLITE_UTF8 | SQLITE_DIRECTONLY, s,
		consent_hash, NULL, NULL);
}

int consent_begin(struct store *s, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (s->chain.known)
		return 0;
	if (db_query(s, "SELECT id, hash FROM consents ORDER BY id DESC LIMIT 1", NULL, &st, e) < 0)
		return -1;
	s->chain.id = 0;
	memset(s->chain.hash, 0, sizeof s->chain.hash);
	rc = db_row(s, st, e);
	if (rc == 1) {
		s->chain.id = sqlite3_column_int64(st, 0);
		if (db_text(st, 1).n == sizeof s->chain.hash)
			memcpy(s->chain.hash, db_text(st, 1).p, sizeof s->chain.hash);
		db_end(st);
	}
	s->chain.known = rc >= 0;
	return rc < 0 ? -1 : 0;
}

/* ---- adding ---- */

int consent_add(struct store *s, int64_t subscriber, int64_t list, int status, int64_t source,
	int64_t line, struct str detail, int64_t now, struct err *e)
{
	if (consent_begin(s, e) < 0 ||
		db_run(s,
			"INSERT INTO consents (subscriber_id, list_id, status, at, source_id, line,"
			" previous, detail, hash) SELECT who.id, lists.id, ?3, ?4, sources.id, ?6,"
			" (SELECT consent_id FROM subscriptions"
			" WHERE list_id = lists.id AND subscriber_id = who.id), ?7,"
			" consent_hash(email_key, slug, words, ?3, ?4, ?6, ?7)"
			" FROM subscribers AS who, lists, sources"
			" WHERE who.id = ?1 AND lists.id = ?2 AND sources.id = ?5",
			VALS(INT(subscriber), INT(list), INT(status), INT(now), INT(source),
				INT_OR_NULL(line), TEXT_OR_NULL(detail)),
			e) < 0)
		return -1;
	if (status == CONSENT_REMOVED)
		return db_run(s,
			"DELETE FROM subscriptions WHERE list_id = ?1 AND subscriber_id = ?2",
			VALS(INT(list), INT(subscriber)), e);
	return db_run(s,
		"INSERT INTO subscriptions (list_id, subscriber_id, status, consent_id)"
		" VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET"
		" status = excluded.status, consent_id = excluded.consent_id",
		VALS(INT(list), INT(subscriber), INT(status), INT(s->chain.id)), e);
}

int consent_remove(struct store *s, int64_t subscriber, int64_t list, struct str source,
	int64_t now, struct err *e)
{
	int64_t next = 0, id;
	int rc;

	if (source_id(s, source, &id, e) < 0)
		return -1;
	while ((rc = db_int(s,
			"SELECT lists.id FROM lists CROSS JOIN subscriptions ON list_id = lists.id"
			" WHERE subscriber_id = ?1 AND ?2 IN (0, list_id) LIMIT 1",
			VALS(INT(subscriber), INT(list)), &next, e)) == 1)
		if (consent_add(s, subscriber, next, CONSENT_REMOVED, id, 0, (struct str){NULL, 0},
			    now, e) < 0)
			return -1;
	return rc;
}

/* ---- telling ---- */

#define CONSENT_COLUMNS                                                                            \
	"SELECT c.id, c.status, c.at, coalesce(c.line, 0), coalesce(slug, ''), coalesce(words, "   \
	"''),"                                                                                     \
	" coalesce(c.detail, ''), c.hash"

static void hash_row(sqlite3_stmt *st, int column, unsigned char to[CONSENT_HASH_SIZE])
{
	struct str hash = db_text(st, column);

	if (hash.n == CONSENT_HASH_SIZE)
		memcpy(to, hash.p, CONSENT_HASH_SIZE);
}

static struct consent consent_row(sqlite3_stmt *st)
{
	struct consent c = {
		.id = sqlite3_column_int64(st, 0),
		.status = sqlite3_column_int(st, 1),
		.at = sqlite3_column_int64(st, 2),
		.line = sqlite3_column_int64(st, 3),
		.list = db_text(st, 4),
		.source = db_text(st, 5),
		.detail = db_text(st, 6),
	};

	hash_row(st, 7, c.hash);
	return c;
}

int consents_get(struct store *s, int64_t subscriber, struct arena *a, struct consent **out,
	size_t *n, struct err *e)
{
	int64_t count = 0;
	sqlite3_stmt *st;
	int rc;

	*n = 0;
	if (db_int(s, "SELECT count(*) FROM (" CONSENTS_OF ")", VALS(INT(subscriber)), &count, e) <
			0 ||
		db_query(s,
			CONSENT_COLUMNS ", before.hash FROM consents AS c"
					" JOIN lists ON lists.id = c.list_id JOIN sources"
					" ON sources.id = c.source_id"
					" LEFT JOIN consents AS before ON before.id = c.id - 1"
					" WHERE c.id IN (" CONSENTS_OF ") ORDER BY c.id LIMIT ?2",
			VALS(INT(subscriber), INT(count)), &st, e) < 0)
		return -1;
	*out = arena_array(a, (size_t)count + 1, sizeof **out);
	while ((rc = db_row(s, st, e)) == 1) {
		struct consent *c = &(*out)[(*n)++];

		*c = consent_row(st);
		c->list = arena_str(a, c->list);
		c->source = arena_str(a, c->source);
		c->detail = arena_str(a, c->detail);
		hash_row(st, 8, c->before);
	}
	return rc;
}

/* ---- verifying ---- */

struct verifying {
	void (*finding)(void *user, const char *text);
	void *user;
	int found;
};

static void tell(struct verifying *v, int64_t id, const char *what)
{
	char text[128];

	snprintf(text, sizeof text, "consent %" PRId64 " %s", id, what);
	v->found++;
	if (v->finding)
		v->finding(v->user, text);
}

/* What is found of readers who are gone ends with a removal. */
static int verify_ends(struct store *s, struct verifying *v, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT max(id), status FROM consents"
		    " WHERE subscriber_id NOT IN (SELECT id FROM subscribers)"
		    " GROUP BY subscriber_id, list_id HAVING status >= 0",
		    NULL, &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1)
		tell(v, sqlite3_column_int64(st, 0), "is of a reader who is gone, and never ends");
	return rc;
}

int consents_verify(struct store *s, void (*finding)(void *user, const char *text), void *user,
	struct consent *last, struct err *e)
{
	struct verifying v = {finding, user, 0};
	unsigned char hash[CONSENT_HASH_SIZE];
	sqlite3_stmt *st;
	int rc;

	*last = (struct consent){0};
	if (db_query(s,
		    CONSENT_COLUMNS ", email_key FROM consents AS c"
				    " LEFT JOIN lists ON lists.id = list_id"
				    " LEFT JOIN sources ON sources.id = source_id"
				    " LEFT JOIN subscribers ON subscribers.id = subscriber_id"
				    " ORDER BY c.id",
		    NULL, &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		struct consent c = consent_row(st);

		if (c.id != last->id + 1)
			tell(&v, c.id, "does not follow: some before it are missing");
		memcpy(c.before, last->hash, sizeof c.before);
		if (sqlite3_column_type(st, 8) != SQLITE_NULL) {
			if (!compute(s, &c, db_text(st, 8), hash)) {
				db_end(st);
				return err_set(e, ERR_BUG, "OpenSSL refused a SHA-256");
			}
			if (memcmp(hash, c.hash, sizeof hash) != 0)
				tell(&v, c.id, "is not what its hash was made of");
		}
		*last = c;
	}
	if (rc < 0 || verify_ends(s, &v, e) < 0)
		return -1;
	last->list = last->source = last->detail = (struct str){NULL, 0};
	return v.found;
}
