/* SPDX-License-Identifier: MIT */
#include "../../../src/store/segment.h"

#include "fixture.h"

static int64_t person(struct fixture *f, const char *email, const char *attributes)
{
	struct subscriber who = {
		.email = str_of(email), .first_name = STR("Ana"), .attributes = str_of(attributes)};
	bool added;

	OK(f, subscriber_put(f->s, &who, who.email, 86400 * 365, &added, &f->e));
	OK(f, subscription_put(f->s, who.id, f->list, SUBSCRIPTION_ACTIVE, STR("hand"), STR(""),
		      false, 1, &f->e));
	return who.id;
}

static void people(struct fixture *f)
{
	person(f, "ana@example.org",
		"{\"city\":\"Lisbon\",\"age\":\"30\",\"tags\":[\"vip\",\"old\"],\"since\":\"2025-"
		"03-01 "
		"10:00\"}");
	person(f, "bob@gmail.com",
		"{\"city\":\"Porto\",\"age\":9,\"tags\":\"New, VIP\",\"since\":\"x\"}");
	person(f, "eve@example.org", "{}");
}

static int64_t bit(struct fixture *f)
{
	sqlite3_stmt *st;
	int64_t bits = 0;

	OK(f, db_query(f->s, "SELECT id FROM temp.segments WHERE n = 0", NULL, &st, &f->e));
	while (db_row(f->s, st, &f->e) == 1)
		bits |= 1 << (sqlite3_column_int64(st, 0) - 1);
	return bits;
}

static int find(struct fixture *f, const char *text, int64_t list)
{
	const struct segment *s;
	int64_t n;

	OK(f, segment_parse(&f->a, str_of(text), &s, &f->e));
	return segment_find(f->s, s, list, SEGMENT_FIRST, &n, &f->e);
}

static void test_each_test(void **state)
{
	static const struct {
		const char *text;
		int64_t who; /* 1 = Ana, 2 = Bob, 4 = Eve */
	} table[] = {
		{"city = \"lisbon\"", 1},
		{"city != \"Lisbon\"", 6},
		{"not city = \"Lisbon\"", 6},
		{"city = \"\"", 4},
		{"city ~ \"O\"", 3},
		{"city > \"M\"", 2},
		{"age > 9", 1},
		{"age >= 9", 3},
		{"age != 30", 6},
		{"age = \"30\"", 1},
		{"since > 2025-02-28", 1},
		{"since <= 2025-03-01", 1},
		{"since < 2025-03-01", 0},
		{"tag = \"VIP\"", 3},
		{"tag != \"vip\"", 4},
		{"tag = \"new\"", 2},
		{"tag = \"vi\"", 0},
		{"tag = \"vip\" and not tag = \"old\" or email = \"eve@example.org\"", 6},
		{"domain = \"EXAMPLE.org\"", 5},
		{"email ~ \"%\"", 0},
		{"first_name = \"ana\"", 7},
		{"last_name = \"\"", 7},
		{"created_at = 1971-01-01", 7},
		{"created_at > 1971-01-01", 0},
		{"list = \"daily\"", 3},
		{"list != \"daily\"", 4},
		{"status = \"unsubscribed\"", 4},
		{"status = \"pending\"", 0},
		{"clicked_any(3)", 0},
		{"city = \"x' OR '1'='1\"", 0},
		{"city = \"x') UNION SELECT id FROM subscribers --\"", 0},
	};
	struct fixture *f = *state;

	people(f);
	OK(f, subscriber_unsubscribe(f->s, 3, 0, STR("hand"), 2, &f->e));
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		for (int64_t list = 0; list < 2; list++) {
			OK(f, find(f, table[i].text, list * f->list));
			if (bit(f) != table[i].who)
				fail_msg("%s: %lld", table[i].text, (long long)bit(f));
		}
	FAILS(f, ERR_INPUT, find(f, "citty = \"x\"", 0));
	assert_non_null(strstr(f->e.text, "did you mean 'city'"));
	FAILS(f, ERR_INPUT, find(f, "list = \"week\"", 0));
	FAILS(f, ERR_INPUT, find(f, "received(\"x\")", 0));
	FAILS(f, ERR_INPUT, find(f, "status = \"gone\"", 0));
}

/* Past the parser: what an injection would want is refused by the guard, and changes nothing. */
static void test_the_guard(void **state)
{
	static const char *const hostile[] = {
		"SELECT 1 FROM settings",
		"SELECT value FROM settings",
		"SELECT id FROM subscribers WHERE EXISTS (SELECT 1 FROM settings WHERE value > '')",
		"SELECT id FROM subscribers UNION SELECT id FROM events",
		"SELECT id FROM subscribers WHERE suppressed",
		"SELECT count(*) FROM sqlite_schema",
		"SELECT id FROM temp.segments",
		"SELECT 1 FROM pragma_table_info('settings')",
		"PRAGMA writable_schema = 1",
		"DELETE FROM subscribers",
		"UPDATE subscribers SET suppressed = 1",
		"INSERT INTO settings VALUES ('a', 'b')",
		"DROP TABLE subscribers",
		"CREATE TABLE t (x)",
		"CREATE TEMP TABLE t (x)",
		"ATTACH '/tmp/x' AS x",
		"VACUUM INTO '/tmp/x'",
		"COMMIT",
		"ROLLBACK",
		"SAVEPOINT x",
		"SELECT id FROM subscribers; DELETE FROM subscribers",
		"SELECT id FROM subscribers; SELECT 1",
		"SELECT load_extension('x')",
		"SELECT randomblob(1000000000)",
		"SELECT printf('%.*c', 1000000000, 'x')",
		"SELECT consent_hash('a', 'b', 'c', 1, 1, 1, '')",
		"SELECT lane_of('x')",
		"WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k) SELECT i FROM k",
		"",
		"-- nothing",
	};
	struct fixture *f = *state;

	people(f);
	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
		f->e = (struct err){0};
		if (segment_fill(f->s, str_of(hostile[i]), 0, NULL, 0, SEGMENT_FIRST, &f->e) !=
				-1 ||
			f->e.code != ERR_DENIED)
			fail_msg("%s: %s", hostile[i], f->e.text);
	}
	OK(f, segment_fill(f->s, STR("SELECT s.id FROM subscribers AS s"), 0, NULL, 0,
		      SEGMENT_FIRST, &f->e));
	assert_int_equal(bit(f), 7);
	/* The guard is gone afterwards, and what was prepared before still runs. */
	OK(f, subscriber_unsubscribe(f->s, 1, 0, STR("hand"), 2, &f->e));
}

static void test_audience(void **state)
{
	struct fixture *f = *state;
	const struct segment *s;
	struct audience n;
	int64_t found;

	people(f);
	OK(f, find(f, "tag = \"vip\"", f->list));
	OK(f, segment_parse(&f->a, STR("domain = \"example.org\""), &s, &f->e));
	OK(f, segment_find(f->s, s, f->list, SEGMENT_SECOND, &found, &f->e));
	assert_int_equal(found, 2);
	OK(f, audience_count(f->s, f->list, 5, &n, &f->e));
	assert_int_equal(n.both, 1);
	assert_int_equal(n.first, 1);
	assert_int_equal(n.second, 1);
	OK(f, suppression_add(f->s, STR("ana@example.org"), "hand", 1, &f->e));
	OK(f, audience_count(f->s, f->list, 5, &n, &f->e));
	assert_int_equal(n.both, 0);
	assert_int_equal(n.first, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_test),
		TEST(test_the_guard),
		TEST(test_audience),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
