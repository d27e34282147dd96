/* SPDX-License-Identifier: MIT */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "store/ledger.h"
#include "store/people.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A store in a folder of its own with one list "daily", and an arena, for each test. Instants in
 * the tests are small numbers: the store never asks for the time.
 */
struct fixture {
	char folder[64], path[96];
	struct store *s;
	struct arena a;
	struct err e;
	int64_t list;
};

/* For calls that must succeed: shows the sentence where they do not. */
#define OK(f, call) ok_at(&(f)->e, (call), #call, __FILE__, __LINE__)
static inline int ok_at(struct err *e, int rc, const char *what, const char *file, int line)
{
	if (rc < 0)
		print_error("%s:%d: %s: %s\n", file, line, what, e->text);
	_assert_true(rc >= 0, what, file, line);
	return rc;
}

/* For calls that must fail with that code. */
#define FAILS(f, err_code, call)                                                                   \
	do {                                                                                       \
		(f)->e = (struct err){0};                                                          \
		assert_int_equal((call), -1);                                                      \
		assert_int_equal((f)->e.code, (err_code));                                         \
		assert_true((f)->e.text[0] != 0);                                                  \
	} while (0)

static inline void assert_text(struct str s, const char *expected)
{
	char text[512];

	snprintf(text, sizeof text, "%.*s", STR_ARG(s));
	assert_string_equal(text, expected);
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct list daily = {.slug = STR("daily"), .name = STR("The Daily")};

	/* In memory where there is such a folder: nothing here tests the disk. */
	snprintf(f->folder, sizeof f->folder, "%s/lettermill-test-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->path, sizeof f->path, "%s/site.db", f->folder);
	if (store_create(f->path, &f->s, &f->e) < 0 || list_add(f->s, &daily, 1, &f->e) < 0) {
		print_error("%s\n", f->e.text);
		return -1;
	}
	f->list = daily.id;
	*state = f;
	return 0;
}

/* Remove what the store may have left; anything else in the folder is a finding. */
static inline int fixture_teardown(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-import", ".before-0", ".before-1"};
	struct fixture *f = *state;
	char path[128];
	int rc;

	store_close(f->s);
	arena_free(&f->a);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		snprintf(path, sizeof path, "%s%s", f->path, ends[i]);
		unlink(path);
	}
	rc = rmdir(f->folder);
	free(f);
	return rc;
}

/* The share of the lane of small domains, as ledger_claim() takes it. */
#define OTHER(n) &(const struct lane_share){LANE_OTHER, (n)}, 1

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* An active reader number `n` on the list: his or her id. */
static inline int64_t reader(struct fixture *f, int n)
{
	char email[64];
	struct subscriber person = {.first_name = STR("Ada")};
	bool added;

	snprintf(email, sizeof email, "reader%d@example.com", n);
	person.email = str_of(email);
	OK(f, subscriber_put(f->s, &person, person.email, 10, &added, &f->e));
	OK(f, subscription_put(f->s, person.id, f->list, SUBSCRIPTION_ACTIVE, STR("hand"), STR(""),
		      false, 10, &f->e));
	return person.id;
}

/* An issue that is due at `due_at`, with the audience that is there. */
static inline int64_t issue(struct fixture *f, const char *slug, int64_t due_at, int64_t now)
{
	struct issue i = {.slug = str_of(slug),
		.subject = STR("Subject"),
		.due_at = due_at,
		.hash = STR("00"),
		.source = STR("# Source"),
		.program = STR("program")};
	int64_t frozen;

	OK(f, issue_schedule(f->s, &i, f->list, false, now, &frozen, &f->e));
	return i.id;
}

/* What a store has to say against itself: nothing. */
static inline void complain(void *user, const char *text)
{
	(void)user;
	print_error("%s\n", text);
}

static inline void assert_sound(struct fixture *f)
{
	assert_int_equal(OK(f, store_check(f->s, true, complain, NULL, &f->e)), 0);
}

/* One integer from the database behind the store's back. */
static inline int64_t peek(struct fixture *f, const char *sql)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int64_t value = -1;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	if (sqlite3_step(st) == SQLITE_ROW)
		value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return value;
}

#endif
