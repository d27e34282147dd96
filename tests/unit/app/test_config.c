/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "app/config.h"
#include "base/buf.h"
#include "base/embed.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder for the file under test, and what reading it gave. */
struct box {
	char folder[64], path[128];
	struct arena arena;
	struct config config;
	struct err err;
};

static int make_box(void **state)
{
	struct box *b = calloc(1, sizeof *b);

	snprintf(b->folder, sizeof b->folder, "/tmp/test_config.XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->path, sizeof b->path, "%s/lettermill.conf", b->folder);
	*state = b;
	return 0;
}

static int free_box(void **state)
{
	struct box *b = *state;

	unsetenv("CREDENTIALS_DIRECTORY");
	unlink(b->path);
	arena_free(&b->arena);
	assert_int_equal(rmdir(b->folder), 0);
	free(b);
	return 0;
}

static int read_text(struct box *b, struct str text)
{
	assert_int_equal(file_write(b->path, text, 0644, NULL), 0);
	b->err = (struct err){0};
	return config_read(&b->arena, b->path, &b->config, &b->err);
}

/* The least that is complete; `more` is put behind it, beginning in line 7. */
static int read_with(struct box *b, const char *more)
{
	struct buf text;
	int rc;

	buf_init(&text, 65536);
	buf_cstr(&text, "publication {\n"
			"	name = \"The Daily Press\"\n"
			"	address = 'Street 1'\n"
			"	url = https://news.example.org/\n"
			"	from = 'Editor <editor@News.example.org>'\n"
			"}\n");
	buf_cstr(&text, more);
	rc = read_text(b, buf_view(&text));
	buf_free(&text);
	return rc;
}

/* Reading fails with ERR_CONFIG and "FOLDER/lettermill.conf" + `expected`. */
static void expect_sentence(struct box *b, int rc, const char *expected)
{
	size_t n = strlen(b->path);

	assert_int_equal(rc, -1);
	assert_memory_equal(b->err.text, b->path, n);
	assert_string_equal(b->err.text + n, expected);
	assert_int_equal(b->err.code, ERR_CONFIG);
}

#define assert_str(view, literal)                                                                  \
	assert_string_equal(                                                                       \
		arena_printf(&((struct box *)*state)->arena, "%.*s", STR_ARG(view)), literal)

static void test_defaults(void **state)
{
	struct box *b = *state;
	const struct config *c = &b->config;

	assert_int_equal(read_with(b, ""), 0);
	assert_string_equal(c->database, arena_printf(&b->arena, "%s/lettermill.db", b->folder));
	assert_string_equal(c->templates, arena_printf(&b->arena, "%s/mail-templates", b->folder));
	assert_str(c->publication.name, "The Daily Press");
	assert_str(c->publication.tagline, "");
	assert_str(c->publication.url, "https://news.example.org");
	assert_str(c->publication.lang, "en");
	assert_str(c->publication.from.name, "Editor");
	assert_str(c->publication.from.addr.email, "editor@news.example.org");
	assert_int_equal(c->publication.reply_to.addr.email.n, 0);
	assert_str(c->publication.list_domain, "news.example.org");
	assert_str(c->publication.sender_id, "newsexampleorg");
	assert_str(c->bounce.domain, "news.example.org");
	assert_str(c->bounce.prefix, "b-");
	assert_str(c->bounce.unsubscribe, "");
	assert_str(c->web.url, "https://news.example.org");
	assert_int_equal(c->relay_n, 0);
	assert_int_equal(config_lane_limits(c, STR("gmail")).at_once, 50);
	assert_int_equal(config_lane_limits(c, STR("example.org")).at_once, 0);
	assert_int_equal(c->delivery.expire_after, 72 * 3600);
	assert_int_equal(c->delivery.late_after, 6 * 3600);
	assert_true(c->delivery.resend_in_doubt);
	assert_int_equal(c->delivery.lease, 120);
	assert_int_equal(c->dkim_n, 0);
}

static void test_values(void **state)
{
	struct box *b = *state;
	const struct config *c = &b->config;

	assert_int_equal(
		read_with(b, "database = /var/lib/mill.db // comment\n"
			     "relay one { host = smtp.example.org /* and more */ }\n"
			     "relay 'two.b' {\n"
			     "	host = 127.0.0.1\n	port = 2525\n	tls = none\n"
			     "	transport = esmtp\n	connections = 1000\n"
			     "	messages_per_connection = 100\n	timeout = 90s\n}\n"
			     "relay three { host = h tls = implicit username = u\n"
			     "	password_file = p helo = mail.example.org }\n"
			     "relay four { host = h tls = none allow_plaintext = yes\n"
			     "	weight = 3 per_second = 14 per_hour = 1000 per_day = 20000\n"
			     "	warm_up = '200 +50%' }\n"
			     "lane gmail { per_minute = 600 }\n"
			     "lane 'B\u00fccher.example' { per_minute = 5 at_once = 0 }\n"
			     "delivery { late_after = 0 in_doubt = hold expire_after = 3d }\n"
			     "dkim s1 { domain = 'bücher.example' key_file = k }\n"
			     "dkim s2.b { domain = example.org key_file = l }\n"
			     "bounce { prefix = '' unsubscribe = leave }\n"
			     "web { url = 'http://127.0.0.1:8080//' }\n"),
		0);
	assert_string_equal(c->database, "/var/lib/mill.db");
	assert_int_equal(c->relay_n, 4);
	assert_string_equal(c->relay[0].relay.name, "one");
	assert_int_equal(c->relay[0].relay.port, 587);
	assert_int_equal(c->relay[0].relay.tls, RELAY_TLS_STARTTLS);
	assert_int_equal(c->relay[0].relay.transport, RELAY_CURL);
	assert_int_equal(c->relay[0].relay.connections, 10);
	assert_null(c->relay[0].relay.username);
	assert_string_equal(c->relay[1].relay.name, "two.b");
	assert_int_equal(c->relay[1].relay.port, 2525);
	assert_int_equal(c->relay[1].relay.tls, RELAY_TLS_NONE);
	assert_int_equal(c->relay[1].relay.transport, RELAY_ESMTP);
	assert_int_equal(c->relay[1].relay.connections, 1000);
	assert_int_equal(c->relay[1].relay.messages_per_connection, 100);
	assert_int_equal(c->relay[1].relay.timeout_s, 90);
	assert_int_equal(c->relay[2].relay.port, 465);
	assert_string_equal(c->relay[2].password_file, arena_printf(&b->arena, "%s/p", b->folder));
	assert_string_equal(c->relay[2].relay.helo, "mail.example.org");
	assert_int_equal(c->relay[3].relay.port, 25);
	assert_int_equal(c->relay[3].limit.weight, 3);
	assert_int_equal(c->relay[3].limit.per_second, 14);
	assert_int_equal(c->relay[3].limit.per_hour, 1000);
	assert_int_equal(c->relay[3].limit.per_day, 20000);
	assert_int_equal(c->relay[3].limit.warm_up.first, 200);
	assert_int_equal(c->relay[3].limit.warm_up.percent, 50);
	assert_int_equal(c->lane_n, 2);
	assert_int_equal(config_lane_limits(c, STR("gmail")).per_minute, 600);
	assert_int_equal(config_lane_limits(c, STR("gmail")).at_once, 50);
	assert_int_equal(config_lane_limits(c, STR("xn--bcher-kva.example")).per_minute, 5);
	assert_int_equal(c->delivery.late_after, 0);
	assert_int_equal(c->delivery.expire_after, 3 * 86400);
	assert_false(c->delivery.resend_in_doubt);
	assert_int_equal(c->dkim_n, 2);
	assert_str(c->dkim[0].selector, "s1");
	assert_str(c->dkim[0].domain, "xn--bcher-kva.example");
	assert_str(c->dkim[1].selector, "s2.b");
	assert_str(c->bounce.prefix, "");
	assert_str(c->bounce.unsubscribe, "leave");
	assert_str(c->web.url, "http://127.0.0.1:8080");
}

/* What is put behind a complete file, and what is said about it. */
static const struct {
	const char *more, *sentence;
} sentences[] = {
	{"delivery { expire_afer = 3d }\n", ":7: there is no key 'expire_afer' at 'delivery': "
					    "did you mean 'expire_after'?"},
	{"databse = x\n", ":7: there is no key 'databse' at 'top level': did you mean 'database'?"},
	{"\nrelais x { host = h }\n",
		":8: there is no key 'relais' at 'top level': did you mean 'relay'?"},
	{"host = h\n", ":7: there is no key 'host' at 'top level': it belongs to 'relay'"},
	{"delivery {\n from = a@b.c }\n",
		":8: there is no key 'from' at 'delivery': it belongs to 'publication'"},
	{"delivery { quux = 1 }\n", ":7: there is no key 'quux' at 'delivery': "
				    "lettermill.conf(5) lists them all"},
	{"publication|name = x\n",
		":7: there is no key 'name' at 'top level': it belongs to 'publication'"},
	{"publication { name = x }\n", ":7: 'name' is given twice, first in line 2: remove one"},
	{"relay a { host = h }\nrelay a { host = h }\n",
		":8: found duplicate title 'a': write 'key = \"value\"', blocks as 'name { "
		"… }'"},
	{"relay a { host = h warm_up = 200 }\n",
		":7: relay 'a': warm_up is '200': write the first day's number and its growth from "
		"day to day: '200 +50%'"},
	{"relay a { host = h warm_up = '0 +50%' }\n",
		":7: relay 'a': warm_up is '0 +50%': write the first day's number and its growth "
		"from day to day: '200 +50%'"},
	{"relay a { host = h weight = 0 }\n",
		":7: relay 'a': weight is '0': give a number from 1 to 1000"},
	{"lane gmial { at_once = 1 }\n",
		":7: lane 'gmial': there is no such provider: name one of lettermill.conf(5), a "
		"mail domain such as example.org, or 'other' for all small domains together"},
	{"lane 'a..b' { at_once = 1 }\n",
		":7: lane 'a..b': title is 'a..b': give a mail domain such as news.example.org"},
	{"relay { host = h }\n", ":7: missing title for section 'relay': write 'key = "
				 "\"value\"', blocks as 'name { … }'"},
	{"database = 'x\n", ":8: unterminated string constant: write 'key = \"value\"', blocks as "
			    "'name { … }'"},
	{"}\n", ":7: unexpected closing brace: write 'key = \"value\"', blocks as 'name { "
		"… }'"},
	{"relay a {\n port = 1\n}\n", ":9: relay 'a': 'host' is missing: it must be given"},
	{"relay 'a b' { host = h }\n", ":7: relay 'a b': title is 'a b': use 1 to 32 "
				       "letters, digits, '.', '_' or '-'"},
	{"relay a { host = h\n port = 70000 }\n",
		":8: relay 'a': port is '70000': give a number from 1 to 65535"},
	{"relay a { host = 'a b' }\n", ":7: relay 'a': host is 'a b': give a host name such "
				       "as smtp.example.org"},
	{"relay a { host = h tls = ssl }\n", ":7: relay 'a': tls is 'ssl': it can be "
					     "'starttls', 'implicit' or 'none'"},
	{"relay a { host = h\n tls = none }\n",
		":8: relay 'a': tls = none would send mail in clear over the network: use "
		"starttls or implicit, or say allow_plaintext = yes where the way is safe "
		"by "
		"other means"},
	{"relay a { host = h transport = esmtp }\n",
		":7: relay 'a': transport 'esmtp' is for a mail server on this machine "
		"with "
		"tls = none and no username: with TLS libesmtp accepts replies injected "
		"before the handshake and may hang; use transport = curl"},
	{"relay a { host = h username = u }\n",
		":7: relay 'a': username is given without a password: add password_file"},
	{"relay a { host = h password_file = p }\n",
		":7: relay 'a': password_file is given without a username: add username"},
	{"delivery { lease = 5s }\n", ":7: delivery: lease is '5s': give a number with a "
				      "unit, s, m, h or d, within 10s to 1d"},
	{"delivery { expire_after = 72 }\n", ":7: delivery: expire_after is '72': give a "
					     "number with a unit, s, m, h or d, "
					     "within 1m to 30d"},
	{"delivery { expire_after = h }\n", ":7: delivery: expire_after is 'h': give a "
					    "number with a unit, s, m, h or d, "
					    "within 1m to 30d"},
	{"delivery { in_doubt = maybe }\n",
		":7: delivery: in_doubt is 'maybe': it can be 'hold' or 'resend-once'"},
	{"dkim s { domain = example.org }\n",
		":7: dkim 's': 'key_file' is missing: it must be given"},
	{"dkim s { domain = 'a..b' key_file = k }\n",
		":7: dkim 's': domain is 'a..b': give a mail domain such as news.example.org"},
	{"bounce { prefix = 'b@' }\n", ":7: bounce: prefix is 'b@': use 0 to 12 letters, "
				       "digits, '.', '_' or '-'"},
	{"web { url = 'http://news.example.org' }\n",
		":7: web: url is 'http://news.example.org': write https://host/path "
		"(http:// "
		"is for this machine only: one-click unsubscription demands https)"},
	{"web { url = 'https://' }\n",
		":7: web: url is 'https://': write https://host/path (http:// is for this "
		"machine only: one-click unsubscription demands https)"},
	{"web { url = 'https://a/?b' }\n", ":7: web: url is 'https://a/?b': a URL here is of "
					   "ASCII letters, without spaces, '?' or '#'"},
	{"templates = ''\n", ":7: templates is '': give the path of a file"},
	{"\n\ndatabase = \"\xff\"\n", ":9: the file is no UTF-8 text: save it as UTF-8"},
};

static void test_sentences(void **state)
{
	struct box *b = *state;

	for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
		expect_sentence(b, read_with(b, sentences[i].more), sentences[i].sentence);
}

static void test_publication(void **state)
{
	struct box *b = *state;

	expect_sentence(
		b, read_text(b, STR("")), ": publication: 'name' is missing: it must be given");
	expect_sentence(b, read_text(b, STR("publication { name = x\n}\n")),
		":2: publication: 'address' is missing: it must be given");
	expect_sentence(b, read_text(b, STR("publication { name = ''\n}\n")),
		":1: publication: name is empty: give it a value");
	expect_sentence(b, read_text(b, STR("publication { name = 'a\nb'\n}\n")),
		":2: publication: name holds a line break, a control character or invalid UTF-8: "
		"write it as one line of UTF-8");
	expect_sentence(b, read_text(b, STR("publication { name = 'a\xee\x80\x80'\n}\n")),
		":1: publication: name holds a line break, a control character or invalid UTF-8: "
		"write it as one line of UTF-8");
	expect_sentence(b, read_text(b, STR("publication {\0 }\n")),
		":1: the file is no UTF-8 text: save it as UTF-8");
	expect_sentence(b,
		read_text(b, STR("publication { name = x address = y url = 'https://h'\n"
				 "from = 'nobody' }")),
		b->err.text + strlen(b->path));
	assert_non_null(strstr(b->err.text, ":2: publication: from is no mailbox: "));
}

/* A long unknown name, longer than the sentence may be. */
static void test_long_name(void **state)
{
	struct box *b = *state;
	char text[4096];

	memset(text, 'a', sizeof text);
	memcpy(text + sizeof text - 5, " = 1", 5);
	assert_int_equal(read_text(b, str_of(text)), -1);
	assert_int_equal(b->err.code, ERR_CONFIG);
	assert_non_null(strstr(b->err.text, ":1: there is no key 'aaaa"));
}

static void test_missing_file(void **state)
{
	struct box *b = *state;

	assert_int_equal(
		config_read(&b->arena, "/nonexistent/lettermill.conf", &b->config, &b->err), -1);
	assert_int_equal(b->err.code, ERR_MISSING);
}

static void test_relay_get(void **state)
{
	struct box *b = *state;
	const struct config_relay *r;

	assert_int_equal(read_with(b, ""), 0);
	assert_int_equal(config_relay_get(&b->config, NULL, &r, &b->err), -1);
	assert_int_equal(b->err.code, ERR_CONFIG);
	assert_int_equal(read_with(b, "relay main { host = h }\nrelay spare { host = h }\n"), 0);
	assert_int_equal(config_relay_get(&b->config, NULL, &r, &b->err), 0);
	assert_string_equal(r->relay.name, "main");
	assert_int_equal(config_relay_get(&b->config, "spare", &r, &b->err), 0);
	assert_string_equal(r->relay.name, "spare");
	assert_int_equal(config_relay_get(&b->config, "spar", &r, &b->err), -1);
	assert_int_equal(b->err.code, ERR_MISSING);
	assert_non_null(strstr(b->err.text, "no relay 'spar': did you mean 'spare'?"));
}

static void test_secrets(void **state)
{
	struct box *b = *state;
	char *file = arena_printf(&b->arena, "%s/relay.password", b->folder);
	char *credentials = arena_printf(&b->arena, "%s/credentials", b->folder);
	char *credential = arena_printf(&b->arena, "%s/relay.password", credentials);
	struct str secret;
	char *whole;

	assert_int_equal(file_write(file, STR("from the file\n"), 0600, NULL), 0);
	assert_int_equal(config_secret(&b->arena, file, &secret, &b->err), 0);
	assert_str(secret, "from the file");

	/* A credential of that name wins, one of another name does not matter. */
	assert_int_equal(mkdir(credentials, 0700), 0);
	setenv("CREDENTIALS_DIRECTORY", credentials, 1);
	assert_int_equal(config_secret(&b->arena, file, &secret, &b->err), 0);
	assert_str(secret, "from the file");
	assert_int_equal(file_write(credential, STR("from systemd"), 0400, NULL), 0);
	assert_int_equal(config_secret(&b->arena, file, &secret, &b->err), 0);
	assert_str(secret, "from systemd");

	/* systemd's name for a file of a folder that it was given as a whole. */
	whole = arena_printf(
		&b->arena, "%s/%s_relay.password", credentials, strrchr(b->folder, '/') + 1);
	assert_int_equal(rename(credential, whole), 0);
	assert_int_equal(config_secret(&b->arena, file, &secret, &b->err), 0);
	assert_str(secret, "from systemd");
	assert_int_equal(rename(whole, credential), 0);

	/* What everybody may read is refused wherever it stands, and its content stays untold. */
	assert_int_equal(chmod(credential, 0444), 0);
	assert_int_equal(config_secret(&b->arena, file, &secret, &b->err), -1);
	assert_int_equal(b->err.code, ERR_DENIED);
	assert_null(strstr(b->err.text, "from systemd"));
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(
		read_with(b, "relay a { host = h username = u password_file = relay.password }"),
		0);
	assert_int_equal(config_relay_secrets(&b->arena, &b->config, &b->err), -1);
	assert_int_equal(b->err.code, ERR_DENIED);
	assert_int_equal(chmod(file, 0640), 0);
	assert_int_equal(config_relay_secrets(&b->arena, &b->config, &b->err), 0);
	assert_string_equal(b->config.relay[0].relay.password, "from the file");

	assert_int_equal(unlink(credential) | rmdir(credentials) | unlink(file), 0);
}

/* What the sample says is a default is one, and with every comment taken away it is still right. */
static void test_sample(void **state)
{
	struct box *b = *state;
	struct str sample = embedded_get(embedded_templates, "sample/lettermill.conf"),
		   rest = sample;
	struct str line;
	struct buf all;

	assert_int_equal(read_text(b, sample), 0);
	assert_str(b->config.bounce.unsubscribe, "unsubscribe");
	assert_int_equal(b->config.relay_n, 1);
	buf_init(&all, 65536);
	while (str_next(&rest, '\n', &line)) {
		struct str text = str_trim(line);
		struct str code = str_trim(str_slice(text, 1, text.n));
		size_t sign = str_find(code, '=');

		if (str_has_prefix(text, STR("#")) &&
			(sign < code.n || str_eq(code, STR("dkim \"mill1\" {")) ||
				str_eq(code, STR("lane \"gmail\" {")) ||
				str_eq(code, STR("mailbox {")) || str_eq(code, STR("utm {")) ||
				str_eq(code, STR("}"))))
			text = code;
		buf_str(&all, text);
		buf_char(&all, '\n');
	}
	assert_int_equal(read_text(b, buf_view(&all)), 0);
	assert_int_equal(b->config.dkim_n, 1);
	assert_int_equal(b->config.delivery.expire_after, 72 * 3600);
	buf_free(&all);
}

/* Whether `word` stands in `text` as a word of its own. */
static bool has_word(struct str text, const char *word)
{
	size_t n = strlen(word);

	for (;;) {
		size_t at = str_search(text, str_of(word));

		if (at == text.n)
			return false;
		if ((at == 0 || strchr(" \t\n#", text.p[at - 1])) &&
			(at + n == text.n || strchr(" \n", text.p[at + n])))
			return true;
		text = str_slice(text, at + n, text.n);
	}
}

/* Every key is in the sample file and in the manual, in its block, and the manual has no others. */
static void test_documented(void **state)
{
	struct box *b = *state;
	struct str sample = embedded_get(embedded_templates, "sample/lettermill.conf");
	const char *block, *key;
	struct buf page;
	size_t keys = 0, items = 0;

	buf_init(&page, 1024 * 1024);
	assert_int_equal(file_read("man/lettermill.conf.5", &page, &b->err), 0);
	for (; config_key_name(keys, &block, &key); keys++) {
		const char *title = *block ? block : "Top level";
		struct str section = buf_view(&page);
		char *item = arena_printf(&b->arena, "\n.It Cm %s\n", key);

		section = str_slice(section,
			str_search(section, str_of(arena_printf(&b->arena, "\n.Ss %s", title))),
			section.n);
		section = str_slice(section, 1, section.n);
		section = str_slice(section, 0, str_search(section, STR("\n.Ss ")));
		if (str_search(section, str_of(item)) == section.n)
			fail_msg("man/lettermill.conf.5 lacks %s.%s", block, key);
		if (!has_word(sample, key))
			fail_msg("the sample lacks %s.%s", block, key);
	}
	for (struct str rest = buf_view(&page), line; str_next(&rest, '\n', &line);)
		items += str_has_prefix(line, STR(".It Cm "));
	assert_int_equal(items, keys);
	buf_free(&page);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_box, free_box)
	const struct CMUnitTest tests[] = {
		TEST(test_defaults),
		TEST(test_values),
		TEST(test_sentences),
		TEST(test_publication),
		TEST(test_long_name),
		TEST(test_missing_file),
		TEST(test_relay_get),
		TEST(test_secrets),
		TEST(test_sample),
		TEST(test_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
