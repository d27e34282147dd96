/* SPDX-License-Identifier: MIT */
#include "ledger_fixture.h"
#include "store/flight.h"
#include "store/journal.h"

#include <fcntl.h>
#include <sys/stat.h>

/* What a killed worker had in flight: when its file is believed, and what of it. */

enum { COPIES = 4, BOOT_AT = 8 };

static char *flight_path(struct fixture *f)
{
	static char path[256];

	snprintf(path, sizeof path, "%s-flight-%lld", f->path, (long long)lease.id);
	return path;
}

static char *journal_path(struct fixture *f)
{
	static char path[256];

	snprintf(path, sizeof path, "%s.journal/daily.first", f->path);
	return path;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char folder[128];

	unlink(flight_path(f));
	unlink(journal_path(f));
	snprintf(folder, sizeof folder, "%s.journal", f->path);
	rmdir(folder);
	return fixture_teardown(state);
}

#define FLIGHT_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, teardown)

/* Four copies between intent and outcome: one that has not left, one that is leaving, one that was taken, and one
 * of which the worker has said nothing. */
static int64_t flying(struct fixture *f, struct flight **flight, struct claim **c)
{
	int64_t id;

	for (int i = 1; i <= COPIES; i++)
		reader(f, i);
	id = issue(f, "first", 50, 20);
	assert_int_equal(turn(f, 50), 1);
	OK(f, lease_open(f->s, 50, 60, &lease, &f->e));
	assert_int_equal(claim(f, 50, COPIES, true, c), COPIES);
	OK(f, flight_open(f->s, &lease, COPIES, flight, &f->e));
	for (size_t i = 0; i < COPIES; i++) {
		atomic_uchar *stage = flight_put(*flight, i, id, (*c)[i].subscriber, 0);

		OK(f, ledger_intend(f->s, &lease, id, (*c)[i].subscriber, LANE_OTHER, STR("main"),
			      51, &f->e));
		assert_int_equal(*stage, FLIGHT_HERE);
		if (i > 0)
			*stage = i == 1 ? FLIGHT_LEAVING : FLIGHT_TAKEN;
	}
	flight_drop(*flight, COPIES - 1);
	return id;
}

static struct lease_recovery recovered(struct fixture *f)
{
	struct lease_recovery found;

	OK(f, lease_recover(f->s, 200, &found, &f->e));
	return found;
}

static void assert_all_in_doubt(struct fixture *f)
{
	struct lease_recovery found = recovered(f);

	assert_int_equal(found.in_doubt, COPIES);
	assert_int_equal(found.queued + found.sent, 0);
	assert_int_equal(access(flight_path(f), F_OK), -1);
	assert_sound(f);
}

static void test_killed(void **state)
{
	struct fixture *f = *state;
	struct lease_recovery found;
	struct journal_news news = {0};
	struct flight *flight;
	struct journal *j;
	struct claim *c;
	struct stat before, after;
	int64_t id = flying(f, &flight, &c);

	OK(f, journal_open(f->s, id, 60, &j, &news, &f->e));
	journal_close(j);
	assert_int_equal(stat(journal_path(f), &before), 0);
	flight_close(flight);
	found = recovered(f);
	assert_int_equal(found.queued, 1);
	assert_int_equal(found.in_doubt, 2);
	assert_int_equal(found.sent, 1);
	assert_int_equal(told(f, c[0].subscriber).state, DELIVERY_QUEUED);
	assert_int_equal(told(f, c[1].subscriber).state, DELIVERY_IN_DOUBT);
	assert_int_equal(told(f, c[2].subscriber).state, DELIVERY_SENT);
	assert_int_equal(told(f, c[3].subscriber).state, DELIVERY_IN_DOUBT);
	assert_int_equal(peek(f, "SELECT count(*) FROM attempts"), 3);
	assert_int_equal(peek(f, "SELECT sum(attempts) FROM deliveries"), 3);
	/* One that was sent, one that was not. */
	assert_int_equal(stat(journal_path(f), &after), 0);
	assert_int_equal(after.st_size - before.st_size, 2 * 32);
	assert_int_equal(access(flight_path(f), F_OK), -1);
	assert_sound(f);
}

static void test_closed_by_itself(void **state)
{
	struct fixture *f = *state;
	struct flight *flight;
	struct claim *c;
	int64_t id = flying(f, &flight, &c);

	flight_close(flight);
	OK(f, lease_close(f->s, &lease, 60, &f->e));
	assert_int_equal(count(f, id, DELIVERY_QUEUED), 1);
	assert_int_equal(count(f, id, DELIVERY_SENT), 1);
	assert_int_equal(count(f, id, DELIVERY_IN_DOUBT), 2);
	assert_int_equal(access(flight_path(f), F_OK), -1);
	assert_sound(f);
}

/* It may go on sending: what has not left by now may leave yet. */
static void test_stopped_not_dead(void **state)
{
	struct fixture *f = *state;
	struct flight *flight;
	struct claim *c;

	flying(f, &flight, &c);
	assert_all_in_doubt(f);
	flight_close(flight);
}

static void change(struct fixture *f, off_t at)
{
	int fd = open(flight_path(f), O_RDWR);
	unsigned char octet;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &octet, 1, at), 1);
	octet ^= 1;
	assert_int_equal(pwrite(fd, &octet, 1, at), 1);
	close(fd);
}

static void test_machine_started_again(void **state)
{
	struct fixture *f = *state;
	struct flight *flight;
	struct claim *c;

	flying(f, &flight, &c);
	flight_close(flight);
	change(f, BOOT_AT);
	assert_all_in_doubt(f);
}

/* A copy of the folder, put back, is of another time. */
static void test_copied(void **state)
{
	struct fixture *f = *state;
	struct flight *flight;
	struct claim *c;
	char text[1024], copy[128];
	ssize_t n;
	int fd;

	flying(f, &flight, &c);
	flight_close(flight);
	fd = open(flight_path(f), O_RDONLY);
	n = read(fd, text, sizeof text);
	close(fd);
	snprintf(copy, sizeof copy, "%s/copy", f->folder);
	fd = open(copy, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, text, (size_t)n), n);
	close(fd);
	assert_int_equal(rename(copy, flight_path(f)), 0);
	assert_all_in_doubt(f);
}

/* Nobody waits for the journal of one issue: it is told of, and an older database has a doubt. */
static void test_bad_journal(void **state)
{
	struct fixture *f = *state;
	struct lease_recovery found;
	struct journal_news news = {0};
	struct flight *flight;
	struct journal *j;
	struct claim *c;
	int64_t id = flying(f, &flight, &c);

	OK(f, journal_open(f->s, id, 60, &j, &news, &f->e));
	journal_close(j);
	assert_int_equal(truncate(journal_path(f), 3), 0);
	flight_close(flight);
	found = recovered(f);
	assert_int_equal(found.queued, 1);
	assert_int_equal(found.sent, 1);
	assert_sound(f);
}

/* Many dead workers at once, of which each has a file. */
static void test_many(void **state)
{
	enum { WORKERS = 12 };
	struct fixture *f = *state;
	struct flight *flight[WORKERS];
	struct lease_recovery found;
	char path[WORKERS][256];
	struct claim *c;
	int64_t id;

	for (int i = 1; i <= WORKERS; i++)
		reader(f, i);
	id = issue(f, "first", 50, 20);
	turn(f, 50);
	for (int i = 0; i < WORKERS; i++) {
		OK(f, lease_open(f->s, 50, 60, &lease, &f->e));
		assert_int_equal(claim(f, 50, 1, true, &c), 1);
		OK(f, flight_open(f->s, &lease, 1, &flight[i], &f->e));
		flight_put(flight[i], 0, id, c[0].subscriber, 0);
		OK(f, ledger_intend(f->s, &lease, id, c[0].subscriber, LANE_OTHER, STR("main"), 51,
			      &f->e));
		snprintf(path[i], sizeof path[i], "%s", flight_path(f));
	}
	for (int i = 0; i < WORKERS; i++)
		flight_close(flight[i]);
	OK(f, lease_recover(f->s, 60, &found, &f->e));
	assert_int_equal(found.queued, WORKERS);
	for (int i = 0; i < WORKERS; i++)
		assert_int_equal(access(path[i], F_OK), -1);
	assert_sound(f);
}

static void test_cut_short(void **state)
{
	struct fixture *f = *state;
	struct flight *flight;
	struct claim *c;

	flying(f, &flight, &c);
	flight_close(flight);
	assert_int_equal(truncate(flight_path(f), 20), 0);
	assert_all_in_doubt(f);
}

/* Of an attempt, not of a reader: this row has been tried since, or is of a time before. */
static void test_other_attempt(void **state)
{
	struct fixture *f = *state;
	struct flight *flight;
	struct claim *c;

	flying(f, &flight, &c);
	flight_close(flight);
	assert_int_equal(peek(f, "UPDATE deliveries SET attempts = 1 RETURNING 1"), 1);
	assert_all_in_doubt(f);
}

static void test_rolled_back(void **state)
{
	struct fixture *f = *state;
	struct flight *flight;
	struct claim *c;

	flying(f, &flight, &c);
	flight_close(flight);
	OK(f, store_begin(f->s, &f->e));
	assert_int_equal(recovered(f).sent, 1);
	store_rollback(f->s);
	assert_int_equal(recovered(f).sent, 1);
	assert_int_equal(access(flight_path(f), F_OK), -1);
	assert_sound(f);
}

/* Nobody has to wait for the end of a lease whose worker is gone; one that lives keeps it. */
static void test_before_its_time(void **state)
{
	struct fixture *f = *state;
	struct lease_recovery found;
	struct flight *flight;
	struct claim *c;

	flying(f, &flight, &c);
	OK(f, lease_recover(f->s, 60, &found, &f->e));
	assert_int_equal(found.queued + found.in_doubt + found.sent, 0);
	flight_close(flight);
	OK(f, lease_recover(f->s, 60, &found, &f->e));
	assert_int_equal(found.queued + found.in_doubt + found.sent, COPIES);
	assert_int_equal(peek(f, "SELECT count(*) FROM leases"), 0);
	assert_sound(f);
}

/* A file that is there already, of an older life of the database: it is gone before the next one intends anything. */
static void test_made_anew(void **state)
{
	struct fixture *f = *state;
	struct flight *flight, *next;
	struct claim *c;

	flying(f, &flight, &c);
	flight_close(flight);
	OK(f, flight_open(f->s, &lease, COPIES, &next, &f->e));
	flight_close(next);
	assert_all_in_doubt(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLIGHT_TEST(test_killed),
		FLIGHT_TEST(test_closed_by_itself),
		FLIGHT_TEST(test_stopped_not_dead),
		FLIGHT_TEST(test_machine_started_again),
		FLIGHT_TEST(test_copied),
		FLIGHT_TEST(test_bad_journal),
		FLIGHT_TEST(test_many),
		FLIGHT_TEST(test_cut_short),
		FLIGHT_TEST(test_other_attempt),
		FLIGHT_TEST(test_rolled_back),
		FLIGHT_TEST(test_before_its_time),
		FLIGHT_TEST(test_made_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
