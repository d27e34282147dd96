/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include "base/clock.h"
#include "base/log.h"
#include "mail/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	MESSAGE_MAX = 4 * 1024 * 1024,
	STOCK = 500, /* rows claimed at once: measured to cost little and to be given back fast */
	WAIT_MS = 200, /* how late a signal, a lease or the progress bar may be noticed */
	LINGER_US = 500, /* collecting a little longer makes one commit serve many outcomes */
	TURN_MS = 1000,
	RECOVER_MS = 10000,
	RELAY_PAUSE_MIN = 30,
	RELAY_PAUSE_MAX = 1800,
};

int worker_open(struct worker *w, struct site *s, const struct relay *relay, struct err *e)
{
	struct lease_recovery found = {0};
	int64_t now = clock_now();

	*w = (struct worker){.site = s, .relay = relay};
	if (lease_recover(s->store, now, &found, e) < 0 ||
		lease_open(s->store, now, s->config.delivery.lease, &w->lease, e) < 0) {
		w->lease.id = 0;
		return -1;
	}
	w->totals.recovered = found.queued + found.in_doubt;
	w->totals.recovered_in_doubt = found.in_doubt;
	w->renewed_ms = w->recovered_ms = clock_mono_ms();
	w->turned_ms = w->renewed_ms - TURN_MS;
	/* As many as the transport holds, and as many again that have come back and are not committed. */
	w->slot_n = (size_t)relay->connections * 4;
	w->slot = calloc(w->slot_n, sizeof *w->slot);
	w->done = calloc(w->slot_n, sizeof *w->done);
	if (!w->slot || !w->done)
		return err_set(e, ERR_IO, "out of memory");
	for (size_t i = 0; i < w->slot_n; i++) {
		buf_init(&w->slot[i].message, MESSAGE_MAX);
		buf_init(&w->slot[i].sender, ADDR_MAX);
		buf_init(&w->slot[i].recipient, ADDR_MAX);
	}
	return transport_open(relay, 1, &w->transport, e);
}

bool worker_idle(const struct worker *w)
{
	bool stock = w->stock_at < w->stock_n;

	return !w->in_flight && !w->done_n && (w->stopping || (!stock && w->dry));
}

/* ---- collecting ---- */

static void collect_now(struct worker *w, int timeout_ms)
{
	size_t n = transport_wait(
		w->transport, timeout_ms, w->done + w->done_n, w->slot_n - w->done_n);

	w->done_n += n;
	w->in_flight -= n;
}

static void collect(struct worker *w)
{
	const struct timespec linger = {0, LINGER_US * 1000L};

	if (!w->in_flight)
		return;
	collect_now(w, w->done_n ? 0 : WAIT_MS);
	if (w->done_n && w->in_flight && w->done_n < w->slot_n / 4) {
		nanosleep(&linger, NULL);
		collect_now(w, 0);
	}
}

/* ---- settling ---- */

static enum delivery_state state_after(enum verdict_action action, int64_t due_at)
{
	switch (action) {
	case VERDICT_SENT:
		return DELIVERY_SENT;
	case VERDICT_RETRY:
	case VERDICT_THROTTLE:
		return due_at ? DELIVERY_DEFERRED : DELIVERY_EXPIRED;
	case VERDICT_DOUBT:
		return DELIVERY_IN_DOUBT;
	default:
		return DELIVERY_FAILED;
	}
}

static void count(struct deliver_totals *t, enum delivery_state state)
{
	t->sent += state == DELIVERY_SENT;
	t->deferred += state == DELIVERY_DEFERRED;
	t->failed += state == DELIVERY_FAILED;
	t->expired += state == DELIVERY_EXPIRED;
	t->in_doubt += state == DELIVERY_IN_DOUBT;
}

/* The one line of an attempt. No address and no words of the relay's: these may hold one. */
static void log_attempt(const struct attempt *a, enum reason reason, bool ours)
{
	struct log_line l;

	log_begin(&l, LOG_LEVEL_INFO, "attempt");
	log_int(&l, "issue", a->issue);
	log_int(&l, "subscriber", a->subscriber);
	log_str(&l, "state", str_of(ours ? delivery_state_name(a->state) : "stale"));
	log_str(&l, "relay", a->relay);
	log_str(&l, "phase", str_of(smtp_phase_name(a->phase)));
	log_int(&l, "code", a->code);
	log_str(&l, "status", a->status);
	if (reason < REASON_N)
		log_str(&l, "reason", str_of(reason_name(reason)));
	log_int(&l, "ms", a->took_ms);
	log_end(&l);
}

static int settle_attempt(struct worker *w, const struct outcome *o, int64_t now, struct err *e)
{
	const struct worker_slot *slot = &w->slot[o->id];
	struct attempt a = {
		.issue = slot->issue,
		.subscriber = slot->subscriber,
		.at = now,
		.relay = str_of(w->relay->name),
		.phase = o->phase,
		.code = o->reply.code,
		.status = str_of(o->reply.status),
		.text = str_of(o->reply.text),
		.took_ms = o->took_ms,
	};
	int made;

	if (o->action == VERDICT_RETRY || o->action == VERDICT_THROTTLE)
		a.due_at = retry_at(slot->attempts + 1, now, slot->of->expires_at,
			(uint64_t)slot->subscriber, o->finding.wait_s);
	a.state = state_after(o->action, a.due_at);
	made = ledger_settle(w->site->store, &w->lease, &a, e);
	if (made < 0)
		return -1;
	log_attempt(&a, o->finding.reason, made == 1);
	if (made)
		count(&w->totals, a.state);
	return 0;
}

static int pause_relay(struct worker *w, const struct outcome *o, int64_t now, struct err *e)
{
	struct store *store = w->site->store;
	struct str name = str_of(w->relay->name);
	struct relay_state before = {0};
	struct arena a = {0};
	int64_t pause = RELAY_PAUSE_MIN;
	char words[REPLY_WORDS_SIZE], reason[REPLY_WORDS_SIZE + 16];
	int rc = -1;

	w->relay_down = true;
	if (relay_state(store, name, &a, &before, e) < 0)
		goto out;
	if (before.until > now) { /* several connections met the same trouble: it counts once */
		rc = 0;
		goto out;
	}
	for (int i = 0; i < before.failures && pause < RELAY_PAUSE_MAX; i++)
		pause *= 2;
	if (pause > RELAY_PAUSE_MAX)
		pause = RELAY_PAUSE_MAX;
	snprintf(reason, sizeof reason, "%s: %s", smtp_phase_name(o->phase),
		reply_words(&o->reply, words));
	log_msg(LOG_LEVEL_WARNING, "relay-paused", "relay '%s' paused for %lld s: %s",
		w->relay->name, (long long)pause, reason);
	rc = relay_pause(store, name, now + pause, str_of(reason), e);
out:
	arena_free(&a);
	return rc;
}

static int pause_issue(struct worker *w, const struct outcome *o, int64_t now, struct err *e)
{
	struct err denied = {0};
	int64_t issue = w->slot[o->id].issue;
	char words[REPLY_WORDS_SIZE], reason[REPLY_WORDS_SIZE + 16];

	w->relay_down = true; /* the transport has stopped; a new one serves the other issues */
	snprintf(reason, sizeof reason, "%s: %s", smtp_phase_name(o->phase),
		reply_words(&o->reply, words));
	log_msg(LOG_LEVEL_WARNING, "issue-paused", "issue %lld paused: %s", (long long)issue,
		reason);
	if (issue_pause(w->site->store, issue, str_of(reason), now, &denied) == 0)
		return 0;
	if (denied.code == ERR_DENIED) /* cancelled meanwhile: it stands still, too */
		return 0;
	return err_set(e, denied.code, "%s", denied.text);
}

static int settle(struct worker *w, const struct outcome *o, int64_t now, struct err *e)
{
	const struct worker_slot *slot = &w->slot[o->id];
	struct store *store = w->site->store;

	switch (o->action) {
	case VERDICT_SENT:
	case VERDICT_RETRY:
	case VERDICT_THROTTLE:
	case VERDICT_FAIL:
	case VERDICT_DOUBT:
		break;
	case VERDICT_PAUSE_RELAY:
	case VERDICT_PAUSE_ISSUE:
	case VERDICT_AGAIN:
		if (ledger_release(store, &w->lease, slot->issue, slot->subscriber, now, e) < 0)
			return -1;
		if (o->action == VERDICT_PAUSE_RELAY)
			return pause_relay(w, o, now, e);
		return o->action == VERDICT_PAUSE_ISSUE ? pause_issue(w, o, now, e) : 0;
	}
	if (o->action == VERDICT_SENT && !w->relay_proved && !w->relay_down) {
		if (relay_ok(store, str_of(w->relay->name), e) < 0)
			return -1;
		w->relay_proved = true;
	}
	return settle_attempt(w, o, now, e);
}

/* ---- claiming ---- */

/* What does not belong to a single row: issues whose time has come or is over, our lease, others'. */
static int housekeeping(struct worker *w, int64_t now, struct err *e)
{
	const struct config *c = &w->site->config;
	struct store *store = w->site->store;
	int64_t ms = clock_mono_ms();

	if (ms - w->turned_ms >= TURN_MS) {
		if (issues_turn(
			    store, now, c->delivery.late_after, c->delivery.resend_in_doubt, e) < 0)
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
		w->totals.recovered += found.queued + found.in_doubt;
		w->totals.recovered_in_doubt += found.in_doubt;
		w->recovered_ms = ms;
	}
	return 0;
}

static int claim(struct worker *w, int64_t now, struct err *e)
{
	if (w->stopping || w->relay_down || w->stock_at < w->stock_n)
		return 0;
	arena_reset(&w->stock_arena);
	w->stock_at = w->stock_n = 0;
	if (ledger_claim(w->site->store, &w->lease, now, STOCK,
		    w->site->config.delivery.resend_in_doubt, &w->stock_arena, &w->stock,
		    &w->stock_n, e) < 0)
		return -1;
	w->dry = w->stock_n == 0;
	return 0;
}

static struct worker_issue *open_issue(struct worker *w, int64_t id, struct err *e)
{
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
		copy_maker_open(w->site, issue.uuid, issue.program, &i->maker, e) < 0) {
		arena_free(&i->arena);
		free(i);
		return NULL;
	}
	i->id = id;
	i->expires_at = issue.due_at + w->site->config.delivery.expire_after;
	i->next = w->issue;
	w->issue = i;
	return i;
}

/* Choose what leaves next: claimed → sending, into free slots, as many as the transport has room for. */
static int intend(struct worker *w, int64_t now, struct err *e)
{
	size_t room = w->stopping || w->relay_down ? 0 : transport_room(w->transport, 0);
	struct worker_slot *slot = w->slot;

	while (room && w->stock_at < w->stock_n) {
		const struct claim *c = &w->stock[w->stock_at++];
		struct worker_issue *of = open_issue(w, c->issue, e);
		int made = of ? ledger_intend(
					w->site->store, &w->lease, c->issue, c->subscriber, now, e)
			      : -1;

		if (made < 0)
			return -1;
		if (made == 0)
			continue;
		while (slot->use != SLOT_FREE)
			slot++;
		slot->use = SLOT_INTENDED;
		slot->issue = c->issue;
		slot->subscriber = c->subscriber;
		slot->attempts = c->attempts;
		slot->claim = c;
		slot->of = of;
		room--;
	}
	return 0;
}

/* ---- submitting ---- */

static bool is_ascii(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

static int make(struct worker_slot *slot, int64_t now, struct err *e)
{
	buf_reset(&slot->message);
	buf_reset(&slot->sender);
	buf_reset(&slot->recipient);
	buf_str(&slot->recipient, slot->claim->email);
	return copy_make(slot->of->maker, slot->claim, now, &slot->message, &slot->sender, e);
}

/* Render what was intended and hand it over. A copy that cannot be made fails by itself. */
static void submit(struct worker *w, int64_t now)
{
	for (size_t i = 0; i < w->slot_n; i++) {
		struct worker_slot *slot = &w->slot[i];
		struct submission one = {.id = i};
		struct err bad = {0};

		if (slot->use != SLOT_INTENDED)
			continue;
		slot->use = SLOT_SUBMITTED;
		if (make(slot, now, &bad) < 0) {
			struct outcome *o = &w->done[w->done_n++];

			*o = (struct outcome){.id = i,
				.action = VERDICT_FAIL,
				.phase = PHASE_BODY,
				.finding = FINDING_NONE};
			snprintf(o->reply.text, sizeof o->reply.text, "%.*s",
				(int)sizeof o->reply.text - 1, bad.text);
			continue;
		}
		one.sender = buf_view(&slot->sender);
		one.recipient = buf_view(&slot->recipient);
		one.utf8 = !is_ascii(slot->claim->email);
		one.message = buf_view(&slot->message);
		transport_submit(w->transport, &one, 1);
		w->in_flight++;
	}
}

/* ---- a turn ---- */

/* The transaction was rolled back: what it intended has not been intended. */
static void forget_intents(struct worker *w)
{
	for (size_t i = 0; i < w->slot_n; i++)
		if (w->slot[i].use == SLOT_INTENDED)
			w->slot[i].use = SLOT_FREE;
	w->stock_n = w->stock_at = 0;
}

int worker_turn(struct worker *w, struct err *e)
{
	struct deliver_totals before = w->totals;
	struct store *store = w->site->store;
	int64_t now;

	collect(w);
	if (store_begin(store, e) < 0)
		return -1;
	now = clock_now(); /* begin may have waited */
	for (size_t i = 0; i < w->done_n; i++)
		if (settle(w, &w->done[i], now, e) < 0)
			goto failed;
	if (housekeeping(w, now, e) < 0 || claim(w, now, e) < 0 || intend(w, now, e) < 0 ||
		store_commit(store, e) < 0)
		goto failed;
	for (size_t i = 0; i < w->done_n; i++)
		w->slot[w->done[i].id].use = SLOT_FREE;
	w->done_n = 0;
	submit(w, now);
	return 0;
failed:
	store_rollback(store);
	forget_intents(w);
	w->totals = before;
	return -1;
}

void worker_close(struct worker *w)
{
	struct err ignored;

	transport_close(w->transport);
	/* Should this fail, the rows come back when the lease is over. */
	if (w->lease.id)
		lease_close(w->site->store, &w->lease, clock_now(), &ignored);
	for (size_t i = 0; w->slot && i < w->slot_n; i++) {
		buf_free(&w->slot[i].message);
		buf_free(&w->slot[i].sender);
		buf_free(&w->slot[i].recipient);
	}
	free(w->slot);
	free(w->done);
	arena_free(&w->stock_arena);
	for (struct worker_issue *i = w->issue, *next; i; i = next) {
		next = i->next;
		copy_maker_close(i->maker);
		arena_free(&i->arena);
		free(i);
	}
}
