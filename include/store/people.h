/* SPDX-License-Identifier: MIT */
#ifndef STORE_PEOPLE_H
#define STORE_PEOPLE_H

#include "store/store.h"

/*
 * Lists, subscribers, subscriptions with their consent, suppressions.
 */
struct list {
	int64_t id;
	struct str slug, name, from, reply_to, theme; /* from, reply_to, theme may be empty */
	bool double_opt_in;
	bool public; /* has a form to subscribe and an archive */
	bool welcome, goodbye; /* who comes or leaves on the public pages gets a mail */
	bool clicks; /* clicks on links of its issues are counted */
	int64_t subscribed; /* people on it now; filled by list_each() and list_get() */
};

/* Add a list (id is filled). ERR_EXISTS for a slug that is taken. */
int list_add(struct store *s, struct list *list, int64_t now, struct err *e);

/* Write back name, from, reply_to, theme, double_opt_in, public, welcome, goodbye, clicks of list->id. */
int list_update(struct store *s, const struct list *list, struct err *e);

/* The list of that slug, in `a`. ERR_MISSING, naming the nearest slug. */
int list_get(struct store *s, struct str slug, struct arena *a, struct list *out, struct err *e);

/* All lists by slug: `each` returns false to end. */
int list_each(struct store *s, bool (*each)(void *user, const struct list *list), void *user,
	struct err *e);

/* How many people on the list have nothing where an issue writes `name`: "subscriber.first_name",
 * "subscriber.last_name", "subscriber.name" (both) or "subscriber.ATTRIBUTE". */
int list_lacking(struct store *s, int64_t list, struct str name, int64_t *n, struct err *e);

enum subscription_status {
	SUBSCRIPTION_PENDING, /* has not confirmed yet (double opt-in) */
	SUBSCRIPTION_ACTIVE,
	SUBSCRIPTION_UNSUBSCRIBED, /* left: no import brings it back */
	SUBSCRIPTION_BOUNCED, /* the address is dead */
	SUBSCRIPTION_COMPLAINED, /* called it spam */
	SUBSCRIPTION_STATUS_N,
};

/* The word in CSV, JSON and on the command line: "subscribed" for ACTIVE, "pending", … */
const char *subscription_status_name(enum subscription_status status);

struct subscriber {
	int64_t id;
	struct str email, first_name, last_name;
	struct str attributes; /* a JSON object, "{}" when there are none */
	int64_t created_at;
};

struct subscription {
	struct str list; /* slug */
	enum subscription_status status;
	int64_t changed_at;
	struct str source; /* "import 7 line 12", "hand" */
};

/* Add a subscriber or bring an existing one (by key) up to date: a name of NULL, an empty address and absent attributes
 * leave what is there, an empty name and an attribute that is null take it away. Fills id. `added` tells which it was. */
int subscriber_put(struct store *s, struct subscriber *person, struct str key, int64_t now,
	bool *added, struct err *e);

/* By key (mail/addr.h). ERR_MISSING. Views in `a`. */
int subscriber_get(
	struct store *s, struct str key, struct arena *a, struct subscriber *out, struct err *e);

/* Where nobody has this key, but somebody has it in another case of its letters, make it theirs. 1, 0 when it stays, or
 * -1. A view in `a`. */
int subscriber_respell(struct store *s, struct arena *a, struct str *key, struct err *e);

/* Those whose address or name contains `text` (all for the empty view), by id, at most `limit`. */
int subscriber_find(struct store *s, struct str text, size_t limit,
	bool (*each)(void *user, const struct subscriber *person), void *user, struct err *e);

/* Subscriptions of one subscriber: an array of *n in `a`. */
int subscriber_subscriptions(struct store *s, int64_t id, struct arena *a,
	struct subscription **out, size_t *n, struct err *e);

/* Put a subscriber on a list or change the status there, with the consent: how it came about (`source`, a
 * few words that many share) and what else is known of it (`detail`, may be empty). Somebody who unsubscribed, bounced or complained is made ACTIVE again only
 * with `proof`; otherwise ERR_DENIED. */
int subscription_put(struct store *s, int64_t subscriber, int64_t list,
	enum subscription_status status, struct str source, struct str detail, bool proof,
	int64_t now, struct err *e);

/* ---- consents ---- */

/*
 * Each change of a subscription is a consent, which is never changed or deleted. Its hash is SHA-256 over
 * the hash of the one before (32 octets, zeros in front of the first), then its number, its status (see
 * enum subscription_status; -1 = removed), its time and its line (0 = none), each in 8 octets, big-endian, then
 * the subscriber's key, the list's slug, the words of the source and the detail with a NUL between.
 */
enum { CONSENT_HASH_SIZE = 32 };
struct consent {
	int64_t id, at, line;
	int status;
	struct str list, source, detail;
	unsigned char before[CONSENT_HASH_SIZE], hash[CONSENT_HASH_SIZE];
};

/* "subscribed", "removed", ... */
const char *consent_status_name(int status);

/* Consents of one subscriber, oldest first: an array of *n in `a`. */
int consents_get(struct store *s, int64_t subscriber, struct arena *a, struct consent **out,
	size_t *n, struct err *e);

/* Compute all hashes anew: each finding is given to `finding`. Those of an erased reader cannot be, without
 * the address, but must end with a removal. `last` (its id 0 when there is none) is the end of the chain: whoever
 * has kept it proves that nothing was rewritten since. The number of findings, or -1. */
int consents_verify(struct store *s, void (*finding)(void *user, const char *text), void *user,
	struct consent *last, struct err *e);

/* Unsubscribe from one list (0 = all). Returns how many subscriptions changed, or -1. Copies that
 * wait are skipped when they are claimed. */
int subscriber_unsubscribe(struct store *s, int64_t subscriber, int64_t list, struct str source,
	int64_t now, struct err *e);

/* Erase: row, subscriptions, events, attempts' texts, name it as erased in deliveries (counts
 * stay). The suppression by keyed hash stays, so that no import brings the address back. */
int subscriber_erase(
	struct store *s, int64_t subscriber, struct str key, int64_t now, struct err *e);

/* Suppress an address everywhere, for `reason` ("hand", "bounce", "complaint", "erased"). Stored as
 * a keyed hash of the key beside reason and time. Idempotent. */
int suppression_add(
	struct store *s, struct str key, const char *reason, int64_t now, struct err *e);

/* The same, and from what it came, in words ("issue 3, recipient"). A reason of more weight takes the place of
 * "bounce", and so outlives the undoing of a bounce. 1 when it was written, 0 when one stood already, or -1. */
int suppression_put(struct store *s, struct str key, const char *reason, struct str source,
	int64_t now, struct err *e);

/* Whether `key` is suppressed, or its domain (the reason is "domain"); when so, reason (in `a`) and time. 1, 0, or -1. */
int suppression_get(struct store *s, struct str key, struct arena *a, struct str *reason,
	int64_t *at, struct err *e);

/* Lift a suppression. ERR_MISSING where there is none. */
int suppression_remove(struct store *s, struct str key, struct err *e);

/* Suppress a whole domain (A-labels, lower case), or lift that: those of its addresses that are suppressed by
 * themselves stay so. `n` is how many people here that concerns. ERR_MISSING where there is nothing to lift. */
int suppression_put_domain(struct store *s, struct str domain, const char *reason, int64_t now,
	int64_t *n, struct err *e);
int suppression_remove_domain(struct store *s, struct str domain, int64_t *n, struct err *e);

/* ---- the whole list of suppressions ---- */

enum { SUPPRESSION_HASH_SIZE = 16 };
struct suppression {
	unsigned char hash[SUPPRESSION_HASH_SIZE];
	struct str
		email; /* empty where the address is known by its hash alone; "@example.com": a domain */
	struct str reason, source;
	int64_t at;
};

/* All suppressions, domains first, then oldest first: `each` returns false to end. */
int suppressions_each(struct store *s, bool (*each)(void *user, const struct suppression *one),
	void *user, struct err *e);

/* The key that the hashes are made under, to go with them to another site; in `a`. */
int suppression_secret(struct store *s, struct arena *a, struct str *secret, struct err *e);

/* In the place of another site's key: the hashes are SHA-512 of the address with its domain in lower case, under no key,
 * of which the first 16 octets count. Services write that of people whom they have erased. */
#define SUPPRESSION_SHA512 STR("sha512")

/* Take a suppression by its hash under the key `secret` of another site, or of this one. 1 when it is new
 * here, 0 when it was known, or -1. */
int suppression_put_hash(
	struct store *s, struct str secret, const struct suppression *one, struct err *e);

/* Mark the people here whom hashes of the key `secret` mean; `n` is how many are newly suppressed. */
int suppressions_adopt(struct store *s, struct str secret, int64_t *n, struct err *e);

/* Names of the attributes that subscribers have (for {{ subscriber.NAME }}): an array of *n in `a`.
 */
int fields_get(struct store *s, struct arena *a, const char ***out, size_t *n, struct err *e);

/* One line of a subscriber's history. */
struct event {
	int64_t at;
	struct str what, detail;
};
int subscriber_events(struct store *s, int64_t subscriber, struct arena *a, struct event **out,
	size_t *n, struct err *e);

#endif
