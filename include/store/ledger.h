/* SPDX-License-Identifier: MIT */
#ifndef STORE_LEDGER_H
#define STORE_LEDGER_H

#include "mail/care.h"
#include "mail/compile.h"
#include "mail/verdict.h"
#include "store/store.h"

/*
 * Issues and the ledger: one row for each (issue, subscriber), frozen when the issue is scheduled,
 * and its attempts. The legal moves are those of the table in HACKING.md; a verb that would make
 * another one changes nothing.
 */
enum issue_state {
	ISSUE_SCHEDULED, /* waits for its time */
	ISSUE_DELIVERING, /* its time has come and copies are left to send */
	ISSUE_PAUSED,
	ISSUE_DONE, /* no copy moves any more by itself */
	ISSUE_HELD, /* overdue by more than late_after: waits for a word from the operator */
	ISSUE_CANCELLED,
	ISSUE_STATE_N,
};
const char *issue_state_name(enum issue_state state);

struct issue {
	int64_t id;
	struct str slug, subject, list; /* subject as written, list by slug */
	enum issue_state state;
	int64_t created_at, due_at, done_at; /* done_at 0 = not done */
	unsigned char uuid[16];
	struct str hash; /* SHA-256 of source and program, hex */
	struct str source; /* the Markdown file; only filled by issue_get() */
	struct str program; /* mail/program.h, packed; only filled by issue_get() */
	struct str pause_reason; /* why it is paused or held, in words; may be empty */
	struct str segment; /* who of the list it is for (mail/segment.h); empty = all */
	bool confirmation; /* it asks readers to confirm (store/pages.h), and is no issue of its list */
	const struct composed_link *link; /* counted ones; only read by issue_schedule() */
	const struct issue_plan *plan; /* how it leaves; only read by issue_schedule(), NULL = at
					* once */
};

/* How the copies of an issue leave. */
struct issue_plan {
	struct str zone; /* name of the window's time zone */
	struct str hours; /* "06:00-22:00": copies leave only then (base/zone.h); empty = always */
	struct str shares; /* stages (mail/care.h): "1%,10%"; empty = none */
	int64_t stage_wait; /* seconds to wait for late trouble between two stages */
	/* When a copy is due whose reader has this attribute `timezone` (empty = has none); NULL: at
	 * issue->due_at, all of them. */
	int64_t (*due_at)(void *user, struct str timezone);
	void *user;
};

/* Insert the issue (its id and uuid are filled) and freeze its audience: one queued row for each
 * active, not suppressed subscription of the list, due at issue->due_at, all in one transaction.
 * `frozen` is their number; where the issue has a segment, of those who are in it. ERR_EXISTS for a slug that is taken on that list. `dry_run` only
 * counts. */
int issue_schedule(struct store *s, struct issue *issue, int64_t list, bool dry_run, int64_t now,
	int64_t *frozen, struct err *e);

/* By number or slug ("12" or "first-light"), views in `a`. ERR_MISSING. */
int issue_get(struct store *s, struct str name, struct arena *a, struct issue *out, struct err *e);

/* The number of the issue of `list` that has this slug: 1, 0 when there is none, or -1. */
int issue_find(struct store *s, int64_t list, struct str slug, int64_t *id, struct err *e);

/* All issues, newest first; `source` and `program` are left empty. */
int issue_each(struct store *s, bool (*each)(void *user, const struct issue *issue), void *user,
	struct err *e);

/* Pause with a reason (1: it stands still already, and keeps its first one), take up again (also a held
 * one), cancel: queued and deferred rows become cancelled, their number in `*rows`. ERR_DENIED when
 * the state does not allow it. */
int issue_pause(struct store *s, int64_t issue, struct str reason, int64_t now, struct err *e);
int issue_resume(struct store *s, int64_t issue, int64_t now, struct err *e);
int issue_cancel(struct store *s, int64_t issue, int64_t now, int64_t *rows, struct err *e);

/* ---- care for reputation ---- */

/* Trouble with a copy that became known later, by mail: a bounce (its finding), or a complaint (NULL).
 * Counted once for each call, by reason; pauses the issue, where it is not over, when that makes the rate
 * too high (mail/care.h). `lane` is that of the copy. */
int issue_trouble(struct store *s, int64_t issue, int64_t lane, const struct finding *finding,
	int64_t now, struct err *e);

/* What is known, for `status`. */
struct issue_care {
	int64_t copies, due_last;
	struct str zone, hours;
	int64_t open_from, open_until; /* the window that is open, or the next; 0 and INT64_MAX when
					* there is none */
	struct care_stages stages;
	int64_t stage_wait;
	int stage;
	int64_t ceiling; /* copies that may have been begun by now */
	int64_t settled_at; /* when the stage had all its answers; 0 = not yet */
	struct care care; /* since the operator last said "send" */
	int64_t reasons[REASON_N], complaints; /* since the beginning */
};
int issue_care_get(
	struct store *s, int64_t issue, struct arena *a, struct issue_care *out, struct err *e);

/* The operator's word on copies in doubt: they arrived, they did not and stay unsent, or they are to be
 * sent again with the same Message-ID. Of one subscriber, or of all (0); each gets a line among its
 * attempts. `rows` is their number. An issue that was done goes on when something is sent again;
 * ERR_DENIED for one that was cancelled. */
enum resolve_as { RESOLVE_SENT, RESOLVE_FAILED, RESOLVE_RESEND, RESOLVE_N };
int issue_resolve(struct store *s, int64_t issue, int64_t subscriber, enum resolve_as as,
	int64_t now, int64_t *rows, struct err *e);

/* Copies by state, from the small table of counts: never a scan. */
struct issue_counts {
	int64_t n[DELIVERY_STATE_N];
};
int issue_counts(struct store *s, int64_t issue, struct issue_counts *out, struct err *e);

/* Copies that will not arrive: refused, given up, come back or reported, with the last attempt's reply. By
 * reader: `each` returns false to end. Views are good until it returns. */
struct failed_copy {
	struct str email; /* empty for a reader who was erased */
	enum delivery_state state;
	int64_t at; /* since when; 0 = not known */
	int attempts;
	enum smtp_phase phase; /* where the last attempt ended */
	int code; /* 0 = no reply */
	struct str status, text;
};
int issue_failed_each(struct store *s, int64_t issue,
	bool (*each)(void *user, const struct failed_copy *copy), void *user, struct err *e);

/* ---- lanes ---- */

/*
 * Where copies queue up: a provider ("gmail", mail/provider.h; its number is the lane's), a large recipient
 * domain ("example.com"), or "other" for all the small ones. A row's lane is set at the freeze. A domain
 * gets a lane of its own with the first issue that has LANE_MIN copies for it, and keeps it.
 */
enum { LANE_OTHER = 0, LANE_MIN = 1000 };

/* The same counts by lane, in the order of lanes' numbers: an array of *n in `a`. */
struct lane_counts {
	int64_t lane;
	struct str name;
	struct issue_counts counts;
};
int issue_lane_counts(struct store *s, int64_t issue, struct arena *a, struct lane_counts **out,
	size_t *n, struct err *e);

/* What of an issue is due behind `now`, by time, in groups of some minutes: an array of *n in `a`. One look at
 * each row that waits. */
struct lane_later {
	int64_t lane, at, n;
};
int issue_due_later(struct store *s, int64_t issue, int64_t now, struct arena *a,
	struct lane_later **out, size_t *n, struct err *e);

/* Every lane that was ever paced, without counts: an array of *n in `a`. */
int lanes_known(
	struct store *s, struct arena *a, struct lane_counts **out, size_t *n, struct err *e);

/* Lanes with rows that are due, of issues that are delivering: an array of *n in `a`. The cost does not
 * grow with the rows. */
struct lane {
	int64_t id;
	struct str name;
	int64_t waiting; /* queued and deferred in those issues, also what is due later */
};
int ledger_lanes(
	struct store *s, int64_t now, struct arena *a, struct lane **out, size_t *n, struct err *e);

/* How many copies of a lane may be claimed. */
struct lane_share {
	int64_t lane;
	size_t limit;
};

/* ---- delivering ---- */

/* A worker's lease. Everything it claims carries it; once it is over, others may take the rows:
 * claimed ones become queued, sending ones in_doubt where nothing is known of how far they came (store/flight.h). */
struct lease {
	int64_t id;
	int64_t until; /* Unix seconds */
};

/* What comes back from leases that are over, or whose worker is known to be gone; also run by lease_open(). */
struct lease_recovery {
	int64_t queued, in_doubt, sent;
};
int lease_recover(struct store *s, int64_t now, struct lease_recovery *out, struct err *e);

/* Take a lease for `seconds`, renew it (ERR_DENIED when it was over and has been taken away: stop
 * sending), give it back (claimed rows become queued). */
int lease_open(struct store *s, int64_t now, int seconds, struct lease *out, struct err *e);
int lease_renew(struct store *s, struct lease *l, int64_t now, int seconds, struct err *e);
int lease_close(struct store *s, struct lease *l, int64_t now, struct err *e);

/* Issues whose time has come become delivering; those that have sent nothing yet `late_after`
 * seconds (0 = never hold) after they were due, or after the operator last scheduled or resumed
 * them, are held; delivering ones in which no row can move by itself any more become done (a
 * row in doubt for the first time still can where `resend_in_doubt`). Returns how many issues
 * changed, or -1. */
int issues_turn(
	struct store *s, int64_t now, int64_t late_after, bool resend_in_doubt, struct err *e);

/* A claimed copy, with what rendering needs. */
struct claim {
	int64_t issue, subscriber, list, lane;
	int attempts; /* made before */
	int64_t since; /* when it was due, or the operator last said "send": what is later */
	uint64_t mark; /* of the address, for the send journal (store/journal.h) */
	struct str relay; /* where it was in doubt: it goes there again or nowhere; mostly empty */
	struct str email, first_name, last_name, attributes;
};

/* First doubts are queued again, once: of issues that are delivering, for `in_doubt = resend-once`. */
int ledger_resend(struct store *s, int64_t now, struct err *e);

/* Claim rows that are due, of issues that are delivering: of each lane in `share` up to its limit, oldest
 * first. An array of *n in `a`, lane after lane; none is left in those lanes when *n is 0. Rows whose reader
 * has unsubscribed, is suppressed or was erased since the freeze become skipped instead. ERR_DENIED when
 * the lease is over: stop sending. */
int ledger_claim(struct store *s, const struct lease *l, int64_t now,
	const struct lane_share *share, size_t share_n, struct arena *a, struct claim **out,
	size_t *n, struct err *e);

/* claimed → sending by `relay`: the intent, to be committed before the message is submitted. 1 when made; 0
 * when the lease is over or no longer holds the row, the issue has been paused or cancelled, or its
 * reader has left since (the row is put where it belongs); or -1. `lane` is that of the claim. */
int ledger_intend(struct store *s, const struct lease *l, int64_t issue, int64_t subscriber,
	int64_t lane, struct str relay, int64_t now, struct err *e);

/* Give a row back that was claimed or sending and about which nothing was said: → queued, no attempt
 * used; due now, or put off to `due_at`. */
int ledger_release(struct store *s, const struct lease *l, int64_t issue, int64_t subscriber,
	int64_t now, struct err *e);
int ledger_postpone(struct store *s, const struct lease *l, int64_t issue, int64_t subscriber,
	int64_t due_at, int64_t now, struct err *e);

/* A claimed row that a doubt binds to a relay which is gone: → in_doubt, for the operator to resolve. */
int ledger_hold(struct store *s, const struct lease *l, int64_t issue, int64_t subscriber,
	int64_t now, struct err *e);

/* An attempt and what it leads to. */
struct attempt {
	int64_t issue, subscriber, lane; /* as claimed */
	int64_t at;
	struct str relay; /* name */
	enum smtp_phase phase;
	int code; /* 0 = none */
	struct str status; /* enhanced code, may be empty */
	struct str text; /* the relay's words, or ours when it said nothing */
	int64_t took_ms;
	enum delivery_state
		state; /* of the row after it: sent, deferred, failed, expired, in_doubt */
	int64_t due_at; /* of a deferred row */
	bool spared; /* its lane or its relay is to blame: it uses up no attempt */
	const struct finding *finding; /* what a refusal says; NULL = it was taken, or nothing was
					* said */
};

/* sending → a->state, with its attempt row, under the lease. 1 when made, also when this very
 * outcome was written before (a commit that was reported as failed may have succeeded: settle
 * again); 0 when the lease no longer holds the row: the attempt is recorded all the same and the row
 * left alone; or -1. */
int ledger_settle(struct store *s, const struct lease *l, const struct attempt *a, struct err *e);

/* What waits in issues that were due, and of which the operator last said "send", before `before`, expires, with
 * `why` in the attempt that says so: for when no relay has taken anything since then. Adds to `rows`. */
int ledger_expire(
	struct store *s, int64_t before, struct str why, int64_t now, int64_t *rows, struct err *e);

/* When the next row is due (0 = none is queued or deferred, of issues that are not paused). */
int ledger_next_due(struct store *s, int64_t *at, struct err *e);

/* A relay's pause: `until` is 0 when it is not paused. `failures` counts pauses without a success in between. */
struct relay_state {
	int64_t until;
	int failures;
	struct str reason;
};
int relay_state(
	struct store *s, struct str relay, struct arena *a, struct relay_state *out, struct err *e);

/* ---- telling ---- */

/* One row of the ledger with all its attempts, for `why`. */
struct delivery {
	int64_t issue;
	struct str issue_slug, issue_subject;
	int64_t lane;
	struct str lane_name;
	enum delivery_state state;
	int64_t due_at, settled_at;
	struct str skip_reason; /* of a skipped row: "unsubscribed", "suppressed", "erased",
				* "paused"; of a confirmation also "confirmed" */
	struct attempt *attempt; /* oldest first */
	size_t attempt_n;
};

/* The rows of one subscriber (issue 0 = all), newest issue first: an array of *n in `a`. */
int subscriber_deliveries(struct store *s, int64_t subscriber, int64_t issue, struct arena *a,
	struct delivery **out, size_t *n, struct err *e);

#endif
