/* SPDX-License-Identifier: MIT */
#include "app/pacing.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/pace.h"
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	STOCK = 500, /* rows claimed at once: measured to cost little and to be given back fast */
	RECLAIM_MS = 200, /* where a claim gave nothing, the next comes no sooner */
	UNBOUND_S = 60, /* a copy whose own relay cannot take it is looked at again after so long */
};

/* ---- the stock ---- */

static size_t add_text(char *to, struct str *view)
{
	if (view->n)
		memcpy(to, view->p, view->n);
	view->p = to;
	return view->n;
}

static int put_in_stock(struct worker *w, int lane, const struct claim *c, struct err *e)
{
	struct stock *stock = &w->stock[lane];
	size_t n = c->relay.n + c->email.n + c->first_name.n + c->last_name.n + c->attributes.n;
	struct stocked *one = malloc(sizeof *one + n);
	char *text = (char *)(one + 1);

	if (!one)
		return err_set(e, ERR_IO, "out of memory");
	*one = (struct stocked){.claim = *c, .turn = w->turn};
	text += add_text(text, &one->claim.relay);
	text += add_text(text, &one->claim.email);
	text += add_text(text, &one->claim.first_name);
	text += add_text(text, &one->claim.last_name);
	add_text(text, &one->claim.attributes);
	*stock->last = one;
	stock->last = &one->next;
	w->stock_n++;
	w->pacer.lane[lane].stock++;
	return 0;
}

/* Take the first copy of a lane out of its stock. */
static struct stocked *pop(struct worker *w, int lane)
{
	struct stock *stock = &w->stock[lane];
	struct stocked *one = stock->first;

	stock->first = one->next;
	if (!stock->first)
		stock->last = &stock->first;
	one->next = NULL;
	w->stock_n--;
	return one;
}

static void put_back(struct worker *w, int lane, struct stocked *one)
{
	struct stock *stock = &w->stock[lane];

	one->next = stock->first;
	stock->first = one;
	if (!one->next)
		stock->last = &one->next;
	w->stock_n++;
}

/* Take out what the turn has claimed: it stands at the end. */
static void cut_fresh(struct worker *w, struct stock *stock)
{
	struct stocked **at = &stock->first, *one;

	while (*at && (*at)->turn != w->turn)
		at = &(*at)->next;
	while ((one = *at)) {
		*at = one->next;
		free(one);
		w->stock_n--;
	}
	stock->last = at;
}

void worker_take_back(struct worker *w)
{
	/* Backwards: of two copies of a lane the first to leave goes to the front again. */
	for (size_t i = w->slot_n; i-- > 0;) {
		struct worker_slot *slot = &w->slot[i];

		if (slot->use != SLOT_INTENDED)
			continue;
		slot->use = SLOT_FREE;
		flight_drop(w->flight, i);
		put_back(w, slot->lane, slot->stocked);
		slot->stocked = NULL;
	}
	worker_forget_issues(w, w->turn);
	for (size_t i = 0; i < w->stock_lanes; i++)
		cut_fresh(w, &w->stock[i]);
	for (size_t i = 0; i < w->stock_lanes; i++) {
		size_t n = 0;

		for (const struct stocked *one = w->stock[i].first; one; one = one->next)
			n++;
		w->pacer.lane[i].stock = n;
	}
	w->dry = false;
}

void worker_drop_stock(struct worker *w)
{
	for (size_t i = 0; i < w->stock_lanes; i++)
		while (w->stock[i].first)
			free(pop(w, (int)i));
	free(w->stock);
	w->stock = NULL;
	w->stock_lanes = 0;
}

/* ---- claiming ---- */

/* The pacer's index of a lane of the ledger, added where it is new, with room for its stock. */
static int lane_index(struct worker *w, const struct lane *l, struct err *e)
{
	int lane = pacer_lane_find(&w->pacer, l->id);
	struct stock *more;

	if (lane >= 0)
		return lane;
	more = malloc((w->stock_lanes + 1) * sizeof *more);
	if (!more)
		return err_set(e, ERR_IO, "out of memory");
	/* An empty one points to itself. */
	for (size_t i = 0; i < w->stock_lanes; i++) {
		more[i] = w->stock[i];
		if (!more[i].first)
			more[i].last = &more[i].first;
	}
	free(w->stock);
	w->stock = more;
	w->stock[w->stock_lanes] = (struct stock){.last = &w->stock[w->stock_lanes].first};
	w->stock_lanes++;
	return pacing_lane(&w->site->config, &w->pacer, l->id, l->name);
}

/* How many of each lane to claim. What is not mentioned has nothing that is due. */
static int shares(struct worker *w, const struct lane *lane, size_t n, int64_t now_ms,
	struct lane_share *share, struct err *e)
{
	for (size_t i = 0; i < w->pacer.lane_n; i++)
		w->pacer.lane[i].waiting = 0;
	for (size_t i = 0; i < n; i++) {
		int at = lane_index(w, &lane[i], e);

		if (at < 0)
			return -1;
		w->pacer.lane[at].waiting = lane[i].waiting;
	}
	/* A lane that is new brings what the database knows of it. */
	if (pace_load(w->site->store, &w->pacer, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		share[i] = (struct lane_share){.lane = lane[i].id,
			.limit = pacer_share(
				&w->pacer, pacer_lane_find(&w->pacer, lane[i].id), STOCK, now_ms)};
	return 0;
}

/* Lanes of which something was asked for and nothing came have nothing that can be claimed: their issues'
 * windows are closed, or their stages are used up. */
static void forget_empty(struct worker *w, const struct lane_share *share, size_t n,
	const struct claim *c, size_t claims)
{
	w->dry = true;
	for (size_t i = 0; i < n; i++) {
		struct pacer_lane *l = &w->pacer.lane[pacer_lane_find(&w->pacer, share[i].lane)];
		size_t k = 0;

		while (k < claims && c[k].lane != share[i].lane)
			k++;
		if (share[i].limit && k == claims)
			l->waiting = 0;
		w->dry &= l->waiting == 0;
	}
}

/* Whether a lane has used up its stock and may go on. */
static bool is_hungry(const struct worker *w, int64_t now_ms)
{
	for (size_t i = 0; i < w->pacer.lane_n; i++)
		if (!w->pacer.lane[i].stock && pacer_share(&w->pacer, (int)i, STOCK, now_ms))
			return true;
	return false;
}

static bool is_usable(const struct worker *w, int64_t now)
{
	for (size_t i = 0; i < w->relay_n; i++) {
		enum pace_circuit_state state = pacer_circuit(&w->pacer, i, now);

		if (state == PACE_CLOSED || state == PACE_HALF_OPEN)
			return true;
	}
	return false;
}

int worker_claim(struct worker *w, int64_t now_ms, struct err *e)
{
	struct store *store = w->site->store;
	int64_t ms = clock_mono_ms(), now = now_ms / 1000;
	struct arena a = {0};
	struct lane_share *share;
	struct lane *lane;
	struct claim *claim;
	size_t lanes, n;
	int rc = -1;

	if (w->stopping || !is_usable(w, now))
		return 0;
	if ((w->stock_n >= STOCK / 2 || (w->claimed_ms && ms - w->claimed_ms < RECLAIM_MS)) &&
		!is_hungry(w, now_ms))
		return 0;
	if ((w->site->config.delivery.resend_in_doubt && ledger_resend(store, now, e) < 0) ||
		ledger_lanes(store, now, &a, &lane, &lanes, e) < 0)
		goto out;
	share = arena_array(&a, lanes + 1, sizeof *share);
	if (shares(w, lane, lanes, now_ms, share, e) < 0 ||
		ledger_claim(store, &w->lease, now, share, lanes, &a, &claim, &n, e) < 0)
		goto out;
	forget_empty(w, share, lanes, claim, n);
	for (size_t i = 0; i < n; i++)
		if (put_in_stock(w, pacer_lane_find(&w->pacer, claim[i].lane), &claim[i], e) < 0)
			goto out;
	w->claimed_ms = n ? 0 : ms;
	rc = 0;
out:
	arena_free(&a);
	return rc;
}

/* ---- intending ---- */

static void forget_issue(struct worker_issue *i, size_t makers)
{
	journal_close(i->journal);
	for (size_t k = 0; i->maker && k < makers; k++)
		copy_maker_close(i->maker[k]);
	free(i->maker);
	arena_free(&i->arena);
	free(i);
}

void worker_forget_issues(struct worker *w, uint64_t turn)
{
	struct worker_issue **at = &w->issue, *one;

	while ((one = *at))
		if (one->turn >= turn) {
			*at = one->next;
			forget_issue(one, w->makers);
		} else {
			at = &one->next;
		}
}

static int open_makers(
	struct worker *w, const struct issue *issue, struct worker_issue *i, struct err *e)
{
	i->maker = calloc(w->makers, sizeof(*i->maker));
	if (!i->maker)
		return err_set(e, ERR_IO, "out of memory");
	for (size_t k = 0; k < w->makers; k++)
		if (copy_maker_open(w->site, issue->uuid, issue->program, &i->maker[k], e) < 0)
			return -1;
	return 0;
}

static struct worker_issue *open_issue(struct worker *w, int64_t id, int64_t now, struct err *e)
{
	struct journal_news news = {0};
	struct worker_issue *i = w->issue;
	struct issue issue;
	char name[24];

	while (i && i->id != id)
		i = i->next;
	if (i)
		return i;
	i = calloc(1, sizeof *i);
	if (!i) {
		err_set(e, ERR_IO, "out of memory");
		return NULL;
	}
	snprintf(name, sizeof name, "%lld", (long long)id);
	if (issue_get(w->site->store, str_of(name), &i->arena, &issue, e) < 0 ||
		journal_open(w->site->store, id, now, &i->journal, &news, e) < 0 ||
		open_makers(w, &issue, i, e) < 0) {
		forget_issue(i, w->makers);
		return NULL;
	}
	worker_count_news(w, &news);
	i->id = id;
	i->turn = w->turn;
	i->next = w->issue;
	w->issue = i;
	return i;
}

/* The issue of a copy, opened; NULL without an error where nothing can be made of it: it is paused then, and
 * the others go on. */
static int find_issue(
	struct worker *w, int64_t id, int64_t now, struct worker_issue **out, struct err *e)
{
	struct err bad = {0};

	*out = open_issue(w, id, now, &bad);
	if (*out)
		return 0;
	if (bad.code == ERR_INPUT)
		return worker_pause_issue(w, id, bad.text, now, e);
	return err_set(e, bad.code, "%s", bad.text);
}

/* First what is yet to be submitted: what is so meanwhile is then counted twice rather than not at all. */
static size_t room(struct worker *w, size_t relay)
{
	size_t unsubmitted = worker_unsubmitted(w, relay),
	       most = transport_room(w->transport, relay);

	return most > unsubmitted ? most - unsubmitted : 0;
}

/* What the transport takes now, relay by relay; those that have rested are tried. */
static void see_room(struct worker *w, int64_t now)
{
	for (size_t i = 0; i < w->relay_n; i++) {
		enum pace_circuit_state state = pacer_circuit(&w->pacer, i, now);
		bool usable = state == PACE_CLOSED || state == PACE_HALF_OPEN;

		if (usable && w->down[i]) {
			transport_resume(w->transport, i, state == PACE_HALF_OPEN);
			w->down[i] = false;
			w->probe[i] = state == PACE_HALF_OPEN;
		}
		if (state == PACE_CLOSED && w->probe[i]) {
			transport_resume(w->transport, i, 0);
			w->probe[i] = false;
		}
		w->pacer.relay[i].room = usable ? room(w, i) : 0;
	}
}

/* The relay that a copy is bound to: PACER_ANY for most, relay_n for one that is no longer configured. */
static int bound_to(const struct worker *w, const struct claim *c)
{
	size_t i = 0;

	if (!c->relay.n)
		return PACER_ANY;
	while (i < w->relay_n && !str_eq(c->relay, str_of(w->relay[i].name)))
		i++;
	return (int)i;
}

/* The first copy of a lane may not leave by another relay than its own, which cannot take it now, or is
 * `gone`. */
static int postpone(struct worker *w, int lane, bool gone, int64_t now, struct err *e)
{
	struct stocked *one = pop(w, lane);
	const struct claim *c = &one->claim;
	int rc;

	w->pacer.lane[lane].stock--;
	log_msg(LOG_LEVEL_WARNING, gone ? "held-in-doubt" : "waits-for-relay",
		"the copy of issue %lld for subscriber %lld was in doubt at relay '%.*s' and %s",
		(long long)c->issue, (long long)c->subscriber, STR_ARG(c->relay),
		gone ? "stays so: there is no such relay any more" : "waits for it");
	if (gone)
		rc = ledger_hold(w->site->store, &w->lease, c->issue, c->subscriber, now, e);
	else
		rc = ledger_postpone(w->site->store, &w->lease, c->issue, c->subscriber,
			now + UNBOUND_S, now, e);
	free(one);
	return rc;
}

static void fill(struct worker *w, struct stocked *one, struct worker_issue *of, int lane,
	int relay, int64_t now_ms)
{
	struct worker_slot *slot = w->slot;

	while (slot->use != SLOT_FREE)
		slot++;
	slot->use = SLOT_INTENDED;
	slot->issue = one->claim.issue;
	slot->subscriber = one->claim.subscriber;
	slot->attempts = one->claim.attempts;
	slot->mark = one->claim.mark;
	slot->expires_at = one->claim.since + w->site->config.delivery.expire_after;
	slot->lane = lane;
	slot->relay = relay;
	slot->begun_ms = now_ms;
	slot->stocked = one;
	slot->of = of;
	slot->stage = flight_put(
		w->flight, (size_t)(slot - w->slot), slot->issue, slot->subscriber, slot->attempts);
	pacer_begin(&w->pacer, lane, relay, now_ms);
}

/* Whether a copy's own relay has only its hands full: it will be asked again in a moment. */
static bool is_busy(const struct worker *w, int bound, int64_t now_ms)
{
	return (size_t)bound < w->relay_n && pacer_relay_busy(&w->pacer, (size_t)bound, now_ms);
}

int worker_intend(struct worker *w, int64_t now_ms, struct err *e)
{
	int64_t now = now_ms / 1000;
	int lane;

	if (w->stopping)
		return 0;
	see_room(w, now);
	while ((lane = pacer_lane_next(&w->pacer, now_ms)) >= 0) {
		const struct claim *c = &w->stock[lane].first->claim;
		int bound = bound_to(w, c), made;
		int relay = pacer_relay_next(&w->pacer, bound, now_ms);
		struct worker_issue *of;

		if (relay < 0 && (bound == PACER_ANY || is_busy(w, bound, now_ms)))
			return 0;
		if (relay < 0) {
			if (postpone(w, lane, (size_t)bound == w->relay_n, now, e) < 0)
				return -1;
			continue;
		}
		if (find_issue(w, c->issue, now, &of, e) < 0)
			return -1;
		made = ledger_intend(w->site->store, &w->lease, c->issue, c->subscriber, c->lane,
			str_of(w->relay[relay].name), now, e);
		if (made < 0)
			return -1;
		if (made) {
			fill(w, pop(w, lane), of, lane, relay, now_ms);
		} else {
			free(pop(w, lane));
			w->pacer.lane[lane].stock--;
		}
	}
	return 0;
}
