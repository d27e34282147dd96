/* SPDX-License-Identifier: MIT */
#include "mail/provider.h"
#include "segment.h"

#include <stdlib.h>
#include <string.h>

/*
 * Lanes: a provider's number below PROVIDER_N, or a large domain's in the table of lanes. Which lane a row
 * belongs to is found once, at the freeze.
 */
_Static_assert((int)LANE_OTHER == (int)PROVIDER_OTHER, "the lane of small domains has its number");

int lane_name(struct store *s, int64_t lane, struct arena *a, struct str *out, struct err *e)
{
	const struct provider *p = lane < PROVIDER_N ? provider_get((int)lane) : NULL;
	sqlite3_stmt *st;
	int rc;

	*out = p ? str_of(p->name) : STR("");
	if (p)
		return 0;
	if (db_query(s, "SELECT name FROM lanes WHERE id = ?1", VALS(INT(lane)), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc == 1) {
		*out = db_copy(st, 0, a);
		db_end(st);
	}
	return rc < 0 ? -1 : 0;
}

/* ---- at the freeze ---- */

struct domain {
	struct str name;
	int64_t lane;
};

struct domains {
	struct domain *domain; /* by name */
	size_t n;
};

static int compare(const void *a, const void *b)
{
	const struct domain *x = a, *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int order = memcmp(x->name.p, y->name.p, n);

	return order ? order : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

/* The SQL function lane_of(DOMAIN). */
static void lane_of(sqlite3_context *to, int argc, sqlite3_value **argv)
{
	const struct domains *d = sqlite3_user_data(to);
	const char *text = (const char *)sqlite3_value_text(argv[0]);
	struct domain key = {.name = {text ? text : "", (size_t)sqlite3_value_bytes(argv[0])}};
	const struct domain *found;
	int provider = provider_of(key.name);

	(void)argc;
	found = provider == PROVIDER_OTHER && d->n
			? bsearch(&key, d->domain, d->n, sizeof key, compare)
			: NULL;
	sqlite3_result_int64(to, found ? found->lane : provider);
}

static int read_domains(struct store *s, struct arena *a, struct domains *d, struct err *e)
{
	sqlite3_stmt *st;
	int64_t count = 0;
	int rc;

	if (db_int(s, "SELECT count(*) FROM lanes", NULL, &count, e) < 0 ||
		db_query(s, "SELECT id, name FROM lanes", NULL, &st, e) < 0)
		return -1;
	d->n = 0;
	d->domain = arena_array(a, (size_t)count + 1, sizeof *d->domain);
	while ((rc = db_row(s, st, e)) == 1)
		d->domain[d->n++] = (struct domain){db_copy(st, 1, a), sqlite3_column_int64(st, 0)};
	qsort(d->domain, d->n, sizeof *d->domain, compare);
	return rc;
}

/* Domains that are large enough in this audience get a lane, if they have none. */
#define ADD_DOMAINS(audience)                                                                      \
	"INSERT INTO lanes (id, name) SELECT (SELECT coalesce(max(id), ?2 - 1) FROM lanes)"        \
	" + row_number() OVER (ORDER BY domain), domain FROM (SELECT " DOMAIN_OF(                  \
		"email_key") " AS domain" audience                                                 \
			     " AND lane_of(" DOMAIN_OF("email_key") ") = 0"                        \
								    " GROUP BY 1 "                 \
								    "HAVING "                      \
								    "count(*) >= ?4)"
static int add_domains(struct store *s, const struct issue *i, int64_t list, struct err *e)
{
	return db_run(s, i->segment.n ? ADD_DOMAINS(AUDIENCE IN_SEGMENT) : ADD_DOMAINS(AUDIENCE),
		VALS(INT(list), INT(PROVIDER_N), INT(i->due_at), INT(LANE_MIN)), e);
}

/* Move the counts of what waits in an issue: of all of it at the freeze, when nothing is deferred yet, else
 * of what is in state `from`. */
static int count_rows(struct store *s, int64_t issue, enum delivery_state from,
	enum delivery_state to, int64_t *rows, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	/* The first is answered by the index alone. */
	rc = from == DELIVERY_STATE_N
		     ? db_query(s,
			       "SELECT lane, count(*) FROM deliveries INDEXED BY deliveries_due"
			       " WHERE issue_id = ?1 AND state IN (0, 3) GROUP BY lane",
			       VALS(INT(issue)), &st, e)
		     : db_query(s,
			       "SELECT lane, count(*) FROM deliveries INDEXED BY deliveries_due"
			       " WHERE issue_id = ?1 AND state IN (0, 3) AND state = ?2 GROUP BY "
			       "lane",
			       VALS(INT(issue), INT(from)), &st, e);
	if (rc < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		int64_t n = sqlite3_column_int64(st, 1);

		if (counts_move(s, issue, sqlite3_column_int64(st, 0), from, to, n, e) < 0) {
			db_end(st);
			return -1;
		}
		*rows += n;
	}
	return rc;
}

#define FREEZE(audience)                                                                           \
	"INSERT INTO deliveries (issue_id, subscriber_id, state, due_at, lane)"                    \
	" SELECT ?2, subscriber_id, 0, ?3, lane_of(" DOMAIN_OF(                                    \
		"email_key") ")" audience " ORDER BY subscriber_id"

int lane_freeze(
	struct store *s, const struct issue *i, int64_t list, int64_t *frozen, struct err *e)
{
	struct domains domains = {0};
	struct arena a = {0};
	int rc = -1;

	*frozen = 0;
	if (sqlite3_create_function(s->db, "lane_of", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
		    &domains, lane_of, NULL, NULL) != SQLITE_OK) {
		db_fail(s, e);
		goto out;
	}
	if (read_domains(s, &a, &domains, e) < 0 || add_domains(s, i, list, e) < 0 ||
		read_domains(s, &a, &domains, e) < 0 ||
		db_run(s, i->segment.n ? FREEZE(AUDIENCE IN_SEGMENT) : FREEZE(AUDIENCE),
			VALS(INT(list), INT(i->id), INT(i->due_at)), e) < 0)
		goto out;
	rc = count_rows(s, i->id, DELIVERY_STATE_N, DELIVERY_QUEUED, frozen, e);
out:
	arena_free(&a);
	return rc;
}

int lanes_end(struct store *s, int64_t issue, enum delivery_state from, enum delivery_state to,
	int64_t now, int64_t *rows, struct err *e)
{
	if (count_rows(s, issue, from, to, rows, e) < 0)
		return -1;
	return db_run(s,
		"UPDATE deliveries SET state = ?4, settled_at = ?3"
		" WHERE issue_id = ?1 AND state IN (0, 3) AND state = ?2",
		VALS(INT(issue), INT(from), INT(now), INT(to)), e);
}

/* ---- telling ---- */

int issue_lane_counts(struct store *s, int64_t issue, struct arena *a, struct lane_counts **out,
	size_t *n, struct err *e)
{
	int64_t lanes = 0;
	sqlite3_stmt *st;
	int rc;

	*n = 0;
	if (counts_flush(s, e) < 0 ||
		db_int(s, "SELECT count(DISTINCT lane) FROM issue_counts WHERE issue_id = ?1",
			VALS(INT(issue)), &lanes, e) < 0 ||
		db_query(s,
			"SELECT lane, state, n FROM issue_counts WHERE issue_id = ?1"
			" ORDER BY lane, state",
			VALS(INT(issue)), &st, e) < 0)
		return -1;
	*out = arena_array(a, (size_t)lanes + 1, sizeof **out);
	while ((rc = db_row(s, st, e)) == 1) {
		int64_t lane = sqlite3_column_int64(st, 0);
		int state = sqlite3_column_int(st, 1);

		if (*n == 0 || (*out)[*n - 1].lane != lane)
			(*out)[(*n)++] = (struct lane_counts){.lane = lane};
		if (state >= 0 && state < DELIVERY_STATE_N)
			(*out)[*n - 1].counts.n[state] = sqlite3_column_int64(st, 2);
	}
	for (size_t i = 0; rc == 0 && i < *n; i++)
		rc = lane_name(s, (*out)[i].lane, a, &(*out)[i].name, e);
	return rc;
}

#define LATER                                                                                      \
	"SELECT lane, max(due_at) AS at, count(*) FROM deliveries INDEXED BY deliveries_due"       \
	" WHERE issue_id = ?1 AND state IN (0, 3) AND due_at > ?2 GROUP BY lane, due_at / 300"

int issue_due_later(struct store *s, int64_t issue, int64_t now, struct arena *a,
	struct lane_later **out, size_t *n, struct err *e)
{
	int64_t groups = 0;
	sqlite3_stmt *st;
	int rc;

	*n = 0;
	if (db_int(s, "SELECT count(*) FROM (" LATER ")", VALS(INT(issue), INT(now)), &groups, e) <
			0 ||
		db_query(s, LATER " ORDER BY at LIMIT ?3", VALS(INT(issue), INT(now), INT(groups)),
			&st, e) < 0)
		return -1;
	*out = arena_array(a, (size_t)groups + 1, sizeof **out);
	while ((rc = db_row(s, st, e)) == 1)
		(*out)[(*n)++] = (struct lane_later){sqlite3_column_int64(st, 0),
			sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2)};
	return rc;
}

int lanes_known(
	struct store *s, struct arena *a, struct lane_counts **out, size_t *n, struct err *e)
{
	int64_t lanes = 0;
	sqlite3_stmt *st;
	int rc;

	*n = 0;
	if (db_int(s, "SELECT count(*) FROM lane_pace", NULL, &lanes, e) < 0 ||
		db_query(s, "SELECT lane FROM lane_pace ORDER BY lane LIMIT ?1", VALS(INT(lanes)),
			&st, e) < 0)
		return -1;
	*out = arena_array(a, (size_t)lanes + 1, sizeof **out);
	while ((rc = db_row(s, st, e)) == 1)
		(*out)[(*n)++] = (struct lane_counts){.lane = sqlite3_column_int64(st, 0)};
	for (size_t i = 0; rc == 0 && i < *n; i++)
		rc = lane_name(s, (*out)[i].lane, a, &(*out)[i].name, e);
	return rc;
}

int ledger_lanes(
	struct store *s, int64_t now, struct arena *a, struct lane **out, size_t *n, struct err *e)
{
	static const char due[] =
		"SELECT c.lane, sum(c.n) FROM issues JOIN issue_counts AS c ON c.issue_id = "
		"issues.id"
		" AND c.state IN (0, 3) AND c.n > 0 WHERE issues.state = 1"
		" AND (SELECT min(due_at) FROM deliveries AS d INDEXED BY deliveries_due"
		"  WHERE d.issue_id = issues.id AND d.lane = c.lane AND d.state IN (0, 3)) <= ?1"
		" GROUP BY c.lane";
	size_t room = 0;
	sqlite3_stmt *st;
	int rc;

	*n = 0;
	*out = NULL;
	if (counts_flush(s, e) < 0 || db_query(s, due, VALS(INT(now)), &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		if (*n == room) {
			struct lane *more = arena_array(a, room = 2 * room + 16, sizeof *more);

			if (*n)
				memcpy(more, *out, *n * sizeof *more);
			*out = more;
		}
		(*out)[(*n)++] = (struct lane){
			.id = sqlite3_column_int64(st, 0), .waiting = sqlite3_column_int64(st, 1)};
	}
	for (size_t i = 0; rc == 0 && i < *n; i++)
		rc = lane_name(s, (*out)[i].id, a, &(*out)[i].name, e);
	return rc;
}
