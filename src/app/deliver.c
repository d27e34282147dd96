/* SPDX-License-Identifier: MIT */
#include "app/deliver.h"
#include "app/metrics.h"
#include "base/clock.h"
#include "base/log.h"
#include "worker.h"

#include <string.h>
#include <time.h>

enum {
	GRACE_MS = 7000, /* of the 10 s that a stop may take */
	BUSY_STEP_MS = 1000,
	BUSY_TRIES = 30,
	BUSY_CUT = 2, /* the same when time is short */
	PROGRESS_MS = 200,
	METRICS_MS = 15000,
	FOLLOW_MS = 500,
	LOOK_MS = 10000,
};

static bool told_to_stop(const struct deliver_options *o)
{
	return o->stop && *o->stop;
}

/* ---- what is there to do ---- */

struct due {
	int64_t now, copies;
	struct site *site;
	bool started_only; /* leave out issues whose time has only just come */
	int rc;
	struct err *e;
};

static bool add_due(void *user, const struct issue *issue)
{
	struct due *d = user;
	struct issue_counts n;

	if (issue->state != ISSUE_DELIVERING &&
		(d->started_only || issue->state != ISSUE_SCHEDULED || issue->due_at > d->now))
		return true;
	d->rc = issue_counts(d->site->store, issue->id, &n, d->e);
	if (d->rc < 0)
		return false;
	d->copies += n.n[DELIVERY_QUEUED] + n.n[DELIVERY_CLAIMED] + n.n[DELIVERY_SENDING] +
		     n.n[DELIVERY_DEFERRED];
	/* A first doubt is sent again; where only second ones are left, the issue is soon done. */
	if (!d->started_only && d->site->config.delivery.resend_in_doubt)
		d->copies += n.n[DELIVERY_IN_DOUBT];
	return true;
}

static int64_t copies_left(struct site *s, int64_t now, bool started_only, struct err *e)
{
	struct due d = {.now = now, .site = s, .started_only = started_only, .e = e};

	if (issue_each(s->store, add_due, &d, e) < 0 || d.rc < 0)
		return -1;
	return d.copies;
}

int64_t deliver_due(struct site *s, int64_t now, struct err *e)
{
	return copies_left(s, now, false, e);
}

/* ---- turns ---- */

/* For an end that may not take long. Trouble of the relay is none: what is in flight then keeps the time
 * that its phase has, since cutting it short would make doubts. */
static void begin_stop(struct worker *w)
{
	if (!w->cut)
		transport_stop(w->transport, GRACE_MS);
	w->cut = w->stopping = true;
}

static void show(struct worker *w, const struct deliver_options *o, int64_t *shown_ms, bool at_once)
{
	int64_t ms = clock_mono_ms(), left;

	if (!o->progress || (!at_once && ms - *shown_ms < PROGRESS_MS))
		return;
	*shown_ms = ms;
	left = copies_left(w->site, clock_now(), true, NULL);
	w->totals.left = left < 0 ? 0 : left;
	worker_waits(w, clock_now_ms(), w->totals.waits, sizeof w->totals.waits);
	o->progress(o->user, &w->totals);
}

/* The state could not be written. Stop sending, let what is in flight come to its end, and try once
 * more to write down what came back; the error that is told is the first. */
static void rescue(struct worker *w)
{
	int64_t deadline = clock_mono_ms() + GRACE_MS + 1000;
	struct err again;

	begin_stop(w);
	while (w->in_flight && clock_mono_ms() < deadline)
		worker_collect(w, 100);
	worker_turn(w, &again);
}

/* Figures for others to look at; that they cannot be written stops no mail. */
static void tell_metrics(struct site *s)
{
	struct err e = {0};

	if (metrics_write(s, clock_now(), &e) < 0)
		log_msg(LOG_LEVEL_WARNING, "metrics", "%s", e.text);
}

/* Until nothing is due, the relay is down, or a stop is over. An import may hold the database for
 * seconds: it is asked for in short steps, so that a signal is noticed meanwhile. */
static int turns(struct worker *w, const struct deliver_options *o, struct err *e)
{
	int64_t shown_ms = 0, told_ms = clock_mono_ms();
	int busy = 0;

	do {
		struct err bad = {0};

		if (told_to_stop(o))
			begin_stop(w);
		if (worker_turn(w, &bad) == 0) {
			busy = 0;
			show(w, o, &shown_ms, false);
			if (clock_mono_ms() - told_ms >= METRICS_MS) {
				tell_metrics(w->site);
				told_ms = clock_mono_ms();
			}
		} else if (bad.code != ERR_BUSY || ++busy > (w->cut ? BUSY_CUT : BUSY_TRIES)) {
			rescue(w);
			return err_set(e, bad.code, "%s", bad.text);
		}
	} while (!worker_idle(w));
	begin_stop(w);
	show(w, o, &shown_ms, true);
	return 0;
}

static int work(struct worker *w, const struct deliver_options *o, struct err *e)
{
	struct store *store = w->site->store;
	struct err late = {0};
	int rc;

	store_patience(store, BUSY_STEP_MS);
	rc = turns(w, o, e);
	/* Where this finds no time, the next run does it. */
	if (rc == 0 &&
		issues_turn(store, clock_now(), w->site->config.delivery.late_after,
			w->site->config.delivery.resend_in_doubt, &late) < 0 &&
		late.code != ERR_BUSY)
		rc = err_set(e, late.code, "%s", late.text);
	if (!w->cut || !told_to_stop(o))
		store_patience(store, BUSY_STEP_MS * BUSY_TRIES);
	return rc;
}

static void add_totals(struct deliver_totals *to, const struct deliver_totals *from)
{
	to->sent += from->sent;
	to->deferred += from->deferred;
	to->failed += from->failed;
	to->expired += from->expired;
	to->in_doubt += from->in_doubt;
	to->recovered += from->recovered;
	to->known_sent += from->known_sent;
	to->known_in_doubt += from->known_in_doubt;
	to->left = from->left;
}

/* Copies are left, and no relay takes them. */
static int no_relay(int64_t until, const char *reason, struct err *e)
{
	char iso[CLOCK_ISO_SIZE];

	return err_set(e, ERR_RELAY, "every relay is paused, the first until %s: %s",
		clock_iso(until, iso), reason);
}

static int run_worker(struct site *s, const struct deliver_options *o,
	struct deliver_totals *totals, struct err *e)
{
	const char *reason;
	struct worker w;
	int64_t until;
	int rc = worker_open(&w, s, o->follow, e);

	if (rc == 0)
		rc = work(&w, o, e);
	if (rc == 0 && w.blocked && worker_relays_rest(&w, clock_now(), &until, &reason) &&
		copies_left(s, clock_now(), false, NULL) != 0)
		rc = no_relay(until, reason, e);
	add_totals(totals, &w.totals);
	worker_close(&w);
	return rc;
}

/* Deliver what is due now. */
static int deliver_once(struct site *s, const struct deliver_options *o,
	struct deliver_totals *totals, struct err *e)
{
	int64_t due;

	if (issues_turn(s->store, clock_now(), s->config.delivery.late_after,
		    s->config.delivery.resend_in_doubt, e) < 0)
		return -1;
	due = deliver_due(s, clock_now(), e);
	if (due <= 0 || told_to_stop(o))
		return due < 0 ? -1 : 0;
	return run_worker(s, o, totals, e);
}

/* For somebody who follows: what the last worker could not take, and when it came back. */
struct following {
	int64_t left_due; /* the oldest that was due and stayed; 0 = none */
	int64_t ended_ms; /* 0 = there was no worker yet */
};

/* Whether another worker would find more to do than the last one: something is due that was not, or some time
 * has passed, in which windows open and others' leases end. */
static int is_worthwhile(struct site *s, const struct following *f, struct err *e)
{
	int64_t at;

	if (!f->ended_ms || clock_mono_ms() - f->ended_ms >= LOOK_MS)
		return 1;
	if (ledger_next_due(s->store, &at, e) < 0)
		return -1;
	return at && at <= clock_now() && at != f->left_due;
}

static int follow_once(struct site *s, const struct deliver_options *o, struct following *f,
	struct deliver_totals *totals, struct err *e)
{
	struct err ignored;
	int rc = is_worthwhile(s, f, e);

	if (rc <= 0)
		return rc;
	rc = deliver_once(s, o, totals, e);
	f->ended_ms = clock_mono_ms();
	if (ledger_next_due(s->store, &f->left_due, &ignored) < 0 || f->left_due > clock_now())
		f->left_due = 0;
	return rc;
}

int deliver(struct site *s, const struct deliver_options *options, struct deliver_totals *out,
	struct err *e)
{
	const struct timespec nap = {0, FOLLOW_MS * 1000000L};
	struct following following = {0};
	int64_t started = clock_mono_ms();
	int rc;

	*out = (struct deliver_totals){0};
	if (s->config.relay_n == 0)
		return err_set(e, ERR_CONFIG,
			"%s: there is no relay: add a section relay \"main\" { … }",
			s->config.file);
	if (site_load_key(s, e) < 0 || config_relay_secrets(&s->arena, &s->config, e) < 0)
		return -1;
	do {
		rc = options->follow ? follow_once(s, options, &following, out, e)
				     : deliver_once(s, options, out, e);
		/* A paused relay is no reason to end for somebody who follows. */
		if (rc < 0 && !(options->follow && e && e->code == ERR_RELAY))
			break;
		if (options->follow && !told_to_stop(options))
			nanosleep(&nap, NULL);
	} while (options->follow && !told_to_stop(options));
	if (options->follow && rc < 0 && told_to_stop(options))
		rc = 0;
	tell_metrics(s);
	out->milliseconds = clock_mono_ms() - started;
	return rc;
}
