/* SPDX-License-Identifier: MIT */
#include "db.h"
#include "store/people.h"

/* Suppressions by keyed hash, and the mark on the subscriber that spares every claim the hash. */

static int mark(struct store *s, struct str key, bool suppressed, struct err *e)
{
	return db_run(s, "UPDATE subscribers SET suppressed = ?2 WHERE email_key = ?1",
		VALS(TEXT(key), INT(suppressed)), e);
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
	rc = key_hash(s, key, hash, e);
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
		rc = mark(s, key, true, e) < 0 ? -1 : changed != 0;
	return tx_close(s, own, rc, e);
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

	if (key_hash(s, key, hash, e) < 0)
		return -1;
	rc = db_int(s, "SELECT 1 FROM suppressions WHERE hash = ?1",
		VALS(BLOB(((struct str){(const char *)hash, sizeof hash}))), &one, e);
	return rc ? rc : suppression_adopt(s, key, e);
}

int suppression_get(struct store *s, struct str key, struct arena *a, struct str *reason,
	int64_t *at, struct err *e)
{
	unsigned char hash[KEY_HASH_SIZE];
	sqlite3_stmt *st;
	int rc;

	if (suppression_find(s, key, e) < 0 || key_hash(s, key, hash, e) < 0 ||
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
	rc = key_hash(s, key, hash, e);
	if (rc == 0)
		rc = db_change(s, "DELETE FROM suppressions WHERE hash = ?1",
			VALS(BLOB(((struct str){(const char *)hash, sizeof hash}))), &changed, e);
	if (rc == 0 && changed == 0)
		rc = err_set(e, ERR_MISSING, "'%.*s' is not suppressed", STR_ARG(key));
	if (rc == 0)
		rc = mark(s, key, false, e);
	return tx_close(s, own, rc, e);
}
