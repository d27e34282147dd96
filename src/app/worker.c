/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include "app/pacing.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/pace.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	MESSAGE_MAX = 4 * 1024 * 1024,
	WAIT_MS = 200, /* how late a signal, a lease or the progress bar may be noticed */
	TURN_MS = 1000,
	RECOVER_MS = 10000,
	PATIENCE_MS = 60000, /* what may leave only later than this waits for the next run */
};

/* The relays of the configuration, for the transport and for the pacer. */
static int open_relays(struct worker *w, struct err *e)
{
	const struct config *c = &w->site->config;

	w->relay_n = c->relay_n;
	pacing_open(c, &w->pacer);
	w->relay = calloc(w->relay_n, sizeof *w->relay);
	w->down = calloc(w->relay_n, sizeof *w->down);
	w->probe = calloc(w->relay_n, sizeof *w->probe);
	if (!w->relay || !w->down || !w->probe)
		return err_set(e, ERR_IO, "out of memory");
	for (size_t i = 0; i < w->relay_n; i++) {
		w->relay[i] = c->relay[i].relay;
		/* As many as the transport holds, and as many again that have come back and are not
		 * committed. */
		w->slot_n += (size_t)w->relay[i].connections * TRANSPORT_DEPTH * 2;
	}
	return 0;
}

static int open_slots(struct worker *w, struct err *e)
{
	w->slot = calloc(w->slot_n, sizeof *w->slot);
	w->done = calloc(w->slot_n, sizeof *w->done);
	if (!w->slot || !w->done)
		return err_set(e, ERR_IO, "out of memory");
	for (size_t i = 0; i < w->slot_n; i++) {
		parts_init(&w->slot[i].message, MESSAGE_MAX);
		buf_init(&w->slot[i].sender, ADDR_MAX);
		buf_init(&w->slot[i].recipient, ADDR_MAX);
	}
	return 0;
}

void worker_count_news(struct worker *w, const struct journal_news *news)
{
	w->totals.known_sent += news->sent;
	w->totals.known_in_doubt += news->in_doubt;
}

/* What others left. The last claim may have found nothing: it is looked for once more. */
static void count_recovered(struct worker *w, const struct lease_recovery *found)
{
	w->totals.recovered += found->queued + found->in_doubt;
	w->totals.sent += found->sent;
	if (found->queued)
		w->dry = false;
}

/* All threads from here on: one that wakes does not take the processor from one that signs. Not where somebody has
 * chosen a policy: the service may not change its own. */
static void be_patient(void)
{
	if (sched_getscheduler(0) == SCHED_OTHER)
		sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0});
}

int worker_open(struct worker *w, struct site *s, bool follow, struct err *e)
{
	struct lease_recovery found = {0};
	struct journal_news news;
	int64_t now = clock_now();

	*w = (struct worker){.site = s, .follow = follow};
	be_patient();
	if (open_relays(w, e) < 0 || open_slots(w, e) < 0 || worker_open_makers(w, e) < 0 ||
		journal_replay(s->store, now, &news, e) < 0 ||
		journals_drop(s->store, now, e) < 0 ||
		lease_recover(s->store, now, &found, e) < 0 ||
		lease_open(s->store, now, s->config.delivery.lease, &w->lease, e) < 0) {
		w->lease.id = 0;
		return -1;
	}
	if (flight_open(s->store, &w->lease, w->slot_n, &w->flight, e) < 0)
		return -1;
	worker_count_news(w, &news);
	count_recovered(w, &found);
	w->renewed_ms = w->recovered_ms = clock_mono_ms();
	w->turned_ms = w->renewed_ms - TURN_MS;
	return transport_open(w->relay, w->relay_n, &w->transport, e);
}

bool worker_idle(const struct worker *w)
{
	return !w->in_flight && !w->done_n &&
	       (w->stopping || w->blocked || (!w->stock_n && w->dry));
}

/* ---- collecting ---- */

void worker_collect(struct worker *w, int timeout_ms)
{
	size_t n = transport_wait(
		w->transport, timeout_ms, w->done + w->done_n, w->slot_n - w->done_n);

	n += worker_unmade(w, w->done + w->done_n + n);
	w->done_n += n;
	w->in_flight -= n;
}

static void collect(struct worker *w)
{
	const struct timespec wait = {w->wait_ms / 1000, w->wait_ms % 1000 * 1000000L};

	if (!w->in_flight) {
		if (w->wait_ms && !w->done_n)
			nanosleep(&wait, NULL);
		return;
	}
	worker_collect(w, w->done_n ? 0 : w->wait_ms);
}

/* ---- what does not belong to a row ---- */

/* Where every relay has been in trouble for so long, and is after a try, what waits has waited too long. */
static int expire(struct worker *w, int64_t now, struct err *e)
{
	int64_t before = now - w->site->config.delivery.expire_after, until, rows = 0;
	const char *reason;
	char why[PACER_WORDS_SIZE + 64];

	if (!worker_relays_rest(w, now, &until, &reason))
		return 0;
	for (size_t i = 0; i < w->relay_n; i++) {
		int64_t since = w->pacer.relay[i].circuit.since;

		if (!since || since >= before)
			return 0;
	}
	snprintf(why, sizeof why, "given up: no relay has taken mail for too long: %s", reason);
	if (ledger_expire(w->site->store, before, str_of(why), now, &rows, e) < 0)
		return -1;
	if (rows)
		log_msg(LOG_LEVEL_WARNING, "expired", "%lld copies: %s", (long long)rows, why);
	w->totals.expired += rows;
	return 0;
}

/* Issues whose time has come or is over, our lease, others'. */
static int housekeeping(struct worker *w, int64_t now, struct err *e)
{
	const struct config *c = &w->site->config;
	struct store *store = w->site->store;
	int64_t ms = clock_mono_ms();

	if (ms - w->turned_ms >= TURN_MS) {
		if (issues_turn(store, now, c->delivery.late_after, c->delivery.resend_in_doubt,
			    e) < 0 ||
			expire(w, now, e) < 0)
			return -1;
		w->turned_ms = ms;
	}
	/* By both clocks: one stands still while the machine sleeps, the other may be set. */
	if (ms - w->renewed_ms >= c->delivery.lease * 1000LL / 3 ||
		w->lease.until - now < c->delivery.lease / 2) {
		if (lease_renew(store, &w->lease, now, c->delivery.lease, e) < 0)
			return -1;
		w->renewed_ms = ms;
	}
	if (ms - w->recovered_ms >= RECOVER_MS) {
		struct lease_recovery found = {0};

		if (lease_recover(store, now, &found, e) < 0)
			return -1;
		count_recovered(w, &found);
		w->recovered_ms = ms;
	}
	return 0;
}

/* ---- a turn ---- */

bool worker_relays_rest(const struct worker *w, int64_t now, int64_t *until, const char **reason)
{
	*until = 0;
	for (size_t i = 0; i < w->relay_n; i++) {
		const struct pacer_relay *r = &w->pacer.relay[i];
		enum pace_circuit_state state = pacer_circuit(&w->pacer, i, now);
		int64_t rests = state == PACE_OPEN ? r->circuit.rest_until : r->circuit.probe_until;

		if (state == PACE_CLOSED || state == PACE_HALF_OPEN)
			return false;
		if (!*until || rests < *until) {
			*until = rests;
			*reason = r->reason;
		}
	}
	return true;
}

void worker_waits(const struct worker *w, int64_t now_ms, char *out, size_t size)
{
	const struct pacer_lane *slow = NULL;
	int64_t now = now_ms / 1000, until;
	char at[CLOCK_ISO_SIZE];
	const char *reason;

	out[0] = '\0';
	if (w->in_flight || w->done_n || pacer_ready_at(&w->pacer, true, now_ms) <= now_ms)
		return;
	if (worker_relays_rest(w, now, &until, &reason)) {
		snprintf(out, size, "every relay rests until %.8s UTC: %s",
			clock_iso(until, at) + 11, reason);
		return;
	}
	for (size_t i = 0; i < w->pacer.lane_n; i++) {
		const struct pacer_lane *l = &w->pacer.lane[i];

		if ((l->waiting > 0 || l->stock) && l->throttled &&
			(!slow || l->waiting > slow->waiting))
			slow = l;
	}
	if (!slow)
		snprintf(out, size, "limits let no more go for now");
	else if (slow->throttle.wait_until > now)
		snprintf(out, size, "%s waits until %.8s UTC: %s", slow->name,
			clock_iso(slow->throttle.wait_until, at) + 11, slow->refusal.words);
	else
		snprintf(out, size, "%s goes at %d a minute: %s", slow->name,
			pace_throttle_rate(&slow->throttle, slow->limit.per_minute, now),
			slow->refusal.words);
}

/* How long the next turn may wait for answers, and whether it is worth waiting at all. */
static void look_ahead(struct worker *w, int64_t now_ms)
{
	int64_t ready = pacer_ready_at(&w->pacer, false, now_ms), until;
	const char *reason;

	w->wait_ms = WAIT_MS;
	if (ready - now_ms < WAIT_MS)
		w->wait_ms = ready > now_ms ? (int)(ready - now_ms) : 1;
	if (w->follow || w->in_flight || w->done_n)
		return;
	w->blocked = worker_relays_rest(w, now_ms / 1000, &until, &reason) ||
		     pacer_ready_at(&w->pacer, true, now_ms) > now_ms + PATIENCE_MS;
}

/* Settle, claim, intend: what is one transaction. */
static int work(struct worker *w, int64_t now_ms, struct err *e)
{
	struct store *store = w->site->store;

	if (pace_load(store, &w->pacer, e) < 0)
		return -1;
	for (size_t i = 0; i < w->done_n; i++)
		if (worker_settle(w, &w->done[i], now_ms, e) < 0)
			return -1;
	if (housekeeping(w, now_ms / 1000, e) < 0 || worker_claim(w, now_ms, e) < 0 ||
		worker_intend(w, now_ms, e) < 0 || pace_save(store, &w->pacer, e) < 0 ||
		worker_journal_outcomes(w, now_ms / 1000, e) < 0)
		return -1;
	return store_commit(store, e);
}

int worker_turn(struct worker *w, struct err *e)
{
	struct deliver_totals before = w->totals;
	struct store *store = w->site->store;
	int64_t now_ms;

	collect(w);
	if (store_begin(store, e) < 0)
		return -1;
	now_ms = clock_now_ms(); /* begin may have waited */
	w->turn++;
	pacer_keep(&w->pacer);
	if (work(w, now_ms, e) < 0) {
		store_rollback(store);
		pacer_undo(&w->pacer);
		worker_take_back(w);
		w->totals = before;
		return -1;
	}
	for (size_t i = 0; i < w->done_n; i++) {
		w->slot[w->done[i].id].use = SLOT_FREE;
		flight_drop(w->flight, w->done[i].id);
	}
	w->done_n = 0;
	if (worker_journal_intents(w, now_ms / 1000, e) < 0)
		return -1;
	/* Should this process be stopped, what waits by then is another's. */
	transport_until(w->transport, clock_mono_ms() + w->lease.until * 1000 - now_ms);
	worker_submit(w);
	look_ahead(w, now_ms);
	return 0;
}

void worker_close(struct worker *w)
{
	struct err ignored;

	worker_close_makers(w);
	transport_close(w->transport);
	flight_close(w->flight);
	/* Should this fail, the rows come back when the lease is over. */
	if (w->lease.id)
		lease_close(w->site->store, &w->lease, clock_now(), &ignored);
	for (size_t i = 0; w->slot && i < w->slot_n; i++) {
		parts_free(&w->slot[i].message);
		buf_free(&w->slot[i].sender);
		buf_free(&w->slot[i].recipient);
		free(w->slot[i].stocked);
	}
	free(w->slot);
	free(w->done);
	free(w->relay);
	free(w->down);
	free(w->probe);
	worker_drop_stock(w);
	pacer_free(&w->pacer);
	worker_forget_issues(w, 0);
}
