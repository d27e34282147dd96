/* SPDX-License-Identifier: MIT */
#include "fixture.h"

/* ---- helpers ---- */

static struct lease lease;

static size_t claim(struct fixture *f, int64_t now, size_t limit, bool resend, struct claim **out)
{
	size_t n;

	OK(f, ledger_claim(f->s, &lease, now, limit, resend, &f->a, out, &n, &f->e));
	return n;
}

static struct attempt outcome(int64_t issue_id, int64_t subscriber, enum delivery_state state)
{
	return (struct attempt){
		.issue = issue_id,
		.subscriber = subscriber,
		.at = 100,
		.relay = STR("main"),
		.phase = PHASE_DOT,
		.code = state == DELIVERY_SENT ? 250 : 451,
		.status = STR("2.0.0"),
		.text = STR("ok"),
		.took_ms = 7,
		.state = state,
		.due_at = 400,
	};
}

static int64_t count(struct fixture *f, int64_t issue_id, enum delivery_state state)
{
	struct issue_counts n;

	OK(f, issue_counts(f->s, issue_id, &n, &f->e));
	return n.n[state];
}

static struct delivery told(struct fixture *f, int64_t subscriber)
{
	struct delivery *d;
	size_t n;

	OK(f, subscriber_deliveries(f->s, subscriber, 0, &f->a, &d, &n, &f->e));
	assert_true(n > 0);
	return d[0];
}

static enum issue_state issue_state(struct fixture *f, int64_t id)
{
	struct issue i;
	char name[24];

	snprintf(name, sizeof name, "%lld", (long long)id);
	OK(f, issue_get(f->s, str_of(name), &f->a, &i, &f->e));
	return i.state;
}

static int turn(struct fixture *f, int64_t now)
{
	return OK(f, issues_turn(f->s, now, 0, true, &f->e));
}

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
	assert_int_equal(ledger_intend(f->s, &lease, id, who, 51, &f->e), 1);
	assert_int_equal(ledger_intend(f->s, &lease, id, who, 51, &f->e), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_straight_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
