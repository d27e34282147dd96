/* SPDX-License-Identifier: MIT */
#include "ledger_fixture.h"
#include "store/journal.h"

#include <fcntl.h>
#include <sys/stat.h>

/* The send journal: what it keeps through torn writes, and what an older database learns from it. */

enum { HEAD = 72, RECORD = 32 };

static char *name_of(struct fixture *f, const char *slug)
{
	static char path[256];

	snprintf(path, sizeof path, "%s.journal/daily.%s", f->path, slug);
	return path;
}

static int teardown(void **state)
{
	static const char *const slugs[] = {"first", "second", "third"};
	struct fixture *f = *state;
	char folder[128];

	for (size_t i = 0; i < sizeof slugs / sizeof *slugs; i++)
		unlink(name_of(f, slugs[i]));
	snprintf(folder, sizeof folder, "%s.journal", f->path);
	rmdir(folder);
	return fixture_teardown(state);
}

#define JOURNAL_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, teardown)

static struct journal *opened(struct fixture *f, int64_t id, struct journal_news *news)
{
	struct journal *j;

	*news = (struct journal_news){0};
	OK(f, journal_open(f->s, id, 60, &j, news, &f->e));
	assert_non_null(j);
	return j;
}

static void write_one(struct fixture *f, struct journal *j, const struct claim *c, int attempt,
	enum journal_kind kind)
{
	const struct journal_entry entry = {.subscriber = c->subscriber,
		.mark = c->mark,
		.at = 70,
		.attempt = attempt,
		.relay = STR("main"),
		.kind = kind};

	journal_add(j, &entry);
	assert_int_equal(OK(f, journal_write(j, &f->e)), 1);
}

/* An issue for `n` readers, delivering, all claimed. */
static int64_t claimed(struct fixture *f, const char *slug, int n, struct claim **c)
{
	int64_t id;

	for (int i = 1; i <= n; i++)
		reader(f, i);
	id = issue(f, slug, 50, 20);
	assert_int_equal(turn(f, 50), 1);
	OK(f, lease_open(f->s, 50, 60, &lease, &f->e));
	assert_int_equal(claim(f, 50, 100, true, c), n);
	return id;
}

static int64_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void test_sent_is_learnt(void **state)
{
	struct fixture *f = *state;
	struct journal_news news;
	struct journal *j;
	struct claim *c;
	int64_t id = claimed(f, "first", 3, &c);

	j = opened(f, id, &news);
	assert_int_equal(size_of(name_of(f, "first")), HEAD);
	assert_int_equal(OK(f, journal_write(j, &f->e)), 0);
	write_one(f, j, &c[0], 1, JOURNAL_INTENT);
	write_one(f, j, &c[1], 1, JOURNAL_INTENT);
	write_one(f, j, &c[0], 1, JOURNAL_SENT);
	write_one(f, j, &c[1], 1, JOURNAL_NOT_SENT);
	assert_int_equal(size_of(name_of(f, "first")), HEAD + 4 * RECORD);
	journal_close(j);
	OK(f, journal_replay(f->s, 80, &news, &f->e));
	assert_int_equal(news.sent, 1);
	assert_int_equal(news.in_doubt, 0);
	assert_int_equal(count(f, id, DELIVERY_SENT), 1);
	assert_int_equal(count(f, id, DELIVERY_CLAIMED), 2);
	assert_int_equal(told(f, c[0].subscriber).state, DELIVERY_SENT);
	assert_int_equal(told(f, c[0].subscriber).attempt_n, 1);
	assert_int_equal(told(f, c[0].subscriber).attempt[0].at, 70);
	assert_int_equal(peek(f, "SELECT seen FROM journals"), HEAD + 4 * RECORD);
	assert_int_equal(peek(f, "SELECT count(*) FROM events WHERE what = 'journal'"), 1);
	/* Once is enough. */
	OK(f, journal_replay(f->s, 81, &news, &f->e));
	assert_int_equal(news.sent, 0);
	assert_sound(f);
}

static void test_intent_alone_is_a_doubt(void **state)
{
	struct fixture *f = *state;
	struct journal_news news;
	struct journal *j;
	struct claim *c;
	int64_t id = claimed(f, "first", 4, &c);

	/* In the newer database: the first was put off and is on its way again, the second was in doubt and
	 * the relay refused it then, the third is on its way, and in this database, too. */
	OK(f, ledger_intend(f->s, &lease, id, c[2].subscriber, LANE_OTHER, STR("main"), 51, &f->e));
	j = opened(f, id, &news);
	write_one(f, j, &c[2], 1, JOURNAL_INTENT);
	write_one(f, j, &c[0], 1, JOURNAL_INTENT);
	write_one(f, j, &c[0], 1, JOURNAL_NOT_SENT);
	write_one(f, j, &c[1], 1, JOURNAL_INTENT);
	write_one(f, j, &c[1], 2, JOURNAL_INTENT);
	write_one(f, j, &c[1], 2, JOURNAL_NOT_SENT);
	write_one(f, j, &c[0], 2, JOURNAL_INTENT);
	journal_close(j);
	j = opened(f, id, &news);
	journal_close(j);
	assert_int_equal(news.in_doubt, 2);
	assert_int_equal(told(f, c[0].subscriber).state, DELIVERY_IN_DOUBT);
	assert_int_equal(told(f, c[1].subscriber).state, DELIVERY_IN_DOUBT);
	assert_int_equal(told(f, c[2].subscriber).state, DELIVERY_SENDING);
	assert_int_equal(told(f, c[3].subscriber).state, DELIVERY_CLAIMED);
	assert_int_equal(peek(f, "SELECT max(attempts) FROM deliveries"), 2);
	assert_sound(f);
}

static void test_crash_adds_no_doubt(void **state)
{
	struct fixture *f = *state;
	struct lease_recovery found;
	struct journal_news news;
	struct journal *j;
	struct claim *c;
	int64_t id = claimed(f, "first", 3, &c);

	j = opened(f, id, &news);
	for (int i = 0; i < 3; i++) {
		OK(f, ledger_intend(f->s, &lease, id, c[i].subscriber, LANE_OTHER, STR("main"), 51,
			      &f->e));
		write_one(f, j, &c[i], 1, JOURNAL_INTENT);
	}
	/* Killed between the journal and the commit of an outcome, with two in flight. */
	write_one(f, j, &c[1], 1, JOURNAL_SENT);
	journal_close(j);
	OK(f, journal_replay(f->s, 80, &news, &f->e));
	assert_int_equal(news.sent, 1);
	assert_int_equal(news.in_doubt, 0);
	OK(f, lease_recover(f->s, 200, &found, &f->e));
	assert_int_equal(found.in_doubt, 2);
	OK(f, ledger_resend(f->s, 201, &f->e));
	/* The same intents again: the ledger knows of them. */
	assert_int_equal(peek(f, "UPDATE journals SET seen = 0 RETURNING 1"), 1);
	OK(f, journal_replay(f->s, 202, &news, &f->e));
	assert_int_equal(news.sent + news.in_doubt, 0);
	assert_int_equal(count(f, id, DELIVERY_QUEUED), 2);
	assert_sound(f);
}

static void test_in_doubt_and_sending_become_sent(void **state)
{
	struct fixture *f = *state;
	struct journal_news news;
	struct journal *j;
	struct claim *c;
	int64_t id = claimed(f, "first", 2, &c);
	struct attempt doubt = outcome(id, c[0].subscriber, DELIVERY_IN_DOUBT);

	for (int i = 0; i < 2; i++)
		OK(f, ledger_intend(f->s, &lease, id, c[i].subscriber, LANE_OTHER, STR("main"), 51,
			      &f->e));
	assert_int_equal(settle(f, &lease, doubt), 1);
	j = opened(f, id, &news);
	write_one(f, j, &c[0], 2, JOURNAL_SENT);
	write_one(f, j, &c[1], 1, JOURNAL_SENT);
	journal_close(j);
	OK(f, journal_replay(f->s, 80, &news, &f->e));
	assert_int_equal(news.sent, 2);
	assert_int_equal(count(f, id, DELIVERY_SENT), 2);
	assert_int_equal(peek(f, "SELECT count(*) FROM deliveries WHERE lease > 0"), 0);
	assert_sound(f);
}

/* Every whole record counts, whatever was torn before it, behind it or amid. */
static void test_torn(void **state)
{
	struct fixture *f = *state;
	struct journal_news news;
	struct journal *j;
	struct claim *c;
	int64_t id = claimed(f, "first", 5, &c);
	char torn[RECORD] = {0};
	int fd;

	j = opened(f, id, &news);
	write_one(f, j, &c[0], 1, JOURNAL_SENT);
	write_one(f, j, &c[1], 1, JOURNAL_SENT);
	write_one(f, j, &c[2], 1, JOURNAL_SENT);
	fd = open(name_of(f, "first"), O_RDWR | O_APPEND);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, torn, sizeof torn, HEAD), RECORD);
	assert_int_equal(write(fd, torn, 13), 13);
	write_one(f, j, &c[3], 1, JOURNAL_SENT);
	assert_int_equal(write(fd, (char[64]){0}, 64), 64);
	write_one(f, j, &c[4], 1, JOURNAL_SENT);
	assert_int_equal(write(fd, torn, 31), 31);
	journal_close(j);
	close(fd);
	/* One in the midst was spoilt. */
	fd = open(name_of(f, "first"), O_RDWR);
	assert_int_equal(pwrite(fd, "x", 1, HEAD + RECORD + 5), 1);
	close(fd);
	OK(f, journal_replay(f->s, 80, &news, &f->e));
	assert_int_equal(news.sent, 4);
	assert_int_equal(told(f, c[1].subscriber).state, DELIVERY_CLAIMED);
	/* What is added next is found, too. */
	j = opened(f, id, &news);
	write_one(f, j, &c[1], 1, JOURNAL_SENT);
	journal_close(j);
	OK(f, journal_replay(f->s, 81, &news, &f->e));
	assert_int_equal(news.sent, 1);
	assert_sound(f);
}

/* Longer than what is read at once, with a tear at each place of the seam. */
static void test_long(void **state)
{
	struct fixture *f = *state;
	struct journal_news news;
	struct journal *j;
	struct claim *c;
	int64_t id = claimed(f, "first", 1, &c), n = 3 * 64 * 1024 / RECORD;

	j = opened(f, id, &news);
	for (int64_t i = 0; i < n; i++) {
		struct journal_entry entry = {.subscriber = c->subscriber,
			.mark = c->mark,
			.attempt = 1,
			.relay = STR("main"),
			.kind = i % 2 ? JOURNAL_NOT_SENT : JOURNAL_INTENT};

		journal_add(j, &entry);
	}
	OK(f, journal_write(j, &f->e));
	for (int i = 0; i < 17; i++) {
		int fd = open(name_of(f, "first"), O_WRONLY | O_APPEND);

		assert_int_equal(write(fd, "x", 1), 1);
		close(fd);
	}
	write_one(f, j, c, 2, JOURNAL_INTENT);
	journal_close(j);
	OK(f, journal_replay(f->s, 80, &news, &f->e));
	assert_int_equal(news.in_doubt, 1);
	assert_int_equal(told(f, c->subscriber).attempt_n, 1);
	assert_sound(f);
}

static void test_other_numbers(void **state)
{
	struct fixture *f = *state;
	struct journal_news news;
	struct journal *j;
	struct claim *c, other;
	int64_t id = claimed(f, "first", 3, &c);

	/* When it was written, the first had the number of the second, the third one that nobody has, and
	 * somebody is not here at all. */
	j = opened(f, id, &news);
	other = c[0];
	other.subscriber = c[1].subscriber;
	write_one(f, j, &other, 1, JOURNAL_INTENT);
	write_one(f, j, &other, 1, JOURNAL_SENT);
	other = c[2];
	other.subscriber = 4711;
	write_one(f, j, &other, 1, JOURNAL_INTENT);
	other.mark = 1;
	write_one(f, j, &other, 1, JOURNAL_SENT);
	journal_close(j);
	OK(f, journal_replay(f->s, 80, &news, &f->e));
	assert_int_equal(news.sent, 1);
	assert_int_equal(news.in_doubt, 1);
	assert_int_equal(told(f, c[0].subscriber).state, DELIVERY_SENT);
	assert_int_equal(told(f, c[1].subscriber).state, DELIVERY_CLAIMED);
	assert_int_equal(told(f, c[2].subscriber).state, DELIVERY_IN_DOUBT);
	assert_sound(f);
}

static void test_foreign(void **state)
{
	struct fixture *f = *state;
	struct journal_news news = {0};
	struct journal *j;
	struct claim *c;
	int64_t first = claimed(f, "first", 1, &c), second;
	char path[256];
	int fd;

	j = opened(f, first, &news);
	journal_close(j);
	second = issue(f, "second", 50, 20);
	turn(f, 50);
	snprintf(path, sizeof path, "%s", name_of(f, "first"));
	assert_int_equal(rename(path, name_of(f, "second")), 0);
	FAILS(f, ERR_INPUT, journal_open(f->s, second, 60, &j, &news, &f->e));
	assert_non_null(strstr(f->e.text, "another issue"));
	assert_null(j);
	/* Delivery goes on with the others. */
	OK(f, journal_replay(f->s, 60, &news, &f->e));
	assert_int_equal(issue_state(f, second), ISSUE_PAUSED);
	assert_int_equal(issue_state(f, first), ISSUE_DELIVERING);
	assert_int_equal(rename(name_of(f, "second"), path), 0);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, 8), 1); /* of the site */
	FAILS(f, ERR_INPUT, journal_open(f->s, first, 60, &j, &news, &f->e));
	assert_non_null(strstr(f->e.text, "another database"));
	assert_int_equal(pwrite(fd, "x", 1, 7), 1); /* the version */
	FAILS(f, ERR_INPUT, journal_open(f->s, first, 60, &j, &news, &f->e));
	assert_non_null(strstr(f->e.text, "no send journal"));
	assert_int_equal(ftruncate(fd, 5), 0);
	FAILS(f, ERR_INPUT, journal_open(f->s, first, 60, &j, &news, &f->e));
	close(fd);
	assert_sound(f);
}

static void test_made_anew(void **state)
{
	struct fixture *f = *state;
	struct journal_news news;
	struct journal *j;
	struct claim *c;
	int64_t id = claimed(f, "first", 2, &c);

	j = opened(f, id, &news);
	write_one(f, j, &c[0], 1, JOURNAL_INTENT);
	write_one(f, j, &c[0], 1, JOURNAL_NOT_SENT);
	OK(f, journal_seen(f->s, j, &f->e));
	journal_close(j);
	unlink(name_of(f, "first"));
	j = opened(f, id, &news);
	write_one(f, j, &c[1], 1, JOURNAL_SENT);
	journal_close(j);
	/* Shorter than what was seen of the other one, and news all the same. */
	OK(f, journal_replay(f->s, 80, &news, &f->e));
	assert_int_equal(news.sent, 1);
	assert_sound(f);
}

static void test_same_message_ids(void **state)
{
	struct fixture *f = *state;
	struct journal_news news;
	struct claim *c;
	int64_t id = claimed(f, "first", 1, &c);
	struct issue before, after;

	journal_close(opened(f, id, &news));
	OK(f, issue_get(f->s, STR("first"), &f->a, &before, &f->e));
	/* An older database has not got the issue, and it is scheduled again. */
	assert_int_equal(peek(f, "UPDATE issues SET slug = 'third' RETURNING 1"), 1);
	assert_int_equal(issue(f, "first", 50, 20), id + 1);
	OK(f, issue_get(f->s, STR("first"), &f->a, &after, &f->e));
	assert_memory_equal(before.uuid, after.uuid, sizeof before.uuid);
	assert_true(issue(f, "second", 50, 20) > id);
	OK(f, issue_get(f->s, STR("second"), &f->a, &after, &f->e));
	assert_memory_not_equal(before.uuid, after.uuid, sizeof before.uuid);
}

static void test_old_ones_go(void **state)
{
	struct fixture *f = *state;
	const struct timespec then[2] = {{100, 0}, {100, 0}};
	struct journal_news news;
	struct claim *c;
	int64_t first = claimed(f, "first", 1, &c), second = issue(f, "second", 50, 20), rows;

	turn(f, 50);
	journal_close(opened(f, first, &news));
	journal_close(opened(f, second, &news));
	assert_int_equal(utimensat(AT_FDCWD, name_of(f, "first"), then, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, name_of(f, "second"), then, 0), 0);
	OK(f, issue_cancel(f->s, second, 60, &rows, &f->e));
	OK(f, journals_drop(f->s, 100 + 30 * 86400, &f->e));
	assert_int_equal(access(name_of(f, "second"), F_OK), 0);
	OK(f, journals_drop(f->s, 101 + 30 * 86400, &f->e));
	assert_int_equal(access(name_of(f, "first"), F_OK), 0); /* still to be sent */
	assert_int_equal(access(name_of(f, "second"), F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOURNAL_TEST(test_sent_is_learnt),
		JOURNAL_TEST(test_intent_alone_is_a_doubt),
		JOURNAL_TEST(test_crash_adds_no_doubt),
		JOURNAL_TEST(test_in_doubt_and_sending_become_sent),
		JOURNAL_TEST(test_torn),
		JOURNAL_TEST(test_long),
		JOURNAL_TEST(test_other_numbers),
		JOURNAL_TEST(test_foreign),
		JOURNAL_TEST(test_made_anew),
		JOURNAL_TEST(test_same_message_ids),
		JOURNAL_TEST(test_old_ones_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
