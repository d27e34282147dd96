/* SPDX-License-Identifier: MIT */
#include "mail/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "corpus.h"

static const char a63[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static int parse(struct arena *a, const char *text, struct addr *out)
{
	struct err e = {0};
	int rc = addr_parse(a, str_of(text), out, &e);

	if (rc < 0) {
		assert_int_equal(e.code, ERR_INPUT);
		assert_true(strlen(e.text) > 10);
	}
	return rc;
}

static void test_accepted(void **state)
{
	static const struct {
		const char *text, *email;
		bool utf8;
	} good[] = {
		{"a@b.example", "a@b.example", false},
		{"  a@b.example\t", "a@b.example", false},
		{"Ann.O'Hara+News@Mail.EXAMPLE.org", "Ann.O'Hara+News@mail.example.org", false},
		{"!#$%&'*+-/=?^_`{|}~@x-1.example", "!#$%&'*+-/=?^_`{|}~@x-1.example", false},
		{"a@1.2.3.4.example", "a@1.2.3.4.example", false},
		{"a@xn--mnchen-3ya.example", "a@xn--mnchen-3ya.example", false},
		{"a@münchen.example", "a@xn--mnchen-3ya.example", false},
		{"a@MÜNCHEN.example", "a@xn--mnchen-3ya.example", false},
		{"a@mu\xcc\x88nchen.example", "a@xn--mnchen-3ya.example", false},
		{"a@straße.example", "a@xn--strae-oqa.example", false},
		{"a@例え。テスト", "a@xn--r8jz45g.xn--zckzah", false},
		{"jürgen@b.example", "jürgen@b.example", true},
		{"ju\xcc\x88rgen@b.example", "jürgen@b.example", true},
		{"用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah", true},
	};
	struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct addr out;
		size_t at = strcspn(good[i].email, "@");

		assert_int_equal(parse(&a, good[i].text, &out), 0);
		assert_string_equal(out.email.p, good[i].email);
		assert_string_equal(out.key.p, good[i].email);
		assert_int_equal(out.email.n, strlen(good[i].email));
		assert_true(str_eq(out.local, (struct str){good[i].email, at}));
		assert_string_equal(out.domain.p, good[i].email + at + 1);
		assert_int_equal(out.utf8, good[i].utf8);
	}
	arena_free(&a);
}

/* What no newsletter is sent to. */
static const char *const bad[] = {
	"",
	" ",
	"a",
	"@",
	"a@",
	"@b.example",
	"a@b",
	"a@@b.example",
	"a@b@c.example",
	".a@b.example",
	"a.@b.example",
	"a..b@c.example",
	"a@.b.example",
	"a@b.example.",
	"a@b..example",
	"a@-b.example",
	"a@b-.example",
	"a@b_c.example",
	"a b@c.example",
	"a@b c.example",
	"a@b.example x",
	"\"a\"@b.example",
	"a(c)@b.example",
	"a@[192.0.2.1]",
	"a@192.0.2.1",
	"a@b.123",
	"<a@b.example>",
	"a@b.example>",
	"a@b.example\r\nRCPT TO:<c@d.example>",
	"a@b.example\n",
	"\r\na@b.example",
	"a@b.example\r",
	"a@b.example NOTIFY=NEVER",
	"a,b@c.example",
	"a@b.example,c@d.example",
	"a;b@c.example",
	"a:b@c.example",
	"a\\b@c.example",
	"a\x7f@b.example",
	/* UTF-8: broken, invisible, or ASCII specials once it is normalised */
	"j\xfcrgen@b.example",
	"a@b\xff.example",
	"a\xc2\xa0@b.example",
	"a\xe2\x80\xae@b.example",
	"a\xe2\x80\xa8@b.example",
	"a\xee\x80\x80@b.example",
	"a\xc2\x85@b.example",
	"a\xcd\xbe@b.example",
	"a@b\xef\xbc\xa0"
	"c.example",
	"a@b\xef\xbc\x8f"
	"c.example",
	"ü",
	"@ü.example",
	"ü@",
	"ü@b",
	"a@ü",
	"ü\"@b.example",
	"a@-ü.example",
	"a@ü.1",
};

static void test_refused(void **state)
{
	struct arena a = {0};
	struct addr out;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (parse(&a, bad[i], &out) == 0)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(addr_parse(&a, STR("a\0b@c.example"), &out, NULL), -1);
	assert_int_equal(addr_parse(&a, STR("\xc3\xbc\0b@c.example"), &out, NULL), -1);
	assert_int_equal(addr_parse(&a, STR("\xc3\xbc@c\0.example"), &out, NULL), -1);
	arena_free(&a);
}

/* Under ADDR_QUOTED: one spelling for each mailbox, and no other syntax that is not mailed. */
static const struct {
	const char *text, *email; /* NULL = refused */
} quoted[] = {
	{"\"a\"@b.example", "a@b.example"},
	{"\"Ann.Lee+x\"@B.example", "Ann.Lee+x@b.example"},
	{"\"\\a\"@b.example", "a@b.example"},
	{"\"jürgen\"@b.example", "jürgen@b.example"},
	{"a@b.example", "a@b.example"},
	{" \"ann lee\"@B.example ", "\"ann lee\"@b.example"},
	{"\"ann\\ lee\"@b.example", "\"ann lee\"@b.example"},
	{"\"\\a\\\"\\\\\"@b.example", "\"a\\\"\\\\\"@b.example"},
	{"\"\"@b.example", "\"\"@b.example"},
	{"\" \"@b.example", "\" \"@b.example"},
	{"\".a\"@b.example", "\".a\"@b.example"},
	{"\"a..b\"@b.example", "\"a..b\"@b.example"},
	{"\"a@c.example\"@b.example", "\"a@c.example\"@b.example"},
	{"\"a> NOTIFY=NEVER <b\"@c.example", "\"a> NOTIFY=NEVER <b\"@c.example"},
	{"\"a,b;c:d(e)[f]\"@b.example", "\"a,b;c:d(e)[f]\"@b.example"},
	{"\"ju\xcc\x88rgen x\"@mu\xcc\x88nchen.example", "\"jürgen x\"@xn--mnchen-3ya.example"},
	{"\"a\xcd\xbe\"@b.example", "\"a;\"@b.example"}, /* which NFC makes of it */
	{"\"abcdefghijklmnopqrstuvwxyz abcdefghijklmnopqrstuvwxyz abcdefgh\\i\"@b.example", NULL},
	{"\"a", NULL},
	{"\"a@b.example", NULL},
	{"\"a\\\"@b.example", NULL},
	{"\"a\"\"@b.example", NULL},
	{"\"a\"b@c.example", NULL},
	{"a\"b\"@c.example", NULL},
	{"\"a\".\"b\"@c.example", NULL},
	{"\"a\".b@c.example", NULL},
	{"\"a\" @b.example", NULL},
	{"\"a\"(c)@b.example", NULL},
	{"(c)\"a\"@b.example", NULL},
	{"@c.example:\"a\"@b.example", NULL},
	{"\"a\"@[192.0.2.1]", NULL},
	{"\"a\"@b", NULL},
	{"\"a\"@b@c.example", NULL},
	{"\"a\tb\"@c.example", NULL},
	{"\"a\r\nb\"@c.example", NULL},
	{"\"a\\\nb\"@c.example", NULL},
	{"\"a\x7f\"@b.example", NULL},
	{"\"\\ü\"@b.example", NULL},
	{"\"a\xc2\xa0\"@b.example", NULL},
	{"\"a\xc2\x85\"@b.example", NULL},
	{"\"a\xff\"@b.example", NULL},
};

static void test_quoted(void **state)
{
	struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < sizeof quoted / sizeof *quoted; i++) {
		struct addr out = {0};
		struct mailbox m = {0};
		const char *named = arena_printf(&a, "Ann <%s>", quoted[i].text);
		int rc = addr_parse_as(&a, str_of(quoted[i].text), ADDR_QUOTED, &out, NULL);

		if ((rc == 0) != (quoted[i].email != NULL))
			fail_msg("%s: %s", rc == 0 ? "accepted" : "refused", quoted[i].text);
		if (mailbox_parse_as(&a, str_of(quoted[i].text), ADDR_QUOTED, &m, NULL) != rc)
			fail_msg("as a mailbox: %s", quoted[i].text);
		if (mailbox_parse_as(&a, str_of(named), ADDR_QUOTED, &m, NULL) != rc)
			fail_msg("with a name: %s", quoted[i].text);
		if (rc < 0)
			continue;
		assert_string_equal(out.email.p, quoted[i].email);
		assert_string_equal(out.key.p, quoted[i].email);
		assert_string_equal(m.addr.email.p, quoted[i].email);
		assert_string_equal(m.name.p, "Ann");
		assert_true(str_eq(out.domain, addr_domain(out.key)));
		if (quoted[i].text[strspn(quoted[i].text, " ")] == '"')
			assert_int_equal(parse(&a, quoted[i].text, &out), -1);
	}
	assert_int_equal(addr_domain((struct str){0}).n, 0);
	/* 64 octets with the quotes, and one more */
	assert_int_equal(addr_parse_as(&a, str_of(arena_printf(&a, "\"%.61s \"@b.example", a63)),
				 ADDR_QUOTED, &(struct addr){0}, NULL),
		0);
	assert_int_equal(addr_parse_as(&a, str_of(arena_printf(&a, "\"%.62s \"@b.example", a63)),
				 ADDR_QUOTED, &(struct addr){0}, NULL),
		-1);
	assert_int_equal(
		addr_parse_as(&a, STR("\"a\0\"@b.example"), ADDR_QUOTED, &(struct addr){0}, NULL),
		-1);
	arena_free(&a);
}

static void test_limits(void **state)
{
	struct arena a = {0};
	struct addr out;
	char *text;

	(void)state;
	assert_int_equal(parse(&a, arena_printf(&a, "%sx@b.example", a63), &out), 0);
	assert_int_equal(parse(&a, arena_printf(&a, "%sxx@b.example", a63), &out), -1);
	assert_int_equal(parse(&a, arena_printf(&a, "a@%s.example", a63), &out), 0);
	assert_int_equal(parse(&a, arena_printf(&a, "a@%sx.example", a63), &out), -1);
	/* 254 octets in all, and one more */
	text = arena_printf(&a, "%.62s@%s.%s.%.61s.c", a63, a63, a63, a63);
	assert_int_equal(strlen(text), 254);
	assert_int_equal(parse(&a, text, &out), 0);
	text = arena_printf(&a, "%.62s@%s.%s.%.62s.c", a63, a63, a63, a63);
	assert_int_equal(parse(&a, text, &out), -1);
	/* 60 characters of two octets each */
	text = arena_printf(
		&a, "%s@b.example", "üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü");
	assert_int_equal(parse(&a, text, &out), -1);
	text = arena_alloc(&a, 100001);
	memset(text, 'a', 100000);
	assert_int_equal(parse(&a, text, &out), -1);
	arena_free(&a);
}

static void test_mailbox(void **state)
{
	static const struct {
		const char *text, *name, *email;
	} c[] = {
		{"a@b.example", "", "a@b.example"},
		{"<a@b.example>", "", "a@b.example"},
		{"Ann <a@b.example>", "Ann", "a@b.example"},
		{" Ann O. Hara<a@B.example> ", "Ann O. Hara", "a@b.example"},
		{"\"Hara, Ann\" <a@b.example>", "Hara, Ann", "a@b.example"},
		{"\"Ann \\\"Ace\\\" \\\\\" <a@b.example>", "Ann \"Ace\" \\", "a@b.example"},
		{"Zoë Müller <zoe@b.example>", "Zoë Müller", "zoe@b.example"},
		{"\"\" <a@b.example>", "", "a@b.example"},
		{"=?utf-8?q?x?= <a@b.example>", "=?utf-8?q?x?=", "a@b.example"},
		{"Ann", NULL, NULL},
		{"", NULL, NULL},
		{"<", NULL, NULL},
		{"<>", NULL, NULL},
		{"Ann <a@b.example", NULL, NULL},
		{"Ann <a@b.example> x", NULL, NULL},
		{"Ann a@b.example", NULL, NULL},
		{"\"Ann\" a@b.example", NULL, NULL},
		{"\"Ann\"", NULL, NULL},
		{"\"Ann <a@b.example>", NULL, NULL},
		{"Hara, Ann <a@b.example>", NULL, NULL},
		{"a@b.example, c@d.example", NULL, NULL},
		{"a@b.example, Ann <c@d.example>", NULL, NULL},
		{"Ann <a@b.example>, Bob <c@d.example>", NULL, NULL},
		{"<a@b.example>,<c@d.example>", NULL, NULL},
		{"\"A\nBcc: x\" <a@b.example>", NULL, NULL},
		{"A\rB <a@b.example>", NULL, NULL},
		{"A\xc2\x85 <a@b.example>", NULL, NULL},
		{"A\xff <a@b.example>", NULL, NULL},
	};
	struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		struct mailbox m = {0};
		struct err e = {0};
		int rc = mailbox_parse(&a, str_of(c[i].text), &m, &e);

		if (!c[i].email) {
			if (rc == 0)
				fail_msg("accepted: %s", c[i].text);
			assert_int_equal(e.code, ERR_INPUT);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_string_equal(m.name.p, c[i].name);
		assert_string_equal(m.addr.email.p, c[i].email);
	}
	arena_free(&a);
}

/*
 * The corpus of isemail: what it calls an error is refused; what it calls valid is accepted, but for
 * a domain without a dot. Of what is legal but odd (its column newsletter_policy), nothing is accepted
 * but blanks around an address; and quoted local parts, where they are allowed.
 */
static void test_isemail(void **state)
{
	struct buf file, text;
	struct arena a = {0};
	struct str rest, line;
	size_t seen = 0;

	(void)state;
	buf_init(&file, 1 << 20);
	buf_init(&text, 1 << 16);
	if (!corpus_read("isemail/addresses.tsv", &file))
		goto out;
	rest = buf_view(&file);
	str_next(&rest, '\n', &line); /* the names of the columns */
	while (str_next(&rest, '\n', &line) && line.n) {
		struct str column[6], trimmed, domain;
		struct addr out;
		bool accepted, expected, dot;

		for (size_t i = 0; i < 6; i++)
			str_next(&line, '\t', &column[i]);
		corpus_json(column[2], &text);
		accepted = addr_parse(&a, buf_view(&text), &out, NULL) == 0;
		trimmed = str_trim(buf_view(&text));
		domain = str_slice(trimmed, str_find(trimmed, '@'), trimmed.n);
		dot = str_find(domain, '.') < domain.n;
		expected = str_has_prefix(column[5], STR("accept")) && dot;
		if (str_eq(column[5], STR("policy")) && trimmed.n < text.n &&
			str_find(buf_view(&text), '\n') == text.n)
			expected = addr_parse(&a, trimmed, &out, NULL) == 0;
		if (accepted != expected)
			fail_msg("%.*s (%.*s, %.*s): %s", STR_ARG(column[2]), STR_ARG(column[4]),
				STR_ARG(column[5]), accepted ? "accepted" : "refused");
		if (str_eq(column[4], STR("ISEMAIL_RFC5321_QUOTEDSTRING"))) {
			assert_false(accepted);
			expected = true;
		}
		accepted = addr_parse_as(&a, buf_view(&text), ADDR_QUOTED, &out, NULL) == 0;
		if (accepted != expected)
			fail_msg("with quotes allowed, %.*s (%.*s, %.*s): %s", STR_ARG(column[2]),
				STR_ARG(column[4]), STR_ARG(column[5]),
				accepted ? "accepted" : "refused");
		seen++;
	}
	assert_in_range(seen, 400, 1000);
out:
	buf_free(&file);
	buf_free(&text);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_quoted),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_mailbox),
		cmocka_unit_test(test_isemail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
