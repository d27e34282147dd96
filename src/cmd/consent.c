/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/enc.h"
#include "cmd.h"
#include "person.h"

#include <inttypes.h>
#include <stdio.h>

static const char *hex(struct cmd *c, const unsigned char hash[CONSENT_HASH_SIZE])
{
	struct buf out;
	const char *text;

	buf_init(&out, 2 * CONSENT_HASH_SIZE);
	enc_hex(&out, (struct str){(const char *)hash, CONSENT_HASH_SIZE});
	text = arena_cstr(&c->arena, buf_view(&out));
	buf_free(&out);
	return text;
}

static json_t *text_or_null(struct str s)
{
	return s.n ? cmd_json_text(s) : json_null();
}

json_t *consent_json(struct cmd *c, const struct consent *x)
{
	return json_pack("{s:I, s:o, s:s, s:i, s:o, s:I, s:o, s:o, s:o, s:s, s:s}", "consent",
		(json_int_t)x->id, "list", cmd_json_text(x->list), "status",
		consent_status_name(x->status), "status_number", x->status, "at",
		cmd_json_time(x->at), "unix", (json_int_t)x->at, "source", cmd_json_text(x->source),
		"line", x->line ? json_integer(x->line) : json_null(), "detail",
		text_or_null(x->detail), "before", hex(c, x->before), "hash", hex(c, x->hash));
}

static void print_consent(struct cmd *c, const struct consent *x)
{
	printf("\nconsent %" PRId64 "  %s UTC  list %s: %s\n", x->id, cmd_time(c, x->at),
		cmd_text(c, x->list), consent_status_name(x->status));
	printf("  by      %s", cmd_text(c, x->source));
	if (x->line)
		printf(", line %" PRId64, x->line);
	printf("\n");
	if (x->detail.n)
		printf("  detail  %s\n", cmd_text(c, x->detail));
	printf("  before  %s\n  hash    %s\n", hex(c, x->before), hex(c, x->hash));
}

static void tell_finding(void *user, const char *text)
{
	(void)user;
	fprintf(stderr, "%s\n", text);
}

static void print_all(struct cmd *c, struct str key, const struct consent *x, size_t n,
	const struct consent *last, int findings)
{
	json_t *all;

	if (c->json) {
		all = json_array();
		for (size_t i = 0; i < n; i++)
			json_array_append_new(all, consent_json(c, &x[i]));
		cmd_json(json_pack("{s:o, s:o, s:{s:I, s:s, s:b}}", "address", cmd_json_text(key),
			"consents", all, "chain", "length", (json_int_t)last->id, "hash",
			hex(c, last->hash), "sound", findings == 0));
		return;
	}
	printf("consents of %s, oldest first\n", cmd_text(c, key));
	for (size_t i = 0; i < n; i++)
		print_consent(c, &x[i]);
	printf("\nthe chain of %s %s; its last hash is\n  %s\n",
		cmd_count(c, last->id, "consent", "consents"),
		findings ? "is BROKEN" : "is whole, every hash was computed anew",
		hex(c, last->hash));
}

static int prove(struct cmd *c, struct err *e)
{
	struct subscriber who;
	struct consent *x = NULL, last;
	struct addr addr;
	struct site s;
	size_t n = 0;
	int findings = -1;

	if (cmd_options(c, NULL, 1, 1, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	/* At one moment: nothing is written in between. */
	if (store_begin(s.store, e) == 0 &&
		cmd_subscriber(c, &s, c->argv[0], &addr, &who, e) == 0 &&
		consents_get(s.store, who.id, &c->arena, &x, &n, e) == 0)
		findings = consents_verify(s.store, tell_finding, NULL, &last, e);
	if (findings >= 0)
		print_all(c, addr.key, x, n, &last, findings);
	site_close(&s);
	return findings > 0 ? EXIT_NO : findings;
}

const struct command consent_commands[] = {
	{"prove", "[--json] ADDRESS", "Print how somebody's consents came about, as evidence",
		prove, NULL},
	{0},
};
