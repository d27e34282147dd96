/* SPDX-License-Identifier: MIT */
#include "db.h"
#include "store/people.h"

#include <openssl/hmac.h>
#include <string.h>

/* Suppressions as a list: telling all of them, and taking those of other sites. */

static bool hash_under(struct str secret, struct str key, unsigned char out[KEY_HASH_SIZE])
{
	unsigned char full[EVP_MAX_MD_SIZE];
	unsigned n;

	if (str_eq(secret, SUPPRESSION_SHA512)) {
		if (EVP_Digest(key.p, key.n, full, &n, EVP_sha512(), NULL) != 1)
			return false;
	} else if (!HMAC(EVP_sha256(), secret.p, (int)secret.n, (const unsigned char *)key.p, key.n,
			   full, &n)) {
		return false;
	}
	memcpy(out, full, KEY_HASH_SIZE);
	return true;
}

/* SQL: hash_under(secret, lower(email_key)). */
static void sql_hash_under(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct str secret = {
		(const char *)sqlite3_value_text(v[0]), (size_t)sqlite3_value_bytes(v[0])};
	struct str key = {
		(const char *)sqlite3_value_text(v[1]), (size_t)sqlite3_value_bytes(v[1])};
	unsigned char hash[KEY_HASH_SIZE];

	(void)n;
	if (secret.p && key.p && hash_under(secret, key, hash))
		sqlite3_result_blob(c, hash, sizeof hash, SQLITE_TRANSIENT);
	else
		sqlite3_result_error(c, "OpenSSL refused an HMAC", -1);
}

int suppression_register(struct store *s)
{
	return sqlite3_create_function(s->db, "hash_under", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
		NULL, sql_hash_under, NULL, NULL);
}

int suppression_secret(struct store *s, struct arena *a, struct str *secret, struct err *e)
{
	return store_setting_get(s, "hash_key", a, secret, e);
}

int suppressions_each(struct store *s, bool (*each)(void *user, const struct suppression *one),
	void *user, struct err *e)
{
	struct arena a = {0};
	struct str secret;
	sqlite3_stmt *st;
	int rc = -1;

	if (suppression_secret(s, &a, &secret, e) < 0 ||
		db_query(s,
			"SELECT x'', '@' || domain, reason, '', at, 0 AS kind FROM "
			"suppressed_domains"
			" UNION ALL SELECT hash, ifnull(email_key, ''), reason, source, at, 1"
			" FROM suppressions"
			" LEFT JOIN (SELECT hash_under(?1, lower(email_key)) AS known, "
			"min(email_key) AS"
			" email_key FROM subscribers WHERE suppressed = 1 GROUP BY 1) ON known = "
			"hash"
			" ORDER BY 6, 5, 2, 1",
			VALS(TEXT(secret)), &st, e) < 0)
		goto out;
	while ((rc = db_row(s, st, e)) == 1) {
		struct suppression one = {
			.email = db_text(st, 1),
			.reason = db_text(st, 2),
			.source = db_text(st, 3),
			.at = sqlite3_column_int64(st, 4),
		};

		if (sqlite3_column_bytes(st, 0) == KEY_HASH_SIZE)
			memcpy(one.hash, sqlite3_column_blob(st, 0), KEY_HASH_SIZE);
		if (!each(user, &one))
			break;
	}
	db_end(st);
out:
	arena_free(&a);
	return rc < 0 ? -1 : 0;
}

/* ---- those of other sites ---- */

/* Whether `secret` is the key of this site: 1, 0, or -1. */
static int is_own(struct store *s, struct str secret, struct err *e)
{
	struct arena a = {0};
	struct str own;
	int rc = suppression_secret(s, &a, &own, e);

	if (rc == 0)
		rc = str_eq(own, secret);
	arena_free(&a);
	return rc;
}

int suppression_put_hash(
	struct store *s, struct str secret, const struct suppression *one, struct err *e)
{
	const struct str hash = {(const char *)one->hash, sizeof one->hash};
	int64_t changed = 0;
	bool own_tx;
	int own = is_own(s, secret, e), rc;

	if (own < 0 || tx_open(s, &own_tx, e) < 0)
		return -1;
	if (own)
		rc = db_change(s,
			"INSERT OR IGNORE INTO suppressions (hash, reason, at, source)"
			" VALUES (?1, ?2, ?3, ?4)",
			VALS(BLOB(hash), TEXT(one->reason), INT(one->at), TEXT(one->source)),
			&changed, e);
	else
		rc = db_run(s, "INSERT OR IGNORE INTO foreign_keys (secret) VALUES (?1)",
			VALS(TEXT(secret)), e);
	if (rc == 0 && !own)
		rc = db_change(s,
			"INSERT OR IGNORE INTO foreign_suppressions (key_id, hash, reason, at)"
			" SELECT id, ?2, ?3, ?4 FROM foreign_keys WHERE secret = ?1",
			VALS(TEXT(secret), BLOB(hash), TEXT(one->reason), INT(one->at)), &changed,
			e);
	return tx_close(s, own_tx, rc < 0 ? -1 : changed != 0, e);
}

int suppression_adopt(struct store *s, struct str key, struct err *e)
{
	int64_t any;
	int rc = db_int(s, "SELECT 1 FROM foreign_keys LIMIT 1", NULL, &any, e);

	if (rc <= 0)
		return rc;
	rc = db_int(s,
		"SELECT reason = 'erased' FROM foreign_keys JOIN foreign_suppressions ON key_id = "
		"id"
		" WHERE hash IN (hash_under(secret, lower(?1)), hash_under(secret, ?1))"
		" ORDER BY 1 DESC LIMIT 1",
		VALS(TEXT(key)), &any, e);
	/* A proof brings back others, never who was erased. */
	if (rc == 1 && suppression_put(s, key, any ? "erased" : "elsewhere",
			       STR("another site's list"), 0, e) < 0)
		return -1;
	return rc;
}

int suppressions_adopt(struct store *s, struct str secret, int64_t *n, struct err *e)
{
	struct arena a = {0};
	struct str own;
	bool own_tx;
	int rc;

	*n = 0;
	if (suppression_secret(s, &a, &own, e) < 0 || tx_open(s, &own_tx, e) < 0) {
		arena_free(&a);
		return -1;
	}
	rc = db_run(s,
		"INSERT OR IGNORE INTO suppressions (hash, reason, at, source)"
		" SELECT hash_under(?2, lower(email_key)), reason, at, 'another site''s list'"
		" FROM subscribers JOIN foreign_suppressions"
		" ON hash IN (hash_under(?1, lower(email_key)), hash_under(?1, email_key))"
		" JOIN foreign_keys ON foreign_keys.id = key_id AND secret = ?1",
		VALS(TEXT(secret), TEXT(own)), e);
	if (rc == 0)
		rc = suppressions_refold(s, e);
	if (rc == 0)
		rc = db_change(s,
			"UPDATE subscribers SET suppressed = 1 WHERE suppressed = 0"
			" AND hash_under(?1, lower(email_key)) IN (SELECT hash FROM suppressions)",
			VALS(TEXT(own)), n, e);
	arena_free(&a);
	return tx_close(s, own_tx, rc, e);
}
