/* SPDX-License-Identifier: MIT */
#include "cmd.h"
#include "net/transport.h"

#include <stdio.h>

/* One line of the dialogue of -v, on standard error. May be called from any thread: it makes one write
 * and touches nothing else. */
void cmd_print_dialogue(void *user, char direction, struct str line)
{
	struct arena a = {0};

	(void)user;
	fprintf(stderr, "%c %s\n", direction, cmd_text_in(&a, line));
	arena_free(&a);
}

static const char *const tls_words[] = {
	[RELAY_TLS_STARTTLS] = "STARTTLS",
	[RELAY_TLS_IMPLICIT] = "implicit TLS",
	[RELAY_TLS_NONE] = "without TLS",
};

static const char *offers(struct cmd *c, const struct smtp_caps *caps)
{
	const struct {
		bool has;
		const char *name;
	} all[] = {
		{caps->pipelining, "PIPELINING"},
		{caps->eightbitmime, "8BITMIME"},
		{caps->smtputf8, "SMTPUTF8"},
		{caps->dsn, "DSN"},
		{caps->chunking, "CHUNKING"},
		{caps->enhanced, "ENHANCEDSTATUSCODES"},
		{caps->starttls, "STARTTLS"},
	};
	const char *text = "";

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i].has)
			text = arena_printf(&c->arena, "%s %s", text, all[i].name);
	if (caps->has_size)
		text = arena_printf(&c->arena, "%s SIZE %llu", text, caps->size);
	if (caps->auth[0])
		text = arena_printf(&c->arena, "%s AUTH %s", text, cmd_text(c, str_of(caps->auth)));
	return text;
}

static void print_words(struct cmd *c, const struct relay *r, const struct relay_facts *f)
{
	printf("relay %s, %s:%u, %s\n", r->name, r->host, r->port, tls_words[r->tls]);
	printf("  greeting     %s\n", cmd_text(c, str_of(f->greeting)));
	if (f->tls_version[0]) {
		printf("  TLS          %s, %s\n", cmd_text(c, str_of(f->tls_version)),
			cmd_text(c, str_of(f->tls_cipher)));
		printf("  certificate  %s\n  issued by    %s\n  valid until  %s\n",
			cmd_text(c, str_of(f->certificate_subject)),
			cmd_text(c, str_of(f->certificate_issuer)),
			cmd_text(c, str_of(f->certificate_expires)));
	}
	if (r->username)
		printf("  login        %s as %s\n", f->authenticated ? "accepted" : "not asked for",
			cmd_text(c, str_of(r->username)));
	printf("  offers      %s\n", offers(c, &f->caps));
}

static void print_json(const struct relay *r, const struct relay_facts *f)
{
	const struct smtp_caps *k = &f->caps;
	json_t *caps = json_pack("{s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:o, s:o}", "pipelining",
		k->pipelining, "8bitmime", k->eightbitmime, "smtputf8", k->smtputf8, "dsn", k->dsn,
		"chunking", k->chunking, "enhancedstatuscodes", k->enhanced, "starttls",
		k->starttls, "size", k->has_size ? json_integer((json_int_t)k->size) : json_null(),
		"auth", cmd_json_text(str_of(k->auth)));
	json_t *tls = json_null();

	if (f->tls_version[0])
		tls = json_pack("{s:o, s:o, s:o, s:o, s:o}", "version",
			cmd_json_text(str_of(f->tls_version)), "cipher",
			cmd_json_text(str_of(f->tls_cipher)), "subject",
			cmd_json_text(str_of(f->certificate_subject)), "issuer",
			cmd_json_text(str_of(f->certificate_issuer)), "expires",
			cmd_json_text(str_of(f->certificate_expires)));
	cmd_json(json_pack("{s:s, s:b, s:s, s:i, s:o, s:o, s:b, s:o}", "relay", r->name, "ok", 1,
		"host", r->host, "port", r->port, "greeting", cmd_json_text(str_of(f->greeting)),
		"tls", tls, "authenticated", f->authenticated, "offers", caps));
}

static int check(struct cmd *c, const struct config_relay *found, struct err *e)
{
	struct relay relay = found->relay;
	struct relay_facts facts = {0};

	if (c->verbose)
		relay.on_dialogue = cmd_print_dialogue;
	if (relay_probe(&relay, &facts, e) < 0) {
		if (c->json)
			cmd_json(json_pack("{s:s, s:b, s:o}", "relay", relay.name, "ok", 0, "error",
				cmd_json_text(str_of(e->text))));
		return -1;
	}
	if (c->json)
		print_json(&relay, &facts);
	else
		print_words(c, &relay, &facts);
	return 0;
}

/* Each relay in turn; the first trouble becomes the command's, after the others have been looked at. */
static int check_all(struct cmd *c, const struct config *config, struct err *e)
{
	struct err first = {0};

	for (size_t i = 0; i < config->relay_n; i++) {
		struct err why = {0};

		if (check(c, &config->relay[i], &why) == 0)
			continue;
		if (!first.code)
			first = why;
		else
			fprintf(stderr, "lettermill: %s\n", why.text);
	}
	return first.code ? err_set(e, first.code, "%s", first.text) : 0;
}

int cmd_relay_check(struct cmd *c, struct err *e)
{
	const struct config_relay *found;
	struct site s;
	int rc = -1;

	if (cmd_options(c, NULL, 0, 1, e) < 0 || site_open_config(&s, NULL, c->config, e) < 0)
		return -1;
	if (config_relay_get(&s.config, c->argc ? c->argv[0] : NULL, &found, e) == 0 &&
		config_relay_secrets(&s.arena, &s.config, e) == 0)
		rc = c->argc ? check(c, found, e) : check_all(c, &s.config, e);
	site_close(&s);
	return rc;
}
