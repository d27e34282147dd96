/* SPDX-License-Identifier: MIT */
#include "import_fixture.h"

#include <openssl/hmac.h>

/* Addresses that differ in the case of their local parts alone: whoever left under one of them has left. */

static int64_t people(struct fixture *f)
{
	return peek(f, "SELECT count(*) FROM subscribers");
}

/* The status of the one reader there is. */
static int64_t status(struct fixture *f)
{
	assert_int_equal(people(f), 1);
	return peek(f, "SELECT status FROM subscriptions");
}

static void test_one_reader_over_files(void **state)
{
	struct fixture *f = *state;

	import(f, ROWS(row("Bob@example.com", "Bob", "", ACTIVE, 2)), 10);
	assert_counts(import(f, ROWS(row("bob@example.com", "", "", ACTIVE, 2)), 20), 0, 0, 1, 0);
	assert_counts(
		import(f, ROWS(row("BOB@example.com", "", "", SUBSCRIPTION_UNSUBSCRIBED, 2)), 30),
		0, 1, 0, 0);
	assert_int_equal(status(f), SUBSCRIPTION_UNSUBSCRIBED);
	assert_counts(import(f, ROWS(row("bob@example.com", "", "", ACTIVE, 2)), 40), 0, 0, 0, 1);
	assert_int_equal(status(f), SUBSCRIPTION_UNSUBSCRIBED);
	assert_text(person(f, "Bob@example.com").email, "Bob@example.com");
	/* And where the one without capitals was first. */
	import(f, ROWS(row("ana@example.com", "", "", SUBSCRIPTION_UNSUBSCRIBED, 2)), 50);
	assert_counts(import(f,
			      ROWS(row("ANA@example.com", "", "", ACTIVE, 2),
				      row("Zoe@example.com", "", "", ACTIVE, 3)),
			      60),
		1, 0, 0, 1);
	assert_int_equal(people(f), 3);
}

static void test_the_spelling_that_is_there_stays(void **state)
{
	struct fixture *f = *state;
	struct import_row r = row("Bob@example.com", "", "", ACTIVE, 2);

	r.email = STR("Bob@Example.com");
	import(f, &r, 1, 10);
	assert_counts(import(f, ROWS(row("bob@example.com", "", "", ACTIVE, 2)), 20), 0, 0, 1, 0);
	assert_text(person(f, "Bob@example.com").email, "Bob@Example.com");
}

static void test_one_reader_in_a_file(void **state)
{
	struct fixture *f = *state;
	struct import_sorter *sorter = import_sorter_new();
	struct import_counts n;
	struct import *i;
	int64_t id;

	assert_counts(import(f,
			      ROWS(row("Bob@example.com", "", "", SUBSCRIPTION_UNSUBSCRIBED, 2),
				      row("bob@example.com", "Bob", "", ACTIVE, 3)),
			      10),
		1, 0, 1, 0);
	assert_int_equal(status(f), SUBSCRIPTION_UNSUBSCRIBED);
	assert_text(person(f, "Bob@example.com").first_name, "Bob");
	/* In batches of their own. */
	i = begin(f, 20);
	add_sorted(f, i, sorter, ROWS(row("cy@example.com", "", "", ACTIVE, 2)));
	add_sorted(f, i, sorter, ROWS(row("Cy@example.com", "", "", SUBSCRIPTION_COMPLAINED, 3)));
	add_sorted(f, i, sorter, ROWS(row("CY@example.com", "", "", ACTIVE, 4)));
	import_sorter_free(sorter);
	OK(f, import_commit(i, STR(""), STR(""), &id, &n, &f->e));
	assert_counts(n, 1, 0, 2, 0);
	assert_int_equal(people(f), 2);
	assert_int_equal(subscription(f, "cy@example.com").status, SUBSCRIPTION_COMPLAINED);
	assert_int_equal(peek(f, "SELECT suppressed FROM subscribers WHERE id = 2"), 1);
	assert_sound(f);
}

static void put(struct fixture *f, const char *address)
{
	struct subscriber p = {.email = str_of(address)};
	bool added;

	OK(f, subscriber_put(f->s, &p, p.email, 10, &added, &f->e));
}

/* Somebody else put the other spelling in, on no list or on one that it has not left. */
static void test_several_spellings(void **state)
{
	struct fixture *f = *state;

	import(f, ROWS(row("Bob@example.com", "", "", SUBSCRIPTION_UNSUBSCRIBED, 2)), 10);
	put(f, "bob@example.com");
	put(f, "bOb@example.com");
	assert_counts(import(f, ROWS(row("bob@example.com", "", "", ACTIVE, 2)), 20), 0, 0, 0, 1);
	assert_counts(import(f, ROWS(row("BOB@example.com", "", "", ACTIVE, 2)), 30), 0, 0, 0, 1);
	assert_int_equal(peek(f, "SELECT count(*) FROM subscriptions"), 1);
	/* Where it is on the list by its own right, it is its own. */
	OK(f, subscription_put(f->s, person(f, "bob@example.com").id, f->list, ACTIVE,
		      STR("by hand"), STR(""), true, 35, &f->e));
	assert_counts(
		import(f, ROWS(row("bob@example.com", "", "", SUBSCRIPTION_UNSUBSCRIBED, 2)), 40),
		0, 1, 0, 0);
	assert_int_equal(subscription(f, "bob@example.com").status, SUBSCRIPTION_UNSUBSCRIBED);
}

static void test_suppressed_in_every_spelling(void **state)
{
	struct fixture *f = *state;
	struct str reason;
	int64_t at;

	put(f, "Ana@example.com");
	put(f, "ana@example.com");
	put(f, "anna@example.com");
	OK(f, suppression_add(f->s, STR("ANA@example.com"), "complaint", 20, &f->e));
	assert_int_equal(peek(f, "SELECT sum(suppressed) FROM subscribers"), 2);
	put(f, "aNa@example.com");
	assert_int_equal(peek(f, "SELECT sum(suppressed) FROM subscribers"), 3);
	assert_int_equal(
		OK(f, suppression_get(f->s, STR("anA@example.com"), &f->a, &reason, &at, &f->e)),
		1);
	assert_sound(f);
	OK(f, suppression_remove(f->s, STR("ana@example.com"), &f->e));
	assert_int_equal(peek(f, "SELECT sum(suppressed) FROM subscribers"), 0);
	assert_sound(f);
}

static void test_erased_in_every_spelling(void **state)
{
	struct fixture *f = *state;

	put(f, "ana@example.com");
	OK(f, subscriber_erase(
		      f->s, person(f, "ana@example.com").id, STR("ana@example.com"), 20, &f->e));
	assert_counts(import(f,
			      ROWS(row("Ana@example.com", "", "", ACTIVE, 2),
				      row("ANA@example.com", "", "", ACTIVE, 3)),
			      30),
		0, 0, 1, 1);
	assert_int_equal(people(f), 0);
}

/* As before schema 7: by the hash of the address as it was written. */
static void suppress_as_written(struct fixture *f, const char *address)
{
	struct suppression one = {.reason = STR("erased"), .at = 5};
	unsigned char full[EVP_MAX_MD_SIZE];
	struct str secret;

	OK(f, suppression_secret(f->s, &f->a, &secret, &f->e));
	assert_non_null(HMAC(EVP_sha256(), secret.p, (int)secret.n, (const unsigned char *)address,
		strlen(address), full, NULL));
	memcpy(one.hash, full, sizeof one.hash);
	assert_int_equal(OK(f, suppression_put_hash(f->s, secret, &one, &f->e)), 1);
}

static void test_suppressed_as_written(void **state)
{
	struct fixture *f = *state;
	struct str secret;
	int64_t n;

	put(f, "Ana@example.com");
	suppress_as_written(f, "Ana@example.com");
	suppress_as_written(f, "Bob@example.com");
	suppress_as_written(f, "Cy@example.com");
	OK(f, suppression_secret(f->s, &f->a, &secret, &f->e));
	OK(f, suppressions_adopt(f->s, secret, &n, &f->e));
	assert_int_equal(peek(f, "SELECT suppressed FROM subscribers"), 1);
	assert_sound(f);
	assert_counts(import(f, ROWS(row("Bob@example.com", "", "", ACTIVE, 2)), 10), 0, 0, 0, 1);
	assert_counts(import(f, ROWS(row("bob@example.com", "", "", ACTIVE, 2)), 20), 0, 0, 0, 1);
	OK(f, suppression_remove(f->s, STR("Ana@example.com"), &f->e));
	OK(f, suppression_remove(f->s, STR("Cy@example.com"), &f->e));
	assert_int_equal(peek(f, "SELECT suppressed FROM subscribers"), 0);
	assert_int_equal(peek(f, "SELECT count(*) FROM suppressions"), 1);
	assert_sound(f);
}

static void test_suppressed_as_written_elsewhere(void **state)
{
	struct fixture *f = *state;
	unsigned char full[EVP_MAX_MD_SIZE];
	struct suppression one = {.reason = STR("hand"), .at = 5};
	struct import_start start = {.file = STR("people.csv"), .now = 9, .dry_run = true};
	struct import_counts counts;
	struct import *i;
	int64_t n;

	for (int k = 0; k < 2; k++) {
		const char *address = k ? "Bob@example.com" : "Ana@example.com";

		assert_non_null(HMAC(EVP_sha256(), "theirs", 6, (const unsigned char *)address,
			strlen(address), full, NULL));
		memcpy(one.hash, full, sizeof one.hash);
		OK(f, suppression_put_hash(f->s, STR("theirs"), &one, &f->e));
	}
	put(f, "Ana@example.com");
	assert_int_equal(peek(f, "SELECT suppressed FROM subscribers"), 1);
	OK(f, suppressions_adopt(f->s, STR("theirs"), &n, &f->e));
	/* A dry run finds the same, and leaves it where it is. */
	start.list = f->list;
	OK(f, import_begin(f->s, &start, &i, &f->e));
	add(f, i, ROWS(row("Bob@example.com", "", "", ACTIVE, 2)));
	import_rollback(i, &counts);
	assert_counts(counts, 0, 0, 0, 1);
	assert_int_equal(peek(f, "SELECT count(*) FROM suppressions"), 1);
	assert_counts(import(f, ROWS(row("Bob@example.com", "", "", ACTIVE, 2)), 10), 0, 0, 0, 1);
	assert_int_equal(peek(f, "SELECT count(*) FROM suppressions"), 2);
	assert_sound(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_reader_over_files),
		TEST(test_the_spelling_that_is_there_stays),
		TEST(test_one_reader_in_a_file),
		TEST(test_several_spellings),
		TEST(test_suppressed_in_every_spelling),
		TEST(test_erased_in_every_spelling),
		TEST(test_suppressed_as_written),
		TEST(test_suppressed_as_written_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
