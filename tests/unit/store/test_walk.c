/* SPDX-License-Identifier: MIT */
#include "ledger_fixture.h"

/*
 * Random walks of the ledger's verbs beside a naive model: arrays and loops. After each step the
 * counts, and now and then all rows and the store's own invariants, must agree.
 */
enum { READERS = 12, ISSUES = 3, LEASES = 2, STEPS = 250, WALKS = 60, LEASE_SECONDS = 40 };

struct row {
	enum delivery_state state;
	int64_t due_at;
	int attempts, doubts, lease; /* lease: index + 1, 0 = none */
};

struct model {
	struct fixture *f;
	uint64_t seed;
	int64_t now;
	int64_t reader[READERS], issue[ISSUES];
	bool active[READERS];
	enum issue_state state[ISSUES];
	struct row row[ISSUES][READERS];
	struct lease lease[LEASES];
	bool open[LEASES];
};

static unsigned long reached[DELIVERY_STATE_N], second_doubts;

static unsigned roll(struct model *m, unsigned n)
{
	m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(m->seed >> 33) % n;
}

static bool is_due(const struct model *m, int i, int r)
{
	const struct row *row = &m->row[i][r];

	return m->state[i] == ISSUE_DELIVERING && row->due_at <= m->now &&
	       (row->state == DELIVERY_QUEUED || row->state == DELIVERY_DEFERRED);
}

static void rest(struct model *m, int i, struct row *row, int64_t due_at)
{
	row->lease = 0;
	row->due_at = due_at;
	row->state = m->state[i] == ISSUE_CANCELLED ? DELIVERY_CANCELLED : DELIVERY_QUEUED;
}

/* ---- the verbs, on both ---- */

static void recover(struct model *m)
{
	struct lease_recovery found;
	int64_t queued = 0, doubt = 0;

	OK(m->f, lease_recover(m->f->s, m->now, &found, &m->f->e));
	for (int i = 0; i < ISSUES; i++)
		for (int r = 0; r < READERS; r++) {
			struct row *row = &m->row[i][r];

			if (!row->lease || m->lease[row->lease - 1].until > m->now)
				continue;
			if (row->state == DELIVERY_SENDING) {
				row->state = DELIVERY_IN_DOUBT;
				row->lease = 0;
				row->attempts++;
				row->doubts++;
				doubt++;
			} else {
				rest(m, i, row, row->due_at);
				queued++;
			}
		}
	for (int l = 0; l < LEASES; l++)
		if (m->open[l] && m->lease[l].until <= m->now)
			m->open[l] = false;
	assert_int_equal(found.queued, queued);
	assert_int_equal(found.in_doubt, doubt);
}

static void ensure_lease(struct model *m, int l)
{
	if (m->open[l])
		return;
	recover(m);
	OK(m->f, lease_open(m->f->s, m->now, LEASE_SECONDS, &m->lease[l], &m->f->e));
	m->open[l] = true;
}

static void requeue_first_doubts(struct model *m)
{
	for (int i = 0; i < ISSUES; i++)
		for (int r = 0; r < READERS; r++) {
			struct row *row = &m->row[i][r];

			if (m->state[i] != ISSUE_DELIVERING || row->state != DELIVERY_IN_DOUBT ||
				row->doubts != 1)
				continue;
			row->state = DELIVERY_QUEUED;
			row->due_at = m->now;
		}
}

static int index_of(const int64_t *ids, int n, int64_t id)
{
	for (int i = 0; i < n; i++)
		if (ids[i] == id)
			return i;
	fail_msg("the store names an id that was never given: %lld", (long long)id);
	return -1;
}

/* Which rows a claim takes among equals is the store's to choose: the model checks that each may be
 * taken, that none older was passed over, and that no more could have been. */
static void step_claim(struct model *m, int l)
{
	size_t limit = 1 + roll(m, 8), n, due = 0;
	bool resend = roll(m, 4) != 0;
	int64_t newest = 0;
	struct claim *c;

	ensure_lease(m, l);
	if (m->lease[l].until <= m->now)
		return;
	if (resend)
		OK(m->f, ledger_resend(m->f->s, m->now, &m->f->e));
	OK(m->f, ledger_claim(
			 m->f->s, &m->lease[l], m->now, OTHER(limit), &m->f->a, &c, &n, &m->f->e));
	if (resend)
		requeue_first_doubts(m);
	for (size_t k = 0; k < n; k++) {
		int i = index_of(m->issue, ISSUES, c[k].issue);
		int r = index_of(m->reader, READERS, c[k].subscriber);

		assert_true(is_due(m, i, r) && m->active[r]);
		assert_int_equal(c[k].attempts, m->row[i][r].attempts);
		assert_true(m->row[i][r].due_at >= newest);
		newest = m->row[i][r].due_at;
		m->row[i][r].state = DELIVERY_CLAIMED;
		m->row[i][r].lease = l + 1;
	}
	for (int i = 0; i < ISSUES; i++)
		for (int r = 0; r < READERS; r++) {
			if (!is_due(m, i, r))
				continue;
			if (m->active[r]) {
				assert_true(m->row[i][r].due_at >= newest);
				due++;
			} else if (n < limit || m->row[i][r].due_at < newest) {
				m->row[i][r].state = DELIVERY_SKIPPED;
			} else {
				/* beside the last one claimed: looked at, or not yet */
				struct delivery *d;
				size_t found;

				OK(m->f, subscriber_deliveries(m->f->s, m->reader[r], m->issue[i],
						 &m->f->a, &d, &found, &m->f->e));
				m->row[i][r].state = d->state;
			}
		}
	assert_true(n == limit || due == 0);
}

static void step_intend(struct model *m, int l, int i, int r)
{
	struct row *row = &m->row[i][r];
	bool held =
		row->lease == l + 1 && row->state == DELIVERY_CLAIMED && m->lease[l].until > m->now;
	int made = OK(m->f, ledger_intend(m->f->s, &m->lease[l], m->issue[i], m->reader[r],
				    LANE_OTHER, STR("main"), m->now, &m->f->e));

	assert_int_equal(made, held && m->active[r] && m->state[i] == ISSUE_DELIVERING);
	if (made)
		row->state = DELIVERY_SENDING;
	else if (held && m->state[i] != ISSUE_DELIVERING)
		rest(m, i, row, m->now);
	else if (held) {
		row->state = DELIVERY_SKIPPED;
		row->lease = 0;
	}
}

static void step_settle(struct model *m, int l, int i, int r)
{
	static const enum delivery_state outcomes[] = {DELIVERY_SENT, DELIVERY_DEFERRED,
		DELIVERY_DEFERRED, DELIVERY_FAILED, DELIVERY_EXPIRED, DELIVERY_IN_DOUBT};
	struct attempt a = outcome(m->issue[i], m->reader[r], outcomes[roll(m, 6)]);
	struct row *row = &m->row[i][r];
	int made;

	a.at = m->now;
	a.took_ms = (int64_t)roll(m, 1u << 30); /* no two alike */
	a.due_at = m->now + 1 + roll(m, 30);
	made = settle(m->f, &m->lease[l], a);
	assert_int_equal(made, row->lease == l + 1 && row->state == DELIVERY_SENDING);
	if (!made)
		return;
	row->lease = 0;
	row->attempts++;
	row->doubts += a.state == DELIVERY_IN_DOUBT;
	row->state = a.state;
	if (a.state == DELIVERY_DEFERRED && m->state[i] == ISSUE_CANCELLED)
		row->state = DELIVERY_CANCELLED;
	else if (a.state == DELIVERY_DEFERRED)
		row->due_at = a.due_at;
}

static void step_release(struct model *m, int l, int i, int r)
{
	struct row *row = &m->row[i][r];

	OK(m->f,
		ledger_release(m->f->s, &m->lease[l], m->issue[i], m->reader[r], m->now, &m->f->e));
	if (row->lease == l + 1)
		rest(m, i, row, m->now);
}

static void step_operator(struct model *m, int i, int r)
{
	int64_t rows;

	switch (roll(m, 12)) {
	case 0:
		m->active[r] = !m->active[r];
		OK(m->f, subscription_put(m->f->s, m->reader[r], m->f->list,
				 m->active[r] ? SUBSCRIPTION_ACTIVE : SUBSCRIPTION_UNSUBSCRIBED,
				 STR("walk"), STR(""), true, m->now, &m->f->e));
		break;
	case 1:
		if (m->state[i] == ISSUE_DELIVERING) {
			OK(m->f, issue_pause(m->f->s, m->issue[i], STR("walk"), m->now, &m->f->e));
			m->state[i] = ISSUE_PAUSED;
		}
		break;
	case 2:
		/* Late, so that the walk sees most of what comes before. */
		if (i == 0 && m->now > 250 && m->state[i] == ISSUE_DELIVERING) {
			OK(m->f, issue_cancel(m->f->s, m->issue[i], m->now, &rows, &m->f->e));
			m->state[i] = ISSUE_CANCELLED;
			for (r = 0; r < READERS; r++)
				if (m->row[i][r].state == DELIVERY_QUEUED ||
					m->row[i][r].state == DELIVERY_DEFERRED)
					m->row[i][r].state = DELIVERY_CANCELLED;
		}
		break;
	default:
		if (m->state[i] == ISSUE_PAUSED) {
			OK(m->f, issue_resume(m->f->s, m->issue[i], m->now, &m->f->e));
			m->state[i] = ISSUE_DELIVERING;
		}
	}
}

static void step(struct model *m)
{
	int l = (int)roll(m, LEASES), i = (int)roll(m, ISSUES), r = (int)roll(m, READERS);

	m->now += roll(m, 3) == 0;
	switch (roll(m, 16)) {
	case 0:
		step_claim(m, l);
		break;
	case 1:
		step_release(m, l, i, r);
		break;
	case 2:
		step_operator(m, i, r);
		break;
	case 3:
		if (roll(m, 8) == 0)
			m->now += LEASE_SECONDS; /* stopped past the lease */
		recover(m);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
	case 8:
	case 9:
		step_intend(m, l, i, r);
		break;
	default:
		step_settle(m, l, i, r);
	}
}

/* ---- comparing ---- */

static void compare_counts(struct model *m)
{
	struct issue_counts counts;
	int64_t n[DELIVERY_STATE_N];

	for (int i = 0; i < ISSUES; i++) {
		memset(n, 0, sizeof n);
		for (int r = 0; r < READERS; r++) {
			n[m->row[i][r].state]++;
			reached[m->row[i][r].state]++;
			second_doubts += m->row[i][r].doubts > 1;
		}
		OK(m->f, issue_counts(m->f->s, m->issue[i], &counts, &m->f->e));
		assert_memory_equal(counts.n, n, sizeof n);
	}
}

static void compare_rows(struct model *m)
{
	for (int r = 0; r < READERS; r++) {
		struct delivery *d;
		size_t n;

		OK(m->f, subscriber_deliveries(
				 m->f->s, m->reader[r], 0, &m->f->a, &d, &n, &m->f->e));
		assert_int_equal(n, ISSUES);
		for (size_t k = 0; k < n; k++) {
			int i = index_of(m->issue, ISSUES, d[k].issue);

			assert_int_equal(d[k].state, m->row[i][r].state);
			if (d[k].state == DELIVERY_DEFERRED || d[k].state == DELIVERY_QUEUED)
				assert_int_equal(d[k].due_at, m->row[i][r].due_at);
		}
	}
	assert_sound(m->f);
	arena_reset(&m->f->a);
}

static void walk(struct fixture *f, uint64_t seed)
{
	static const char *const slug[ISSUES] = {"a", "b", "c"};
	struct model m = {.f = f, .seed = seed, .now = 100};

	for (int r = 0; r < READERS; r++) {
		m.reader[r] = reader(f, r);
		m.active[r] = true;
	}
	for (int i = 0; i < ISSUES; i++) {
		m.issue[i] = issue(f, slug[i], 90 + i, 20);
		m.state[i] = ISSUE_DELIVERING;
		for (int r = 0; r < READERS; r++)
			m.row[i][r] = (struct row){DELIVERY_QUEUED, 90 + i, 0, 0, 0};
	}
	assert_int_equal(turn(f, 100), ISSUES);
	for (int n = 0; n < STEPS; n++) {
		bool grouped = roll(&m, 2);

		if (grouped)
			OK(f, store_begin(f->s, &f->e));
		for (unsigned k = roll(&m, 6) + 1; k > 0; k--)
			step(&m);
		compare_counts(&m);
		if (grouped)
			OK(f, store_commit(f->s, &f->e));
		compare_counts(&m);
		if (n % 50 == 0)
			compare_rows(&m);
	}
	compare_rows(&m);
}

static void test_walks(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= WALKS; seed++) {
		void *fixture = NULL;

		assert_int_equal(fixture_setup(&fixture), 0);
		walk(fixture, seed);
		assert_int_equal(fixture_teardown(&fixture), 0);
	}
	/* The walks have been everywhere. */
	for (int s = 0; s < DELIVERY_BOUNCED; s++)
		assert_true(reached[s] > 0);
	assert_true(second_doubts > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
