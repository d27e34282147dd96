/* SPDX-License-Identifier: MIT */
#include "db.h"

#include <stdio.h>

/* What must hold in every database, as queries that find nothing: one column, the finding in
 * words. */
static const char *const invariants[] = {
	/* The counts are those of the rows. */
	"SELECT 'issue ' || issue_id || ' counts ' || sum(kept) || ' copies in state ' || state ||"
	" ' of lane ' || lane || ' where there are ' || sum(found)"
	" FROM (SELECT issue_id, state, lane, n AS kept, 0 AS found FROM issue_counts"
	"  UNION ALL SELECT issue_id, state, lane, 0, count(*) FROM deliveries GROUP BY 1, 2, 3)"
	" GROUP BY issue_id, state, lane HAVING sum(kept) <> sum(found)",
	"SELECT 'the copy of issue ' || issue_id || ' for subscriber ' || subscriber_id ||"
	" ' rests and has a lease' FROM deliveries WHERE lease <> 0 AND state NOT IN (1, 2)",
	"SELECT 'the copy of issue ' || issue_id || ' for subscriber ' || subscriber_id ||"
	" ' is held by no lease that exists' FROM deliveries"
	" WHERE state IN (1, 2) AND lease NOT IN (SELECT id FROM leases)",
	"SELECT 'the copy of issue ' || issue_id || ' for subscriber ' || subscriber_id ||"
	" ' was sent and has no attempt that says so' FROM deliveries AS d"
	" WHERE state = 5 AND NOT EXISTS (SELECT 1 FROM attempts AS a"
	" WHERE a.issue_id = d.issue_id AND a.subscriber_id = d.subscriber_id AND a.state = 5)",
	"SELECT 'the ledger has copies of issue ' || issue_id || ', which does not exist'"
	" FROM issue_counts WHERE issue_id NOT IN (SELECT id FROM issues) GROUP BY issue_id",
	"SELECT 'an attempt of issue ' || issue_id || ' for subscriber ' || subscriber_id ||"
	" ' has no copy in the ledger' FROM attempts AS a"
	" WHERE NOT EXISTS (SELECT 1 FROM deliveries AS d"
	" WHERE a.issue_id = d.issue_id AND a.subscriber_id = d.subscriber_id)",
	"SELECT 'subscriber ' || p.subscriber_id || ' stands on list ' || p.list_id ||"
	" ' otherwise than the consent ' || consent_id || ' says' FROM subscriptions AS p"
	" LEFT JOIN consents AS c ON c.id = consent_id AND c.subscriber_id = p.subscriber_id"
	" AND c.list_id = p.list_id AND c.status = p.status WHERE c.id IS NULL",
	"SELECT 'issue ' || id || ' is done and has copies left' FROM issues"
	" JOIN issue_counts AS c ON issue_id = id"
	" WHERE issues.state = 3 AND c.state IN (0, 1, 2, 3) AND n > 0",
	"SELECT 'the attributes of subscriber ' || id || ' are no JSON' FROM subscribers"
	" WHERE attributes IS NOT NULL AND NOT json_valid(attributes)",
	/* Numbers that no word stands for. */
	"SELECT 'the copy of issue ' || issue_id || ' for subscriber ' || subscriber_id ||"
	" ' has the unknown state ' || state FROM deliveries WHERE state NOT BETWEEN 0 AND 11",
};

struct checking {
	struct store *s;
	void (*finding)(void *user, const char *text);
	void *user;
	int found;
};

static void tell(struct checking *c, const char *text)
{
	c->found++;
	if (c->finding)
		c->finding(c->user, text);
}

static int run(struct checking *c, const char *sql, struct err *e)
{
	char text[512];
	sqlite3_stmt *st;
	int rc;

	if (db_query(c->s, sql, NULL, &st, e) < 0)
		return -1;
	while ((rc = db_row(c->s, st, e)) == 1) {
		struct str found = db_text(st, 0);

		snprintf(text, sizeof text, "%.*s", STR_ARG(found));
		if (!str_eq(found, STR("ok")))
			tell(c, text);
	}
	return rc;
}

/* The mark on each subscriber says what the keyed hashes say. */
static int check_suppressed(struct checking *c, struct err *e)
{
	unsigned char hash[KEY_HASH_SIZE];
	char text[128];
	sqlite3_stmt *st;
	int rc;

	if (db_query(c->s, "SELECT id, email_key, suppressed FROM subscribers", NULL, &st, e) < 0)
		return -1;
	while ((rc = db_row(c->s, st, e)) == 1) {
		int64_t one;
		int found;

		rc = key_hash(c->s, db_text(st, 1), hash, e);
		found = rc < 0 ? -1 : suppression_of_domain(c->s, db_text(st, 1), &one, e);
		found = found ? found
			      : db_int(c->s, "SELECT 1 FROM suppressions WHERE hash = ?1",
					VALS(BLOB(((struct str){(const char *)hash, sizeof hash}))),
					&one, e);
		if (found < 0) {
			rc = -1;
			break;
		}
		if (found == (sqlite3_column_int(st, 2) != 0))
			continue;
		snprintf(text, sizeof text, "subscriber %lld is %s and not marked so",
			(long long)sqlite3_column_int64(st, 0),
			found ? "suppressed" : "not suppressed");
		tell(c, text);
	}
	db_end(st);
	return rc;
}

int store_check(struct store *s, bool whole, void (*finding)(void *user, const char *text),
	void *user, struct err *e)
{
	struct checking c = {.s = s, .finding = finding, .user = user};
	struct consent last;
	int consents;

	if (run(&c, whole ? "PRAGMA integrity_check" : "PRAGMA quick_check", e) < 0 ||
		run(&c,
			"SELECT 'a row of ' || \"table\" || ' names a row of ' || parent ||"
			" ' that does not exist' FROM pragma_foreign_key_check",
			e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof invariants / sizeof *invariants; i++)
		if (run(&c, invariants[i], e) < 0)
			return -1;
	if (check_suppressed(&c, e) < 0)
		return -1;
	consents = consents_verify(s, finding, user, &last, e);
	return consents < 0 ? -1 : c.found + consents;
}
