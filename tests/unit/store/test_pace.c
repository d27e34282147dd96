/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include "store/pace.h"

enum { NOW = 1800000000 };
static const int64_t NOW_MS = NOW * INT64_C(1000);

static void make(struct pacer *p)
{
	pacer_init(p, 2);
	snprintf(p->relay[0].name, PACER_NAME_SIZE, "main");
	snprintf(p->relay[1].name, PACER_NAME_SIZE, "spare");
	p->relay[0].limit.per_hour = 100;
	p->relay[0].limit.per_second = 50;
	p->relay[1].limit.warm_up = (struct pace_growth){40, 50};
	for (int64_t id = 0; id < 3; id++)
		pacer_lane_add(p, id, "lane", &(struct pace_lane_limits){0}, id == 0);
}

static void begin(struct pacer *p, int lane, int relay, int n, int64_t now_ms)
{
	for (int i = 0; i < n; i++)
		pacer_begin(p, lane, relay, now_ms);
}

static void end(struct pacer *p, int lane, int relay, enum verdict_action action, int64_t now_ms)
{
	static const struct finding slow = {
		REASON_RATE, REACT_THROTTLE, .rule = "x", .wait_s = 60, .per_minute = 7};

	pacer_end(p,
		&(struct pacer_outcome){
			lane, relay, action, &slow, 421, "4.7.0 too fast", now_ms - 1000},
		now_ms);
}

/* One turn: load, do, save; commit unless `fail`. */
static void turn(
	struct fixture *f, struct pacer *p, void (*act)(struct pacer *p, int64_t now_ms), bool fail)
{
	OK(f, store_begin(f->s, &f->e));
	pacer_keep(p);
	OK(f, pace_load(f->s, p, &f->e));
	act(p, NOW_MS);
	OK(f, pace_save(f->s, p, &f->e));
	if (!fail) {
		OK(f, store_commit(f->s, &f->e));
		return;
	}
	store_rollback(f->s);
	pacer_undo(p);
}

static void act_all(struct pacer *p, int64_t now_ms)
{
	begin(p, 1, 0, 30, now_ms - 7200000);
	begin(p, 1, 0, 20, now_ms - 1800000);
	begin(p, 1, 0, 10, now_ms);
	begin(p, 2, 1, 25, now_ms);
	end(p, 1, 0, VERDICT_THROTTLE, now_ms);
	end(p, 2, 1, VERDICT_PAUSE_RELAY, now_ms);
}

/* The values that are kept, of relays and lanes. */
static void same(const struct pacer *a, const struct pacer *b)
{
	for (size_t i = 0; i < a->relay_n; i++) {
		const struct pacer_relay *x = &a->relay[i], *y = &b->relay[i];

		assert_memory_equal(&x->rate, &y->rate, sizeof x->rate);
		assert_int_equal(x->warm.day, y->warm.day);
		assert_int_equal(x->warm.used, y->warm.used);
		assert_int_equal(x->warm.level, y->warm.level);
		assert_int_equal(x->circuit.rest_until, y->circuit.rest_until);
		assert_int_equal(x->circuit.failures, y->circuit.failures);
		assert_int_equal(x->circuit.probe_until, y->circuit.probe_until);
		assert_string_equal(x->reason, y->reason);
		for (enum pace_span span = 0; span < PACE_SPAN_N; span++) {
			assert_int_equal(pace_window_used(&x->window[span], span, NOW),
				pace_window_used(&y->window[span], span, NOW));
			for (int64_t slot = x->window[span].slot - 100;
				slot <= x->window[span].slot; slot++)
				assert_int_equal(pace_window_slot(&x->window[span], span, slot),
					pace_window_slot(&y->window[span], span, slot));
		}
	}
	for (size_t i = 0; i < a->lane_n; i++) {
		const struct pacer_lane *x = &a->lane[i], *y = &b->lane[i];

		assert_memory_equal(&x->rate, &y->rate, sizeof x->rate);
		assert_memory_equal(&x->throttle, &y->throttle,
			offsetof(struct pace_throttle, blocks) + sizeof(int));
		assert_int_equal(x->throttled, y->throttled);
		assert_int_equal(x->refusal.at, y->refusal.at);
		assert_int_equal(x->refusal.code, y->refusal.code);
		assert_string_equal(x->refusal.words, y->refusal.words);
	}
}

static void test_restart(void **state)
{
	struct fixture *f = *state;
	struct pacer p, q;

	make(&p);
	make(&q);
	turn(f, &p, act_all, false);
	assert_int_equal(pacer_relay_left(&p.relay[0], NOW_MS + 1000), 3); /* by its rate */
	store_close(f->s);
	OK(f, store_open(f->path, &f->s, &f->e));
	OK(f, pace_load(f->s, &q, &f->e));
	same(&p, &q);
	assert_int_equal(pace_window_used(&q.relay[0].window[PACE_HOUR], PACE_HOUR, NOW), 30);
	assert_int_equal(pace_window_used(&q.relay[0].window[PACE_DAY], PACE_DAY, NOW), 60);
	assert_int_equal(q.relay[1].warm.used, 24);
	assert_int_equal(pacer_circuit(&q, 1, NOW), PACE_OPEN);
	assert_string_equal(q.relay[1].reason, "4.7.0 too fast");
	assert_int_equal(pace_throttle_rate(&q.lane[1].throttle, 0, NOW), 7);
	pacer_free(&p);
	pacer_free(&q);
}

static void act_few(struct pacer *p, int64_t now_ms)
{
	begin(p, 1, 0, 5, now_ms);
}

/* What was rolled back has not happened, in memory and in the file. */
static void test_rollback(void **state)
{
	struct fixture *f = *state;
	struct pacer p, q;

	make(&p);
	make(&q);
	turn(f, &p, act_few, false);
	OK(f, pace_load(f->s, &q, &f->e));
	turn(f, &p, act_all, true);
	same(&p, &q);
	assert_int_equal(p.lane[1].under_way, 5);
	turn(f, &p, act_few, false);
	q.known = -1;
	OK(f, pace_load(f->s, &q, &f->e));
	same(&p, &q);
	assert_int_equal(pace_window_used(&q.relay[0].window[PACE_HOUR], PACE_HOUR, NOW), 10);
	pacer_free(&p);
	pacer_free(&q);
}

static void act_take_back(struct pacer *p, int64_t now_ms)
{
	end(p, 1, 0, VERDICT_AGAIN, now_ms);
}

/* Two workers count into one quota; a count that is taken back is gone from the file, too. */
static void test_two_workers(void **state)
{
	struct fixture *f = *state;
	struct store *mine = f->s, *other;
	struct pacer p, q;

	make(&p);
	make(&q);
	OK(f, store_open(f->path, &other, &f->e));
	for (int i = 0; i < 10; i++) {
		turn(f, &p, act_few, false);
		f->s = other;
		turn(f, &q, act_few, false);
		f->s = mine;
	}
	turn(f, &p, act_take_back, false);
	assert_int_equal(pace_window_used(&p.relay[0].window[PACE_HOUR], PACE_HOUR, NOW), 99);
	f->s = other;
	turn(f, &q, act_take_back, false);
	f->s = mine;
	OK(f, pace_load(f->s, &p, &f->e));
	same(&p, &q);
	assert_int_equal(pace_window_used(&p.relay[0].window[PACE_HOUR], PACE_HOUR, NOW), 98);
	store_close(other);
	pacer_free(&p);
	pacer_free(&q);
}

static void act_late(struct pacer *p, int64_t now_ms)
{
	begin(p, 1, 0, 1, now_ms + 200000000);
}

/* Old counts do not pile up. */
static void test_old_counts_go(void **state)
{
	struct fixture *f = *state;
	struct pacer p;

	make(&p);
	turn(f, &p, act_all, false);
	turn(f, &p, act_late, false);
	assert_int_equal(peek(f, "SELECT count(*) FROM relay_counts WHERE relay_id ="
				 " (SELECT id FROM relays WHERE name = 'main')"),
		2);
	pacer_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_restart),
		TEST(test_rollback),
		TEST(test_two_workers),
		TEST(test_old_counts_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
