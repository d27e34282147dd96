/* SPDX-License-Identifier: MIT */
#include "ledger_fixture.h"

/* ---- the operator's words ---- */

static void test_pause_and_resume(void **state)
{
	struct fixture *f = *state;
	int64_t who = reader(f, 1), id = issue(f, "first", 50, 20);
	struct claim *c;
	struct issue i;

	OK(f, issue_pause(f->s, id, STR("a mistake in it"), 30, &f->e));
	assert_int_equal(issue_pause(f->s, id, STR("again"), 31, &f->e), 1);
	OK(f, issue_get(f->s, STR("first"), &f->a, &i, &f->e));
	assert_text(i.pause_reason, "a mistake in it");
	assert_int_equal(turn(f, 60), 0);
	OK(f, issue_resume(f->s, id, 40, &f->e));
	assert_int_equal(issue_state(f, id), ISSUE_SCHEDULED);
	FAILS(f, ERR_DENIED, issue_resume(f->s, id, 40, &f->e));
	assert_int_equal(turn(f, 50), 1);
	OK(f, lease_open(f->s, 50, 60, &lease, &f->e));
	assert_int_equal(claim(f, 50, 10, true, &c), 1);
	/* What was claimed before the pause does not leave any more. */
	OK(f, issue_pause(f->s, id, STR("stop"), 51, &f->e));
	assert_int_equal(
		OK(f, ledger_intend(f->s, &lease, id, who, LANE_OTHER, STR("main"), 52, &f->e)), 0);
	assert_int_equal(count(f, id, DELIVERY_QUEUED), 1);
	assert_int_equal(claim(f, 60, 10, true, &c), 0);
	OK(f, issue_resume(f->s, id, 60, &f->e));
	assert_int_equal(issue_state(f, id), ISSUE_DELIVERING);
	assert_int_equal(claim(f, 60, 10, true, &c), 1);
	FAILS(f, ERR_MISSING, issue_pause(f->s, 99, STR(""), 60, &f->e));
	assert_sound(f);
}

static void test_cancel(void **state)
{
	struct fixture *f = *state;
	int64_t sent = reader(f, 1), claimed = reader(f, 2), queued = reader(f, 3);
	int64_t id = issue(f, "first", 50, 20), rows;
	struct claim *c;

	assert_int_equal(turn(f, 50), 1);
	OK(f, lease_open(f->s, 50, 60, &lease, &f->e));
	assert_int_equal(claim(f, 50, 10, true, &c), 3);
	assert_int_equal(
		OK(f, ledger_intend(f->s, &lease, id, sent, LANE_OTHER, STR("main"), 51, &f->e)),
		1);
	OK(f, ledger_release(f->s, &lease, id, queued, 51, &f->e));
	OK(f, issue_cancel(f->s, id, 52, &rows, &f->e));
	assert_int_equal(rows, 1);
	/* What is held finds out; what is put off is not. */
	assert_int_equal(
		OK(f, ledger_intend(f->s, &lease, id, claimed, LANE_OTHER, STR("main"), 53, &f->e)),
		0);
	assert_int_equal(settle(f, &lease, outcome(id, sent, DELIVERY_DEFERRED)), 1);
	assert_int_equal(count(f, id, DELIVERY_CANCELLED), 3);
	assert_int_equal(claim(f, 60, 10, true, &c), 0);
	FAILS(f, ERR_DENIED, issue_cancel(f->s, id, 54, &rows, &f->e));
	FAILS(f, ERR_DENIED, issue_resume(f->s, id, 54, &f->e));
	assert_sound(f);
}

static void test_late_issue_is_held(void **state)
{
	struct fixture *f = *state;
	int64_t id, who = reader(f, 1);
	struct issue i;

	id = issue(f, "first", 50, 20);
	assert_int_equal(OK(f, issues_turn(f->s, 1051, 1000, true, &f->e)), 1);
	OK(f, issue_get(f->s, STR("1"), &f->a, &i, &f->e));
	assert_int_equal(i.state, ISSUE_HELD);
	assert_true(i.pause_reason.n > 0);
	OK(f, issue_resume(f->s, id, 1060, &f->e));
	assert_int_equal(OK(f, issues_turn(f->s, 1060, 1000, true, &f->e)), 0);
	assert_int_equal(issue_state(f, id), ISSUE_DELIVERING);
	/* The operator's word counts for late_after too. */
	assert_int_equal(OK(f, issues_turn(f->s, 2061, 1000, true, &f->e)), 1);
	assert_int_equal(issue_state(f, id), ISSUE_HELD);
	/* In time, or with 0, it is not held. */
	issue(f, "second", 50, 20);
	assert_int_equal(OK(f, issues_turn(f->s, 1050, 1000, true, &f->e)), 1);
	assert_int_equal(told(f, who).state, DELIVERY_QUEUED);
	assert_int_equal(issue_state(f, id + 1), ISSUE_DELIVERING);
}

/* ---- the order of claims ---- */

static void test_oldest_first_across_issues(void **state)
{
	struct fixture *f = *state;
	int64_t a, b, c_id, paused;
	struct claim *c;
	size_t n = 0;

	reader(f, 1);
	reader(f, 2);
	a = issue(f, "a", 70, 20);
	b = issue(f, "b", 50, 20);
	paused = issue(f, "p", 40, 20);
	c_id = issue(f, "c", 60, 20);
	OK(f, issue_pause(f->s, paused, STR("x"), 30, &f->e));
	assert_int_equal(turn(f, 80), 3);
	OK(f, lease_open(f->s, 80, 60, &lease, &f->e));
	n = claim(f, 80, 5, true, &c);
	assert_int_equal(n, 5);
	assert_int_equal(c[0].issue, b);
	assert_int_equal(c[1].issue, b);
	assert_int_equal(c[2].issue, c_id);
	assert_int_equal(c[3].issue, c_id);
	assert_int_equal(c[4].issue, a);
	assert_sound(f);
}

static void test_same_slug_on_two_lists(void **state)
{
	struct fixture *f = *state;
	struct list other = {.slug = STR("weekly"), .name = STR("Weekly")};
	struct issue i = {.slug = STR("first"), .hash = STR("00")};
	int64_t frozen;

	issue(f, "first", 50, 20);
	OK(f, list_add(f->s, &other, 1, &f->e));
	OK(f, issue_schedule(f->s, &i, other.id, false, 20, &frozen, &f->e));
	FAILS(f, ERR_USAGE, issue_get(f->s, STR("first"), &f->a, &i, &f->e));
	OK(f, issue_get(f->s, STR("2"), &f->a, &i, &f->e));
	assert_text(i.list, "weekly");
	FAILS(f, ERR_MISSING, issue_get(f->s, STR("third"), &f->a, &i, &f->e));
	FAILS(f, ERR_MISSING, issue_get(f->s, STR("77"), &f->a, &i, &f->e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pause_and_resume),
		TEST(test_cancel),
		TEST(test_late_issue_is_held),
		TEST(test_oldest_first_across_issues),
		TEST(test_same_slug_on_two_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
