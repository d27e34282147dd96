/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/enc.h"
#include "base/file.h"
#include "cmd.h"
#include "mail/addr.h"
#include "store/people.h"

#include <stdio.h>
#include <string.h>

/*
 * The list of suppressions, and its two forms on the move. With addresses: `address,reason,time,source`; only
 * addresses that people here have are known. Hashed: a first line `hashed KEY`, then `hash,reason,time`.
 */
enum { LIST_MAX = 1 << 30 };

struct listing {
	struct cmd *c;
	struct arena a;
	bool hashed;
	int64_t unknown; /* left out: known by their hash alone */
};

static bool is_domain(const struct suppression *one)
{
	return one->email.n && one->email.p[0] == '@';
}

static const char *hex_of(struct arena *a, const unsigned char *hash)
{
	struct buf b;
	const char *text;

	buf_init(&b, 2 * SUPPRESSION_HASH_SIZE);
	enc_hex(&b, (struct str){(const char *)hash, SUPPRESSION_HASH_SIZE});
	text = arena_cstr(a, buf_view(&b));
	buf_free(&b);
	return text;
}

/* ---- ls ---- */

static bool show(void *user, const struct suppression *one)
{
	struct listing *l = user;
	const char *who = one->email.n ? cmd_text_in(&l->a, one->email)
				       : arena_printf(&l->a, "#%s", hex_of(&l->a, one->hash));
	char at[CLOCK_ISO_SIZE];

	clock_iso(one->at, at);
	if (l->c->json)
		cmd_json(json_pack("{s:o, s:s, s:o, s:o, s:o}", "address",
			one->email.n ? cmd_json_text(one->email) : json_null(), "hash",
			hex_of(&l->a, one->hash), "reason", cmd_json_text(one->reason), "at",
			cmd_json_time(one->at), "source", cmd_json_text(one->source)));
	else
		printf("%s  %-10s  %-34s  %s\n", at, cmd_text_in(&l->a, one->reason), who,
			cmd_text_in(&l->a, one->source));
	arena_reset(&l->a);
	return true;
}

static int list(struct cmd *c, bool (*each)(void *, const struct suppression *), bool hashed,
	int64_t *unknown, struct err *e)
{
	struct listing l = {.c = c, .hashed = hashed};
	struct site s;
	struct str secret;
	int rc;

	if (cmd_site(c, &s, e) < 0)
		return -1;
	rc = hashed ? suppression_secret(s.store, &l.a, &secret, e) : 0;
	if (rc == 0 && hashed)
		printf("hashed %.*s\n", STR_ARG(secret));
	if (rc == 0)
		rc = suppressions_each(s.store, each, &l, e);
	*unknown = l.unknown;
	arena_free(&l.a);
	site_close(&s);
	return rc;
}

static int ls(struct cmd *c, struct err *e)
{
	int64_t unknown;

	return cmd_options(c, NULL, 0, 0, e) < 0 ? -1 : list(c, show, false, &unknown, e);
}

/* ---- export ---- */

static bool put(void *user, const struct suppression *one)
{
	struct listing *l = user;
	char at[CLOCK_ISO_SIZE];

	clock_iso(one->at, at);
	if (l->hashed && !is_domain(one))
		printf("%s,%.*s,%s\n", hex_of(&l->a, one->hash), STR_ARG(one->reason), at);
	else if (one->email.n)
		printf("%.*s,%.*s,%s,%.*s\n", STR_ARG(one->email), STR_ARG(one->reason), at,
			STR_ARG(one->source));
	l->unknown += !l->hashed && !one->email.n;
	arena_reset(&l->a);
	return true;
}

static int export(struct cmd *c, struct err *e)
{
	bool hashed = false;
	const struct cmd_option options[] = {
		{"hashed", NULL, "no addresses: hashes and the key they are made under",
			.flag = &hashed},
		{0},
	};
	int64_t unknown = 0;

	if (cmd_options(c, options, 0, 0, e) < 0 || list(c, put, hashed, &unknown, e) < 0)
		return -1;
	if (unknown && !c->quiet)
		fprintf(stderr, "%s left out, known by a hash alone: --hashed takes all\n",
			cmd_count(c, unknown, "suppression", "suppressions"));
	return 0;
}

/* ---- import ---- */

struct taking {
	struct cmd *c;
	struct site *site;
	const char *file;
	size_t line;
	struct str secret; /* of the hashes; empty = the file has addresses */
	int64_t rows, added, rejected;
};

static void reject(struct taking *t, const char *why)
{
	t->rejected++;
	fprintf(stderr, "%s:%zu: %s\n", cmd_text(t->c, str_of(t->file)), t->line, why);
}

static bool read_hash(struct str hex, unsigned char out[SUPPRESSION_HASH_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	if (hex.n != (size_t)2 * SUPPRESSION_HASH_SIZE)
		return false;
	for (size_t i = 0; i < hex.n; i++) {
		const char *digit = hex.p[i] ? strchr(digits, hex.p[i]) : NULL;

		if (!digit)
			return false;
		out[i / 2] = (unsigned char)(out[i / 2] << 4 | (digit - digits));
	}
	return true;
}

static int take_domain(
	struct taking *t, struct str who, const struct suppression *one, struct err *e)
{
	struct err bad = {0};
	struct addr addr;
	int64_t n;

	if (addr_parse(&t->c->arena, str_of(arena_printf(&t->c->arena, "a%.*s", STR_ARG(who))),
		    &addr, &bad) < 0) {
		reject(t, bad.text);
		return 0;
	}
	t->rows++;
	t->added++;
	return suppression_put_domain(
		t->site->store, addr.domain, arena_cstr(&t->c->arena, one->reason), one->at, &n, e);
}

static int take_row(struct taking *t, struct str row, struct err *e)
{
	struct suppression one = {.source = str_of(t->file)};
	struct str who, reason = STR(""), at = STR("");
	struct err bad = {0};
	struct addr addr;
	size_t quoted;
	int n;

	/* A comma in the quotes of an address ends nothing. */
	quoted = addr_quoted(row);
	who = str_slice(row, 0, quoted + str_find(str_slice(row, quoted, row.n), ','));
	row = str_slice(row, who.n + 1, row.n);
	str_next(&row, ',', &reason);
	str_next(&row, ',', &at);
	one.reason = reason.n ? reason : STR("imported");
	if (!at.n || !clock_parse(at, &one.at))
		one.at = clock_now();
	if (who.n && who.p[0] == '@')
		return take_domain(t, str_trim(who), &one, e);
	if (t->secret.n && !read_hash(str_trim(who), one.hash)) {
		reject(t, "this is no hash of 32 hexadecimal digits");
		return 0;
	}
	if (!t->secret.n &&
		addr_parse_as(&t->c->arena, str_trim(who), ADDR_QUOTED, &addr, &bad) < 0) {
		if (t->line > 1) /* the first may name the columns */
			reject(t, bad.text);
		return 0;
	}
	t->rows++;
	n = t->secret.n ? suppression_put_hash(t->site->store, t->secret, &one, e)
			: suppression_put(t->site->store, addr.key,
				  arena_cstr(&t->c->arena, one.reason), one.source, one.at, e);
	t->added += n > 0;
	return n < 0 ? -1 : 0;
}

static int take_file(struct taking *t, struct str text, struct err *e)
{
	struct store *store = t->site->store;
	struct str line;
	int64_t marked;

	if (store_begin(store, e) < 0)
		return -1;
	while (str_next(&text, '\n', &line)) {
		line = str_trim(line);
		if (++t->line == 1 && str_has_prefix(line, STR("hashed "))) {
			t->secret = str_slice(line, 7, line.n);
			continue;
		}
		if (line.n && take_row(t, line, e) < 0)
			goto failed;
	}
	if (t->secret.n && suppressions_adopt(store, t->secret, &marked, e) < 0)
		goto failed;
	return store_commit(store, e);
failed:
	store_rollback(store);
	return -1;
}

static int take(struct cmd *c, struct err *e)
{
	struct taking t = {.c = c};
	struct site s = {0};
	struct buf text;
	int rc = -1;

	if (cmd_options(c, NULL, 1, 1, e) < 0)
		return -1;
	t.file = c->argv[0];
	t.site = &s;
	buf_init(&text, LIST_MAX);
	if (file_read(t.file, &text, e) == 0 && cmd_site(c, &s, e) == 0)
		rc = take_file(&t, buf_view(&text), e);
	site_close(&s);
	buf_free(&text);
	if (rc == 0 && c->json)
		cmd_json(json_pack("{s:I, s:I, s:I}", "rows", (json_int_t)t.rows, "added",
			(json_int_t)t.added, "rejected", (json_int_t)t.rejected));
	else if (rc == 0 && !c->quiet)
		printf("%s, %s new, %s rejected\n",
			cmd_count(c, t.rows, "suppression", "suppressions"), cmd_number(c, t.added),
			cmd_number(c, t.rejected));
	return rc;
}

const struct command suppression_commands[] = {
	{"ls", "[--json]", "List addresses that get no mail, and why", ls, NULL},
	{"export", "[--hashed]", "Write the list to standard output", export, NULL},
	{"import", "[--json] FILE", "Take such a list, or one of addresses", take, NULL},
	{0},
};
