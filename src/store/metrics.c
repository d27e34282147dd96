/* SPDX-License-Identifier: MIT */
#include "store/metrics.h"
#include "db.h"

/* A statement gives rows of (label, value), or (NULL, value); ?1 is the time. */
static const struct {
	const char *name, *help, *label, *sql;
} metrics[] = {
	{"lettermill_subscriptions", "People on each list now", "list",
		"SELECT slug, (SELECT count(*) FROM subscriptions WHERE list_id = lists.id AND "
		"status = 1)"
		" FROM lists WHERE ?1 ORDER BY slug"},
	{"lettermill_issues", "Issues by state", "state",
		"SELECT state, count(*) FROM issues WHERE ?1 AND id NOT IN"
		" (SELECT issue_id FROM notices) GROUP BY state"},
	{"lettermill_copies", "Rows of the ledger by state", "state",
		"SELECT state, sum(n) FROM issue_counts WHERE ?1 GROUP BY state"},
	{"lettermill_oldest_due_seconds", "How long the oldest due copy has been waiting", NULL,
		"SELECT NULL, max(0, ?1 - coalesce(min((SELECT min(d.due_at) FROM deliveries AS d"
		" INDEXED BY deliveries_due WHERE d.issue_id = issues.id AND d.state IN (0, 3))), "
		"?1))"
		" FROM issues WHERE state = 1"},
	{"lettermill_relay_paused_seconds", "How long each relay stays paused", "relay",
		"SELECT name, max(0, paused_until - ?1) FROM relays ORDER BY name"},
	{"lettermill_forms_hour", "Forms to subscribe in the last hour", NULL,
		"SELECT NULL, count(*) FROM asks WHERE at > ?1 - 3600"},
	{"lettermill_suppressions", "Addresses that get no mail", NULL,
		"SELECT NULL, count(*) FROM suppressions WHERE ?1"},
};

/* States are kept as numbers. */
static struct str label_of(const char *name, sqlite3_stmt *st)
{
	int64_t state = sqlite3_column_int64(st, 0);

	if (sqlite3_column_type(st, 0) != SQLITE_INTEGER)
		return db_text(st, 0);
	return str_of(str_eq(str_of(name), STR("lettermill_issues"))
			      ? issue_state_name((enum issue_state)state)
			      : delivery_state_name((enum delivery_state)state));
}

int metrics_each(struct store *s, int64_t now, void (*each)(void *user, const struct metric *m),
	void *user, struct err *e)
{
	sqlite3_stmt *st;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof metrics / sizeof metrics[0]; i++) {
		if (db_query(s, metrics[i].sql, VALS(INT(now)), &st, e) < 0)
			return -1;
		while ((rc = db_row(s, st, e)) == 1)
			each(user, &(struct metric){.name = metrics[i].name,
					   .help = metrics[i].help,
					   .label = metrics[i].label,
					   .value_of_label = label_of(metrics[i].name, st),
					   .value = sqlite3_column_int64(st, 1)});
	}
	return rc;
}
