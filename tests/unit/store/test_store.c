/* SPDX-License-Identifier: MIT */
#include "base/embed.h"
#include "base/file.h"
#include "fixture.h"

#include <sys/stat.h>

/* A statement behind the store's back, to plant a fault. */
static void poke(struct fixture *f, const char *sql)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	sqlite3_exec(db, sql, NULL, NULL, &why);
	if (why)
		fail_msg("%s", why);
	sqlite3_close(db);
}

static void test_create(void **state)
{
	struct fixture *f = *state;
	struct store *other = NULL;
	struct stat st;
	int migrations = 0;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777 & ~0640, 0);
	FAILS(f, ERR_EXISTS, store_create(f->path, &other, &f->e));
	assert_null(other);
	FAILS(f, ERR_MISSING, store_create("/tmp/no-such-folder/site.db", &other, &f->e));
	assert_int_equal(peek(f, "PRAGMA application_id"), 0x4c746d6c);
	while (embedded_sql[migrations].name)
		migrations++;
	assert_int_equal(peek(f, "PRAGMA user_version"), migrations);
	assert_int_equal(peek(f, "SELECT length(value) FROM settings WHERE name = 'hash_key'"), 64);
	assert_sound(f);
}

static void test_open_refuses(void **state)
{
	struct fixture *f = *state;
	struct store *other = NULL;
	char path[128];

	FAILS(f, ERR_MISSING, store_open("/tmp/no-such-site.db", &other, &f->e));
	FAILS(f, ERR_INPUT, store_open(f->folder, &other, &f->e));
	snprintf(path, sizeof path, "%s/text", f->folder);
	OK(f, file_write(
		      path, STR("this is not a database, and long enough to say so"), 0600, &f->e));
	FAILS(f, ERR_INPUT, store_open(path, &other, &f->e));
	OK(f, file_write(path, STR(""), 0600, &f->e));
	FAILS(f, ERR_INPUT, store_open(path, &other, &f->e));
	unlink(path);
	poke(f, "PRAGMA user_version = 99");
	FAILS(f, ERR_CONFIG, store_open(f->path, &other, &f->e));
	assert_non_null(strstr(f->e.text, "newer"));
	poke(f, "PRAGMA user_version = 0");
	FAILS(f, ERR_CONFIG, store_open(f->path, &other, &f->e));
	assert_non_null(strstr(f->e.text, "migrate"));
	poke(f, "PRAGMA application_id = 1");
	FAILS(f, ERR_INPUT, store_open(f->path, &other, &f->e));
}

/* sql/schema.sql is the sum of the migrations. */
static void test_schema_is_the_sum(void **state)
{
	static const char listing[] = "SELECT group_concat(type || name || tbl_name ||"
				      " coalesce(sql, ''), char(10)) FROM"
				      " (SELECT * FROM sqlite_master ORDER BY type, name)";
	struct fixture *f = *state;
	sqlite3 *made = NULL, *written = NULL;
	sqlite3_stmt *a, *b;
	struct buf sql;
	char *why = NULL;

	buf_init(&sql, 1 << 20);
	OK(f, file_read("sql/schema.sql", &sql, &f->e));
	assert_int_equal(sqlite3_open(":memory:", &written), SQLITE_OK);
	sqlite3_exec(written, buf_text(&sql), NULL, NULL, &why);
	if (why)
		fail_msg("sql/schema.sql: %s", why);
	assert_int_equal(sqlite3_open(f->path, &made), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(made, listing, -1, &a, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(written, listing, -1, &b, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(a), SQLITE_ROW);
	assert_int_equal(sqlite3_step(b), SQLITE_ROW);
	assert_string_equal(
		(const char *)sqlite3_column_text(a, 0), (const char *)sqlite3_column_text(b, 0));
	sqlite3_finalize(a);
	sqlite3_finalize(b);
	sqlite3_close(made);
	sqlite3_close(written);
	buf_free(&sql);
}

static void test_pragmas(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(peek(f, "SELECT count(*) FROM pragma_journal_mode"
				 " WHERE journal_mode = 'wal'"),
		1);
	assert_int_equal(peek(f, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main'"
				 " AND name NOT LIKE 'sqlite_%' AND NOT strict"),
		0);
}

static void test_settings(void **state)
{
	struct fixture *f = *state;
	struct str value;

	OK(f, store_setting_get(f->s, "site", &f->a, &value, &f->e));
	assert_int_equal(value.n, 0);
	OK(f, store_setting_put(f->s, "site", STR("one"), &f->e));
	OK(f, store_setting_put(f->s, "site", STR("two"), &f->e));
	OK(f, store_setting_get(f->s, "site", &f->a, &value, &f->e));
	assert_text(value, "two");
}

static void test_transactions(void **state)
{
	struct fixture *f = *state;
	struct str value;

	OK(f, store_begin(f->s, &f->e));
	FAILS(f, ERR_BUG, store_begin(f->s, &f->e));
	OK(f, store_setting_put(f->s, "site", STR("one"), &f->e));
	store_rollback(f->s);
	store_rollback(f->s);
	OK(f, store_setting_get(f->s, "site", &f->a, &value, &f->e));
	assert_int_equal(value.n, 0);
	FAILS(f, ERR_BUG, store_commit(f->s, &f->e));
	OK(f, store_begin(f->s, &f->e));
	OK(f, store_setting_put(f->s, "site", STR("one"), &f->e));
	OK(f, store_commit(f->s, &f->e));
	OK(f, store_setting_get(f->s, "site", &f->a, &value, &f->e));
	assert_text(value, "one");
}

static void test_busy(void **state)
{
	struct fixture *f = *state;
	struct store *other = NULL;
	struct str value;

	OK(f, store_open(f->path, &other, &f->e));
	store_patience(other, 5);
	OK(f, store_begin(f->s, &f->e));
	FAILS(f, ERR_BUSY, store_begin(other, &f->e));
	FAILS(f, ERR_BUSY, store_setting_put(other, "site", STR("two"), &f->e));
	/* Reading goes on beside a writer. */
	OK(f, store_setting_get(other, "site", &f->a, &value, &f->e));
	OK(f, store_commit(f->s, &f->e));
	OK(f, store_setting_put(other, "site", STR("two"), &f->e));
	store_close(other);
}

static void breaks(struct fixture *f, const char *how)
{
	struct str value;
	char sql[200];

	snprintf(sql, sizeof sql,
		"DROP TRIGGER IF EXISTS planted; CREATE TRIGGER planted BEFORE INSERT ON events"
		" BEGIN SELECT raise(%s, 'planted'); END",
		how);
	poke(f, sql);
	OK(f, store_begin(f->s, &f->e));
	OK(f, store_setting_put(f->s, "site", STR("one"), &f->e));
	FAILS(f, ERR_BUG, store_event(f->s, 1, "import", 0, STR("detail"), &f->e));
	FAILS(f, ERR_IO, store_commit(f->s, &f->e));
	OK(f, store_setting_get(f->s, "site", &f->a, &value, &f->e));
	assert_int_equal(value.n, 0);
}

/* What failed inside a transaction takes all of it along, also where SQLite itself has rolled back (as
 * on a full disk): no half of a turn is ever committed. */
static void test_broken_transaction(void **state)
{
	struct fixture *f = *state;

	breaks(f, "ABORT");
	breaks(f, "ROLLBACK");
	poke(f, "DROP TRIGGER planted");
	OK(f, store_begin(f->s, &f->e));
	OK(f, store_event(f->s, 1, "import", 0, STR("detail"), &f->e));
	OK(f, store_commit(f->s, &f->e));
}

/* ---- check ---- */

static char found[8][256];
static int found_n;

static void note(void *user, const char *text)
{
	(void)user;
	snprintf(found[found_n++ % 8], sizeof found[0], "%s", text);
}

static void finds(struct fixture *f, const char *plant, const char *mend, const char *words)
{
	bool there = false;

	found_n = 0;
	poke(f, plant);
	assert_true(OK(f, store_check(f->s, true, note, NULL, &f->e)) > 0);
	for (int i = 0; i < found_n; i++)
		there |= strstr(found[i], words) != NULL;
	if (!there)
		fail_msg("planted: %s, found: %s", plant, found[0]);
	poke(f, mend);
	assert_sound(f);
}

static void test_check_finds(void **state)
{
	struct fixture *f = *state;
	int64_t who = reader(f, 1);

	issue(f, "first", 5, 1);
	assert_int_equal(who, 1);
	assert_sound(f);
	finds(f, "UPDATE issue_counts SET n = 2", "UPDATE issue_counts SET n = 1", "counts");
	finds(f, "UPDATE deliveries SET lease = 4", "UPDATE deliveries SET lease = 0", "rests");
	finds(f,
		"UPDATE deliveries SET state = 1, lease = 4;"
		"UPDATE issue_counts SET state = 1",
		"UPDATE deliveries SET state = 0, lease = 0; UPDATE issue_counts SET state = 0",
		"no lease that exists");
	finds(f, "UPDATE deliveries SET state = 5; UPDATE issue_counts SET state = 5",
		"UPDATE deliveries SET state = 0; UPDATE issue_counts SET state = 0",
		"was sent and has no attempt");
	finds(f, "INSERT INTO attempts VALUES (1, 1, 1, 5, 77, 0, 0, 3, 0, NULL, '', '')",
		"DELETE FROM attempts", "made by no relay that exists");
	finds(f, "UPDATE subscribers SET suppressed = 1", "UPDATE subscribers SET suppressed = 0",
		"not suppressed");
	finds(f, "UPDATE subscribers SET attributes = '{'",
		"UPDATE subscribers SET attributes = NULL", "no JSON");
	finds(f, "UPDATE issues SET state = 3", "UPDATE issues SET state = 0", "has copies left");
	finds(f, "PRAGMA foreign_keys = OFF; UPDATE subscriptions SET list_id = 77",
		"UPDATE subscriptions SET list_id = 1", "a row of subscriptions");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_create),
		TEST(test_open_refuses),
		TEST(test_schema_is_the_sum),
		TEST(test_pragmas),
		TEST(test_settings),
		TEST(test_transactions),
		TEST(test_busy),
		TEST(test_broken_transaction),
		TEST(test_check_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
