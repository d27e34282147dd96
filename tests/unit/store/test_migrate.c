/* SPDX-License-Identifier: MIT */
#include "base/embed.h"
#include "fixture.h"
#include "killer.h"

#include <sys/stat.h>

/* Migrations of the test's own, in place of the program's: three of them, the first filled by an older
 * program, the last one large enough to be killed in the middle. */
#define FIRST                                                                                      \
	"CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;"               \
	"CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;"
#define SECOND "ALTER TABLE people ADD COLUMN age INTEGER;"
#define THIRD                                                                                      \
	"CREATE TABLE copies (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER) STRICT;"    \
	"INSERT INTO copies SELECT id, name || ' the reader', age FROM people;"                    \
	"DROP TABLE people; ALTER TABLE copies RENAME TO people;"

const struct embedded embedded_sql[] = {
	{"0001_first.sql", FIRST, sizeof FIRST - 1},
	{"0002_second.sql", SECOND, sizeof SECOND - 1},
	{"0003_third.sql", THIRD, sizeof THIRD - 1},
	{NULL, NULL, 0},
};

static char copy_path[128];

static void sql(const char *path, const char *text)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_exec(db, text, NULL, NULL, &why);
	if (why)
		fail_msg("%s", why);
	sqlite3_close(db);
}

/* A database as the program with the first migration left it. */
static void write_old(struct fixture *f)
{
	sql(f->path, FIRST
		"PRAGMA application_id = 1282698604; PRAGMA user_version = 1;"
		"PRAGMA journal_mode = WAL;"
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
		"INSERT INTO people SELECT i, 'reader number ' || i FROM n;");
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	snprintf(f->folder, sizeof f->folder, "%s/lettermill-test-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->path, sizeof f->path, "%s/site.db", f->folder);
	snprintf(copy_path, sizeof copy_path, "%s.before-1", f->path);
	write_old(f);
	*state = f;
	return 0;
}

#define MIGRATE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

static int64_t ask(const char *path, const char *question)
{
	struct fixture at = {0};

	snprintf(at.path, sizeof at.path, "%s", path);
	return peek(&at, question);
}

#define OLD_ROWS "SELECT count(*) FROM people WHERE name = 'reader number ' || id"
#define NEW_ROWS "SELECT count(*) FROM people WHERE name = 'reader number ' || id || ' the reader'"

static void test_migrate(void **state)
{
	struct fixture *f = *state;
	struct store_migration done;
	struct stat st;

	FAILS(f, ERR_CONFIG, store_open(f->path, &f->s, &f->e));
	OK(f, store_migrate(f->path, true, &done, &f->e));
	assert_int_equal(done.from, 1);
	assert_int_equal(done.to, 3);
	assert_string_equal(done.copy, copy_path);
	assert_int_equal(stat(copy_path, &st), -1); /* a dry run */
	assert_int_equal(ask(f->path, OLD_ROWS), 2000);
	OK(f, store_migrate(f->path, false, &done, &f->e));
	assert_int_equal(ask(f->path, NEW_ROWS), 2000);
	assert_int_equal(ask(f->path, "PRAGMA user_version"), 3);
	assert_int_equal(ask(copy_path, OLD_ROWS), 2000);
	assert_int_equal(ask(copy_path, "PRAGMA user_version"), 1);
	assert_int_equal(stat(copy_path, &st), 0);
	assert_int_equal(st.st_mode & 07777 & ~0640, 0);
	OK(f, store_open(f->path, &f->s, &f->e));
	OK(f, store_migrate(f->path, false, &done, &f->e));
	assert_int_equal(done.from, 3);
	assert_string_equal(done.copy, "");
}

/* What fails in the middle leaves all as it was. */
static void test_failing_migration(void **state)
{
	struct fixture *f = *state;
	struct store_migration done;

	sql(f->path, "CREATE TABLE copies (x)");
	FAILS(f, ERR_BUG, store_migrate(f->path, false, &done, &f->e));
	assert_non_null(strstr(f->e.text, "0003_third.sql"));
	assert_int_equal(ask(f->path, OLD_ROWS), 2000);
	assert_int_equal(ask(f->path, "PRAGMA user_version"), 1);
	assert_int_equal(ask(f->path, "SELECT count(*) FROM pragma_table_info('people')"), 2);
	sql(f->path, "DROP TABLE copies");
	OK(f, store_migrate(f->path, false, &done, &f->e));
	assert_int_equal(ask(f->path, NEW_ROWS), 2000);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	struct store_migration done;

	sql(f->path, "PRAGMA user_version = 4");
	FAILS(f, ERR_CONFIG, store_migrate(f->path, false, &done, &f->e));
	sql(f->path, "PRAGMA application_id = 4");
	FAILS(f, ERR_INPUT, store_migrate(f->path, false, &done, &f->e));
	FAILS(f, ERR_MISSING, store_migrate("/tmp/no-such-site.db", false, &done, &f->e));
}

/* Killed at each of its writes in turn: the old schema with all its rows, or the new one. */
static void test_killed(void **state)
{
	struct fixture *f = *state;
	char temp[160];
	int killed = 1;
	long n = 0;

	while (killed) {
		pid_t child = fork();

		n++;
		if (child == 0) {
			struct store_migration done;
			struct err e = {0};

			die_at_write(n);
			_exit(store_migrate(f->path, false, &done, &e) < 0);
		}
		killed = ended(child);
		assert_true(killed >= 0);
		assert_int_equal(ask(f->path, "SELECT count(*) FROM pragma_integrity_check"
					      " WHERE integrity_check = 'ok'"),
			1);
		if (ask(f->path, "PRAGMA user_version") == 1)
			assert_int_equal(ask(f->path, OLD_ROWS), 2000);
		else
			assert_int_equal(ask(f->path, NEW_ROWS), 2000);
		/* The copy is whole, or not there. */
		if (access(copy_path, F_OK) == 0)
			assert_int_equal(ask(copy_path, OLD_ROWS), 2000);
		snprintf(temp, sizeof temp, "%s.new-%ld", copy_path, (long)child);
		unlink(temp);
		snprintf(temp, sizeof temp, "%s.new-%ld-journal", copy_path, (long)child);
		unlink(temp);
	}
	assert_true(n > 10);
	assert_int_equal(ask(f->path, NEW_ROWS), 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MIGRATE_TEST(test_migrate),
		MIGRATE_TEST(test_failing_migration),
		MIGRATE_TEST(test_refused),
		MIGRATE_TEST(test_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
