/* SPDX-License-Identifier: MIT */
#include "app/publish.h"
#include "app/copy.h"
#include "base/enc.h"
#include "base/file.h"

#include "template.h"
#include "when.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { PROGRAM_MAX = 4 * 1024 * 1024, MESSAGE_MAX = 4 * 1024 * 1024 };

static int load_theme(struct site *s, struct publish *p, struct theme *out, struct err *e)
{
	struct str name = p->source.theme.n ? p->source.theme : p->list.theme;
	struct theme_files files;

	if (!template_is_name(name))
		return err_set(e, ERR_INPUT,
			"%s: the theme '%.*s' is not a name of a folder in mail-templates: use "
			"a-z, 0-9, '-' and '_'",
			p->source.file, STR_ARG(name));
	if (template_theme(s, &p->arena, name, &files, e) < 0)
		return -1;
	return theme_parse(&p->arena, &files, out, e);
}

/* A mailbox of the issue, else of the list, else the publication's. */
static int choose_mailbox(struct publish *p, const char *key, struct str of_issue,
	struct str of_list, const struct mailbox *of_publication, struct str *name,
	struct str *email, struct err *e)
{
	struct str text = of_issue.n ? of_issue : of_list;
	struct mailbox m = *of_publication;

	if (text.n && mailbox_parse(&p->arena, text, &m, e) < 0)
		return err_prefix(e, "%s: %s: ", of_issue.n ? p->source.file : "list", key);
	*name = m.name;
	*email = m.addr.email;
	return 0;
}

static int make_sender(struct site *s, struct publish *p, struct err *e)
{
	const struct config *c = &s->config;
	struct compile_sender *to = &p->sender;

	*to = (struct compile_sender){
		.name = c->publication.name,
		.tagline = c->publication.tagline,
		.address = c->publication.address,
		.url = c->publication.url,
		.lang = p->source.lang.n ? p->source.lang : c->publication.lang,
		.list_slug = p->list.slug,
		.list_name = p->list.name,
		.list_id = str_of(arena_printf(&p->arena, "%.*s.%.*s", STR_ARG(p->list.slug),
			STR_ARG(c->publication.list_domain))),
		.sender_id = c->publication.sender_id,
		.accent_label = c->publication.accent_label,
		.callout_label = c->publication.callout_label,
		.raw_html = c->publication.raw_html,
		.utm_source = c->utm.source,
		.utm_medium = c->utm.medium,
		.utm_hosts = c->utm.hosts,
	};
	if (choose_mailbox(p, "from", p->source.from, p->list.from, &c->publication.from,
		    &to->from_name, &to->from_email, e) < 0)
		return -1;
	return choose_mailbox(p, "reply_to", p->source.reply_to, p->list.reply_to,
		&c->publication.reply_to, &to->reply_to_name, &to->reply_to_email, e);
}

static int compile(struct site *s, struct publish *p, const struct theme *theme, struct err *e)
{
	struct compile_input in = {.issue = &p->source, .theme = theme, .sender = &p->sender};
	struct composed composed = {0};
	struct program program = {0};
	const char **fields;
	struct buf packed;

	if (fields_get(s->store, &p->arena, &fields, &in.fields_n, e) < 0)
		return -1;
	in.fields = fields;
	if (compose(&p->arena, &in, &composed, e) < 0 ||
		assemble(&p->arena, &in, &composed, &program, e) < 0)
		return -1;
	buf_init(&packed, PROGRAM_MAX);
	program_pack(&program, &packed);
	if (packed.over) {
		buf_free(&packed);
		return err_set(e, ERR_INPUT, "%s: the compiled issue is too large", p->source.file);
	}
	p->program = arena_str(&p->arena, buf_view(&packed));
	buf_free(&packed);
	p->bare = composed.bare;
	p->bare_n = composed.bare_n;
	p->remark = composed.remark;
	return 0;
}

int publish_compile(struct site *s, const char *file, struct publish *out, struct err *e)
{
	struct theme theme = {0};
	struct buf b;
	int rc = -1;

	*out = (struct publish){0};
	buf_init(&b, ISSUE_SOURCE_MAX);
	if (file_read(file, &b, e) < 0)
		goto out;
	out->text = arena_str(&out->arena, buf_view(&b));
	if (issue_parse(&out->arena, file, out->text, &out->source, e) < 0)
		goto out;
	if (list_get(s->store, out->source.list, &out->arena, &out->list, e) < 0) {
		err_prefix(e, "%s: ", file);
		goto out;
	}
	if (load_theme(s, out, &theme, e) < 0 || make_sender(s, out, e) < 0)
		goto out;
	rc = compile(s, out, &theme, e);
out:
	buf_free(&b);
	return rc;
}

static void remark(struct publish *p, struct compile_remark what)
{
	struct compile_remark **link = &p->remark;

	what.file = p->source.file;
	while (*link)
		link = &(*link)->next;
	*link = arena_alloc(&p->arena, sizeof what);
	**link = what;
}

int publish_lint(struct site *s, struct publish *p, struct err *e)
{
	int64_t taken, lacking, of = p->list.subscribed;
	int found = issue_find(s->store, p->list.id, p->source.slug, &taken, e);

	if (found < 0)
		return -1;
	if (found)
		remark(p, (struct compile_remark){.line = 1,
				  .rule = "slug-taken",
				  .message = arena_printf(&p->arena,
					  "issue %lld of this list has the slug '%.*s' already, "
					  "add a line "
					  "'slug: …' with another one",
					  (long long)taken, STR_ARG(p->source.slug))});
	for (size_t i = 0; i < p->bare_n; i++) {
		if (list_lacking(s->store, p->list.id, p->bare[i], &lacking, e) < 0)
			return -1;
		if (lacking)
			remark(p, (struct compile_remark){.line = p->source.body_line,
					  .rule = "empty-value",
					  .message = arena_printf(&p->arena,
						  "'%.*s' is empty for %lld of %lld subscribers: "
						  "write "
						  "{{ %.*s | default: \"…\" }}",
						  STR_ARG(p->bare[i]), (long long)lacking,
						  (long long)of, STR_ARG(p->bare[i]))});
	}
	return 0;
}

size_t publish_errors(const struct publish *p, bool strict)
{
	size_t n = 0;

	for (const struct compile_remark *r = p->remark; r; r = r->next)
		n += strict || r->error;
	return n;
}

void publish_free(struct publish *p)
{
	arena_free(&p->arena);
}

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
	if (out->at < now)
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
	*when = (struct when){.at = now};
	if (window && !zone_window_parse(str_of(window), hours))
		return err_set(e, ERR_USAGE, "--window is '%s': write it as 06:00-22:00", window);
	if (at && when_parse(str_of(at), now, when, e) < 0) {
		e->code = ERR_USAGE;
		return err_prefix(e, "--at: ");
	}
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
	if (content_hash(p, &issue.hash, e) < 0 ||
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

	if (addr_parse(&p->arena, address, &addr, e) < 0)
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
	struct buf sender;
	struct claim claim;
	bool utf8;
	int rc = -1;

	buf_init(&sender, ADDR_MAX);
	if (proof_claim(s, p, address, &claim, &utf8, e) < 0 ||
		copy_maker_open(s, NULL, p->program, &m, e) < 0 ||
		copy_make(m, &claim, now, &out->eml, &sender, e) < 0 ||
		copy_preview(m, &claim, now, "text/html", &out->html, e) < 0 ||
		copy_preview(m, &claim, now, "text/plain", &out->text, e) < 0)
		goto out;
	rc = 0;
out:
	copy_maker_close(m);
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
	struct submission one = {0};
	struct buf message, sender;
	struct claim claim;
	int rc = -1;

	buf_init(&message, MESSAGE_MAX);
	buf_init(&sender, ADDR_MAX);
	if (proof_claim(s, p, address, &claim, &one.utf8, e) < 0 ||
		copy_maker_open(s, NULL, p->program, &m, e) < 0 ||
		copy_make(m, &claim, now, &message, &sender, e) < 0)
		goto out;
	one.sender = buf_view(&sender);
	one.recipient = claim.email;
	one.message = buf_view(&message);
	rc = send_one(relay, &one, out, e);
out:
	copy_maker_close(m);
	buf_free(&message);
	buf_free(&sender);
	return rc;
}
