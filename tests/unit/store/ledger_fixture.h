/* SPDX-License-Identifier: MIT */
#ifndef LEDGER_FIXTURE_H
#define LEDGER_FIXTURE_H

#include "fixture.h"

/* What the tests of the ledger share: short words for its verbs. */

/* The worker of most tests. */
static struct lease lease;

static inline size_t claim(
	struct fixture *f, int64_t now, size_t limit, bool resend, struct claim **out)
{
	struct lane_share share[8];
	struct lane *lane;
	size_t n, lanes;

	if (resend)
		OK(f, ledger_resend(f->s, now, &f->e));
	OK(f, ledger_lanes(f->s, now, &f->a, &lane, &lanes, &f->e));
	for (size_t i = 0; i < lanes && i < 8; i++)
		share[i] = (struct lane_share){lane[i].id, limit};
	OK(f, ledger_claim(f->s, &lease, now, share, lanes, &f->a, out, &n, &f->e));
	return n;
}

static inline struct attempt outcome(
	int64_t issue_id, int64_t subscriber, enum delivery_state state)
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

static inline int64_t count(struct fixture *f, int64_t issue_id, enum delivery_state state)
{
	struct issue_counts n;

	OK(f, issue_counts(f->s, issue_id, &n, &f->e));
	return n.n[state];
}

static inline struct delivery told(struct fixture *f, int64_t subscriber)
{
	struct delivery *d;
	size_t n;

	OK(f, subscriber_deliveries(f->s, subscriber, 0, &f->a, &d, &n, &f->e));
	assert_true(n > 0);
	return d[0];
}

static inline enum issue_state issue_state(struct fixture *f, int64_t id)
{
	struct issue i;
	char name[24];

	snprintf(name, sizeof name, "%lld", (long long)id);
	OK(f, issue_get(f->s, str_of(name), &f->a, &i, &f->e));
	return i.state;
}

static inline int turn(struct fixture *f, int64_t now)
{
	return OK(f, issues_turn(f->s, now, 0, true, &f->e));
}

/* One reader, one issue that is delivering, claimed and intended. */
static inline int64_t sending(struct fixture *f, int64_t *who)
{
	struct claim *c;
	int64_t id;

	*who = reader(f, 1);
	id = issue(f, "first", 50, 20);
	assert_int_equal(turn(f, 50), 1);
	OK(f, lease_open(f->s, 50, 60, &lease, &f->e));
	assert_int_equal(claim(f, 50, 10, true, &c), 1);
	assert_int_equal(
		OK(f, ledger_intend(f->s, &lease, id, *who, LANE_OTHER, STR("main"), 51, &f->e)),
		1);
	return id;
}

static inline int settle(struct fixture *f, const struct lease *l, struct attempt a)
{
	return OK(f, ledger_settle(f->s, l, &a, &f->e));
}

#endif
