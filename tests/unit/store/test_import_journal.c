/* SPDX-License-Identifier: MIT */
#include "import_fixture.h"

#include <sys/wait.h>

/* ---- proof ---- */

static struct import_counts import_with_proof(
	struct fixture *f, const struct import_row *rows, size_t n, int64_t now)
{
	const struct import_start start = {.list = f->list,
		.file = STR("people.csv"),
		.proof = STR("forms of the fair, binder 3"),
		.now = now};
	struct import_row copy[16];
	struct import_counts counts;
	struct import *i;
	int64_t id;

	memcpy(copy, rows, n * sizeof *rows);
	OK(f, import_begin(f->s, &start, &i, &f->e));
	add(f, i, copy, n);
	OK(f, import_commit(i, STR(""), STR(""), &id, &counts, &f->e));
	assert_sound(f);
	return counts;
}

static void test_proof_brings_back(void **state)
{
	struct fixture *f = *state;
	const struct import_row back[] = {
		row("left@example.com", "", "", ACTIVE, 2),
		row("dead@example.com", "", "", ACTIVE, 3),
		row("erased@example.com", "", "", ACTIVE, 4),
		row("never@example.com", "", "", ACTIVE, 5),
	};
	struct str reason;
	int64_t at;

	import(f,
		ROWS(row("left@example.com", "", "", SUBSCRIPTION_UNSUBSCRIBED, 2),
			row("dead@example.com", "", "", SUBSCRIPTION_BOUNCED, 3)),
		10);
	OK(f, suppression_add(f->s, STR("erased@example.com"), "erased", 10, &f->e));
	OK(f, suppression_add(f->s, STR("never@example.com"), "hand", 10, &f->e));
	assert_counts(import(f, back, 4, 20), 0, 0, 0, 4);
	assert_counts(import_with_proof(f, back, 4, 30), 1, 2, 0, 1);
	assert_int_equal(subscription(f, "left@example.com").status, ACTIVE);
	assert_int_equal(subscription(f, "dead@example.com").status, ACTIVE);
	assert_int_equal(subscription(f, "never@example.com").status, ACTIVE);
	assert_int_equal(peek(f, "SELECT count(*) FROM subscribers WHERE suppressed"), 0);
	/* Taken back, they are where they were. */
	struct import_undone undone;
	OK(f, import_undo(f->s, 3, 40, &undone, &f->e));
	assert_int_equal(subscription(f, "left@example.com").status, SUBSCRIPTION_UNSUBSCRIBED);
	assert_int_equal(subscription(f, "dead@example.com").status, SUBSCRIPTION_BOUNCED);
	assert_int_equal(
		OK(f, suppression_get(f->s, STR("dead@example.com"), &f->a, &reason, &at, &f->e)),
		1);
	assert_text(reason, "bounce");
	assert_sound(f);
}

/* ---- undo ---- */

static const struct import_row before_rows[] = {
	{.key = {"a@example.com", sizeof("a@example.com") - 1},
		.email = {"A@example.com", sizeof("A@example.com") - 1},
		.first_name = {"Ada", sizeof("Ada") - 1},
		.status = SUBSCRIPTION_ACTIVE,
		.line = 2},
	{.key = {"b@example.com", sizeof("b@example.com") - 1},
		.email = {"b@example.com", sizeof("b@example.com") - 1},
		.attributes = {"{\"city\":\"Bonn\"}", sizeof("{\"city\":\"Bonn\"}") - 1},
		.status = SUBSCRIPTION_ACTIVE,
		.line = 3},
	{.key = {"p@example.com", sizeof("p@example.com") - 1},
		.email = {"p@example.com", sizeof("p@example.com") - 1},
		.status = SUBSCRIPTION_PENDING,
		.line = 4},
};

static const struct import_row later_rows[] = {
	{.key = {"a@example.com", sizeof("a@example.com") - 1},
		.email = {"a@example.com", sizeof("a@example.com") - 1},
		.first_name = {"Augusta", sizeof("Augusta") - 1},
		.status = SUBSCRIPTION_ACTIVE,
		.line = 2},
	{.key = {"b@example.com", sizeof("b@example.com") - 1},
		.email = {"b@example.com", sizeof("b@example.com") - 1},
		.attributes = {"{\"city\":\"Ulm\"}", sizeof("{\"city\":\"Ulm\"}") - 1},
		.status = SUBSCRIPTION_COMPLAINED,
		.line = 3},
	{.key = {"p@example.com", sizeof("p@example.com") - 1},
		.email = {"p@example.com", sizeof("p@example.com") - 1},
		.status = SUBSCRIPTION_ACTIVE,
		.line = 4},
	{.key = {"n@example.com", sizeof("n@example.com") - 1},
		.email = {"n@example.com", sizeof("n@example.com") - 1},
		.status = SUBSCRIPTION_ACTIVE,
		.line = 5},
	{.key = {"d@example.com", sizeof("d@example.com") - 1},
		.email = {"d@example.com", sizeof("d@example.com") - 1},
		.status = SUBSCRIPTION_BOUNCED,
		.line = 6},
};

static void test_undo_restores(void **state)
{
	struct fixture *f = *state;
	struct import_undone undone;
	char *before, *after;

	import(f, before_rows, 3, 10);
	before = picture(f);
	assert_counts(import(f, later_rows, 5, 20), 2, 3, 0, 0);
	OK(f, import_undo(f->s, 2, 30, &undone, &f->e));
	after = picture(f);
	assert_string_equal(before, after);
	assert_int_equal(undone.removed, 2);
	assert_int_equal(undone.restored, 2);
	assert_int_equal(undone.ended, 4);
	assert_int_equal(undone.kept, 0);
	assert_sound(f);
	FAILS(f, ERR_DENIED, import_undo(f->s, 2, 40, &undone, &f->e));
	FAILS(f, ERR_MISSING, import_undo(f->s, 9, 40, &undone, &f->e));
	/* And once more in: as if it had never been. */
	assert_counts(import(f, later_rows, 5, 50), 2, 3, 0, 0);
	free(before);
	free(after);
}

static void test_undo_keeps_what_happened_since(void **state)
{
	struct fixture *f = *state;
	struct subscriber change = {.email = STR("a@example.com"), .first_name = STR("Mrs A")};
	struct import_undone undone;
	struct subscriber p;
	bool added;

	import(f, before_rows, 3, 10);
	import(f, later_rows, 5, 20);
	import(f,
		ROWS(row("mailed@example.com", "", "", ACTIVE, 2),
			row("left@example.com", "", "", ACTIVE, 3)),
		21);
	OK(f, subscriber_put(f->s, &change, change.email, 25, &added, &f->e));
	issue(f, "one", 26, 26);
	OK(f, subscriber_unsubscribe(
		      f->s, person(f, "left@example.com").id, 0, STR("link"), 27, &f->e));
	/* b was called spam by another way, too. */
	OK(f, subscription_put(f->s, person(f, "p@example.com").id, f->list,
		      SUBSCRIPTION_UNSUBSCRIBED, STR("link"), STR(""), false, 27, &f->e));
	OK(f, import_undo(f->s, 2, 30, &undone, &f->e));
	assert_text(person(f, "a@example.com").first_name, "Mrs A");
	assert_int_equal(subscription(f, "b@example.com").status, ACTIVE);
	assert_int_equal(subscription(f, "p@example.com").status, SUBSCRIPTION_UNSUBSCRIBED);
	/* n was mailed: off the list, but the ledger's reader stays. */
	assert_int_equal(undone.removed, 1);
	assert_int_equal(undone.kept, 3);
	p = person(f, "n@example.com");
	assert_true(p.id > 0);
	assert_sound(f);
	OK(f, import_undo(f->s, 3, 31, &undone, &f->e));
	assert_int_equal(undone.kept, 2);
	assert_int_equal(subscription(f, "left@example.com").status, SUBSCRIPTION_UNSUBSCRIBED);
	assert_sound(f);
}

/* Whether `key` is on the list, and as what; -1 = not. */
static int64_t stands(struct fixture *f, const char *key)
{
	return peek(f, arena_printf(&f->a,
			       "SELECT coalesce((SELECT status FROM subscriptions JOIN subscribers"
			       " ON subscribers.id = subscriber_id WHERE email_key = '%s'), -1)",
			       key));
}

static void undo(struct fixture *f, int64_t id, int64_t ended, int64_t kept)
{
	struct import_undone undone;

	OK(f, import_undo(f->s, id, 50 + id, &undone, &f->e));
	assert_int_equal(undone.ended, ended);
	assert_int_equal(undone.kept, kept);
	assert_sound(f);
}

/* Whom no import that stands has brought is on no list, in whatever order the others were undone. */
static void test_undo_of_several(void **state)
{
	static const char y[] = "y@example.com", h[] = "reader1@example.com";
	struct fixture *f = *state;

	reader(f, 1);
	import(f, ROWS(row(y, "", "", ACTIVE, 2), row(h, "", "", ACTIVE, 3)), 11);
	import(f,
		ROWS(row(y, "", "", SUBSCRIPTION_BOUNCED, 2),
			row(h, "", "", SUBSCRIPTION_BOUNCED, 3)),
		12);
	undo(f, 1, 0, 1);
	assert_int_equal(stands(f, y), SUBSCRIPTION_BOUNCED);
	undo(f, 2, 2, 0);
	assert_int_equal(stands(f, y), -1);
	assert_int_equal(stands(f, h), ACTIVE);
	assert_int_equal(peek(f, "SELECT count(*) FROM suppressions"), 0);
	assert_int_equal(peek(f, "SELECT count(*) FROM subscribers WHERE suppressed"), 0);
	/* The later one first. */
	import(f, ROWS(row("z@example.com", "", "", ACTIVE, 2)), 13);
	import(f, ROWS(row("z@example.com", "", "", SUBSCRIPTION_UNSUBSCRIBED, 2)), 14);
	undo(f, 4, 1, 0);
	assert_int_equal(stands(f, "z@example.com"), ACTIVE);
	undo(f, 3, 1, 0);
	assert_int_equal(stands(f, "z@example.com"), -1);
	/* Over two that were undone, as far as the hand that had put her there. */
	import(f, ROWS(row(h, "", "", SUBSCRIPTION_UNSUBSCRIBED, 2)), 15);
	import(f, ROWS(row(h, "", "", SUBSCRIPTION_BOUNCED, 2)), 16);
	import(f, ROWS(row(h, "", "", SUBSCRIPTION_COMPLAINED, 2)), 17);
	undo(f, 6, 0, 1);
	undo(f, 5, 0, 1);
	undo(f, 7, 1, 0);
	assert_int_equal(stands(f, h), ACTIVE);
}

/* ---- what breaks off ---- */

static void test_broken_off_while_reading(void **state)
{
	struct fixture *f = *state;
	struct import_row rows[5];
	struct import *i;
	char *before, *after;
	bool finished;
	int64_t id;

	import(f, before_rows, 3, 10);
	before = picture(f);
	i = begin(f, 20);
	memcpy(rows, later_rows, sizeof rows);
	add(f, i, rows, 5);
	/* Nobody is on the list, and another process leaves a living import alone. */
	assert_int_equal(peek(f, "SELECT count(*) FROM subscriptions"), 3);
	assert_int_equal(peek(f, "SELECT count(*) FROM subscribers"), 5);
	OK(f, import_recover(f->s, 25, &id, &finished, &f->e));
	assert_int_equal(id, 0);
	FAILS(f, ERR_BUSY,
		import_begin(f->s, &(struct import_start){.list = f->list, .now = 25},
			&(struct import *){NULL}, &f->e));
	import_rollback(i, NULL);
	after = picture(f);
	assert_string_equal(before, after);
	assert_int_equal(peek(f, "SELECT count(*) FROM imports"), 1);
	assert_int_equal(peek(f, "SELECT count(*) FROM import_rows WHERE import_id = 2"), 0);
	assert_int_equal(peek(f, "SELECT count(*) FROM import_packs WHERE import_id = 2"), 0);
	free(before);
	free(after);
	assert_sound(f);
}

/* A process that ends without a word in the middle of reading. */
static void die_reading(struct fixture *f)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		const struct import_start start = {.list = f->list, .now = 20};
		struct import_row rows[5];
		size_t n = 5;
		struct store *s;
		struct import *i;

		memcpy(rows, later_rows, sizeof rows);
		_exit(store_open(f->path, &s, &f->e) < 0 ||
			import_begin(s, &start, &i, &f->e) < 0 ||
			import_sort(import_sorter_new(), rows, &n, &f->a, &f->e) < 0 ||
			import_batch(i, rows, n, &f->e) < 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_recover_what_was_being_read(void **state)
{
	struct fixture *f = *state;
	char *before, *after;
	bool finished;
	int64_t id;

	import(f, before_rows, 3, 10);
	before = picture(f);
	die_reading(f);
	assert_int_equal(peek(f, "SELECT count(*) FROM subscribers"), 5);
	OK(f, import_recover(f->s, 30, &id, &finished, &f->e));
	assert_int_equal(id, 2);
	assert_false(finished);
	after = picture(f);
	assert_string_equal(before, after);
	assert_int_equal(peek(f, "SELECT count(*) FROM imports"), 1);
	OK(f, import_recover(f->s, 30, &id, &finished, &f->e));
	assert_int_equal(id, 0);
	assert_sound(f);
	free(before);
	free(after);
}

static void test_recover_what_was_decided_for(void **state)
{
	struct fixture *f = *state;
	sqlite3 *db = NULL;
	bool finished;
	int64_t id;

	import(f, later_rows, 5, 20);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	/* As it is when the process ends right behind the decision. */
	assert_int_equal(sqlite3_exec(db,
				 "DROP TRIGGER consents_stay; DELETE FROM consents;"
				 " DELETE FROM subscriptions; DELETE FROM suppressions;"
				 " UPDATE subscribers SET suppressed = 0;"
				 " UPDATE imports SET state = 1, passed = 0",
				 NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	OK(f, import_recover(f->s, 30, &id, &finished, &f->e));
	assert_int_equal(id, 1);
	assert_true(finished);
	assert_int_equal(peek(f, "SELECT count(*) FROM subscriptions"), 5);
	assert_int_equal(peek(f, "SELECT count(*) FROM suppressions"), 2);
	assert_sound(f);
}

static bool collect(void *user, const struct import_effect *effect)
{
	struct buf *to = user;

	buf_printf(to, "%d %.*s: %.*s%s%.*s\n", (int)effect->line, STR_ARG(effect->email),
		STR_ARG(effect->words), effect->kept.n ? "; " : "", STR_ARG(effect->kept));
	return true;
}

static void test_effects(void **state)
{
	struct fixture *f = *state;
	struct import_row rows[5];
	struct import_counts n;
	struct import *i;
	struct buf text;
	int64_t id, same, at;

	buf_init(&text, 10000);
	import(f, before_rows, 3, 10);
	for (int k = 0; k < 2; k++) {
		i = begin(f, 20 + k);
		memcpy(rows, later_rows, sizeof rows);
		add(f, i, rows, 5);
		OK(f, import_reject(i, 7, STR("'x' is not an address"), &f->e));
		OK(f, import_commit(i, STR("5e1f"), STR(""), &id, &n, &f->e));
	}
	OK(f, import_effects(f->s, 2, collect, &text, &f->e));
	assert_string_equal(buf_text(&text),
		"2 a@example.com: data changed\n"
		"3 b@example.com: complained, was subscribed, data changed, suppressed "
		"(complaint)\n"
		"4 p@example.com: subscribed, was pending\n"
		"5 n@example.com: added as subscribed\n"
		"6 d@example.com: added as bounced, suppressed (bounce)\n"
		"7 : rejected: 'x' is not an address\n");
	assert_counts(n, 0, 0, 5, 0);
	assert_int_equal(OK(f, import_same(f->s, 3, &same, &at, &f->e)), 1);
	assert_int_equal(same, 2);
	assert_int_equal(at, 20);
	buf_free(&text);
}

static void test_erased_while_the_file_is_read(void **state)
{
	struct fixture *f = *state;
	struct import_counts n;
	struct import *i;
	int64_t id;

	import(f,
		ROWS(row("a@example.com", "", "", ACTIVE, 2),
			row("b@example.com", "", "", ACTIVE, 3)),
		10);
	i = begin(f, 20);
	OK(f, subscriber_erase(
		      f->s, person(f, "a@example.com").id, STR("a@example.com"), 20, &f->e));
	add(f, i, ROWS(row("a@example.com", "", "", ACTIVE, 2)));
	OK(f, import_commit(i, STR(""), STR(""), &id, &n, &f->e));
	assert_counts(n, 0, 0, 0, 1);
	assert_int_equal(peek(f, "SELECT count(*) FROM subscribers"), 1);
	assert_sound(f);
}

/* Who had left, or is suppressed, is told by line and reason. */
static void test_left_alone(void **state)
{
	struct fixture *f = *state;
	struct import_row rows[] = {
		row("left@example.com", "", "", ACTIVE, 2),
		row("dead@example.com", "", "", ACTIVE, 3),
		row("hand@example.com", "", "", ACTIVE, 4),
		row("hand@example.com", "", "", ACTIVE, 5),
		row("x@example.net", "", "", ACTIVE, 6),
		row("gone@example.com", "", "", SUBSCRIPTION_UNSUBSCRIBED, 7),
		row("fine@example.com", "", "", ACTIVE, 8),
	};
	struct import_row again[] = {row("left@example.com", "", "", ACTIVE, 9),
		row("gone@example.com", "", "", ACTIVE, 10)};
	struct import_sorter *sorter = import_sorter_new();
	struct import_counts n;
	struct import *i;
	struct buf text;
	int64_t id, known;

	buf_init(&text, 10000);
	import(f,
		ROWS(row("left@example.com", "", "", SUBSCRIPTION_UNSUBSCRIBED, 2),
			row("dead@example.com", "", "", SUBSCRIPTION_BOUNCED, 3),
			row("hand@example.com", "", "", ACTIVE, 4)),
		10);
	OK(f, suppression_add(f->s, STR("hand@example.com"), "hand", 11, &f->e));
	OK(f, suppression_add(f->s, STR("gone@example.com"), "erased", 11, &f->e));
	OK(f, suppression_put_domain(f->s, STR("example.net"), "hand", 11, &known, &f->e));
	for (int k = 0; k < 2; k++) {
		struct import_row copy[7];

		memcpy(copy, rows, sizeof rows);
		import_sorter_free(sorter);
		sorter = import_sorter_new();
		i = begin(f, 20 + k);
		add_sorted(f, i, sorter, copy, 7);
		memcpy(copy, again, sizeof again);
		add_sorted(f, i, sorter, copy, 2);
		if (k == 0)
			import_rollback(i, &n);
		assert_int_equal(
			peek(f, "SELECT count(*) FROM import_left, json_each(rows)"), k ? 5 : 0);
	}
	import_sorter_free(sorter);
	OK(f, import_commit(i, STR(""), STR(""), &id, &n, &f->e));
	assert_counts(n, 1, 0, 3, 5);
	OK(f, import_effects(f->s, id, collect, &text, &f->e));
	assert_string_equal(buf_text(&text), "2 : left alone: unsubscribed\n"
					     "3 : left alone: suppressed (bounce)\n"
					     "5 : left alone: suppressed (hand)\n"
					     "6 : left alone: suppressed (domain)\n"
					     "7 : left alone: suppressed (erased)\n"
					     "8 fine@example.com: added as subscribed\n");
	assert_sound(f);
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_proof_brings_back),
		TEST(test_undo_restores),
		TEST(test_undo_keeps_what_happened_since),
		TEST(test_undo_of_several),
		TEST(test_broken_off_while_reading),
		TEST(test_recover_what_was_being_read),
		TEST(test_recover_what_was_decided_for),
		TEST(test_effects),
		TEST(test_erased_while_the_file_is_read),
		TEST(test_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
