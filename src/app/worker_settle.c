/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "store/returns.h"
#include "worker.h"

#include <stdio.h>

static enum delivery_state state_after(enum verdict_action action, int64_t due_at)
{
	switch (action) {
	case VERDICT_SENT:
		return DELIVERY_SENT;
	case VERDICT_RETRY:
	case VERDICT_THROTTLE:
	case VERDICT_PAUSE_RELAY:
	case VERDICT_AGAIN:
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
static void log_attempt(
	const struct worker *w, const struct attempt *a, int lane, enum reason reason, bool ours)
{
	struct log_line l;

	log_begin(&l, LOG_LEVEL_INFO, "attempt");
	log_int(&l, "issue", a->issue);
	log_int(&l, "subscriber", a->subscriber);
	log_str(&l, "lane", str_of(w->pacer.lane[lane].name));
	log_str(&l, "state", str_of(ours ? delivery_state_name(a->state) : "stale"));
	log_str(&l, "relay", a->relay);
	log_str(&l, "phase", str_of(smtp_phase_name(a->phase)));
	log_int(&l, "code", a->code);
	log_str(&l, "status", a->status);
	log_str(&l, "reason", str_of(reason < REASON_N ? reason_name(reason) : ""));
	log_int(&l, "ms", a->took_ms);
	log_end(&l);
}

/* Whether a copy about which nothing was said is put off all the same, by its own schedule, to expire in the
 * end. So it is where sessions came as far as its envelope or content and ended at it without a word that says
 * why: it may be the relay, which pauses, or the copy, which then must not be the one that is tried first
 * again and again. So it is, too, where it has come back for too long. */
static bool is_put_off(const struct outcome *o, int64_t expires_at, int64_t now)
{
	if (o->action == VERDICT_AGAIN)
		return o->phase >= PHASE_MAIL && now > expires_at;
	if (o->action != VERDICT_PAUSE_RELAY || o->finding.action == REACT_PAUSE_RELAY)
		return false;
	return o->phase == PHASE_MAIL ? !o->reply.code
				      : o->phase > PHASE_MAIL && o->phase <= PHASE_BODY;
}

/* When a copy that was put off is tried again, 0 for never. What its lane is to blame for uses up no
 * attempt. */
static int64_t due_again(const struct worker *w, const struct outcome *o, int64_t now, bool *spared)
{
	const struct worker_slot *slot = &w->slot[o->id];
	int64_t at = 0;

	if (o->action == VERDICT_THROTTLE)
		at = pacer_again_at(&w->pacer, slot->lane, now);
	*spared = at != 0;
	if (!at)
		return retry_at(slot->attempts + 1, now, slot->expires_at,
			(uint64_t)slot->subscriber, o->finding.wait_s);
	return at > slot->expires_at ? 0 : at;
}

/* What a refusal says of the address: the same policy as for what comes back by mail. */
static int note_refusal(struct worker *w, const struct attempt *a, struct err *e)
{
	const struct returned refused = {
		.issue = a->issue,
		.subscriber = a->subscriber,
		.kind = RETURN_BOUNCE,
		.at = a->at,
		.key = STR("smtp"),
		.finding = *a->finding,
		.code = a->code,
		.status = a->status,
		.text = a->text,
	};
	struct return_effect did;

	return return_apply(w->site->store, &w->site->config.suppress, &refused, &did, e) < 0 ? -1
											      : 0;
}

/* A copy is due at once: the worker looks for it before it ends, though its last claim may have found
 * nothing. */
static void waits_again(struct worker *w, int lane)
{
	w->pacer.lane[lane].waiting++;
	w->dry = false;
}

static int settle_attempt(struct worker *w, const struct outcome *o, int64_t now, struct err *e)
{
	const struct worker_slot *slot = &w->slot[o->id];
	struct attempt a = {
		.issue = slot->issue,
		.subscriber = slot->subscriber,
		.lane = w->pacer.lane[slot->lane].id,
		.at = now,
		.relay = str_of(w->relay[slot->relay].name),
		.phase = o->phase,
		.code = o->reply.code,
		.status = str_of(o->reply.status),
		.text = str_of(o->reply.text),
		.took_ms = o->took_ms,
		.finding = o->finding.rule ? &o->finding : NULL,
	};
	int made;

	if (o->action == VERDICT_RETRY || o->action == VERDICT_THROTTLE ||
		o->action == VERDICT_PAUSE_RELAY)
		a.due_at = due_again(w, o, now, &a.spared);
	a.state = state_after(o->action, a.due_at);
	made = ledger_settle(w->site->store, &w->lease, &a, e);
	if (made < 0)
		return -1;
	log_attempt(w, &a, slot->lane, o->finding.reason, made == 1);
	if (a.state == DELIVERY_IN_DOUBT)
		waits_again(w, slot->lane); /* a second doubt does not, and the look is in vain */
	if (made && a.finding && (a.state == DELIVERY_FAILED || a.state == DELIVERY_EXPIRED) &&
		note_refusal(w, &a, e) < 0)
		return -1;
	if (made)
		count(&w->totals, a.state);
	return 0;
}

int worker_pause_issue(
	struct worker *w, int64_t issue, const char *reason, int64_t now, struct err *e)
{
	struct err denied = {0};
	int rc = issue_pause(w->site->store, issue, str_of(reason), now, &denied);

	if (rc == 0)
		log_msg(LOG_LEVEL_WARNING, "issue-paused", "issue %lld paused: %s",
			(long long)issue, reason);
	if (rc >= 0)
		return 0;
	if (denied.code == ERR_DENIED) /* cancelled meanwhile: it stands still, too */
		return 0;
	return err_set(e, denied.code, "%s", denied.text);
}

/* What an outcome means for the relay and for the lane. */
static void tell_pacer(struct worker *w, const struct outcome *o, const char *words, int64_t now_ms)
{
	const struct worker_slot *slot = &w->slot[o->id];
	const struct pacer_outcome for_pacer = {
		.lane = slot->lane,
		.relay = slot->relay,
		.action = o->action,
		.finding = &o->finding,
		.code = o->reply.code,
		.words = words,
		.begun_ms = slot->begun_ms,
	};
	enum pacer_event event = pacer_end(&w->pacer, &for_pacer, now_ms);
	const struct pacer_relay *relay = &w->pacer.relay[slot->relay];
	const struct pacer_lane *lane = &w->pacer.lane[slot->lane];
	int64_t now = now_ms / 1000;

	if (o->action == VERDICT_PAUSE_RELAY)
		w->down[slot->relay] = true;
	if (event == PACER_RELAY_RESTS)
		log_msg(LOG_LEVEL_WARNING, "relay-paused", "relay '%s' paused for %lld s: %s",
			relay->name, (long long)(relay->circuit.rest_until - now), words);
	else if (event == PACER_RELAY_BACK)
		log_msg(LOG_LEVEL_INFO, "relay-back", "relay '%s' takes mail again", relay->name);
	else if (event == PACER_LANE_SLOWER)
		log_msg(LOG_LEVEL_WARNING, "lane-slower",
			"lane '%s' waits %lld s, then %d a minute: %s", lane->name,
			(long long)(lane->throttle.wait_until > now
					    ? lane->throttle.wait_until - now
					    : 0),
			pace_throttle_rate(&lane->throttle, lane->limit.per_minute, now), words);
}

int worker_settle(struct worker *w, const struct outcome *o, int64_t now_ms, struct err *e)
{
	const struct worker_slot *slot = &w->slot[o->id];
	int64_t now = now_ms / 1000;
	char reply[REPLY_WORDS_SIZE], words[REPLY_WORDS_SIZE + 16] = "";

	if (o->action != VERDICT_SENT)
		snprintf(words, sizeof words, "%s: %s", smtp_phase_name(o->phase),
			reply_words(&o->reply, reply));
	tell_pacer(w, o, words, now_ms);
	switch (o->action) {
	case VERDICT_SENT:
	case VERDICT_RETRY:
	case VERDICT_THROTTLE:
	case VERDICT_FAIL:
	case VERDICT_DOUBT:
		return settle_attempt(w, o, now, e);
	case VERDICT_PAUSE_RELAY:
	case VERDICT_AGAIN:
		if (is_put_off(o, slot->expires_at, now))
			return settle_attempt(w, o, now, e);
		break;
	case VERDICT_PAUSE_ISSUE:
		break;
	}
	waits_again(w, slot->lane);
	if (ledger_release(w->site->store, &w->lease, slot->issue, slot->subscriber, now, e) < 0)
		return -1;
	return o->action == VERDICT_PAUSE_ISSUE ? worker_pause_issue(w, slot->issue, words, now, e)
						: 0;
}
