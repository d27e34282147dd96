/* SPDX-License-Identifier: MIT */
#include "mail/dkim.h"
#include "base/file.h"
#include "cmd.h"
#include "mail/addr.h"

#include <stdio.h>
#include <string.h>

enum { PEM_MAX = 16 * 1024, RECORD_MAX = 4096, STRING_MAX = 250, SELECTOR_MAX = 50 };

/* A TXT record as a zone file has it: strings of at most 255 octets (RFC 1035 section 3.3.14). */
static void print_record(struct cmd *c, struct str selector, struct str domain, struct str record)
{
	printf("%s._domainkey.%s. IN TXT (", cmd_text(c, selector), cmd_text(c, domain));
	for (size_t at = 0; at < record.n; at += STRING_MAX)
		printf("\n\t\"%s\"", cmd_text(c, str_slice(record, at, at + STRING_MAX)));
	printf(" )\n");
}

static json_t *record_json(
	struct str selector, struct str domain, const char *key_file, struct str record)
{
	return json_pack("{s:o, s:o, s:s, s:o}", "selector", cmd_json_text(selector), "domain",
		cmd_json_text(domain), "key_file", key_file, "record", cmd_json_text(record));
}

static int read_record(struct cmd *c, struct str pem, struct str selector, struct str domain,
	struct str *out, struct err *e)
{
	struct dkim *d = NULL;
	struct buf record;
	int rc;

	if (dkim_open(pem, domain, selector, &d, e) < 0)
		return -1;
	buf_init(&record, RECORD_MAX);
	rc = dkim_record(d, &record, e);
	*out = arena_str(&c->arena, buf_view(&record));
	buf_free(&record);
	dkim_close(d);
	return rc;
}

/* ---- new ---- */

struct new_key {
	enum dkim_type type;
	struct str selector, record;
	const char *file; /* as the configuration names it */
};

static int make_key(
	struct cmd *c, const struct site *s, struct str domain, struct new_key *k, struct err *e)
{
	struct buf pem;
	int rc;

	k->file = arena_printf(&c->arena, "secrets/dkim-%.*s.pem", STR_ARG(k->selector));
	buf_init(&pem, PEM_MAX);
	rc = dkim_generate(k->type, &pem, e);
	if (rc == 0)
		rc = read_record(c, buf_view(&pem), k->selector, domain, &k->record, e);
	if (rc == 0)
		rc = file_create(arena_printf(&c->arena, "%s/%s", s->config.folder, k->file),
			buf_view(&pem), 0600, e);
	if (rc < 0 && e->code == ERR_EXISTS)
		err_set(e, ERR_EXISTS,
			"there is a key '%s' already, which mail on its way may need: choose "
			"another "
			"name with --selector",
			k->file);
	if (pem.p)
		explicit_bzero(pem.p, pem.n);
	buf_free(&pem);
	return rc;
}

static void print_new(struct cmd *c, struct str domain, const struct new_key *key, size_t n)
{
	if (c->json)
		for (size_t i = 0; i < n; i++)
			cmd_json(record_json(key[i].selector, domain, key[i].file, key[i].record));
	if (c->json || c->quiet)
		return;
	printf("Two keys are made. Publish these records:\n\n");
	for (size_t i = 0; i < n; i++)
		print_record(c, key[i].selector, domain, key[i].record);
	printf("\nWhen 'dig TXT NAME' shows them, put this into lettermill.conf:\n\n");
	for (size_t i = 0; i < n; i++)
		printf("dkim \"%s\" {\n\tdomain = \"%s\"\n\tkey_file = \"%s\"\n}\n",
			cmd_text(c, key[i].selector), cmd_text(c, domain), key[i].file);
}

/* A selector becomes part of a name in the DNS and of a file's. */
static int check_selector(const char *selector, struct err *e)
{
	size_t n = strlen(selector);

	if (n == 0 || n > SELECTOR_MAX ||
		strspn(selector, "abcdefghijklmnopqrstuvwxyz0123456789-") != n ||
		selector[0] == '-' || selector[n - 1] == '-')
		return err_set(e, ERR_USAGE,
			"--selector is '%s': use 1 to %d of a-z, 0-9 and '-', such as mill2",
			selector, SELECTOR_MAX);
	return 0;
}

int cmd_dkim_new(struct cmd *c, struct err *e)
{
	const char *selector = "mill1";
	const struct cmd_option options[] = {
		{"selector", "NAME", "name of the keys in the DNS, else mill1", .text = &selector},
		{0},
	};
	struct new_key key[] = {{.type = DKIM_RSA}, {.type = DKIM_ED25519}};
	struct addr addr;
	struct site s;
	int rc = -1;

	if (cmd_options(c, options, 1, 1, e) < 0 || check_selector(selector, e) < 0)
		return -1;
	if (addr_parse(&c->arena, str_of(arena_printf(&c->arena, "x@%s", c->argv[0])), &addr,
		    NULL) < 0)
		return err_set(e, ERR_USAGE, "'%s' is no mail domain such as news.example.org",
			c->argv[0]);
	if (cmd_site(c, &s, e) < 0)
		return -1;
	key[0].selector = str_of(selector);
	key[1].selector = str_of(arena_printf(&c->arena, "%s-ed", selector));
	if (make_key(c, &s, addr.domain, &key[0], e) < 0 ||
		make_key(c, &s, addr.domain, &key[1], e) < 0)
		goto out;
	print_new(c, addr.domain, key, 2);
	rc = 0;
out:
	site_close(&s);
	return rc;
}

/* ---- show ---- */

int cmd_dkim_show(struct cmd *c, struct err *e)
{
	struct site s;
	int rc = 0;

	if (cmd_options(c, NULL, 0, 0, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < s.config.dkim_n; i++) {
		const struct config_dkim *d = &s.config.dkim[i];
		struct str pem, record;

		rc = config_secret(&c->arena, d->key_file, &pem, e);
		if (rc == 0)
			rc = read_record(c, pem, d->selector, d->domain, &record, e);
		if (rc < 0)
			err_prefix(e, "dkim '%.*s': ", STR_ARG(d->selector));
		else if (c->json)
			cmd_json(record_json(d->selector, d->domain, d->key_file, record));
		else
			print_record(c, d->selector, d->domain, record);
	}
	if (rc == 0 && !s.config.dkim_n && !c->json && !c->quiet)
		printf("no key signs: the relay should. 'lettermill dkim new DOMAIN' makes two\n");
	site_close(&s);
	return rc;
}
