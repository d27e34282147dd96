/* SPDX-License-Identifier: MIT */
#include "ledger_fixture.h"

/* ---- the straight line ---- */

static void test_straight_line(void **state)
{
	struct fixture *f = *state;
	int64_t who = reader(f, 1), id = issue(f, "first", 50, 20);
	struct attempt a = outcome(id, who, DELIVERY_SENT);
	struct claim *c;

	assert_int_equal(count(f, id, DELIVERY_QUEUED), 1);
	OK(f, lease_open(f->s, 40, 60, &lease, &f->e));
	assert_int_equal(turn(f, 49), 0);
	assert_int_equal(claim(f, 49, 10, true, &c), 0);
	assert_int_equal(turn(f, 50), 1);
	assert_int_equal(issue_state(f, id), ISSUE_DELIVERING);
	assert_int_equal(claim(f, 50, 10, true, &c), 1);
	assert_int_equal(c->subscriber, who);
	assert_int_equal(c->list, f->list);
	assert_text(c->email, "reader1@example.com");
	assert_text(c->first_name, "Ada");
	assert_text(c->attributes, "{}");
	assert_int_equal(
		ledger_intend(f->s, &lease, id, who, LANE_OTHER, STR("main"), 51, &f->e), 1);
	assert_int_equal(
		ledger_intend(f->s, &lease, id, who, LANE_OTHER, STR("main"), 51, &f->e), 0);
	assert_int_equal(ledger_settle(f->s, &lease, &a, &f->e), 1);
	assert_int_equal(count(f, id, DELIVERY_SENT), 1);
	assert_int_equal(turn(f, 52), 1);
	assert_int_equal(issue_state(f, id), ISSUE_DONE);
	assert_int_equal(told(f, who).state, DELIVERY_SENT);
	assert_int_equal(told(f, who).attempt_n, 1);
	assert_text(told(f, who).attempt->relay, "main");
	assert_text(told(f, who).attempt->text, "ok");
	assert_int_equal(told(f, who).attempt->took_ms, 7);
	OK(f, lease_close(f->s, &lease, 53, &f->e));
	assert_sound(f);
}

/* ---- outcomes ---- */

static void test_deferred_comes_back(void **state)
{
	struct fixture *f = *state;
	int64_t who, id = sending(f, &who), at;
	struct claim *c;

	assert_int_equal(settle(f, &lease, outcome(id, who, DELIVERY_DEFERRED)), 1);
	assert_int_equal(count(f, id, DELIVERY_DEFERRED), 1);
	OK(f, ledger_next_due(f->s, &at, &f->e));
	assert_int_equal(at, 400);
	OK(f, lease_renew(f->s, &lease, 100, 900, &f->e));
	assert_int_equal(claim(f, 399, 10, true, &c), 0);
	assert_int_equal(turn(f, 399), 0);
	assert_int_equal(claim(f, 400, 10, true, &c), 1);
	assert_int_equal(c->attempts, 1);
	assert_int_equal(
		OK(f, ledger_intend(f->s, &lease, id, who, LANE_OTHER, STR("main"), 401, &f->e)),
		1);
	assert_int_equal(settle(f, &lease, outcome(id, who, DELIVERY_SENT)), 1);
	assert_int_equal(told(f, who).attempt_n, 2);
	assert_int_equal(told(f, who).attempt[0].state, DELIVERY_DEFERRED);
	assert_int_equal(told(f, who).attempt[0].due_at, 400);
	assert_int_equal(told(f, who).attempt[1].state, DELIVERY_SENT);
	OK(f, ledger_next_due(f->s, &at, &f->e));
	assert_int_equal(at, 0);
	assert_sound(f);
}

static void test_release_uses_no_attempt(void **state)
{
	struct fixture *f = *state;
	int64_t who, id = sending(f, &who);
	struct claim *c;

	OK(f, ledger_release(f->s, &lease, id, who, 60, &f->e));
	assert_int_equal(count(f, id, DELIVERY_QUEUED), 1);
	assert_int_equal(claim(f, 60, 10, true, &c), 1);
	assert_int_equal(c->attempts, 0);
	OK(f, ledger_release(f->s, &lease, id, who, 61, &f->e));
	OK(f, ledger_release(f->s, &lease, id, who, 61, &f->e)); /* no longer ours: nothing */
	assert_int_equal(count(f, id, DELIVERY_QUEUED), 1);
	assert_sound(f);
}

static void test_settle_is_idempotent(void **state)
{
	struct fixture *f = *state;
	int64_t who, id = sending(f, &who);
	struct attempt a = outcome(id, who, DELIVERY_SENT);

	assert_int_equal(settle(f, &lease, a), 1);
	a.at++;
	assert_int_equal(settle(f, &lease, a), 1);
	assert_int_equal(told(f, who).attempt_n, 1);
	assert_int_equal(count(f, id, DELIVERY_SENT), 1);
	a.state = DELIVERY_QUEUED;
	FAILS(f, ERR_BUG, ledger_settle(f->s, &lease, &a, &f->e));
	assert_sound(f);
}

static void test_stale_settle(void **state)
{
	struct fixture *f = *state;
	int64_t who, id = sending(f, &who);
	struct lease_recovery found;
	struct lease old = lease;

	/* Stopped past its lease: another worker has put the row in doubt. */
	OK(f, lease_recover(f->s, 200, &found, &f->e));
	assert_int_equal(found.in_doubt, 1);
	assert_int_equal(settle(f, &old, outcome(id, who, DELIVERY_SENT)), 0);
	assert_int_equal(count(f, id, DELIVERY_IN_DOUBT), 1);
	assert_int_equal(told(f, who).attempt_n, 2); /* both are told */
	assert_int_equal(settle(f, &old, outcome(id, who, DELIVERY_SENT)), 0);
	assert_int_equal(told(f, who).attempt_n, 2);
	assert_int_equal(
		ledger_intend(f->s, &old, id, who, LANE_OTHER, STR("main"), 201, &f->e), 0);
	FAILS(f, ERR_DENIED, lease_renew(f->s, &old, 201, 60, &f->e));
	assert_sound(f);
}

/* ---- leases ---- */

static void test_recovery(void **state)
{
	struct fixture *f = *state;
	int64_t who, id = sending(f, &who), second = reader(f, 2), other;
	struct lease_recovery found;
	struct claim *c;
	size_t n;

	other = issue(f, "second", 50, 50);
	assert_int_equal(turn(f, 50), 1);
	assert_int_equal(claim(f, 50, 10, true, &c), 2);
	OK(f, lease_recover(f->s, 109, &found, &f->e));
	assert_int_equal(found.queued + found.in_doubt, 0);
	OK(f, lease_recover(f->s, 110, &found, &f->e));
	assert_int_equal(found.queued, 2);
	assert_int_equal(found.in_doubt, 1);
	assert_int_equal(count(f, id, DELIVERY_IN_DOUBT), 1);
	assert_int_equal(count(f, other, DELIVERY_QUEUED), 2);
	assert_int_equal(told(f, second).state, DELIVERY_QUEUED);
	/* A lease that is over claims nothing. */
	FAILS(f, ERR_DENIED, ledger_claim(f->s, &lease, 110, OTHER(10), &f->a, &c, &n, &f->e));
	assert_sound(f);
}

static void test_doubt_is_sent_again_once(void **state)
{
	struct fixture *f = *state;
	int64_t who, id = sending(f, &who);
	struct claim *c;

	assert_int_equal(settle(f, &lease, outcome(id, who, DELIVERY_IN_DOUBT)), 1);
	assert_int_equal(claim(f, 60, 10, false, &c), 0); /* in_doubt = hold */
	assert_int_equal(turn(f, 60), 0); /* resend-once: it is not done yet */
	assert_int_equal(claim(f, 60, 10, true, &c), 1);
	assert_int_equal(c->attempts, 1);
	assert_int_equal(
		OK(f, ledger_intend(f->s, &lease, id, who, LANE_OTHER, STR("main"), 61, &f->e)), 1);
	OK(f, lease_close(f->s, &lease, 62, &f->e)); /* the second doubt */
	assert_int_equal(count(f, id, DELIVERY_IN_DOUBT), 1);
	OK(f, lease_open(f->s, 63, 60, &lease, &f->e));
	assert_int_equal(claim(f, 63, 10, true, &c), 0);
	assert_int_equal(turn(f, 63), 1);
	assert_int_equal(issue_state(f, id), ISSUE_DONE);
	assert_int_equal(told(f, who).attempt_n, 2);
	assert_sound(f);
}

static void test_held_doubt_ends_the_issue(void **state)
{
	struct fixture *f = *state;
	int64_t who, id = sending(f, &who);

	assert_int_equal(settle(f, &lease, outcome(id, who, DELIVERY_IN_DOUBT)), 1);
	assert_int_equal(OK(f, issues_turn(f->s, 60, 0, false, &f->e)), 1);
	assert_int_equal(issue_state(f, id), ISSUE_DONE);
}

/* ---- readers who leave ---- */

static const char *skip_reason(struct fixture *f, int64_t who)
{
	struct delivery d = told(f, who);

	assert_int_equal(d.state, DELIVERY_SKIPPED);
	return arena_cstr(&f->a, d.skip_reason);
}

static void test_skipped_at_claim(void **state)
{
	struct fixture *f = *state;
	int64_t left = reader(f, 1), suppressed = reader(f, 2), stays = reader(f, 3);
	int64_t id = issue(f, "first", 50, 20);
	struct claim *c;

	assert_int_equal(turn(f, 50), 1);
	OK(f, subscriber_unsubscribe(f->s, left, 0, STR("hand"), 40, &f->e));
	OK(f, suppression_add(f->s, STR("reader2@example.com"), "hand", 40, &f->e));
	OK(f, lease_open(f->s, 50, 60, &lease, &f->e));
	/* Also with room for one only: the two who left take up no place. */
	assert_int_equal(claim(f, 50, 1, true, &c), 1);
	assert_int_equal(c->subscriber, stays);
	assert_string_equal(skip_reason(f, left), "unsubscribed");
	assert_string_equal(skip_reason(f, suppressed), "suppressed");
	assert_int_equal(count(f, id, DELIVERY_SKIPPED), 2);
	assert_sound(f);
}

static void test_skipped_at_intent(void **state)
{
	struct fixture *f = *state;
	int64_t left = reader(f, 1), suppressed = reader(f, 2), erased = reader(f, 3);
	int64_t id = issue(f, "first", 50, 20);
	struct claim *c;

	assert_int_equal(turn(f, 50), 1);
	OK(f, lease_open(f->s, 50, 60, &lease, &f->e));
	assert_int_equal(claim(f, 50, 10, true, &c), 3);
	OK(f, subscriber_unsubscribe(f->s, left, f->list, STR("hand"), 51, &f->e));
	OK(f, suppression_add(f->s, STR("reader2@example.com"), "hand", 51, &f->e));
	OK(f, subscriber_erase(f->s, erased, STR("reader3@example.com"), 51, &f->e));
	assert_int_equal(
		OK(f, ledger_intend(f->s, &lease, id, left, LANE_OTHER, STR("main"), 52, &f->e)),
		0);
	assert_int_equal(OK(f, ledger_intend(f->s, &lease, id, suppressed, LANE_OTHER, STR("main"),
				       52, &f->e)),
		0);
	assert_int_equal(
		OK(f, ledger_intend(f->s, &lease, id, erased, LANE_OTHER, STR("main"), 52, &f->e)),
		0);
	assert_string_equal(skip_reason(f, left), "unsubscribed");
	assert_string_equal(skip_reason(f, suppressed), "suppressed");
	assert_string_equal(skip_reason(f, erased), "erased");
	assert_sound(f);
}

static void test_audience_is_frozen(void **state)
{
	struct fixture *f = *state;
	int64_t id, who = reader(f, 1), left = reader(f, 2), frozen = -1;
	struct issue again = {.slug = STR("first"), .hash = STR("00")};
	struct delivery *d;
	size_t n;

	reader(f, 3);
	OK(f, subscriber_unsubscribe(f->s, left, 0, STR("hand"), 15, &f->e));
	OK(f, suppression_add(f->s, STR("reader3@example.com"), "hand", 15, &f->e));
	again.slug = STR("other");
	OK(f, issue_schedule(f->s, &again, f->list, true, 20, &frozen, &f->e));
	assert_int_equal(frozen, 1);
	id = issue(f, "first", 50, 20);
	assert_int_equal(count(f, id, DELIVERY_QUEUED), 1);
	again.slug = STR("first");
	FAILS(f, ERR_EXISTS, issue_schedule(f->s, &again, f->list, false, 20, &frozen, &f->e));
	OK(f, subscriber_deliveries(f->s, reader(f, 4), 0, &f->a, &d, &n, &f->e));
	assert_int_equal(n, 0); /* who comes later gets the next one */
	assert_int_equal(told(f, who).issue, id);
	assert_sound(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_straight_line),
		TEST(test_deferred_comes_back),
		TEST(test_release_uses_no_attempt),
		TEST(test_settle_is_idempotent),
		TEST(test_stale_settle),
		TEST(test_recovery),
		TEST(test_doubt_is_sent_again_once),
		TEST(test_held_doubt_ends_the_issue),
		TEST(test_skipped_at_claim),
		TEST(test_skipped_at_intent),
		TEST(test_audience_is_frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
