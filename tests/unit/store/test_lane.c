/* SPDX-License-Identifier: MIT */
#include "ledger_fixture.h"

#include "mail/provider.h"

static void poke(struct fixture *f, const char *sql)
{
	sqlite3 *db;
	char *why = NULL;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	sqlite3_exec(db, sql, NULL, NULL, &why);
	if (why)
		fail_msg("%s", why);
	sqlite3_close(db);
}

/* `n` readers at a domain, on the list. */
static void readers_at(struct fixture *f, const char *domain, int n)
{
	struct subscriber who = {0};
	bool added;

	OK(f, store_begin(f->s, &f->e));
	for (int i = 1; i <= n; i++) {
		who.email = str_of(arena_printf(&f->a, "r%d@%s", i, domain));
		OK(f, subscriber_put(f->s, &who, who.email, 1, &added, &f->e));
		OK(f, subscription_put(f->s, who.id, f->list, SUBSCRIPTION_ACTIVE, STR("hand"),
			      STR(""), false, 1, &f->e));
	}
	OK(f, store_commit(f->s, &f->e));
}

static struct lane_counts of_lane(struct fixture *f, int64_t id, const char *name)
{
	struct lane_counts *lane;
	size_t n;

	OK(f, issue_lane_counts(f->s, id, &f->a, &lane, &n, &f->e));
	for (size_t i = 0; i < n; i++)
		if (str_eq(lane[i].name, str_of(name)))
			return lane[i];
	return (struct lane_counts){.lane = -1};
}

/* Providers and large domains have lanes; small domains share one; a domain keeps its lane. */
static void test_lanes_of_an_audience(void **state)
{
	struct fixture *f = *state;
	int64_t id;

	reader(f, 1);
	readers_at(f, "gmail.com", 5);
	readers_at(f, "googlemail.com", 2);
	readers_at(f, "large.example", LANE_MIN);
	readers_at(f, "small.example", LANE_MIN - 1);
	id = issue(f, "first", 50, LANE_MIN * 2 + 7);
	assert_int_equal(of_lane(f, id, "gmail").counts.n[DELIVERY_QUEUED], 7);
	assert_int_equal(of_lane(f, id, "gmail").lane, provider_find(STR("gmail")));
	assert_int_equal(of_lane(f, id, "large.example").counts.n[DELIVERY_QUEUED], LANE_MIN);
	assert_int_equal(of_lane(f, id, "large.example").lane, PROVIDER_N);
	assert_int_equal(of_lane(f, id, "small.example").lane, -1);
	assert_int_equal(of_lane(f, id, "other").counts.n[DELIVERY_QUEUED], LANE_MIN);
	poke(f, "UPDATE subscribers SET paused_until = 99 WHERE id > 100");
	id = issue(f, "second", 50, 100);
	assert_int_equal(of_lane(f, id, "large.example").counts.n[DELIVERY_QUEUED], 92);
	assert_sound(f);
}

/* A claim takes no more of a lane than its share, and the counts follow each move. */
static void test_claims_by_lane(void **state)
{
	struct fixture *f = *state;
	const int64_t gmail = provider_find(STR("gmail"));
	struct lane_share share[2] = {{LANE_OTHER, 3}, {gmail, 2}};
	struct lane *lane;
	struct claim *c;
	size_t n;
	int64_t id;

	readers_at(f, "gmail.com", 5);
	readers_at(f, "small.example", 5);
	id = issue(f, "first", 50, 10);
	assert_int_equal(turn(f, 50), 1);
	OK(f, ledger_lanes(f->s, 49, &f->a, &lane, &n, &f->e));
	assert_int_equal(n, 0);
	OK(f, ledger_lanes(f->s, 50, &f->a, &lane, &n, &f->e));
	assert_int_equal(n, 2);
	assert_int_equal(lane[1].id, gmail);
	assert_int_equal(lane[1].waiting, 5);
	OK(f, lease_open(f->s, 50, 60, &lease, &f->e));
	OK(f, ledger_claim(f->s, &lease, 50, share, 2, &f->a, &c, &n, &f->e));
	assert_int_equal(n, 5);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(c[i].lane, i < 3 ? LANE_OTHER : gmail);
	assert_int_equal(c[4].relay.n, 0);
	assert_int_equal(of_lane(f, id, "gmail").counts.n[DELIVERY_CLAIMED], 2);
	/* Put off: not due before its time, with no attempt used. */
	OK(f, ledger_postpone(f->s, &lease, id, c[4].subscriber, 90, 51, &f->e));
	share[1].limit = 9;
	OK(f, ledger_claim(f->s, &lease, 60, share + 1, 1, &f->a, &c, &n, &f->e));
	assert_int_equal(n, 3);
	OK(f, lease_renew(f->s, &lease, 61, 600, &f->e));
	OK(f, ledger_claim(f->s, &lease, 90, share + 1, 1, &f->a, &c, &n, &f->e));
	assert_int_equal(n, 1);
	assert_int_equal(c[0].attempts, 0);
	assert_sound(f);
}

/* A copy that was in doubt names its relay; a lane's trouble uses up no attempt. */
static void test_bound_and_spared(void **state)
{
	struct fixture *f = *state;
	int64_t who, id = sending(f, &who);
	struct attempt a = outcome(id, who, DELIVERY_DEFERRED);
	struct claim *c;

	a.spared = true;
	assert_int_equal(settle(f, &lease, a), 1);
	OK(f, lease_renew(f->s, &lease, 100, 900, &f->e));
	assert_int_equal(claim(f, 400, 9, true, &c), 1);
	assert_int_equal(c->attempts, 0);
	assert_int_equal(c->relay.n, 0);
	assert_int_equal(
		OK(f, ledger_intend(f->s, &lease, id, who, LANE_OTHER, STR("spare"), 401, &f->e)),
		1);
	assert_int_equal(settle(f, &lease, outcome(id, who, DELIVERY_IN_DOUBT)), 1);
	assert_int_equal(claim(f, 402, 9, true, &c), 1);
	assert_text(c->relay, "spare");
	assert_sound(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lanes_of_an_audience),
		TEST(test_claims_by_lane),
		TEST(test_bound_and_spared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
