/* SPDX-License-Identifier: MIT */
#include "app/config.h"
#include "base/buf.h"
#include "base/file.h"
#include "config_file.h"
#include "config_value.h"
#include "mail/provider.h"

#include <stdlib.h>
#include <string.h>

enum { CONFIG_MAX = 256 * 1024, DAY = 86400 };

#define FIELD(type, member)                                                                        \
	.at = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)
#define CONFIG(member)  FIELD(config, member)
#define RELAY(member)   FIELD(config_relay, member)
#define LANE(member)    FIELD(config_lane, member)
#define ELSE(value)     .fallback = (value)
#define NEEDED          .needed = true
#define RANGE(from, to) .min = (from), .max = (to)
#define KEYS(keys)      .key = (keys), .key_n = sizeof(keys) / sizeof(keys)[0]

static const char *const no_yes[] = {"no", "yes", NULL};
static const char *const hold_resend[] = {"hold", "resend-once", NULL};
static const char *const tls[] = {"starttls", "implicit", "none", NULL}; /* enum relay_tls */
static const char *const transport[] = {"curl", "esmtp", NULL}; /* enum relay_transport */

/* Every key there is. A fallback is read as if it stood in the file. */
static const struct config_key top_keys[] = {
	{"database", CONFIG_PATH, CONFIG(database)},
	{"templates", CONFIG_PATH, CONFIG(templates), ELSE("mail-templates")},
	{"media", CONFIG_PATH, CONFIG(media), ELSE("media")},
	{"token_key_file", CONFIG_PATH, CONFIG(token_key_file), ELSE("secrets/token.key")},
	{"timezone", CONFIG_TEXT, CONFIG(timezone), ELSE("UTC"), RANGE(1, 64)},
	{"metrics_file", CONFIG_PATH, CONFIG(metrics_file)},
	{"quoted_local_parts", CONFIG_CHOICE, CONFIG(quoted_local_parts), ELSE("no"),
		.choice = no_yes}, /* enum addr_rule */
};
static const struct config_key publication_keys[] = {
	{"name", CONFIG_TEXT, CONFIG(publication.name), NEEDED, RANGE(1, 200)},
	{"tagline", CONFIG_TEXT, CONFIG(publication.tagline), ELSE(""), RANGE(0, 200)},
	{"address", CONFIG_TEXT, CONFIG(publication.address), NEEDED, RANGE(1, 500)},
	{"url", CONFIG_URL, CONFIG(publication.url), NEEDED},
	{"lang", CONFIG_NAME, CONFIG(publication.lang), ELSE("en"), RANGE(2, 35)},
	{"from", CONFIG_MAILBOX, CONFIG(publication.from), NEEDED},
	{"reply_to", CONFIG_MAILBOX, CONFIG(publication.reply_to)},
	{"list_domain", CONFIG_DOMAIN, CONFIG(publication.list_domain)},
	{"sender_id", CONFIG_NAME, CONFIG(publication.sender_id), RANGE(5, 15)},
	{"accent_label", CONFIG_TEXT, CONFIG(publication.accent_label), ELSE("In brief"),
		RANGE(0, 200)},
	{"callout_label", CONFIG_TEXT, CONFIG(publication.callout_label),
		ELSE("Why it matters|Bottom line"), RANGE(0, 200)},
	{"raw_html", CONFIG_CHOICE, CONFIG(publication.raw_html), ELSE("no"), .choice = no_yes},
};
static const struct config_key relay_keys[] = {
	{"host", CONFIG_HOST, RELAY(relay.host), NEEDED},
	{"port", CONFIG_NUMBER, RELAY(relay.port), RANGE(1, 65535)},
	{"tls", CONFIG_CHOICE, RELAY(relay.tls), ELSE("starttls"), .choice = tls},
	{"allow_plaintext", CONFIG_CHOICE, RELAY(allow_plaintext), ELSE("no"), .choice = no_yes},
	{"ca_file", CONFIG_PATH, RELAY(relay.ca_file)},
	{"username", CONFIG_TEXT, RELAY(relay.username), RANGE(1, 254)},
	{"password_file", CONFIG_PATH, RELAY(password_file)},
	{"transport", CONFIG_CHOICE, RELAY(relay.transport), ELSE("curl"), .choice = transport},
	{"helo", CONFIG_HOST, RELAY(relay.helo)},
	{"connections", CONFIG_NUMBER, RELAY(relay.connections), ELSE("10"), RANGE(1, 1000)},
	{"messages_per_connection", CONFIG_NUMBER, RELAY(relay.messages_per_connection), ELSE("0"),
		RANGE(0, 1000000)},
	{"timeout", CONFIG_DURATION, RELAY(relay.timeout_s), ELSE("0"), RANGE(0, 3600)},
	{"weight", CONFIG_NUMBER, RELAY(limit.weight), ELSE("1"), RANGE(1, 1000)},
	{"per_second", CONFIG_NUMBER, RELAY(limit.per_second), ELSE("0"), RANGE(0, 100000)},
	{"per_hour", CONFIG_NUMBER, RELAY(limit.per_hour), ELSE("0"), RANGE(0, 1000000000)},
	{"per_day", CONFIG_NUMBER, RELAY(limit.per_day), ELSE("0"), RANGE(0, 1000000000)},
	{"warm_up", CONFIG_GROWTH, RELAY(limit.warm_up)},
};
/* What is absent stays as the provider has it. */
static const struct config_key lane_keys[] = {
	{"per_minute", CONFIG_NUMBER, LANE(limit.per_minute), RANGE(0, 1000000)},
	{"at_once", CONFIG_NUMBER, LANE(limit.at_once), RANGE(0, 100000)},
};
static const struct config_key delivery_keys[] = {
	{"expire_after", CONFIG_DURATION, CONFIG(delivery.expire_after), ELSE("72h"),
		RANGE(60, 30 * DAY)},
	{"late_after", CONFIG_DURATION, CONFIG(delivery.late_after), ELSE("6h"),
		RANGE(0, 365 * DAY)},
	{"in_doubt", CONFIG_CHOICE, CONFIG(delivery.resend_in_doubt), ELSE("resend-once"),
		.choice = hold_resend},
	{"lease", CONFIG_DURATION, CONFIG(delivery.lease), ELSE("2m"), RANGE(10, DAY)},
	{"canary", CONFIG_TEXT, CONFIG(delivery.canary), ELSE("1%,10%"), RANGE(0, 100)},
	{"canary_wait", CONFIG_DURATION, CONFIG(delivery.canary_wait), ELSE("10m"), RANGE(0, DAY)},
};
#define DKIM(member) FIELD(config_dkim, member)
static const struct config_key dkim_keys[] = {
	{"domain", CONFIG_DOMAIN, DKIM(domain), NEEDED},
	{"key_file", CONFIG_PATH, DKIM(key_file), NEEDED},
};
static const struct config_key bounce_keys[] = {
	{"domain", CONFIG_DOMAIN, CONFIG(bounce.domain)},
	{"prefix", CONFIG_NAME, CONFIG(bounce.prefix), ELSE("b-"), RANGE(0, 12)},
	{"unsubscribe", CONFIG_NAME, CONFIG(bounce.unsubscribe), ELSE(""), RANGE(0, 12)},
	{"keep", CONFIG_DURATION, CONFIG(bounce.keep), ELSE("90d"), RANGE(30 * DAY, 3650 * DAY)},
};
/* Mistakes in DNS heal, and so do full mailboxes: these take more than one word. */
static const struct config_key suppress_keys[] = {
	{"recipient", CONFIG_TIMES, CONFIG(suppress.line[REASON_RECIPIENT]), ELSE("now")},
	{"domain", CONFIG_TIMES, CONFIG(suppress.line[REASON_DOMAIN]), ELSE("2 in 24h")},
	{"disabled", CONFIG_TIMES, CONFIG(suppress.line[REASON_DISABLED]), ELSE("3 in 24h")},
	{"full", CONFIG_TIMES, CONFIG(suppress.line[REASON_FULL]), ELSE("5 in 30d")},
	{"transient", CONFIG_TIMES, CONFIG(suppress.line[REASON_TRANSIENT]), ELSE("5 in 14d")},
	{"complaint", CONFIG_TIMES, CONFIG(suppress.complaint), ELSE("now")},
};
static const struct config_key mailbox_keys[] = {
	{"url", CONFIG_MAIL_URL, CONFIG(mailbox.account.url), NEEDED},
	{"username", CONFIG_TEXT, CONFIG(mailbox.account.username), NEEDED, RANGE(1, 254)},
	{"password_file", CONFIG_PATH, CONFIG(mailbox.password_file), NEEDED},
	{"ca_file", CONFIG_PATH, CONFIG(mailbox.account.ca_file)},
	{"filed", CONFIG_NAME, CONFIG(mailbox.account.filed), ELSE("Filed"), RANGE(1, 64)},
};
static const struct config_key utm_keys[] = {
	{"source", CONFIG_TEXT, CONFIG(utm.source), NEEDED, RANGE(1, 100)},
	{"medium", CONFIG_TEXT, CONFIG(utm.medium), ELSE("email"), RANGE(1, 100)},
	{"hosts", CONFIG_TEXT, CONFIG(utm.hosts), NEEDED, RANGE(1, 1000)},
};
static const struct config_key web_keys[] = {
	{"url", CONFIG_URL, CONFIG(web.url)},
	{"forms_per_hour", CONFIG_NUMBER, CONFIG(web.forms_per_hour), ELSE("1000"),
		RANGE(1, 1000000)},
	{"metrics", CONFIG_TEXT, CONFIG(web.metrics), RANGE(3, 200)},
	{"listen", CONFIG_TEXT, CONFIG(web.listen), ELSE("127.0.0.1:8025"), RANGE(3, 200)},
};
static const struct config_block blocks[] = {
	{"", KEYS(top_keys)},
	{"publication", KEYS(publication_keys)},
	{"relay", KEYS(relay_keys), .titled = true},
	{"lane", KEYS(lane_keys), .titled = true},
	{"delivery", KEYS(delivery_keys)},
	{"dkim", KEYS(dkim_keys), .titled = true},
	{"bounce", KEYS(bounce_keys)},
	{"suppress", KEYS(suppress_keys)},
	{"mailbox", KEYS(mailbox_keys)},
	{"utm", KEYS(utm_keys)},
	{"web", KEYS(web_keys)},
};
enum { BLOCK_N = sizeof blocks / sizeof blocks[0] };

bool config_key_name(size_t i, const char **block, const char **key)
{
	for (size_t b = 0; b < BLOCK_N; b++) {
		if (i < blocks[b].key_n) {
			*block = blocks[b].name;
			*key = blocks[b].key[i].name;
			return true;
		}
		i -= blocks[b].key_n;
	}
	return false;
}

/* "FILE:LINE: BLOCK 'TITLE': " in front of what is wrong in a section; without the line where the
 * section is absent. */
static int in_section(
	const struct config *c, const struct config_section *s, int line, struct err *e)
{
	if (s->title)
		err_prefix(e, "%s '%s': ", s->block->name, s->title);
	else if (s->block->name[0])
		err_prefix(e, "%s: ", s->block->name);
	return line ? err_prefix(e, "%s:%d: ", c->file, line) : err_prefix(e, "%s: ", c->file);
}

/* Fill the struct `block` from a section, what is absent from the fallbacks. */
static int fill(struct arena *a, const struct config *c, const struct config_section *s,
	void *block, struct err *e)
{
	for (size_t i = 0; i < s->block->key_n; i++) {
		const struct config_key *key = &s->block->key[i];
		const struct config_entry *entry = config_entry_get(s, key->name);
		struct str value = entry ? entry->value : str_of(key->fallback);

		if (!entry && key->needed) {
			err_set(e, ERR_CONFIG, "'%s' is missing: it must be given", key->name);
			return in_section(c, s, s->line, e);
		}
		if (value.p && config_value_set(a, c->folder, key, value, block, e) < 0)
			return in_section(c, s, entry ? entry->line : 0, e);
	}
	return 0;
}

/* ---- relays ---- */

/* What several keys of a relay must hold together. The key to blame goes to `*key`. */
static int check_relay(const struct config_relay *r, const char **key, struct err *e)
{
	bool here = config_is_loopback(str_of(r->relay.host));

	*key = "transport";
	if (r->relay.transport == RELAY_ESMTP &&
		(!here || r->relay.tls != RELAY_TLS_NONE || r->relay.username))
		return err_set(e, ERR_CONFIG,
			"transport 'esmtp' is for a mail server on this machine with tls = none "
			"and "
			"no username: with TLS libesmtp accepts replies injected before the "
			"handshake and may hang; use transport = curl");
	*key = "tls";
	if (r->relay.tls == RELAY_TLS_NONE && !here && !r->allow_plaintext)
		return err_set(e, ERR_CONFIG,
			"tls = none would send mail in clear over the network: use starttls or "
			"implicit, or say allow_plaintext = yes where the way is safe by other "
			"means");
	*key = "username";
	if (r->relay.username && !r->password_file)
		return err_set(
			e, ERR_CONFIG, "username is given without a password: add password_file");
	*key = "password_file";
	if (!r->relay.username && r->password_file)
		return err_set(
			e, ERR_CONFIG, "password_file is given without a username: add username");
	return 0;
}

static int read_relay(struct arena *a, const struct config *c, const struct config_section *s,
	struct config_relay *r, struct err *e)
{
	static const uint16_t port_of[] = {
		[RELAY_TLS_STARTTLS] = 587, [RELAY_TLS_IMPLICIT] = 465, [RELAY_TLS_NONE] = 25};
	const struct config_key title = {
		.name = "title", .type = CONFIG_NAME, RELAY(relay.name), RANGE(1, 32)};
	const char *key;

	if (config_value_set(a, c->folder, &title, str_of(s->title), r, e) < 0)
		return in_section(c, s, s->line, e);
	if (fill(a, c, s, r, e) < 0)
		return -1;
	if (!r->relay.port)
		r->relay.port = port_of[r->relay.tls];
	if (check_relay(r, &key, e) < 0) {
		const struct config_entry *entry = config_entry_get(s, key);

		return in_section(c, s, entry ? entry->line : s->line, e);
	}
	return 0;
}

/* ---- lanes ---- */

static struct pace_lane_limits provider_limits(struct str name)
{
	const struct provider *p = provider_get(provider_find(name));

	return p ? (struct pace_lane_limits){p->per_minute, p->connections}
		 : (struct pace_lane_limits){0};
}

static int read_lane(struct arena *a, const struct config *c, const struct config_section *s,
	struct config_lane *l, struct err *e)
{
	static const struct config_key title = {.name = "title", .type = CONFIG_DOMAIN, LANE(name)};
	bool domain = strchr(s->title, '.') != NULL;

	l->name = str_of(s->title);
	if (!domain && provider_find(l->name) < 0) {
		err_set(e, ERR_CONFIG,
			"there is no such provider: name one of lettermill.conf(5), a mail domain "
			"such as example.org, or 'other' for all small domains together");
		return in_section(c, s, s->line, e);
	}
	if (domain && config_value_set(a, c->folder, &title, l->name, l, e) < 0)
		return in_section(c, s, s->line, e);
	l->limit = provider_limits(l->name);
	return fill(a, c, s, l, e);
}

struct pace_lane_limits config_lane_limits(const struct config *c, struct str name)
{
	for (size_t i = 0; i < c->lane_n; i++)
		if (str_eq(c->lane[i].name, name))
			return c->lane[i].limit;
	return provider_limits(name);
}

static int read_dkim(struct arena *a, const struct config *c, const struct config_section *s,
	struct config_dkim *d, struct err *e)
{
	static const struct config_key title = {
		.name = "title", .type = CONFIG_NAME, DKIM(selector), RANGE(1, 63)};

	if (config_value_set(a, c->folder, &title, str_of(s->title), d, e) < 0)
		return in_section(c, s, s->line, e);
	return fill(a, c, s, d, e);
}

static int read_titled(
	struct arena *a, const struct config_section *s, struct config *c, struct err *e)
{
	size_t n = 0;

	for (const struct config_section *i = s; i; i = i->next)
		n += i->block->titled;
	c->relay = arena_array(a, n, sizeof *c->relay);
	c->lane = arena_array(a, n, sizeof *c->lane);
	c->dkim = arena_array(a, n, sizeof *c->dkim);
	for (; s; s = s->next)
		if (s->block->key == relay_keys) {
			if (read_relay(a, c, s, &c->relay[c->relay_n++], e) < 0)
				return -1;
		} else if (s->block->key == lane_keys) {
			if (read_lane(a, c, s, &c->lane[c->lane_n++], e) < 0)
				return -1;
		} else if (s->block->key == dkim_keys) {
			if (read_dkim(a, c, s, &c->dkim[c->dkim_n++], e) < 0)
				return -1;
		}
	return 0;
}

/* ---- the file ---- */

/* Letters and digits of the list domain, as Feedback-ID wants them: 5 to 15. */
static struct str default_sender_id(struct arena *a, struct str domain)
{
	char id[15];
	size_t n = 0;

	for (size_t i = 0; i < domain.n && n < sizeof id; i++)
		if (domain.p[i] != '.' && domain.p[i] != '-')
			id[n++] = domain.p[i];
	return n < 5 ? STR("lettermill") : arena_str(a, (struct str){id, n});
}

/* Beside the file, but for a site in /etc/NAME, where services cannot write: in /var/lib/NAME. */
static const char *default_database(struct arena *a, const char *folder)
{
	static const char etc[] = "/etc/";

	if (strncmp(folder, etc, sizeof etc - 1) == 0)
		return arena_printf(a, "/var/lib/%s/lettermill.db", folder + sizeof etc - 1);
	return arena_printf(a, "%s/lettermill.db", folder);
}

static void fill_dependent(struct arena *a, struct config *c)
{
	if (!c->database)
		c->database = default_database(a, c->folder);
	if (!c->publication.list_domain.n)
		c->publication.list_domain = c->publication.from.addr.domain;
	if (!c->publication.sender_id.n)
		c->publication.sender_id = default_sender_id(a, c->publication.list_domain);
	if (!c->bounce.domain.n)
		c->bounce.domain = c->publication.from.addr.domain;
	if (!c->web.url.n)
		c->web.url = c->publication.url;
}

static int read_sections(
	struct arena *a, const struct config_section *first, struct config *c, struct err *e)
{
	for (const struct config_section *s = first; s; s = s->next) {
		bool absent = !s->entry && (strcmp(s->block->name, "mailbox") == 0 ||
						   strcmp(s->block->name, "utm") == 0);

		if (!s->block->titled && !absent && fill(a, c, s, c, e) < 0)
			return -1;
	}
	if (read_titled(a, first, c, e) < 0)
		return -1;
	fill_dependent(a, c);
	return 0;
}

static int check_text(const char *path, struct str text, struct err *e)
{
	size_t bad = utf8_invalid_at(text), nul = str_find(text, '\0');
	int line = 1;

	if (nul < bad)
		bad = nul;
	if (bad == text.n)
		return 0;
	for (size_t i = 0; i < bad; i++)
		line += text.p[i] == '\n';
	return err_set(
		e, ERR_CONFIG, "%s:%d: the file is no UTF-8 text: save it as UTF-8", path, line);
}

static const char *folder_of(struct arena *a, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	struct str name = slash ? (struct str){path, (size_t)(slash - path) + 1} : STR(".");
	char *absolute = realpath(arena_cstr(a, name), NULL);
	const char *folder;

	if (!absolute) {
		err_sys(e, "cannot find the folder of '%s'", path);
		return NULL;
	}
	folder = arena_cstr(a, str_of(absolute));
	free(absolute);
	return folder;
}

int config_read(struct arena *a, const char *path, struct config *out, struct err *e)
{
	struct config_section *sections;
	struct buf text;
	int rc = -1;

	*out = (struct config){.file = arena_cstr(a, str_of(path))};
	buf_init(&text, CONFIG_MAX);
	if (file_read(path, &text, e) < 0 || check_text(path, buf_view(&text), e) < 0)
		goto out;
	out->folder = folder_of(a, path, e);
	if (!out->folder ||
		config_file_parse(a, path, buf_text(&text), blocks, BLOCK_N, &sections, e) < 0)
		goto out;
	rc = read_sections(a, sections, out, e);
out:
	buf_free(&text);
	return rc;
}

int config_relay_get(
	const struct config *c, const char *name, const struct config_relay **out, struct err *e)
{
	const char *names[64], *near;
	size_t n = 0;

	if (c->relay_n == 0)
		return err_set(e, ERR_CONFIG,
			"%s: no relay is configured: add relay \"main\" { host = \"…\" }", c->file);
	for (size_t i = 0; i < c->relay_n; i++) {
		if (!name || strcmp(c->relay[i].relay.name, name) == 0) {
			*out = &c->relay[i];
			return 0;
		}
		if (n < sizeof names / sizeof names[0])
			names[n++] = c->relay[i].relay.name;
	}
	near = str_nearest(str_of(name), names, n);
	return err_set(e, ERR_MISSING, "%s has no relay '%s': %s '%s'%s", c->file, name,
		near ? "did you mean" : "the first is", near ? near : names[0], near ? "?" : "");
}
