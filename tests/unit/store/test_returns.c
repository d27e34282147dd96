/* SPDX-License-Identifier: MIT */
#include "ledger_fixture.h"
#include "store/returns.h"

enum { DAY = 86400 };

static const struct policy policy = {
	.line = {[REASON_RECIPIENT] = {1, 0}, [REASON_FULL] = {2, DAY}},
	.complaint = {1, 0},
};

static struct returned bounce(int64_t issue_id, int64_t who, enum reason reason, int64_t at)
{
	bool dead = reason == REASON_RECIPIENT;

	return (struct returned){
		.issue = issue_id,
		.subscriber = who,
		.at = at,
		.arrival = 7,
		.key = STR("verp"),
		.finding = {.reason = reason,
			.action = dead ? REACT_SUPPRESS : REACT_RETRY,
			.hard = dead,
			.rule = "some rule"},
		.code = 550,
		.status = STR("5.1.1"),
		.text = STR("no such user"),
	};
}

static int64_t sent(struct fixture *f, int64_t *who)
{
	int64_t id = sending(f, who);

	assert_int_equal(settle(f, &lease, outcome(id, *who, DELIVERY_SENT)), 1);
	return id;
}

static void test_dead_address(void **state)
{
	struct fixture *f = *state;
	struct return_effect did;
	struct return_undone n;
	struct return_filter filter = {0, 1000, STR("recipient"), STR("")};
	struct returned r;
	int64_t who, id = sent(f, &who);

	r = bounce(id, who, REASON_RECIPIENT, 200);
	assert_int_equal(OK(f, return_apply(f->s, &policy, &r, &did, &f->e)), 1);
	assert_true(did.moved && did.suppressed);
	assert_int_equal(told(f, who).state, DELIVERY_BOUNCED);
	assert_int_equal(peek(f, "SELECT suppressed FROM subscribers"), 1);
	for (int i = 0; i < 100; i++) /* the same once more */
		assert_int_equal(OK(f, return_apply(f->s, &policy, &r, &did, &f->e)), 0);
	assert_int_equal(peek(f, "SELECT count(*) FROM returns"), 1);
	assert_int_equal(peek(f, "SELECT count(*) FROM events WHERE what = 'bounce'"), 1);
	assert_sound(f);
	filter.domain = STR("example.net");
	OK(f, returns_undo(f->s, &filter, 300, false, &n, &f->e));
	assert_int_equal(n.returns, 0);
	filter.domain = STR("example.com");
	OK(f, returns_undo(f->s, &filter, 300, true, &n, &f->e));
	assert_int_equal(n.lifted, 1);
	assert_int_equal(peek(f, "SELECT suppressed FROM subscribers"), 1); /* a dry run */
	OK(f, returns_undo(f->s, &filter, 300, false, &n, &f->e));
	assert_int_equal(n.lifted, 1);
	assert_int_equal(peek(f, "SELECT suppressed FROM subscribers"), 0);
	assert_int_equal(OK(f, return_apply(f->s, &policy, &r, &did, &f->e)), 0);
	assert_sound(f);
}

static void test_withdrawn(void **state)
{
	struct fixture *f = *state;
	struct return_effect did;
	struct returned r;
	int64_t who, id = sent(f, &who);

	r = bounce(id, who, REASON_RECIPIENT, 200);
	OK(f, return_apply(f->s, &policy, &r, &did, &f->e));
	assert_int_equal(OK(f, returns_withdraw(f->s, 7, &f->e)), 1);
	assert_int_equal(told(f, who).state, DELIVERY_SENT);
	assert_int_equal(peek(f, "SELECT count(*) FROM suppressions"), 0);
	assert_sound(f);
}

/* A report may be faster than the worker's own answer. */
static void test_while_sending(void **state)
{
	struct fixture *f = *state;
	struct return_effect did;
	struct returned r;
	int64_t who, id = sending(f, &who);

	r = bounce(id, who, REASON_FULL, 60);
	OK(f, return_apply(f->s, &policy, &r, &did, &f->e));
	assert_true(did.moved && !did.suppressed);
	assert_int_equal(settle(f, &lease, outcome(id, who, DELIVERY_SENT)), 0);
	assert_int_equal(told(f, who).state, DELIVERY_BOUNCED);
	assert_sound(f);
}

static void test_nobody_suppressed(void **state)
{
	static const enum reason reasons[] = {
		REASON_BLOCK, REASON_AUTH, REASON_RATE, REASON_CONTENT, REASON_RELAY, REASON_SIZE};
	struct policy strict = policy;
	struct fixture *f = *state;
	struct return_effect did;
	struct returned r;
	int64_t who, id = sent(f, &who);

	for (int i = 0; i < REASON_N; i++)
		strict.line[i] = (struct policy_line){1, 0};
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		r = bounce(id, who, reasons[i], 200);
		r.arrival = (int64_t)i + 1;
		assert_int_equal(OK(f, return_apply(f->s, &strict, &r, &did, &f->e)), i == 0);
		assert_false(did.suppressed);
	}
	r = bounce(id, who + 1, REASON_RECIPIENT, 200);
	FAILS(f, ERR_MISSING, return_apply(f->s, &policy, &r, &did, &f->e));
	assert_sound(f);
}

static void test_complaint(void **state)
{
	struct fixture *f = *state;
	struct return_effect did;
	struct returned r;
	int64_t who, id = sent(f, &who);

	r = bounce(id, who, REASON_TRANSIENT, 200);
	r.kind = RETURN_COMPLAINT;
	OK(f, return_apply(f->s, &policy, &r, &did, &f->e));
	assert_true(did.moved && did.suppressed);
	assert_int_equal(told(f, who).state, DELIVERY_COMPLAINED);
	assert_sound(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dead_address),
		TEST(test_withdrawn),
		TEST(test_while_sending),
		TEST(test_nobody_suppressed),
		TEST(test_complaint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
