/* SPDX-License-Identifier: MIT */
#include "import_fixture.h"

#include <dirent.h>

/* The journal of readers whom an import made is packed: nothing that is seen of it may tell. */

#define LONG_DETAIL "confirmed 2024-01-02T03:04:05Z (CONFIRM_TIME) from 192.0.2.7"

static struct import_row said(
	const char *key, enum subscription_status status, uint64_t line, const char *detail)
{
	struct import_row r = row(key, "", "", status, line);

	r.detail = str_of(detail);
	return r;
}

static bool collect(void *user, const struct import_effect *effect)
{
	struct buf *to = user;

	buf_printf(to, "%d %.*s: %.*s%s%.*s\n", (int)effect->line, STR_ARG(effect->email),
		STR_ARG(effect->words), effect->kept.n ? "; " : "", STR_ARG(effect->kept));
	return true;
}

static void assert_effects(struct fixture *f, int64_t id, const char *expected)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	OK(f, import_effects(f->s, id, collect, &text, &f->e));
	assert_string_equal(buf_text(&text), expected);
	buf_free(&text);
}

static void test_one_row_a_slice(void **state)
{
	struct fixture *f = *state;

	import(f,
		ROWS(said("a@example.com", ACTIVE, 2, LONG_DETAIL),
			said("b@example.com", SUBSCRIPTION_BOUNCED, 3, ""),
			said("c@example.com", SUBSCRIPTION_PENDING, 4, "")),
		10);
	assert_int_equal(peek(f, "SELECT count(*) FROM import_rows"), 0);
	assert_int_equal(peek(f, "SELECT n FROM import_packs WHERE last = 3"), 3);
	assert_effects(f, 1,
		"2 a@example.com: added as subscribed\n"
		"3 b@example.com: added as bounced, suppressed (bounce)\n"
		"4 c@example.com: added as pending\n");
	assert_int_equal(peek(f, "SELECT count(*) FROM consents WHERE detail = '" LONG_DETAIL
				 "' AND line = 2"),
		1);
	/* Known readers between new ones leave no numbers behind: the next slice gives them out. */
	import(f,
		ROWS(said("aa@example.com", ACTIVE, 2, ""), said("b@example.com", ACTIVE, 3, ""),
			said("bb@example.com", ACTIVE, 4, ""),
			said("c@example.com", ACTIVE, 5, "")),
		20);
	assert_int_equal(peek(f, "SELECT last FROM import_packs WHERE import_id = 2"),
		peek(f, "SELECT max(id) FROM subscribers"));
	assert_effects(f, 2,
		"2 aa@example.com: added as subscribed\n"
		"3 : left alone: suppressed (bounce)\n"
		"4 bb@example.com: added as subscribed\n"
		"5 c@example.com: subscribed, was pending\n");
}

static void test_said_again_in_a_later_batch(void **state)
{
	struct fixture *f = *state;
	struct import_sorter *sorter = import_sorter_new();
	struct import *i = begin(f, 10);
	struct import_counts n;
	int64_t id;

	add_sorted(f, i, sorter,
		ROWS(said("a@example.com", ACTIVE, 2, "first"),
			said("b@example.com", ACTIVE, 3, "")));
	assert_int_equal(peek(f, "SELECT count(*) FROM import_packs"), 1);
	add_sorted(f, i, sorter,
		ROWS(said("a@example.com", SUBSCRIPTION_COMPLAINED, 4, "second"),
			said("c@example.com", ACTIVE, 5, "")));
	import_sorter_free(sorter);
	OK(f, import_commit(i, STR(""), STR(""), &id, &n, &f->e));
	assert_counts(n, 3, 0, 1, 0);
	assert_effects(f, 1,
		"3 b@example.com: added as subscribed\n"
		"4 a@example.com: added as complained, suppressed (complaint)\n"
		"5 c@example.com: added as subscribed\n");
	assert_int_equal(peek(f, "SELECT count(*) FROM consents"), 3);
	assert_int_equal(peek(f, "SELECT count(*) FROM consents WHERE detail = 'second'"), 1);
	assert_sound(f);
}

static void test_said_again_of_readers_of_an_earlier_import(void **state)
{
	struct fixture *f = *state;
	struct import_sorter *sorter = import_sorter_new();
	struct import_counts n;
	struct import *i;
	int64_t id;

	import(f, ROWS(said("a@example.com", ACTIVE, 2, ""), said("b@example.com", ACTIVE, 3, "")),
		10);
	i = begin(f, 20);
	add_sorted(f, i, sorter,
		ROWS(said("a@example.com", ACTIVE, 2, ""), said("c@example.com", ACTIVE, 3, "")));
	add_sorted(f, i, sorter, ROWS(said("a@example.com", SUBSCRIPTION_UNSUBSCRIBED, 4, "")));
	import_sorter_free(sorter);
	OK(f, import_commit(i, STR(""), STR(""), &id, &n, &f->e));
	assert_counts(n, 1, 0, 2, 0);
	assert_int_equal(peek(f, "SELECT count(*) FROM import_packs"), 2);
	assert_int_equal(subscription(f, "a@example.com").status, SUBSCRIPTION_UNSUBSCRIBED);
	assert_sound(f);
}

/* However a file is cut into batches, its readers come to stand in the same place, and go the same way. */
static void test_batches_of_any_size(void **state)
{
	static const enum subscription_status status[] = {ACTIVE, ACTIVE, ACTIVE,
		SUBSCRIPTION_PENDING, SUBSCRIPTION_UNSUBSCRIBED, SUBSCRIPTION_BOUNCED};
	static const size_t sizes[] = {600, 1, 7, 100};
	struct fixture *f = *state;
	char *first = NULL, *again, *none = picture(f);
	struct import_row rows[600];
	struct import_undone undone;
	struct import_counts n;
	int64_t id;

	for (size_t k = 0; k < 4; k++) {
		struct import_sorter *sorter = import_sorter_new();
		struct import *i = begin(f, 10);
		uint32_t random = 7;

		for (unsigned at = 0; at < 600; at++) {
			random = random * 1664525 + 1013904223;
			rows[at] = said(arena_printf(&f->a, "p%u@example.com", (random >> 8) % 400),
				status[(random >> 20) % 6], at + 2, random >> 31 ? "a form" : "");
			rows[at].first_name = str_of((random >> 5) % 3 ? "" : "Ada");
		}
		for (size_t at = 0; at < 600; at += sizes[k])
			add_sorted(
				f, i, sorter, rows + at, 600 - at < sizes[k] ? 600 - at : sizes[k]);
		import_sorter_free(sorter);
		OK(f, import_commit(i, STR(""), STR(""), &id, &n, &f->e));
		assert_int_equal(n.added + n.unchanged, 600);
		again = picture(f);
		if (!first)
			first = again;
		assert_string_equal(first, again);
		if (again != first)
			free(again);
		assert_sound(f);
		OK(f, import_undo(f->s, id, 20, &undone, &f->e));
		again = picture(f);
		assert_string_equal(none, again);
		free(again);
		assert_sound(f);
	}
	free(first);
	free(none);
}

static void test_erased_readers_are_forgotten(void **state)
{
	struct fixture *f = *state;

	import(f,
		ROWS(said("a@example.com", ACTIVE, 2, LONG_DETAIL),
			said("b@example.com", ACTIVE, 3, "the other's")),
		10);
	OK(f, subscriber_erase(
		      f->s, person(f, "a@example.com").id, STR("a@example.com"), 20, &f->e));
	assert_int_equal(
		peek(f, "SELECT instr(rows, CAST('192.0.2.7' AS BLOB)) FROM import_packs"), 0);
	assert_true(peek(f, "SELECT instr(rows, CAST('other' AS BLOB)) FROM import_packs") > 0);
	assert_effects(f, 1, "2 : added as subscribed\n3 b@example.com: added as subscribed\n");
	assert_sound(f);
}

static void test_damage_is_told(void **state)
{
	static const char *const damage[] = {
		"x''", "x'02'", "x'0a0205'", "x'0a02ffffffffffffffff01'", "x'0802'", "x'0001'"};
	struct fixture *f = *state;
	struct buf text;

	buf_init(&text, 1000);
	import(f, ROWS(said("a@example.com", ACTIVE, 2, "x"), said("b@example.com", ACTIVE, 3, "")),
		10);
	for (size_t k = 0; k < sizeof damage / sizeof *damage; k++) {
		peek(f, arena_printf(
				&f->a, "UPDATE import_packs SET rows = %s RETURNING 1", damage[k]));
		FAILS(f, ERR_IO, import_effects(f->s, 1, collect, &text, &f->e));
	}
	buf_free(&text);
}

static int threads(void)
{
	DIR *folder = opendir("/proc/self/task");
	int n = 0;

	assert_non_null(folder);
	while (readdir(folder))
		n++;
	closedir(folder);
	return n - 2;
}

/* A command goes on where what broke off cannot be finished, and its own commits are not those of an import. */
static void test_what_cannot_be_finished_is_let_go(void **state)
{
	struct fixture *f = *state;
	bool finished;
	int64_t id;

	import(f, ROWS(said("a@example.com", ACTIVE, 2, "")), 10);
	peek(f, "UPDATE imports SET state = 1, passed = 0 RETURNING 1");
	peek(f, "UPDATE import_packs SET rows = x'' RETURNING 1");
	FAILS(f, ERR_IO, import_recover(f->s, 20, &id, &finished, &f->e));
	assert_int_equal(threads(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_row_a_slice),
		TEST(test_said_again_in_a_later_batch),
		TEST(test_said_again_of_readers_of_an_earlier_import),
		TEST(test_batches_of_any_size),
		TEST(test_erased_readers_are_forgotten),
		TEST(test_damage_is_told),
		TEST(test_what_cannot_be_finished_is_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
