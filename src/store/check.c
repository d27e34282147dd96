/* SPDX-License-Identifier: MIT */
#include "db.h"
#include "mail/segment.h"

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
	"SELECT 'an attempt of issue ' || issue_id || ' for subscriber ' || subscriber_id ||"
	" ' was made by no relay that exists' FROM attempts"
	" WHERE relay_id IS NOT NULL AND relay_id NOT IN (SELECT id FROM relays)",
	"SELECT 'subscriber ' || p.subscriber_id || ' stands on list ' || p.list_id ||"
	" ' otherwise than the consent ' || consent_id || ' says' FROM subscriptions AS p"
	" LEFT JOIN consents AS c ON c.id = consent_id AND c.subscriber_id = p.subscriber_id"
	" AND c.list_id = p.list_id AND c.status = p.status WHERE c.id IS NULL",
	"SELECT 'issue ' || id || ' is done and has copies left' FROM issues"
	" JOIN issue_counts AS c ON issue_id = id"
	" WHERE issues.state = 3 AND c.state IN (0, 1, 2, 3) AND n > 0",
	"SELECT 'the attributes of subscriber ' || id || ' are no JSON' FROM subscribers"
	" WHERE attributes IS NOT NULL AND NOT json_valid(attributes)",
	/* Pacing and care. */
	"SELECT 'copies of issue ' || issue_id || ' are in lane ' || lane || ', which does not "
	"exist'"
	" FROM issue_counts WHERE lane >= 64 AND lane NOT IN (SELECT id FROM lanes)"
	" GROUP BY issue_id, lane",
	"SELECT 'the copy of issue ' || issue_id || ' for subscriber ' || subscriber_id ||"
	" ' is on its way by no relay that exists' FROM deliveries"
	" WHERE state = 2 AND coalesce(relay_id, 0) NOT IN (SELECT id FROM relays)",
	"SELECT 'issue ' || id || ' has ' || (SELECT coalesce(sum(n), 0) FROM issue_counts AS c"
	"  WHERE c.issue_id = id) || ' copies, not the ' || coalesce(copies, 0) ||"
	" ' of its freeze' FROM issues LEFT JOIN issue_care AS k ON k.issue_id = id"
	" WHERE id NOT IN (SELECT issue_id FROM notices) AND copies IS NOT"
	" (SELECT coalesce(sum(n), 0) FROM issue_counts AS c WHERE c.issue_id = id)",
	"SELECT 'of issue ' || issue_id || ' and lane ' || lane || ' more is known than was tried'"
	" FROM care WHERE sent + refused > tries",
	"SELECT 'the journal of issue ' || issue_id || ' is of no issue, or was seen wrongly'"
	" FROM journals WHERE issue_id NOT IN (SELECT id FROM issues)"
	" OR length(file) <> 16 OR seen < 0",
	/* What came back. */
	"SELECT 'the copy of issue ' || issue_id || ' for subscriber ' || subscriber_id ||"
	" ' came back, and no report says so' FROM deliveries AS d WHERE state IN (10, 11)"
	" AND EXISTS (SELECT 1 FROM subscribers WHERE id = d.subscriber_id)"
	" AND NOT EXISTS (SELECT 1 FROM returns AS r WHERE r.subscriber_id = d.subscriber_id"
	"  AND r.issue_id = d.issue_id AND r.kind = d.state - 10)",
	"SELECT 'a report about subscriber ' || subscriber_id || ' and issue ' || issue_id ||"
	" ' has no copy in the ledger' FROM returns AS r WHERE NOT EXISTS"
	" (SELECT 1 FROM deliveries AS d WHERE d.issue_id = r.issue_id"
	"  AND d.subscriber_id = r.subscriber_id)",
	"SELECT 'the domain ' || domain || ' is suppressed in a spelling that no address has'"
	" FROM suppressed_domains WHERE domain <> lower(domain) OR domain GLOB '*[@ ]*'",
	/* The pages. */
	"SELECT 'the notice ' || notices.issue_id || ' is no issue of its list' FROM notices"
	" LEFT JOIN issues ON id = issue_id AND issues.list_id = notices.list_id"
	" WHERE id IS NULL OR kind NOT BETWEEN 1 AND 3",
	"SELECT 'the form ' || id || ' was answered by issue ' || issue_id ||"
	" ', which asks nobody to confirm' FROM asks WHERE issue_id IS NOT NULL"
	" AND issue_id NOT IN (SELECT issue_id FROM notices WHERE kind = 1)",
	"SELECT 'the links of issue ' || issue_id || ' are not numbered from 1' FROM links"
	" GROUP BY issue_id HAVING min(n) <> 1 OR max(n) <> count(*)",
	"SELECT 'subscriber ' || subscriber_id || ' followed link ' || n || ' of issue ' ||"
	" issue_id || ', which does not exist' FROM clicks AS k WHERE NOT EXISTS"
	" (SELECT 1 FROM links AS l WHERE l.issue_id = k.issue_id AND l.n = k.n)",
	"SELECT DISTINCT 'import ' || import_id || ' has rows and no record' FROM"
	" (SELECT import_id FROM import_rows UNION ALL SELECT import_id FROM import_packs)"
	" WHERE import_id NOT IN (SELECT id FROM imports)",
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

		rc = suppression_hash(c->s, db_text(st, 1), hash, e);
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

/* What the issues' segments say is still understood. */
static int check_segments(struct checking *c, struct err *e)
{
	const struct segment *segment;
	struct arena a = {0};
	char text[sizeof(struct err) + 64];
	sqlite3_stmt *st;
	int rc;

	if (db_query(c->s, "SELECT id, segment FROM issues WHERE segment <> ''", NULL, &st, e) < 0)
		return -1;
	while ((rc = db_row(c->s, st, e)) == 1) {
		struct err bad = {0};

		if (segment_parse(&a, db_text(st, 1), &segment, &bad) == 0)
			continue;
		snprintf(text, sizeof text, "the segment of issue %lld is none: %s",
			(long long)sqlite3_column_int64(st, 0), bad.text);
		tell(c, text);
	}
	arena_free(&a);
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
	if (check_suppressed(&c, e) < 0 || check_segments(&c, e) < 0)
		return -1;
	consents = consents_verify(s, finding, user, &last, e);
	return consents < 0 ? -1 : c.found + consents;
}
