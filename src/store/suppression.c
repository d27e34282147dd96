/* SPDX-License-Identifier: MIT */
#include "db.h"
#include "mail/addr.h"
#include "store/people.h"

/* Suppressions by keyed hash, and the mark on the subscriber that spares every claim the hash. */

enum { FOLDED_MAX = 512 }; /* longer than any address */

static struct str folded(struct str key, char room[FOLDED_MAX])
{
	if (key.n > FOLDED_MAX)
		return key;
	for (size_t i = 0; i < key.n; i++)
		room[i] = (char)(key.p[i] >= 'A' && key.p[i] <= 'Z' ? key.p[i] + 'a' - 'A'
								    : key.p[i]);
	return (struct str){room, key.n};
}

int suppression_hash(
	struct store *s, struct str key, unsigned char out[KEY_HASH_SIZE], struct err *e)
{
	char room[FOLDED_MAX];

	return key_hash(s, folded(key, room), out, e);
}

int suppression_mark(struct store *s, struct str key, bool suppressed, struct err *e)
{
	return db_run(s,
		"UPDATE subscribers SET suppressed = ?2 OR EXISTS"
		" (SELECT 1 FROM suppressed_domains WHERE domain = ?3)"
		" WHERE email_key IN (?1, lower(?1))"
		" OR (lower(email_key) = lower(?1) AND email_key <> lower(email_key))",
		VALS(TEXT(key), INT(suppressed), TEXT(addr_domain(key))), e);
}

int suppression_of_domain(struct store *s, struct str key, int64_t *at, struct err *e)
{
	return db_int(s, "SELECT at FROM suppressed_domains WHERE domain = ?1",
		VALS(TEXT(addr_domain(key))), at, e);
}

int suppression_put(struct store *s, struct str key, const char *reason, struct str source,
	int64_t now, struct err *e)
{
	unsigned char hash[KEY_HASH_SIZE];
	int64_t changed = 0;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = suppression_hash(s, key, hash, e);
	if (rc == 0)
		rc = db_change(s,
			"INSERT INTO suppressions (hash, reason, at, source) VALUES (?1, ?2, ?3, "
			"?4)"
			" ON CONFLICT DO UPDATE SET reason = excluded.reason, at = excluded.at,"
			" source = excluded.source"
			" WHERE reason = 'bounce' AND excluded.reason <> 'bounce'",
			VALS(BLOB(((struct str){(const char *)hash, sizeof hash})),
				TEXT(str_of(reason)), INT(now), TEXT(source)),
			&changed, e);
	if (rc == 0)
		rc = suppression_mark(s, key, true, e) < 0 ? -1 : changed != 0;
	return tx_close(s, own, rc, e);
}

int suppression_take_back(struct store *s, struct str key, struct str source, struct err *e)
{
	unsigned char hash[KEY_HASH_SIZE];
	int64_t changed;

	if (suppression_hash(s, key, hash, e) < 0 ||
		db_change(s, "DELETE FROM suppressions WHERE hash = ?1 AND ?2 IN ('', source)",
			VALS(BLOB(((struct str){(const char *)hash, sizeof hash})), TEXT(source)),
			&changed, e) < 0)
		return -1;
	return changed ? suppression_mark(s, key, false, e) : 0;
}

int suppression_add(struct store *s, struct str key, const char *reason, int64_t now, struct err *e)
{
	return suppression_put(s, key, reason, STR(""), now, e) < 0 ? -1 : 0;
}

int suppression_find(struct store *s, struct str key, struct err *e)
{
	unsigned char hash[KEY_HASH_SIZE];
	int64_t one;
	int rc;

	rc = suppression_of_domain(s, key, &one, e);
	if (rc)
		return rc;
	if (suppression_hash(s, key, hash, e) < 0)
		return -1;
	rc = db_int(s, "SELECT 1 FROM suppressions WHERE hash = ?1",
		VALS(BLOB(((struct str){(const char *)hash, sizeof hash}))), &one, e);
	if (rc == 0)
		rc = suppression_refold(s, key, e);
	return rc ? rc : suppression_adopt(s, key, e);
}

int suppression_get(struct store *s, struct str key, struct arena *a, struct str *reason,
	int64_t *at, struct err *e)
{
	unsigned char hash[KEY_HASH_SIZE];
	sqlite3_stmt *st;
	int rc;

	rc = suppression_of_domain(s, key, at, e);
	*reason = STR("domain");
	if (rc)
		return rc;
	if (suppression_find(s, key, e) < 0 || suppression_hash(s, key, hash, e) < 0 ||
		db_query(s, "SELECT reason, at FROM suppressions WHERE hash = ?1",
			VALS(BLOB(((struct str){(const char *)hash, sizeof hash}))), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 1) {
		*reason = db_copy(st, 0, a);
		*at = sqlite3_column_int64(st, 1);
		db_end(st);
	}
	return rc;
}

int suppression_remove(struct store *s, struct str key, struct err *e)
{
	unsigned char hash[KEY_HASH_SIZE];
	int64_t changed;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = suppression_refold(s, key, e);
	if (rc >= 0)
		rc = suppression_hash(s, key, hash, e);
	if (rc == 0)
		rc = db_change(s, "DELETE FROM suppressions WHERE hash = ?1",
			VALS(BLOB(((struct str){(const char *)hash, sizeof hash}))), &changed, e);
	if (rc == 0 && changed == 0 && suppression_of_domain(s, key, &changed, e) == 1)
		rc = err_set(e, ERR_DENIED,
			"'%.*s' is suppressed with its whole domain: lift that of '@%.*s'",
			STR_ARG(key), STR_ARG(addr_domain(key)));
	else if (rc == 0 && changed == 0)
		rc = err_set(e, ERR_MISSING, "'%.*s' is not suppressed", STR_ARG(key));
	if (rc == 0)
		rc = suppression_mark(s, key, false, e);
	return tx_close(s, own, rc, e);
}

/* ---- hashes of before ---- */

static int refold(struct store *s, struct str key, struct str old, struct str new, struct err *e)
{
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = db_run(s,
		"INSERT INTO suppressions (hash, reason, at, source) SELECT ?2, reason, at, source"
		" FROM suppressions WHERE hash = ?1 ON CONFLICT DO UPDATE SET"
		" reason = excluded.reason, at = excluded.at, source = excluded.source"
		" WHERE reason = 'bounce' AND excluded.reason <> 'bounce'",
		VALS(BLOB(old), BLOB(new)), e);
	if (rc == 0)
		rc = db_run(s, "DELETE FROM suppressions WHERE hash = ?1", VALS(BLOB(old)), e);
	if (rc == 0)
		rc = suppression_mark(s, key, true, e);
	return tx_close(s, own, rc < 0 ? -1 : 1, e);
}

int suppression_refold(struct store *s, struct str key, struct err *e)
{
	unsigned char old[KEY_HASH_SIZE], new[KEY_HASH_SIZE];
	char room[FOLDED_MAX];
	int64_t one;
	int rc;

	if (str_eq(folded(key, room), key))
		return 0;
	if (key_hash(s, key, old, e) < 0 || suppression_hash(s, key, new, e) < 0)
		return -1;
	rc = db_int(s, "SELECT 1 FROM suppressions WHERE hash = ?1",
		VALS(BLOB(((struct str){(const char *)old, sizeof old}))), &one, e);
	return rc <= 0 ? rc
		       : refold(s, key, (struct str){(const char *)old, sizeof old},
				 (struct str){(const char *)new, sizeof new}, e);
}

int suppressions_refold(struct store *s, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT email_key FROM subscribers INDEXED BY subscribers_cased"
		    " WHERE email_key <> lower(email_key)",
		    NULL, &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1)
		if (suppression_refold(s, db_text(st, 0), e) < 0) {
			rc = -1;
			break;
		}
	db_end(st);
	return rc;
}

/* ---- domains ---- */

/* Set the mark anew of all people of a domain, whose own suppressions count when the domain's does not. */
static int mark_domain(
	struct store *s, struct str domain, bool suppressed, int64_t *n, struct err *e)
{
	struct arena a = {0};
	struct str secret;
	int rc = -1;

	if (suppression_secret(s, &a, &secret, e) == 0)
		rc = db_change(s,
			"UPDATE subscribers SET suppressed = ?2 OR EXISTS (SELECT 1 FROM"
			" suppressions WHERE hash = hash_under(?3, lower(email_key)))"
			" WHERE " DOMAIN_OF("email_key") " = ?1",
			VALS(TEXT(domain), INT(suppressed), TEXT(secret)), n, e);
	arena_free(&a);
	return rc;
}

int suppression_put_domain(struct store *s, struct str domain, const char *reason, int64_t now,
	int64_t *n, struct err *e)
{
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = db_run(s,
		"INSERT INTO suppressed_domains (domain, reason, at) VALUES (?1, ?2, ?3)"
		" ON CONFLICT DO NOTHING",
		VALS(TEXT(domain), TEXT(str_of(reason)), INT(now)), e);
	if (rc == 0)
		rc = mark_domain(s, domain, true, n, e);
	return tx_close(s, own, rc, e);
}

int suppression_remove_domain(struct store *s, struct str domain, int64_t *n, struct err *e)
{
	int64_t changed;
	bool own;
	int rc;

	if (tx_open(s, &own, e) < 0)
		return -1;
	rc = db_change(s, "DELETE FROM suppressed_domains WHERE domain = ?1", VALS(TEXT(domain)),
		&changed, e);
	if (rc == 0 && changed == 0)
		rc = err_set(
			e, ERR_MISSING, "the domain '%.*s' is not suppressed", STR_ARG(domain));
	if (rc == 0)
		rc = mark_domain(s, domain, false, n, e);
	return tx_close(s, own, rc, e);
}
