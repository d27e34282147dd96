/* SPDX-License-Identifier: MIT */
#ifndef STORE_PAGES_H
#define STORE_PAGES_H

#include "store/ledger.h"
#include "store/people.h"

/*
 * What only the public pages ask of the store.
 */

/* The list of that number, or of that slug where `id` is 0, without its count of subscribers: 1, 0 where there
 * is none, or -1. Views in `a`. */
int list_look(struct store *s, int64_t id, struct str slug, struct arena *a, struct list *out,
	struct err *e);

/* The subscriber of that number: 1, 0 where there is none (any more), or -1. Views in `a`. */
int subscriber_look(
	struct store *s, int64_t id, struct arena *a, struct subscriber *out, struct err *e);

/* Whether deliveries get on, for /healthz: ERR_IO where the database cannot be written (a lock held by another
 * process is no fault), ERR_BUSY with the sentence where copies have been due for longer than `patience`
 * seconds and nothing was tried in that time though no relay is paused. Changes nothing. */
int store_health(struct store *s, int64_t now, int64_t patience, struct err *e);

/* ---- preferences ---- */

/* What a reader may choose from: the public lists, and those that the reader is or was on. */
struct choice {
	struct str slug, name;
	int64_t list;
	int status; /* enum subscription_status; -1 = never was on it */
};

/* By name: an array of *n in `a`. */
int choices_get(struct store *s, int64_t subscriber, struct arena *a, struct choice **out,
	size_t *n, struct err *e);

/* Until when the reader wants no issues (0 = wants them), and whether the address is suppressed. */
int subscriber_pause_get(
	struct store *s, int64_t subscriber, int64_t *until, bool *suppressed, struct err *e);

/* Set it; 0 ends the pause. Copies that are due before are skipped. */
int subscriber_pause(
	struct store *s, int64_t subscriber, int64_t until, int64_t now, struct err *e);

/* Change the name as its reader writes it; either may be empty. */
int subscriber_rename(
	struct store *s, int64_t subscriber, struct str first, struct str last, struct err *e);

/* ---- the archive ---- */

/* Issues of a list that have begun to leave, newest first, those whose subject or source contain `words` (all
 * for the empty view): an array of *n <= limit in `a`, of which the first `skip` are left out. Program and
 * source are filled where `whole`. */
int archive_get(struct store *s, int64_t list, struct str words, size_t skip, size_t limit,
	bool whole, struct arena *a, struct issue **out, size_t *n, struct err *e);

/* One of them, with source and program: 1, 0 where there is none, or -1. */
int archive_issue(struct store *s, int64_t list, struct str slug, struct arena *a,
	struct issue *out, struct err *e);

/* ---- forms and confirmations ---- */

/* A form that somebody sent to subscribe. */
struct ask {
	int64_t list;
	struct str slug; /* of the list */
	struct str email, key, first_name; /* mail/addr.h */
	struct str client, network; /* the browser's address, and what counts as one client */
	struct str form, words; /* which form, and what it said: the evidence of consent */
	bool single; /* the list wants no confirmation */
};

enum {
	ASKS_NETWORK = 20, /* forms an hour from one network */
	ASKS_ADDRESS = 3, /* confirmations a day to one address */
	ASKS_GAP = 600, /* seconds between two for the same list */
	ASKS_KEPT = 7 * 86400, /* seconds for which a confirmation may be answered */
};

/* What is to be done about it. */
struct ask_result {
	bool limited; /* too many forms: nothing was noted */
	bool confirm; /* a confirmation is to be sent, by confirmation_queue() */
	int64_t id, subscriber;
	int n; /* confirmations that the address gets today, with this one */
};

/* Note the form `ask`; at most `hourly` are taken in an hour from all networks. Whatever is known about the
 * address, the same is counted. People who are on the list, have complained or bounced, are suppressed for
 * another reason than their own erasure, or have had enough confirmations get none. Nobody is brought back or
 * changed by it: somebody new becomes pending, or is subscribed where the list wants no confirmation. */
int ask_take(struct store *s, const struct ask *ask, int64_t hourly, int64_t now,
	struct ask_result *out, struct err *e);

/* Mails to single readers that are no issues of their list. One issue holds those of a kind, list, language and
 * day; and n, for the n-th request to confirm that a reader gets on a day. */
enum notice_kind {
	NOTICE_CONFIRM = 1, /* to somebody who is not on the list yet */
	NOTICE_WELCOME, /* to somebody who has just come */
	NOTICE_GOODBYE, /* to somebody who has just left; not when they have come back meanwhile */
};
struct notice {
	enum notice_kind kind;
	int64_t list;
	struct str lang;
	int64_t day; /* since 1970-01-01 */
	int n; /* from 1 */
};

/* The issue that holds them: 1, 0 where there is none yet, or -1. Make it: `issue` has slug, subject, source,
 * program, hash; its id and uuid are filled. */
int notice_find(struct store *s, const struct notice *what, int64_t *issue, struct err *e);
int notice_open(struct store *s, struct issue *issue, const struct notice *what, int64_t now,
	struct err *e);

/* Put a copy for `subscriber` into the ledger, due now; nothing where the reader got one from this issue. */
int notice_queue(struct store *s, int64_t issue, int64_t subscriber, int64_t now, struct err *e);

/* Put the confirmation of `ask` into the ledger, due now. */
int confirmation_queue(
	struct store *s, const struct ask_result *ask, int64_t issue, int64_t now, struct err *e);

/* What a confirmation is worth when its reader comes. */
enum confirmation_state {
	CONFIRMATION_GONE, /* too old, or its reader was erased, or the address must not be written to */
	CONFIRMATION_OPEN,
	CONFIRMATION_USED, /* answered, and the reader is on the list */
	CONFIRMATION_SPENT, /* answered, and the reader has left since */
};

/* Look, or answer it (an open one becomes used, and the reader is on the list, by proof; 1 when it did). `list` is filled but
 * where it is gone. */
int confirmation_look(struct store *s, int64_t issue, int64_t subscriber, int64_t now,
	enum confirmation_state *state, int64_t *list, struct err *e);
int confirmation_answer(struct store *s, int64_t issue, int64_t subscriber, struct str client,
	int64_t now, enum confirmation_state *state, int64_t *list, struct err *e);

/* Forget forms older than ASKS_KEPT, with the readers who never answered and are on no list; a good many, not
 * all at once. How many were forgotten, or -1. */
int64_t asks_tidy(struct store *s, int64_t now, struct err *e);

/* ---- clicks ---- */

enum {
	CLICK_MOMENT =
		10, /* seconds: what follows a link so soon after the copy was accepted is a scanner */
	CLICK_MANY = 3, /* and so is what follows so many links of a copy within that time */
};

/* A link of an issue that was followed. */
struct click {
	int64_t issue, n; /* number of the link, from 1 */
	int64_t subscriber; /* 0 = nobody in particular: it is not counted */
	bool robot; /* the request says that no person sent it */
};

/* Where a link leads, in `a`, and whether its list counts clicks now: 1, 0 where there is none, or -1. */
int click_look(struct store *s, const struct click *c, struct arena *a, struct str *url,
	bool *counts, struct err *e);

/* Note a click: one row for each reader and link. A row is a robot's until a person follows the link; the
 * rows of a reader who follows CLICK_MANY of an issue's links within CLICK_MOMENT become a robot's. */
int click_put(struct store *s, const struct click *c, int64_t now, struct err *e);

/* How many readers, and how many more robots, followed each link of an issue; the first link first. An array
 * of *n in `a`. */
struct link_clicks {
	struct str url;
	int64_t readers, robots;
};
int issue_clicks(struct store *s, int64_t issue, struct arena *a, struct link_clicks **out,
	size_t *n, struct err *e);

/* The links that a reader followed, the newest first; robots left out. An array of *n in `a`. */
struct reader_click {
	struct str issue, url; /* by slug */
	int64_t at;
};
int reader_clicks(struct store *s, int64_t subscriber, struct arena *a, struct reader_click **out,
	size_t *n, struct err *e);

#endif
