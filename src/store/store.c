/* SPDX-License-Identifier: MIT */
#include "base/enc.h"
#include "db.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

/* Settings, history, sources of consent, the keyed hash. */

int store_setting_get(
	struct store *s, const char *name, struct arena *a, struct str *value, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	*value = (struct str){NULL, 0};
	if (db_query(s, "SELECT value FROM settings WHERE name = ?1", VALS(TEXT(str_of(name))), &st,
		    e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 1)
		*value = db_copy(st, 0, a);
	db_end(st);
	return rc < 0 ? -1 : 0;
}

int store_setting_put(struct store *s, const char *name, struct str value, struct err *e)
{
	bool own;

	if (tx_open(s, &own, e) < 0)
		return -1;
	return tx_close(s, own,
		db_run(s,
			"INSERT INTO settings (name, value) VALUES (?1, ?2)"
			" ON CONFLICT DO UPDATE SET value = excluded.value",
			VALS(TEXT(str_of(name)), TEXT(value)), e),
		e);
}

int store_event(struct store *s, int64_t at, const char *what, int64_t subscriber,
	struct str detail, struct err *e)
{
	bool own;

	if (tx_open(s, &own, e) < 0)
		return -1;
	return tx_close(s, own,
		db_run(s,
			"INSERT INTO events (at, what, subscriber_id, detail)"
			" VALUES (?1, ?2, ?3, ?4)",
			VALS(INT(at), TEXT(str_of(what)), INT_OR_NULL(subscriber), TEXT(detail)),
			e),
		e);
}

int source_id(struct store *s, struct str words, int64_t *id, struct err *e)
{
	int rc = db_int(s, "SELECT id FROM sources WHERE words = ?1", VALS(TEXT(words)), id, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (db_run(s, "INSERT INTO sources (words) VALUES (?1)", VALS(TEXT(words)), e) < 0)
		return -1;
	*id = sqlite3_last_insert_rowid(s->db);
	return 0;
}

/* ---- the keyed hash ---- */

static int load_mac(struct store *s, struct err *e)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	struct arena a = {0};
	struct str key;
	int rc = -1;

	if (store_setting_get(s, "hash_key", &a, &key, e) < 0)
		goto out;
	if (!key.n) {
		err_set(e, ERR_INPUT, "the database '%s' has lost its setting 'hash_key'", s->path);
		goto out;
	}
	s->mac = EVP_MAC_CTX_new(mac);
	if (EVP_MAC_init(s->mac, (const unsigned char *)key.p, key.n, params) == 1) {
		rc = 0;
		goto out;
	}
	err_set(e, ERR_BUG, "OpenSSL offers no HMAC-SHA-256");
	EVP_MAC_CTX_free(s->mac);
	s->mac = NULL;
out:
	EVP_MAC_free(mac);
	arena_free(&a);
	return rc;
}

int key_hash(struct store *s, struct str key, unsigned char out[KEY_HASH_SIZE], struct err *e)
{
	unsigned char full[EVP_MAX_MD_SIZE];
	size_t n;

	if (!s->mac && load_mac(s, e) < 0)
		return -1;
	if (EVP_MAC_init(s->mac, NULL, 0, NULL) != 1 ||
		EVP_MAC_update(s->mac, (const unsigned char *)key.p, key.n) != 1 ||
		EVP_MAC_final(s->mac, full, &n, sizeof full) != 1)
		return err_set(e, ERR_BUG, "OpenSSL refused an HMAC");
	memcpy(out, full, KEY_HASH_SIZE);
	return 0;
}
