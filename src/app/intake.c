/* SPDX-License-Identifier: MIT */
#include "app/intake.h"
#include "base/clock.h"
#include "base/log.h"
#include "intake_run.h"
#include "store/people.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int intake_open(struct site *s, const char *source, struct intake **out, struct err *e)
{
	struct intake *in;

	*out = NULL;
	if (site_load_key(s, e) < 0)
		return -1;
	if (arrivals_drop(s->store, clock_now() - s->config.bounce.keep, e) < 0)
		return -1;
	in = calloc(1, sizeof *in);
	if (!in)
		return err_set(e, ERR_IO, "out of memory");
	in->site = s;
	in->source = source;
	*out = in;
	return 0;
}

void intake_close(struct intake *in)
{
	free(in);
}

const struct intake_totals *intake_totals(const struct intake *in)
{
	return &in->totals;
}

int intake_hash(struct str octets, unsigned char out[ARRIVAL_HASH_SIZE], struct err *e)
{
	unsigned n = 0;

	if (EVP_Digest(octets.p ? octets.p : "", octets.n, out, &n, EVP_sha256(), NULL) == 1 &&
		n == ARRIVAL_HASH_SIZE)
		return 0;
	return err_set(e, ERR_BUG, "OpenSSL refused a SHA-256");
}

/* ---- carrying out ---- */

static int carry_return(struct intake *in, struct plan *p, int64_t now, struct err *e)
{
	struct return_effect did;
	struct err why = {0};
	int rc;

	p->returned.at = now;
	p->returned.arrival = p->arrival.id;
	rc = return_apply(in->site->store, &in->site->config.suppress, &p->returned, &did, &why);
	if (rc < 0 && why.code != ERR_MISSING)
		return err_set(e, why.code, "%s", why.text);
	if (rc < 0) {
		plan_file(p, "a token of ours, and no such copy in the ledger");
		return 0;
	}
	p->arrival.words = rc == 0          ? STR("known of this copy already")
			   : did.suppressed ? STR("the address was suppressed")
					    : STR("noted");
	in->totals.bounces += rc == 1 && p->returned.kind == RETURN_BOUNCE;
	in->totals.complaints += rc == 1 && p->returned.kind == RETURN_COMPLAINT;
	in->totals.suppressed += did.suppressed;
	return 0;
}

static int carry_unsubscribe(struct intake *in, struct plan *p, int64_t now, struct err *e)
{
	int n = subscriber_unsubscribe(in->site->store, p->arrival.subscriber, p->list,
		STR("unsubscribed by mail"), now, e);

	if (n < 0)
		return -1;
	p->arrival.words = n ? STR("unsubscribed") : STR("was not subscribed any more");
	in->totals.unsubscribes += n > 0;
	return 0;
}

/* One line an arrival, without an address. */
static void log_arrival(const struct arrival *a)
{
	struct log_line l;

	log_begin(&l, LOG_LEVEL_INFO, "arrival");
	log_int(&l, "arrival", a->id);
	log_str(&l, "kind", a->kind);
	log_str(&l, "rule", a->rule);
	log_str(&l, "key", a->key);
	log_str(&l, "fate", str_of(arrival_fate_name(a->fate)));
	if (a->issue)
		log_int(&l, "issue", a->issue);
	if (a->subscriber)
		log_int(&l, "subscriber", a->subscriber);
	log_end(&l);
}

int intake_carry_out(struct intake *in, struct plan *p, struct str raw, int64_t now, struct err *e)
{
	struct store *store = in->site->store;
	int rc = 0;

	p->arrival.raw = raw;
	if (!p->arrival.id) {
		p->arrival.at = now;
		p->arrival.source = str_of(in->source);
		if (arrival_add(store, &p->arrival, e) < 0)
			return -1;
	}
	if (p->act == PLAN_RETURN)
		rc = carry_return(in, p, now, e);
	else if (p->act == PLAN_UNSUBSCRIBE)
		rc = carry_unsubscribe(in, p, now, e);
	if (rc < 0 || arrival_update(store, &p->arrival, e) < 0)
		return -1;
	in->totals.filed += p->act == PLAN_FILE;
	in->totals.ignored += p->act == PLAN_NOTHING;
	log_arrival(&p->arrival);
	return 0;
}

/* ---- one message ---- */

static int take(struct intake *in, struct str message, struct str recipient, struct arena *a,
	bool *filed, struct err *e)
{
	unsigned char hash[ARRIVAL_HASH_SIZE];
	struct arrival before;
	struct plan p;
	int known;

	if (intake_hash(message, hash, e) < 0)
		return -1;
	known = arrival_find(in->site->store, hash, a, &before, e);
	if (known < 0)
		return -1;
	if (known) {
		in->totals.known++;
		*filed = before.fate == ARRIVAL_FILED;
		return 0;
	}
	if (plan_message(in->site, message, recipient, a, &p, e) < 0)
		return -1;
	memcpy(p.arrival.hash, hash, sizeof hash);
	/* Kept with the message, so that it can be read again. */
	if (recipient.n && str_find(recipient, '\n') == recipient.n)
		message = str_of(arena_printf(a, "Delivered-To: %.*s\r\n%.*s", STR_ARG(recipient),
			(int)(message.n < ARRIVAL_RAW_MAX ? message.n : ARRIVAL_RAW_MAX),
			message.p));
	if (intake_carry_out(in, &p, message, clock_now(), e) < 0)
		return -1;
	*filed = p.act == PLAN_FILE;
	return 0;
}

/* Read a kept message again. What a reader asked for has been done, and may have been taken back by them
 * since. */
static int read_again(struct intake *in, int64_t id, struct arena *a, struct err *e)
{
	struct arrival before;
	struct plan p;

	if (arrival_get(in->site->store, id, a, &before, e) < 0)
		return -1;
	in->totals.read++;
	if (str_eq(before.kind, STR("unsubscribe")) && before.fate == ARRIVAL_APPLIED)
		return 0;
	if (returns_withdraw(in->site->store, id, e) < 0 ||
		plan_message(in->site, before.raw, STR(""), a, &p, e) < 0)
		return -1;
	p.arrival.id = id;
	memcpy(p.arrival.hash, before.hash, sizeof before.hash);
	return intake_carry_out(in, &p, before.raw, before.at, e);
}

/* Read up to `limit` kept messages behind `*after` again, in one transaction; moves `*after`. */
static int replay_some(
	struct intake *in, bool filed, size_t limit, int64_t *after, size_t *n, struct err *e)
{
	struct arena a = {0};
	struct arrival *some;
	int rc = -1;

	if (store_begin(in->site->store, e) < 0)
		return -1;
	if (arrivals_get(in->site->store, *after, filed, limit, &a, &some, n, e) < 0)
		goto out;
	for (size_t i = 0; i < *n; i++) {
		struct arena one = {0};

		rc = read_again(in, some[i].id, &one, e);
		arena_free(&one);
		if (rc < 0)
			goto out;
		*after = some[i].id;
	}
	rc = store_commit(in->site->store, e);
out:
	if (rc < 0)
		store_rollback(in->site->store);
	arena_free(&a);
	return rc;
}

int intake_replay(struct intake *in, bool filed, const volatile sig_atomic_t *stop, struct err *e)
{
	enum { AT_ONCE = 50 };
	int64_t after = 0;
	size_t n;

	do {
		if (replay_some(in, filed, AT_ONCE, &after, &n, e) < 0)
			return -1;
	} while (n && !*stop);
	return 0;
}

int intake_message(
	struct intake *in, struct str message, struct str recipient, bool *filed, struct err *e)
{
	struct arena a = {0};
	int rc;

	rc = take(in, message, recipient, &a, filed, e);
	in->totals.read += rc == 0;
	arena_free(&a);
	return rc;
}
