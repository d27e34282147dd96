/* SPDX-License-Identifier: MIT */
#include "smtpd.h"

#include <inttypes.h>

void transaction_reset(struct transaction *t)
{
	struct arena arena = t->arena;
	struct buf text = t->text;

	arena_reset(&arena);
	buf_reset(&text);
	*t = (struct transaction){.arena = arena, .text = text};
}

void transaction_free(struct transaction *t)
{
	arena_free(&t->arena);
	buf_free(&t->text);
}

/* Split "FROM:<address> PARAMETERS" behind `prefix`. */
static bool path_split(struct str args, struct str prefix, struct str *address, struct str *params)
{
	bool quoted = false;
	size_t i;

	if (!str_has_prefix_nocase(args, prefix) || args.n <= prefix.n || args.p[prefix.n] != '<')
		return false;
	args = str_slice(args, prefix.n + 1, args.n);
	for (i = 0; i < args.n && (quoted || args.p[i] != '>'); i++) {
		if (args.p[i] == '"')
			quoted = !quoted;
		if (args.p[i] == '\\')
			i++;
	}
	if (i >= args.n || (i + 1 < args.n && args.p[i + 1] != ' '))
		return false;
	*address = str_slice(args, 0, i);
	*params = str_trim(str_slice(args, i + 1, args.n));
	return true;
}

/* Whether the address may be used in this transaction; if not, the reply is given. */
static bool ascii_or_utf8(struct conn *c, struct str address)
{
	for (size_t i = 0; i < address.n; i++)
		if ((unsigned char)address.p[i] >= 0x80 && !c->t.utf8) {
			record_violation(c, "8-bit address without SMTPUTF8", address);
			reply_plain(c, 553, "5.6.7", "this address needs SMTPUTF8");
			return false;
		}
	return true;
}

/* The parameters of MAIL and RCPT, the extension each needs, and where its value goes. */
struct param {
	const char *name;
	enum extension needs;
	const char **value; /* NULL = not kept */
	bool *flag; /* set when it has no value */
};

/* Parse `text`; false, and the reply given, for what is unknown or was not offered. */
static bool params_parse(struct conn *c, struct str text, const struct param *param, size_t n)
{
	struct str word;

	while (text.n && str_next(&text, ' ', &word)) {
		size_t eq = str_find(word, '='), i = 0;
		struct str name = str_slice(word, 0, eq);

		while (i < n && !str_eq_nocase(name, str_of(param[i].name)))
			i++;
		if (i == n || !c->extended || !(c->server->o->extensions & param[i].needs) ||
			(eq == word.n) != (param[i].flag != NULL)) {
			record_violation(c, "parameter not offered", word);
			reply_plain(c, 555, "5.5.4", "parameter not recognised");
			return false;
		}
		if (param[i].value)
			*param[i].value = arena_cstr(&c->t.arena, str_slice(word, eq + 1, word.n));
		if (param[i].flag)
			*param[i].flag = true;
	}
	return true;
}

void envelope_mail(struct conn *c, struct str args)
{
	struct transaction *t = &c->t;
	struct str address, params;
	const char *size = NULL;
	int64_t octets = 0;
	const struct param known[] = {
		{"BODY", EXT_8BITMIME, &t->body, NULL},
		{"SIZE", EXT_SIZE, &size, NULL},
		{"SMTPUTF8", EXT_SMTPUTF8, NULL, &t->utf8},
		{"RET", EXT_DSN, &t->ret, NULL},
		{"ENVID", EXT_DSN, &t->envid, NULL},
		{"AUTH", EXT_AUTH, NULL, NULL},
	};
	int code = 250;

	transaction_reset(t);
	c->msg++;
	if (!path_split(args, STR("FROM:"), &address, &params)) {
		record_violation(c, "syntax", args);
		reply_plain(c, 501, "5.5.4", "MAIL FROM:<address> is wanted");
		return;
	}
	if (!params_parse(c, params, known, sizeof(known) / sizeof(known[0])))
		return;
	if (!ascii_or_utf8(c, address))
		return;
	if (size && (!str_to_int(str_of(size), 0, INT64_MAX, &octets) ||
			    (uint64_t)octets > c->server->o->size))
		code = 552;
	t->sender = arena_cstr(&t->arena, address);
	code = reply(c, STEP_MAIL, t->sender, code, code == 250 ? "2.1.0" : "5.3.4",
		code == 250 ? "sender ok" : "message too large");
	t->open = code / 100 == 2;
}

static void recipients_grow(struct transaction *t)
{
	size_t cap = t->recipient_cap ? 2 * t->recipient_cap : 2;
	struct recipient *recipient = arena_array(&t->arena, cap, sizeof(*recipient));
	const char **address = arena_array(&t->arena, cap, sizeof(*address));

	for (size_t i = 0; i < t->recipient_n; i++) {
		recipient[i] = t->recipient[i];
		address[i] = t->address[i];
	}
	t->recipient = recipient;
	t->address = address;
	t->recipient_cap = cap;
}

void envelope_rcpt(struct conn *c, struct str args)
{
	struct transaction *t = &c->t;
	struct recipient r = {NULL, NULL, NULL};
	const struct param known[] = {
		{"NOTIFY", EXT_DSN, &r.notify, NULL},
		{"ORCPT", EXT_DSN, &r.orcpt, NULL},
	};
	struct str address, params;

	if (!t->open) {
		reply_plain(c, 503, "5.5.1", "MAIL first");
		return;
	}
	if (!path_split(args, STR("TO:"), &address, &params) || !address.n) {
		record_violation(c, "syntax", args);
		reply_plain(c, 501, "5.5.4", "RCPT TO:<address> is wanted");
		return;
	}
	if (!params_parse(c, params, known, sizeof(known) / sizeof(known[0])))
		return;
	if (!ascii_or_utf8(c, address))
		return;
	r.address = arena_cstr(&t->arena, address);
	if (t->recipient_n == RECIPIENTS_MAX) {
		reply_plain(c, 452, "4.5.3", "too many recipients");
		return;
	}
	if (reply(c, STEP_RCPT, r.address, 250, "2.1.5", "recipient ok") / 100 != 2)
		return;
	if (t->recipient_n == t->recipient_cap)
		recipients_grow(t);
	t->recipient[t->recipient_n] = r;
	t->address[t->recipient_n++] = r.address;
}
