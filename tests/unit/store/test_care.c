/* SPDX-License-Identifier: MIT */
#include "ledger_fixture.h"

enum { READERS = 10000, STAGE = 100 };

/* An issue to READERS people, in stages of 1 % and 10 %, due at `due`. */
static int64_t staged(struct fixture *f, int64_t due, const char *hours)
{
	const struct issue_plan plan = {.zone = STR("UTC"),
		.hours = str_of(hours),
		.shares = STR("1%,10%"),
		.stage_wait = 600};
	struct issue i = {.slug = STR("staged"),
		.subject = STR("Staged"),
		.list = STR("daily"),
		.hash = STR("00"),
		.source = STR("source"),
		.program = STR("program"),
		.due_at = due,
		.plan = &plan};
	int64_t frozen;

	OK(f, store_begin(f->s, &f->e));
	for (int k = 1; k <= READERS; k++)
		reader(f, k);
	OK(f, store_commit(f->s, &f->e));
	OK(f, issue_schedule(f->s, &i, f->list, false, 10, &frozen, &f->e));
	assert_int_equal(frozen, READERS);
	return i.id;
}

/* Send all that can be claimed at `now`, every `bad`th to a dead address (0 = none): their number. */
static int64_t send_all(struct fixture *f, int64_t now, int bad)
{
	const struct finding dead = {.reason = REASON_RECIPIENT, .hard = true};
	int64_t sent = 0;
	struct claim *c;
	size_t n;

	OK(f, lease_open(f->s, now, 600, &lease, &f->e));
	while ((n = claim(f, now, 1000, true, &c)) > 0)
		for (size_t i = 0; i < n; i++) {
			bool refused = bad && sent % bad == 0;
			struct attempt a = outcome(c[i].issue, c[i].subscriber,
				refused ? DELIVERY_FAILED : DELIVERY_SENT);

			if (OK(f, ledger_intend(f->s, &lease, c[i].issue, c[i].subscriber,
					  c[i].lane, STR("main"), now, &f->e)) != 1)
				continue;
			a.at = now;
			a.finding = refused ? &dead : NULL;
			settle(f, &lease, a);
			sent++;
		}
	OK(f, lease_close(f->s, &lease, now, &f->e));
	return sent;
}

static void test_stages(void **state)
{
	struct fixture *f = *state;
	int64_t id = staged(f, 50, "");

	turn(f, 50);
	assert_int_equal(send_all(f, 60, 0), STAGE);
	turn(f, 60); /* settled: the wait begins */
	turn(f, 659);
	assert_int_equal(send_all(f, 659, 0), 0);
	turn(f, 660);
	assert_int_equal(send_all(f, 660, 0), 900);
	turn(f, 700);
	turn(f, 1300);
	assert_int_equal(send_all(f, 1300, 0), READERS - 1000);
	turn(f, 1300);
	assert_int_equal(issue_state(f, id), ISSUE_DONE);
}

/* One address in five is dead: it stops within the first stage, and a resume goes on by new counts. */
static void test_pause_and_resume(void **state)
{
	struct fixture *f = *state;
	int64_t id = staged(f, 50, "");

	turn(f, 50);
	assert_int_equal(send_all(f, 60, 5), STAGE);
	assert_int_equal(issue_state(f, id), ISSUE_PAUSED);
	assert_int_equal(count(f, id, DELIVERY_QUEUED), READERS - STAGE);
	OK(f, issue_resume(f->s, id, 70, &f->e));
	turn(f, 70);
	assert_int_equal(issue_state(f, id), ISSUE_DELIVERING);
	turn(f, 670);
	assert_int_equal(send_all(f, 670, 0), 900);
	assert_int_equal(issue_state(f, id), ISSUE_DELIVERING);
}

/* Complaints that come by mail stop it, too. */
static void test_complaints(void **state)
{
	struct fixture *f = *state;
	int64_t id = staged(f, 50, "");

	turn(f, 50);
	send_all(f, 60, 0);
	OK(f, issue_trouble(f->s, id, 0, NULL, 61, &f->e));
	OK(f, issue_trouble(f->s, id, 0, NULL, 61, &f->e));
	assert_int_equal(issue_state(f, id), ISSUE_DELIVERING);
	OK(f, issue_trouble(f->s, id, 0, NULL, 61, &f->e));
	assert_int_equal(issue_state(f, id), ISSUE_PAUSED);
}

static void test_window(void **state)
{
	struct fixture *f = *state;
	int64_t id = staged(f, 3600, "06:00-22:00");

	OK(f, issues_turn(f->s, 3600, 600, true, &f->e));
	assert_int_equal(send_all(f, 6 * 3600 - 1, 0), 0);
	OK(f, issues_turn(f->s, 6 * 3600, 600, true, &f->e));
	assert_int_equal(issue_state(f, id), ISSUE_DELIVERING); /* it is not late: it waited */
	assert_int_equal(send_all(f, 6 * 3600, 0), STAGE);
	assert_int_equal(send_all(f, 22 * 3600, 0), 0);
}

#define CARE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CARE_TEST(test_stages),
		CARE_TEST(test_pause_and_resume),
		CARE_TEST(test_complaints),
		CARE_TEST(test_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
