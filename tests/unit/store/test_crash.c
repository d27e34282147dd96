/* SPDX-License-Identifier: MIT */
#include "ledger_fixture.h"

#include "killer.h"

/*
 * Workers in processes of their own that are killed at any write, and two at once. `copies` in shared
 * memory counts what "the relay" accepted of each reader.
 */
enum { READERS = 120, GROUP = 16, STOCK = 40, LEASE_SECONDS = 100, ROUNDS = 20, KILLS_MAX = 2000 };

static unsigned *copies;

static int shared_setup(void **state)
{
	copies = mmap(NULL, (READERS + 1) * sizeof *copies, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return copies == MAP_FAILED ? -1 : fixture_setup(state);
}

static int shared_teardown(void **state)
{
	munmap(copies, (READERS + 1) * sizeof *copies);
	return fixture_teardown(state);
}

#define SHARED_TEST(name) cmocka_unit_test_setup_teardown(name, shared_setup, shared_teardown)

/* ---- a worker ---- */

static void must(int rc, const struct err *e)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "worker: %s\n", e->text);
	_exit(1);
}

static void work_group(struct store *s, const struct lease *l, const struct claim *c, size_t n,
	int64_t now, struct err *e)
{
	int made[GROUP];

	must(store_begin(s, e), e);
	for (size_t i = 0; i < n; i++)
		must(made[i] = ledger_intend(s, l, c[i].issue, c[i].subscriber, now, e), e);
	must(store_commit(s, e), e);
	for (size_t i = 0; i < n; i++)
		if (made[i])
			__atomic_add_fetch(&copies[c[i].subscriber], 1, __ATOMIC_SEQ_CST);
	must(store_begin(s, e), e);
	for (size_t i = 0; i < n; i++) {
		struct attempt a = outcome(c[i].issue, c[i].subscriber, DELIVERY_SENT);

		if (made[i])
			must(ledger_settle(s, l, &a, e), e);
	}
	must(store_commit(s, e), e);
}

/* Deliver all that is due, as another process does. */
static void work(const char *path, int64_t now, long die)
{
	struct err e = {0};
	struct arena a = {0};
	struct store *s;
	struct claim *c;
	struct lease l;
	size_t n;

	must(store_open(path, &s, &e), &e);
	die_at_write(die);
	must(lease_open(s, now, LEASE_SECONDS, &l, &e), &e);
	for (;;) {
		must(ledger_claim(s, &l, now, STOCK, true, &a, &c, &n, &e), &e);
		if (n == 0)
			break;
		for (size_t i = 0; i < n; i += GROUP)
			work_group(s, &l, c + i, n - i < GROUP ? n - i : GROUP, now, &e);
	}
	must(lease_close(s, &l, now, &e), &e);
	writes_left = 0;
	store_close(s);
	arena_free(&a);
	_exit(0);
}

static pid_t start(struct fixture *f, int64_t now, long die)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		work(f->path, now, die);
	return child;
}

static int64_t prepare(struct fixture *f)
{
	int64_t id;

	OK(f, store_begin(f->s, &f->e));
	for (int r = 1; r <= READERS; r++)
		assert_int_equal(reader(f, r), r);
	OK(f, store_commit(f->s, &f->e));
	id = issue(f, "first", 50, 20);
	assert_int_equal(turn(f, 50), 1);
	/* A store must not be carried through fork(): each process opens its own. */
	store_close(f->s);
	f->s = NULL;
	return id;
}

/* ---- tests ---- */

static void test_two_workers(void **state)
{
	struct fixture *f = *state;
	int64_t id = prepare(f);
	pid_t one = start(f, 50, 0), two = start(f, 50, 0);

	assert_int_equal(ended(one), 0);
	assert_int_equal(ended(two), 0);
	for (int r = 1; r <= READERS; r++)
		assert_int_equal(copies[r], 1);
	OK(f, store_open(f->path, &f->s, &f->e));
	assert_int_equal(count(f, id, DELIVERY_SENT), READERS);
	assert_sound(f);
}

/* Who got a second copy was in doubt; who got none is held in doubt. */
static void check_copies(struct fixture *f)
{
	for (int r = 1; r <= READERS; r++) {
		struct delivery d = told(f, r);
		bool doubted = false;

		for (size_t i = 0; i < d.attempt_n; i++)
			doubted |= d.attempt[i].state == DELIVERY_IN_DOUBT;
		if (d.state == DELIVERY_SENT)
			assert_true(copies[r] >= 1);
		else
			assert_int_equal(d.state, DELIVERY_IN_DOUBT);
		if (copies[r] != 1)
			assert_true(doubted);
		assert_true(copies[r] <= 2);
	}
}

/* Workers die at some write, one after the other, until one comes to the end. */
static int kill_until_done(struct fixture *f, unsigned round)
{
	int64_t id = prepare(f), now = 50;
	unsigned n = round;
	int killed, kills = 0;

	do {
		n = (n * 13 + round) % 89 + 1;
		killed = ended(start(f, now, n));
		assert_true(killed >= 0);
		kills += killed;
		now += LEASE_SECONDS;
		OK(f, store_open(f->path, &f->s, &f->e));
		assert_sound(f);
		if (killed)
			store_close(f->s);
	} while (killed && kills < KILLS_MAX);
	assert_false(killed);
	assert_int_equal(count(f, id, DELIVERY_SENT) + count(f, id, DELIVERY_IN_DOUBT), READERS);
	check_copies(f);
	return kills;
}

static void test_killed_at_any_write(void **state)
{
	int kills = 0;

	(void)state;
	for (unsigned round = 1; round <= ROUNDS; round++) {
		void *fixture = NULL;

		assert_int_equal(shared_setup(&fixture), 0);
		kills += kill_until_done(fixture, round);
		assert_int_equal(shared_teardown(&fixture), 0);
	}
	assert_true(kills > ROUNDS);
	print_message("# %d kills\n", kills);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARED_TEST(test_two_workers),
		cmocka_unit_test(test_killed_at_any_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
