/* SPDX-License-Identifier: MIT */
#include "import_fixture.h"

/* ---- tests ---- */

static void test_new_and_again(void **state)
{
	struct fixture *f = *state;
	const struct import_row rows[] = {
		row("c@example.com", "Cleo", "{\"city\":\"Rome\"}", ACTIVE, 2),
		row("a@example.com", "Ada", "", ACTIVE, 3),
		row("b@example.com", "", "{}", ACTIVE, 4),
	};

	assert_counts(import(f, rows, 3, 10), 3, 0, 0, 0);
	assert_text(person(f, "a@example.com").first_name, "Ada");
	assert_text(person(f, "a@example.com").attributes, "{}");
	assert_text(person(f, "c@example.com").attributes, "{\"city\":\"Rome\"}");
	assert_text(subscription(f, "c@example.com").source, "import 1 line 2");
	assert_text(subscription(f, "b@example.com").source, "import 1 line 4");
	assert_counts(import(f, rows, 3, 20), 0, 0, 3, 0);
	assert_int_equal(subscription(f, "a@example.com").changed_at, 10);
	assert_int_equal(peek(f, "SELECT count(*) FROM subscribers WHERE email IS NOT NULL"), 0);
}

static void test_update(void **state)
{
	struct fixture *f = *state;
	struct event *event;
	size_t n;

	import(f, ROWS(row("a@example.com", "Ada", "{\"x\":\"1\",\"y\":\"2\"}", ACTIVE, 2)), 10);
	assert_counts(import(f,
			      ROWS(row("b@example.com", "Bo", "", ACTIVE, 2),
				      row("a@example.com", "", "{\"y\":\"3\"}", ACTIVE, 3)),
			      20),
		1, 1, 0, 0);
	assert_text(person(f, "a@example.com").first_name, "Ada");
	assert_text(person(f, "a@example.com").attributes, "{\"x\":\"1\",\"y\":\"3\"}");
	assert_text(subscription(f, "a@example.com").source, "import 1 line 2");
	OK(f, subscriber_events(f->s, person(f, "a@example.com").id, &f->a, &event, &n, &f->e));
	assert_int_equal(n, 2);
	assert_text(event[1].what, "update");
	assert_text(event[1].detail, "import 2 line 3");
	/* Nothing but a subset of what is known: unchanged. */
	assert_counts(import(f, ROWS(row("a@example.com", "", "{\"x\":\"1\"}", ACTIVE, 2)), 30), 0,
		0, 1, 0);
}

static void test_repeats_in_one_file(void **state)
{
	struct fixture *f = *state;

	assert_counts(import(f,
			      ROWS(row("a@example.com", "Old", "{\"x\":\"1\"}", ACTIVE, 2),
				      row("b@example.com", "Bo", "", ACTIVE, 3),
				      row("a@example.com", "New", "{\"y\":\"2\"}", ACTIVE, 4),
				      row("a@example.com", "", "", SUBSCRIPTION_PENDING, 5)),
			      10),
		2, 0, 2, 0);
	assert_text(person(f, "a@example.com").first_name, "New");
	assert_text(person(f, "a@example.com").attributes, "{\"x\":\"1\",\"y\":\"2\"}");
	assert_int_equal(subscription(f, "a@example.com").status, SUBSCRIPTION_PENDING);
	import(f,
		ROWS(row("c@example.com", "", "", SUBSCRIPTION_COMPLAINED, 2),
			row("c@example.com", "", "", SUBSCRIPTION_UNSUBSCRIBED, 3),
			row("c@example.com", "", "", ACTIVE, 4)),
		20);
	assert_int_equal(subscription(f, "c@example.com").status, SUBSCRIPTION_COMPLAINED);
}

/* All pairs of the status that is there and the one in the file. */
static void test_status_only_climbs(void **state)
{
	enum { P = SUBSCRIPTION_PENDING, A = ACTIVE, U, B, C };
	static const int after[5][5] = {
		/* file: P A U B C */
		[P] = {P, A, U, B, C},
		[A] = {A, A, U, B, C},
		[U] = {U, U, U, B, C},
		[B] = {B, B, B, B, C},
		[C] = {C, C, C, C, C},
	};
	struct fixture *f = *state;
	char key[64];

	for (int was = 0; was < 5; was++)
		for (int file = 0; file < 5; file++) {
			struct import_counts n;

			snprintf(key, sizeof key, "s%d%d@example.com", was, file);
			import(f, ROWS(row(key, "", "", (enum subscription_status)was, 2)), 10);
			n = import(f, ROWS(row(key, "New", "", (enum subscription_status)file, 2)),
				20);
			assert_int_equal(subscription(f, key).status, after[was][file]);
			/* Who has left is not touched at all by a row that would bring them back. */
			assert_int_equal(n.suppressed, was >= U && file < U);
			assert_int_equal(n.updated, !n.suppressed);
			assert_int_equal(person(f, key).first_name.n, n.suppressed ? 0 : 3);
		}
}

static void test_suppressed_addresses(void **state)
{
	struct fixture *f = *state;
	struct subscriber p;

	import(f, ROWS(row("a@example.com", "Ada", "", ACTIVE, 2)), 10);
	OK(f, suppression_add(f->s, STR("a@example.com"), "hand", 15, &f->e));
	OK(f, suppression_add(f->s, STR("gone@example.com"), "erased", 15, &f->e));
	assert_counts(import(f,
			      ROWS(row("a@example.com", "Changed", "", ACTIVE, 2),
				      row("b@example.com", "Bo", "", ACTIVE, 3),
				      row("gone@example.com", "", "", ACTIVE, 4),
				      row("gone@example.com", "", "", ACTIVE, 5)),
			      20),
		1, 0, 1, 2);
	assert_text(person(f, "a@example.com").first_name, "Ada");
	FAILS(f, ERR_MISSING, subscriber_get(f->s, STR("gone@example.com"), &f->a, &p, &f->e));
	/* Somebody erased does not come back as one who left, either. */
	assert_counts(import(f,
			      ROWS(row("gone@example.com", "", "", SUBSCRIPTION_UNSUBSCRIBED, 2),
				      row("a@example.com", "", "", SUBSCRIPTION_UNSUBSCRIBED, 3)),
			      30),
		0, 1, 0, 1);
}

static void test_bounced_rows_suppress(void **state)
{
	struct fixture *f = *state;
	const struct import_row rows[] = {
		row("b@example.com", "", "", SUBSCRIPTION_BOUNCED, 2),
		row("c@example.com", "", "", SUBSCRIPTION_COMPLAINED, 3),
		row("u@example.com", "", "", SUBSCRIPTION_UNSUBSCRIBED, 4),
	};
	struct str reason;
	int64_t at;

	assert_counts(import(f, rows, 3, 10), 3, 0, 0, 0);
	assert_int_equal(OK(f, suppression_get(f->s, rows[0].key, &f->a, &reason, &at, &f->e)), 1);
	assert_text(reason, "bounce");
	assert_int_equal(OK(f, suppression_get(f->s, rows[1].key, &f->a, &reason, &at, &f->e)), 1);
	assert_text(reason, "complaint");
	assert_int_equal(OK(f, suppression_get(f->s, rows[2].key, &f->a, &reason, &at, &f->e)), 0);
	assert_counts(import(f, rows, 3, 20), 0, 0, 3, 0);
}

static void test_second_list(void **state)
{
	struct fixture *f = *state;
	struct list other = {.slug = STR("weekly"), .name = STR("Weekly")};
	int64_t daily = f->list;

	import(f, ROWS(row("a@example.com", "Ada", "", ACTIVE, 2)), 10);
	OK(f, list_add(f->s, &other, 1, &f->e));
	f->list = other.id;
	assert_counts(import(f, ROWS(row("a@example.com", "Ada", "", ACTIVE, 2)), 20), 1, 0, 0, 0);
	f->list = daily;
	assert_int_equal(peek(f, "SELECT count(*) FROM subscribers"), 1);
	assert_int_equal(peek(f, "SELECT count(*) FROM subscriptions"), 2);
}

static bool one_record(void *user, const struct import_record *r)
{
	struct import_counts *n = user;

	assert_text(r->file, "people.csv");
	assert_text(r->list, "daily");
	*n = r->counts;
	return true;
}

static void test_record_and_rollback(void **state)
{
	struct fixture *f = *state;
	const struct str fields[] = {STR("city"), STR("pet")};
	struct import_row rows[] = {row("a@example.com", "Ada", "", ACTIVE, 2)};
	struct import_counts n, kept = {0};
	const char **field;
	struct import *i;
	size_t count;
	int64_t id;

	i = begin(f, 10);
	OK(f, import_fields(i, fields, 2, &f->e));
	add(f, i, rows, 1);
	import_rollback(i, &n);
	import_rollback(NULL, &n);
	assert_int_equal(n.added, 1);
	assert_int_equal(peek(f, "SELECT count(*) FROM subscribers"), 0);
	assert_int_equal(peek(f, "SELECT count(*) FROM imports"), 0);
	i = begin(f, 10);
	OK(f, import_fields(i, fields, 2, &f->e));
	add(f, i, rows, 1);
	for (uint64_t line = 3; line < 7; line++)
		OK(f, import_reject(i, line, STR("no address"), &f->e));
	OK(f, import_commit(i, STR("abc"), STR("{}"), &id, &n, &f->e));
	assert_int_equal(n.rows, 5);
	OK(f, import_each(f->s, one_record, &kept, &f->e));
	assert_int_equal(n.mailed, 1);
	kept.mailed = n.mailed;
	assert_memory_equal(&n, &kept, sizeof n);
	assert_int_equal(peek(f, "SELECT count(*) FROM import_rejects"), 4);
	OK(f, fields_get(f->s, &f->a, &field, &count, &f->e));
	assert_int_equal(count, 2);
	f->list = 99;
	FAILS(f, ERR_BUG,
		import_begin(f->s, &(struct import_start){.list = 99, .now = 10}, &i, &f->e));
	assert_sound(f);
}

/* Who gets mail that got none: as many as the list then has more. */
static void test_who_gets_mail(void **state)
{
	static const char active[] =
		"SELECT count(*) FROM subscriptions JOIN subscribers ON id = subscriber_id"
		" WHERE status = 1 AND NOT suppressed";
	struct fixture *f = *state;
	struct import_row batch[3][2] = {
		{row("one@example.com", "", "", ACTIVE, 2),
			row("two@example.com", "", "", ACTIVE, 3)},
		{row("one@example.com", "", "", SUBSCRIPTION_BOUNCED, 4),
			row("three@example.com", "", "", ACTIVE, 5)},
		{row("three@example.com", "", "", ACTIVE, 6),
			row("one@example.com", "", "", SUBSCRIPTION_COMPLAINED, 7)},
	};
	struct import_sorter *sorter = import_sorter_new();
	struct import_counts n;
	struct import *i;
	int64_t id;

	n = import(f,
		ROWS(row("a@example.com", "", "", ACTIVE, 2),
			row("p@example.com", "", "", SUBSCRIPTION_PENDING, 3),
			row("u@example.com", "", "", SUBSCRIPTION_UNSUBSCRIBED, 4),
			row("b@example.com", "", "", SUBSCRIPTION_BOUNCED, 5)),
		10);
	assert_int_equal(n.mailed, 1);
	n = import(f,
		ROWS(row("a@example.com", "", "", ACTIVE, 2),
			row("p@example.com", "", "", ACTIVE, 3),
			row("u@example.com", "", "", ACTIVE, 4),
			row("b@example.com", "", "", ACTIVE, 5),
			row("n@example.com", "", "", ACTIVE, 6)),
		20);
	assert_int_equal(n.mailed, 2);
	assert_int_equal(peek(f, active), 3);
	i = begin(f, 30);
	for (int k = 0; k < 3; k++)
		add_sorted(f, i, sorter, batch[k], 2);
	import_sorter_free(sorter);
	OK(f, import_commit(i, STR(""), STR(""), &id, &n, &f->e));
	assert_int_equal(n.mailed, 2);
	assert_int_equal(peek(f, active), 5);
	assert_sound(f);
}

/* Many batches of many sizes, beside the plain verbs. */
static void test_batches_beside_single_verbs(void **state)
{
	struct fixture *f = *state;
	struct import_sorter *sorter = import_sorter_new();
	struct import_row rows[500];
	char key[500][32];
	struct import_counts n;
	struct import *i;
	int64_t id;

	i = begin(f, 10);
	for (unsigned batch = 0; batch < 8; batch++) {
		for (unsigned k = 0; k < 500; k++) {
			unsigned who = (k * 7919 + batch * 131) % 1700;

			snprintf(key[k], sizeof key[k], "p%u@example.com", who);
			rows[k] = row(key[k], "P", "", ACTIVE, batch * 500 + k + 2);
		}
		add_sorted(f, i, sorter, rows, 500);
	}
	import_sorter_free(sorter);
	OK(f, import_commit(i, STR(""), STR(""), &id, &n, &f->e));
	assert_int_equal(n.rows, 4000);
	assert_int_equal(n.added, peek(f, "SELECT count(*) FROM subscribers"));
	assert_int_equal(n.added, peek(f, "SELECT count(*) FROM subscriptions"));
	assert_int_equal(n.unchanged, 4000 - n.added);
	assert_int_equal(n.added, peek(f, "SELECT count(DISTINCT email_key) FROM subscribers"));
	assert_sound(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_and_again),
		TEST(test_update),
		TEST(test_repeats_in_one_file),
		TEST(test_status_only_climbs),
		TEST(test_suppressed_addresses),
		TEST(test_bounced_rows_suppress),
		TEST(test_second_list),
		TEST(test_record_and_rollback),
		TEST(test_who_gets_mail),
		TEST(test_batches_beside_single_verbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
