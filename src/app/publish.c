/* SPDX-License-Identifier: MIT */
#include "app/publish.h"
#include "app/copy.h"
#include "base/enc.h"

#include "media.h"
#include "when.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_MAX = 4 * 1024 * 1024 };

/* SHA-256 over source and program, hexadecimal: what was scheduled can be told from what is on disk. */
static int content_hash(struct publish *p, struct str *out, struct err *e)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned n = 0;
	struct buf hex;
	bool ok;

	ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
	     EVP_DigestUpdate(md, p->text.p, p->text.n) &&
	     EVP_DigestUpdate(md, p->program.p, p->program.n) && EVP_DigestFinal_ex(md, digest, &n);
	EVP_MD_CTX_free(md);
	if (!ok)
		return err_set(e, ERR_BUG, "cannot compute a SHA-256 hash");
	buf_init(&hex, 2 * sizeof digest);
	enc_hex(&hex, (struct str){(char *)digest, n});
	*out = arena_str(&p->arena, buf_view(&hex));
	buf_free(&hex);
	return 0;
}

/* What a send_at says. A time that is over is most likely left from the issue that this one was copied
 * from. */
static int read_send_at(const struct publish *p, int64_t now, struct when *out, struct err *e)
{
	struct str text = p->source.send_at;

	if (when_parse(text, now, out, e) < 0)
		return err_prefix(e, "%s: send_at: ", p->source.file);
	if (when_is_over(out, now))
		return err_set(e, ERR_INPUT,
			"%s: send_at '%.*s' is over: mend it, or schedule with --at now",
			p->source.file, STR_ARG(text));
	return 0;
}

/* Readers' own times: zones are opened once, by name; what is no zone gets the site's. */
struct local_times {
	const struct when *when;
	const struct zone_window *window;
	int64_t now;
	struct local_zone {
		struct str name;
		struct zone *zone;
		struct local_zone *next;
	} * first;
	struct zone *site;
	struct arena arena;
};

static const struct zone *zone_of(struct local_times *l, struct str name)
{
	struct local_zone *i = l->first;

	if (!name.n || name.n > 64)
		return l->site;
	while (i && !str_eq(i->name, name))
		i = i->next;
	if (!i) {
		i = arena_alloc(&l->arena, sizeof *i);
		*i = (struct local_zone){.name = arena_str(&l->arena, name), .next = l->first};
		zone_open(name, &i->zone, NULL);
		l->first = i;
	}
	return i->zone ? i->zone : l->site;
}

static int64_t local_due(void *user, struct str timezone)
{
	struct local_times *l = user;
	const struct zone *z = zone_of(l, timezone);
	int64_t at = when_in(l->when, z, l->now), from, until;

	if (!l->window)
		return at;
	zone_window_at(z, *l->window, at, &from, &until);
	return at > from ? at : from;
}

static void local_close(struct local_times *l)
{
	for (struct local_zone *i = l->first; i; i = i->next)
		zone_close(i->zone);
	zone_close(l->site);
	arena_free(&l->arena);
}

static int read_when(const struct publish *p, const char *at, const char *window, int64_t now,
	struct when *when, struct zone_window *hours, struct err *e)
{
	enum { SLACK = 60 }; /* for what a script has just taken from the clock */

	*when = (struct when){.at = now};
	if (window && !zone_window_parse(str_of(window), hours))
		return err_set(e, ERR_USAGE, "--window is '%s': write it as 06:00-22:00", window);
	if (at && when_parse(str_of(at), now, when, e) < 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "--at: ");
	}
	/* A wrong month must not send at once. */
	if (at && when_is_over(when, now - SLACK))
		return err_set(e, ERR_USAGE, "--at: '%s' is over: write 'now' to send at once", at);
	return !at && p->source.send_at.n ? read_send_at(p, now, when, e) : 0;
}

int publish_schedule(struct site *s, struct publish *p, const char *at, const char *window,
	bool dry_run, int64_t now, struct publish_result *out, struct err *e)
{
	struct issue_plan plan = {
		.zone = s->config.timezone,
		.hours = str_of(window),
		.shares = s->config.delivery.canary,
		.stage_wait = s->config.delivery.canary_wait,
	};
	struct issue issue = {
		.slug = p->source.slug,
		.subject = p->source.subject,
		.list = p->list.slug,
		.segment = p->source.segment,
		.source = p->text,
		.program = p->program,
		.plan = &plan,
	};
	struct zone_window hours;
	struct when when;
	struct local_times local = {.when = &when, .now = now, .window = window ? &hours : NULL};
	int rc = -1;

	if (read_when(p, at, window, now, &when, &hours, e) < 0)
		return -1;
	issue.due_at = when.at;
	issue.link = p->link;
	if (p->list.subscribed == 0)
		return err_set(e, ERR_MISSING,
			"nobody is on the list '%.*s': import subscribers first",
			STR_ARG(p->list.slug));
	if (when.local) {
		if (zone_open(s->config.timezone, &local.site, e) < 0) {
			err_prefix(e, "%s: timezone: ", s->config.file);
			goto out;
		}
		plan.due_at = local_due;
		plan.user = &local;
		plan.hours = (struct str){NULL, 0}; /* each reader's time is inside already */
	}
	if (content_hash(p, &issue.hash, e) < 0 || (!dry_run && media_put(s, p->media, e) < 0) ||
		issue_schedule(s->store, &issue, p->list.id, dry_run, now, &out->copies, e) < 0)
		goto out;
	out->issue = issue.id;
	out->due_at = issue.due_at;
	rc = 0;
out:
	local_close(&local);
	return rc;
}

/* The claim that a proof is made from. */
static int proof_claim(struct site *s, struct publish *p, struct str address, struct claim *out,
	bool *utf8, struct err *e)
{
	struct subscriber person = {0};
	struct err missing = {0};
	struct addr addr;

	if (addr_parse_as(&p->arena, address, s->config.quoted_local_parts, &addr, e) < 0 ||
		subscriber_respell(s->store, &p->arena, &addr.key, e) < 0)
		return -1;
	if (subscriber_get(s->store, addr.key, &p->arena, &person, &missing) < 0 &&
		missing.code != ERR_MISSING)
		return err_set(e, missing.code, "%s", missing.text);
	*out = (struct claim){
		.list = p->list.id,
		.subscriber = person.id,
		.email = addr.email,
		.first_name = person.first_name,
		.last_name = person.last_name,
		.attributes = person.attributes,
	};
	*utf8 = addr.utf8;
	return 0;
}

int publish_preview(struct site *s, struct publish *p, struct str address, int64_t now,
	struct publish_preview *out, struct err *e)
{
	struct copy_maker *m = NULL;
	struct parts message;
	struct buf sender;
	struct claim claim;
	bool utf8;
	int rc = -1;

	parts_init(&message, MESSAGE_MAX);
	buf_init(&sender, ADDR_MAX);
	if (proof_claim(s, p, address, &claim, &utf8, e) < 0 ||
		copy_maker_open(s, NULL, p->program, &m, e) < 0 ||
		copy_make(m, &claim, now, &message, &sender, e) < 0 ||
		copy_preview(m, &claim, now, "text/html", &out->html, e) < 0 ||
		copy_preview(m, &claim, now, "text/plain", &out->text, e) < 0)
		goto out;
	parts_join(&message, &out->eml);
	media_show(p->media, p->sender.list_id, out->images, &out->html);
	rc = 0;
out:
	copy_maker_close(m);
	parts_free(&message);
	buf_free(&sender);
	return rc;
}

static int send_one(
	const struct relay *relay, const struct submission *one, struct outcome *out, struct err *e)
{
	char words[REPLY_WORDS_SIZE];
	struct transport *t;

	if (transport_open(relay, 1, &t, e) < 0)
		return -1;
	transport_submit(t, one, 1);
	while (transport_wait(t, 1000, out, 1) == 0)
		;
	transport_stop(t, 1000);
	transport_close(t);
	if (out->action == VERDICT_SENT)
		return 0;
	return err_set(e, ERR_RELAY, "relay '%s' did not take the copy: %s: %s", relay->name,
		smtp_phase_name(out->phase), reply_words(&out->reply, words));
}

int publish_proof(struct site *s, struct publish *p, struct str address, const struct relay *relay,
	int64_t now, struct outcome *out, struct err *e)
{
	struct copy_maker *m = NULL;
	struct parts message;
	struct submission one = {.message = &message, .dotless = true};
	struct buf sender;
	struct claim claim;
	int rc = -1;

	parts_init(&message, MESSAGE_MAX);
	buf_init(&sender, ADDR_MAX);
	if (proof_claim(s, p, address, &claim, &one.utf8, e) < 0 || media_put(s, p->media, e) < 0 ||
		copy_maker_open(s, NULL, p->program, &m, e) < 0 ||
		copy_make(m, &claim, now, &message, &sender, e) < 0)
		goto out;
	one.sender = buf_view(&sender);
	one.recipient = claim.email;
	rc = send_one(relay, &one, out, e);
out:
	copy_maker_close(m);
	parts_free(&message);
	buf_free(&sender);
	return rc;
}
