/* SPDX-License-Identifier: MIT */
#include "config_value.h"
#include "base/buf.h"
#include "mail/addr.h"
#include "mail/pace.h"
#include "mail/policy.h"

#include <arpa/inet.h>
#include <string.h>

/* No control octets, invalid UTF-8, or the private-use characters that mark slots in a template. */
static bool is_printable(struct str text)
{
	while (text.n) {
		size_t n = utf8_len(text);
		uint32_t c = n ? utf8_code_point(text) : 0;

		if (c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0xe000 && c <= 0xf8ff))
			return false;
		text = str_slice(text, n, text.n);
	}
	return true;
}

static bool is_made_of(struct str text, const char *more)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool alnum =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!alnum && (c == '\0' || !strchr(more, c)))
			return false;
	}
	return true;
}

bool config_is_loopback(struct str host)
{
	unsigned char ip[4];
	char text[64];

	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = str_slice(host, 1, host.n - 1);
	if (str_eq_nocase(host, STR("localhost")) || str_eq(host, STR("::1")))
		return true;
	if (host.n >= sizeof text)
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	return inet_pton(AF_INET, text, ip) == 1 && ip[0] == 127;
}

/* ---- writing a field ---- */

static void put_text(void *field, size_t size, struct str value)
{
	if (size == sizeof(struct str))
		*(struct str *)field = value;
	else
		*(const char **)field = value.p;
}

static void put_number(void *field, size_t size, int64_t v)
{
	uint8_t v1 = (uint8_t)v;
	uint16_t v2 = (uint16_t)v;
	uint32_t v4 = (uint32_t)v;

	memcpy(field,
		size == 1   ? (void *)&v1
		: size == 2 ? (void *)&v2
		: size == 4 ? (void *)&v4
			    : (void *)&v,
		size);
}

/* ---- one function a type: check, make, put ---- */

static int refuse(const struct config_key *key, struct str value, struct err *e, const char *cure)
{
	return err_set(e, ERR_CONFIG, "%s is '%.*s': %s", key->name, STR_ARG(value), cure);
}

static int set_text(const struct config_key *key, struct str value, void *field, struct err *e)
{
	if (!is_printable(value))
		return err_set(e, ERR_CONFIG,
			"%s holds a line break, a control character or invalid UTF-8: write it as "
			"one line of UTF-8",
			key->name);
	if ((int64_t)value.n < key->min)
		return err_set(e, ERR_CONFIG, "%s is empty: give it a value", key->name);
	if ((int64_t)value.n > key->max)
		return err_set(e, ERR_CONFIG, "%s has %zu octets: at most %lld are allowed",
			key->name, value.n, (long long)key->max);
	put_text(field, key->size, value);
	return 0;
}

static int set_name(const struct config_key *key, struct str value, void *field, struct err *e)
{
	if (is_made_of(value, "._-") && (int64_t)value.n >= key->min &&
		(int64_t)value.n <= key->max) {
		put_text(field, key->size, value);
		return 0;
	}
	return err_set(e, ERR_CONFIG,
		"%s is '%.*s': use %lld to %lld letters, digits, '.', '_' or '-'", key->name,
		STR_ARG(value), (long long)key->min, (long long)key->max);
}

static int set_host(const struct config_key *key, struct str value, void *field, struct err *e)
{
	if (value.n == 0 || value.n > 253 || !is_made_of(value, ".-_:[]"))
		return refuse(key, value, e, "give a host name such as smtp.example.org");
	put_text(field, key->size, value);
	return 0;
}

static int set_domain(
	struct arena *a, const struct config_key *key, struct str value, void *field, struct err *e)
{
	char *probe = arena_printf(a, "x@%.*s", STR_ARG(value));
	struct addr addr;
	struct err why = {0};

	if (addr_parse(a, str_of(probe), &addr, &why) < 0)
		return refuse(key, value, e, "give a mail domain such as news.example.org");
	put_text(field, key->size, addr.domain);
	return 0;
}

static int set_mailbox(
	struct arena *a, const struct config_key *key, struct str value, void *field, struct err *e)
{
	struct mailbox m = {0};
	struct err why = {0};

	if (value.n == 0 && !key->needed)
		return 0;
	if (!is_printable(value) || mailbox_parse(a, value, &m, &why) < 0)
		return err_set(e, ERR_CONFIG, "%s is no mailbox: %s: write it as Name <user@host>",
			key->name, why.code ? why.text : "it holds a control character");
	*(struct mailbox *)field = m;
	return 0;
}

/* The scheme's form, and no more: libcurl judges the rest. */
static int set_mail_url(const struct config_key *key, struct str value, void *field, struct err *e)
{
	static const char *const schemes[] = {"imaps://", "imap://", "pop3s://", "pop3://"};

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (str_has_prefix(value, str_of(schemes[i])) && value.n > strlen(schemes[i]) &&
			is_made_of(str_slice(value, strlen(schemes[i]), value.n), "._-:[]/%")) {
			put_text(field, key->size, value);
			return 0;
		}
	return refuse(key, value, e,
		"write imaps://HOST/FOLDER or pop3s://HOST/ (imap and pop3 begin TLS by STARTTLS)");
}

static int set_url(
	struct arena *a, const struct config_key *key, struct str value, void *field, struct err *e)
{
	bool https = str_has_prefix_nocase(value, STR("https://"));
	bool http = str_has_prefix_nocase(value, STR("http://"));
	struct str rest = str_slice(value, https ? 8 : 7, value.n), host;
	size_t end;

	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] <= ' ' || value.p[i] >= 0x7f || strchr("\"<>\\^`{|}?#", value.p[i]))
			return refuse(key, value, e,
				"a URL here is of ASCII letters, without spaces, '?' or '#'");
	while (str_has_suffix(rest, STR("/")))
		rest.n--;
	host = str_slice(rest, 0, str_find(rest, '/'));
	end = host.n && host.p[0] == '[' ? str_find(host, ']') + 1 : str_find(host, ':');
	host = str_slice(host, 0, end);
	if (host.n == 0 || !(https || (http && config_is_loopback(host))))
		return refuse(key, value, e,
			"write https://host/path (http:// is for this machine only: one-click "
			"unsubscription demands https)");
	put_text(field, key->size,
		arena_str(a, (struct str){value.p, (size_t)(rest.p - value.p) + rest.n}));
	return 0;
}

static int set_path(struct arena *a, const char *folder, const struct config_key *key,
	struct str value, void *field, struct err *e)
{
	if (value.n == 0 || !is_printable(value))
		return refuse(key, value, e, "give the path of a file");
	if (value.p[0] != '/')
		value = str_of(arena_printf(a, "%s/%.*s", folder, STR_ARG(value)));
	put_text(field, key->size, value);
	return 0;
}

static int set_number(const struct config_key *key, struct str value, void *field, struct err *e)
{
	int64_t v;

	if (!str_to_int(value, key->min, key->max, &v))
		return err_set(e, ERR_CONFIG, "%s is '%.*s': give a number from %lld to %lld",
			key->name, STR_ARG(value), (long long)key->min, (long long)key->max);
	put_number(field, key->size, v);
	return 0;
}

/* The largest unit that divides `seconds`, as people write it. */
static void add_duration(struct buf *out, int64_t seconds)
{
	if (seconds && seconds % 86400 == 0)
		buf_printf(out, "%lldd", (long long)(seconds / 86400));
	else if (seconds && seconds % 3600 == 0)
		buf_printf(out, "%lldh", (long long)(seconds / 3600));
	else if (seconds && seconds % 60 == 0)
		buf_printf(out, "%lldm", (long long)(seconds / 60));
	else
		buf_printf(out, "%llds", (long long)seconds);
}

static const struct {
	char unit;
	int64_t seconds;
} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};

static bool read_duration(struct str value, int64_t *out)
{
	struct str digits = str_slice(value, 0, value.n ? value.n - 1 : 0);

	for (size_t i = 0; value.n && i < sizeof units / sizeof units[0]; i++)
		if (value.p[value.n - 1] == units[i].unit && str_to_int(digits, 0, 1000000, out)) {
			*out *= units[i].seconds;
			return true;
		}
	return false;
}

static int set_times(const struct config_key *key, struct str value, void *field, struct err *e)
{
	static const struct str within = {" in ", 4};
	size_t in = str_search(value, within);
	struct policy_line *line = field;
	int64_t events = 1, span = 0;

	if (str_eq(value, STR("never")))
		events = 0;
	else if (!str_eq(value, STR("now")) &&
		 (in == value.n || !str_to_int(str_slice(value, 0, in), 1, 1000, &events) ||
			 !read_duration(str_slice(value, in + within.n, value.n), &span)))
		return refuse(key, value, e,
			"write now, never, or how often and over how long at least: '5 in 30d'");
	*line = (struct policy_line){(int)events, span};
	return 0;
}

static int set_growth(const struct config_key *key, struct str value, void *field, struct err *e)
{
	static const struct str plus = {" +", 2};
	size_t at = str_search(value, plus);
	struct str growth = str_slice(value, at + plus.n, value.n);
	int64_t first, percent;

	if (!str_has_suffix(growth, STR("%")) ||
		!str_to_int(str_slice(value, 0, at), 1, 1000000000, &first) ||
		!str_to_int(str_slice(growth, 0, growth.n - 1), 1, 900, &percent))
		return refuse(key, value, e,
			"write the first day's number and its growth from day to day: '200 +50%'");
	*(struct pace_growth *)field = (struct pace_growth){first, (int)percent};
	return 0;
}

static int set_duration(const struct config_key *key, struct str value, void *field, struct err *e)
{
	struct buf range;
	int64_t v;

	if (str_eq(value, STR("0")) && key->min == 0) {
		put_number(field, key->size, 0);
		return 0;
	}
	if (read_duration(value, &v) && v >= key->min && v <= key->max) {
		put_number(field, key->size, v);
		return 0;
	}
	buf_init(&range, 64);
	add_duration(&range, key->min);
	buf_cstr(&range, " to ");
	add_duration(&range, key->max);
	err_set(e, ERR_CONFIG, "%s is '%.*s': give a number with a unit, s, m, h or d, within %s",
		key->name, STR_ARG(value), buf_text(&range));
	buf_free(&range);
	return -1;
}

static int set_choice(
	struct arena *a, const struct config_key *key, struct str value, void *field, struct err *e)
{
	const char *all = "";

	for (int i = 0; key->choice[i]; i++) {
		if (str_eq(value, str_of(key->choice[i]))) {
			put_number(field, key->size, i);
			return 0;
		}
		all = arena_printf(a, "%s%s'%s'", all,
			i == 0               ? ""
			: key->choice[i + 1] ? ", "
					     : " or ",
			key->choice[i]);
	}
	return err_set(e, ERR_CONFIG, "%s is '%.*s': it can be %s", key->name, STR_ARG(value), all);
}

int config_value_set(struct arena *a, const char *folder, const struct config_key *key,
	struct str value, void *block, struct err *e)
{
	void *field = (char *)block + key->at;

	switch (key->type) {
	case CONFIG_TEXT:
		return set_text(key, value, field, e);
	case CONFIG_NAME:
		return set_name(key, value, field, e);
	case CONFIG_HOST:
		return set_host(key, value, field, e);
	case CONFIG_DOMAIN:
		return set_domain(a, key, value, field, e);
	case CONFIG_MAILBOX:
		return set_mailbox(a, key, value, field, e);
	case CONFIG_URL:
		return set_url(a, key, value, field, e);
	case CONFIG_MAIL_URL:
		return set_mail_url(key, value, field, e);
	case CONFIG_PATH:
		return set_path(a, folder, key, value, field, e);
	case CONFIG_NUMBER:
		return set_number(key, value, field, e);
	case CONFIG_DURATION:
		return set_duration(key, value, field, e);
	case CONFIG_GROWTH:
		return set_growth(key, value, field, e);
	case CONFIG_TIMES:
		return set_times(key, value, field, e);
	case CONFIG_CHOICE:
		return set_choice(a, key, value, field, e);
	}
	return err_set(e, ERR_BUG, "key '%s' has no type", key->name);
}
