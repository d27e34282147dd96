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

/* What a worker is to meet. */
struct trouble {
	long die; /* at this write; 0 = never */
	long full; /* from this write on the disk is full; 0 = never */
	long full_for; /* writes */
};

/* A verb that failed inside the transaction: all of it is undone, and told. */
static int undo(struct store *s)
{
	store_rollback(s);
	return -1;
}

static int intend(struct store *s, const struct lease *l, const struct claim *c, size_t n,
	int *made, int64_t now, struct err *e)
{
	if (store_begin(s, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		made[i] = ledger_intend(
			s, l, c[i].issue, c[i].subscriber, c[i].lane, STR("main"), now, e);
		if (made[i] < 0)
			return undo(s);
	}
	return store_commit(s, e);
}

static int record(struct store *s, const struct lease *l, const struct claim *c, size_t n,
	const int *made, struct err *e)
{
	if (store_begin(s, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct attempt a = outcome(c[i].issue, c[i].subscriber, DELIVERY_SENT);

		if (made[i] && ledger_settle(s, l, &a, e) < 0)
			return undo(s);
	}
	return store_commit(s, e);
}

/* Again and again while the disk is full. */
#define PERSIST(call)                                                                              \
	do {                                                                                       \
		int tries_ = 0;                                                                    \
		while ((call) < 0)                                                                 \
			if (e.code != ERR_IO || ++tries_ > 100)                                    \
				must(-1, &e);                                                      \
	} while (0)

/* Deliver all that is due, as another process does. */
static void work(const char *path, int64_t now, struct trouble trouble)
{
	struct err e = {0};
	struct arena a = {0};
	struct store *s;
	struct claim *c;
	struct lease l;
	size_t n;

	must(store_open(path, &s, &e), &e);
	die_at_write(trouble.die);
	fill_at_write(trouble.full, trouble.full_for);
	PERSIST(lease_open(s, now, LEASE_SECONDS, &l, &e));
	for (;;) {
		PERSIST(ledger_resend(s, now, &e));
		PERSIST(ledger_claim(s, &l, now, OTHER(STOCK), &a, &c, &n, &e));
		if (n == 0)
			break;
		for (size_t i = 0; i < n; i += GROUP) {
			size_t some = n - i < GROUP ? n - i : GROUP;
			int made[GROUP];

			PERSIST(intend(s, &l, c + i, some, made, now, &e));
			for (size_t k = 0; k < some; k++)
				if (made[k])
					__atomic_add_fetch(
						&copies[c[i + k].subscriber], 1, __ATOMIC_SEQ_CST);
			PERSIST(record(s, &l, c + i, some, made, &e));
		}
	}
	PERSIST(lease_close(s, &l, now, &e));
	writes_left = full_for = 0;
	store_close(s);
	arena_free(&a);
	_exit(0);
}

static pid_t start(struct fixture *f, int64_t now, struct trouble trouble)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		work(f->path, now, trouble);
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
	const struct trouble none = {0};
	pid_t one = start(f, 50, none), two = start(f, 50, none);

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
		killed = ended(start(f, now, (struct trouble){.die = n}));
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

/* The disk is full from some write on, for a while: the worker tries again until it has room, and
 * everybody gets one copy, with one attempt in the books. */
static void test_full_disk(void **state)
{
	(void)state;
	for (long n = 1; n < 80; n += 3) {
		struct fixture *f;
		void *fixture = NULL;
		int64_t id;

		assert_int_equal(shared_setup(&fixture), 0);
		f = fixture;
		id = prepare(f);
		assert_int_equal(
			ended(start(f, 50, (struct trouble){.full = n, .full_for = 7})), 0);
		OK(f, store_open(f->path, &f->s, &f->e));
		for (int r = 1; r <= READERS; r++)
			assert_int_equal(copies[r], 1);
		assert_int_equal(count(f, id, DELIVERY_SENT), READERS);
		assert_int_equal(peek(f, "SELECT count(*) FROM attempts"), READERS);
		assert_sound(f);
		assert_int_equal(shared_teardown(&fixture), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARED_TEST(test_two_workers),
		cmocka_unit_test(test_killed_at_any_write),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
