/* SPDX-License-Identifier: MIT */
#include "mail/issue.h"
#include "mail/segment.h"

#include "source.h"

#include <stdint.h>
#include <string.h>

enum { SLUG_MAX = 60 };

/* ---- what a value may look like; each returns what was expected, or NULL when it is right ---- */

static const char *check_name(struct str s)
{
	bool ok = s.n > 0 && s.n <= SLUG_MAX && s.p[0] != '-' && s.p[s.n - 1] != '-';

	for (size_t i = 0; ok && i < s.n; i++)
		ok = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
		     s.p[i] == '-';
	return ok ? NULL : "small letters, digits and hyphens, at most 60";
}

static const char *check_date(struct str s)
{
	static const unsigned char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t y, m, d;
	bool ok = s.n == 10 && s.p[4] == '-' && s.p[7] == '-' &&
		  str_to_int(str_slice(s, 0, 4), 1, 9999, &y) &&
		  str_to_int(str_slice(s, 5, 7), 1, 12, &m) &&
		  str_to_int(str_slice(s, 8, 10), 1, days[m - 1], &d);

	if (ok && m == 2 && d == 29)
		ok = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
	return ok ? NULL : "a date such as 2026-01-31";
}

static const char *check_lang(struct str s)
{
	bool ok = s.n >= 2 && s.n <= 35;

	for (size_t i = 0; ok && i < s.n; i++)
		ok = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
		     (i > 1 && s.p[i] >= '0' && s.p[i] <= '9') || (i > 1 && s.p[i] == '-');
	return ok ? NULL : "a language tag such as en or pt-BR";
}

static const char *check_dir(struct str s)
{
	return str_eq(s, STR("ltr")) || str_eq(s, STR("rtl")) ? NULL : "ltr or rtl";
}

/* The front matter's keys, where each goes and what it must look like. */
static const struct key {
	const char *name;
	size_t offset;
	const char *(*check)(struct str);
	bool required;
} keys[] = {
	{"subject", offsetof(struct issue_source, subject), NULL, true},
	{"preheader", offsetof(struct issue_source, preheader), NULL, false},
	{"list", offsetof(struct issue_source, list), check_name, true},
	{"from", offsetof(struct issue_source, from), NULL, false},
	{"reply_to", offsetof(struct issue_source, reply_to), NULL, false},
	{"send_at", offsetof(struct issue_source, send_at), NULL, false},
	{"slug", offsetof(struct issue_source, slug), check_name, false},
	{"date", offsetof(struct issue_source, date), check_date, false},
	{"lang", offsetof(struct issue_source, lang), check_lang, false},
	{"dir", offsetof(struct issue_source, dir), check_dir, false},
	{"utm_campaign", offsetof(struct issue_source, utm_campaign), NULL, false},
	{"theme", offsetof(struct issue_source, theme), check_name, false},
	{"segment", offsetof(struct issue_source, segment), NULL, false},
};
enum { KEYS_N = sizeof(keys) / sizeof(keys[0]) };

/* ---- front matter ---- */

static struct str unquote(struct str s)
{
	bool quoted = s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0];

	return quoted ? str_slice(s, 1, s.n - 1) : s;
}

static const struct key *find_key(struct str name)
{
	for (size_t i = 0; i < KEYS_N; i++)
		if (str_eq(name, str_of(keys[i].name)))
			return &keys[i];
	return NULL;
}

static int unknown_key(const char *file, size_t line, struct str name, struct err *e)
{
	const char *names[KEYS_N], *near;

	for (size_t i = 0; i < KEYS_N; i++)
		names[i] = keys[i].name;
	near = str_nearest(name, names, KEYS_N);
	if (near)
		return err_set(e, ERR_INPUT, "%s:%zu: unknown key '%.*s', did you mean '%s'?", file,
			line, STR_ARG(name), near);
	return err_set(e, ERR_INPUT,
		"%s:%zu: unknown key '%.*s', there are: subject, preheader, list, from, reply_to, "
		"send_at, slug, date, lang, dir, utm_campaign, theme, segment",
		file, line, STR_ARG(name));
}

/* Take one line of front matter; `seen` has the line on which each key stood. */
static int take_line(
	struct issue_source *out, size_t line, struct str text, size_t seen[KEYS_N], struct err *e)
{
	size_t colon = str_find(text, ':');
	struct str name = str_trim(str_slice(text, 0, colon)), value;
	const struct key *key;
	const char *expected;

	if (!str_trim(text).n || text.p[0] == '#')
		return 0;
	if (colon == text.n)
		return err_set(e, ERR_INPUT, "%s:%zu: '%.*s' is not of the form: key: value",
			out->file, line, STR_ARG(text));
	key = find_key(name);
	if (!key)
		return unknown_key(out->file, line, name, e);
	if (seen[key - keys])
		return err_set(e, ERR_INPUT, "%s:%zu: '%s' is given already on line %zu", out->file,
			line, key->name, seen[key - keys]);
	seen[key - keys] = line;
	value = unquote(str_trim(str_slice(text, colon + 1, text.n)));
	expected = value.n && key->check ? key->check(value) : NULL;
	if (expected)
		return err_set(e, ERR_INPUT, "%s:%zu: %s is '%.*s', but must be %s", out->file,
			line, key->name, STR_ARG(value), expected);
	*(struct str *)((char *)out + key->offset) = value;
	return 0;
}

/* The subject in small letters and digits with hyphens between; template tags are left out. */
static struct str slug_of(struct arena *a, struct str subject)
{
	char *out = arena_alloc(a, SLUG_MAX + 1);
	size_t n = 0;
	bool gap = false;

	for (size_t i = 0; i < subject.n && n < SLUG_MAX; i++) {
		struct str rest = str_slice(subject, i, subject.n);
		char c = subject.p[i];

		if (str_has_prefix(rest, STR("{{")) || str_has_prefix(rest, STR("{%")))
			i += str_find(rest, '}');
		if (c == '\'')
			continue;
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) {
			gap = n > 0;
			continue;
		}
		if (gap && n + 1 < SLUG_MAX)
			out[n++] = '-';
		gap = false;
		out[n++] = c;
	}
	return (struct str){out, n};
}

int issue_parse(struct arena *a, const char *file, struct str source, struct issue_source *out,
	struct err *e)
{
	struct issue_source issue = {.file = file};
	size_t seen[KEYS_N] = {0}, line = 1;
	const struct segment *segment;
	struct str rest, text;

	if (source.n > ISSUE_SOURCE_MAX)
		return err_set(e, ERR_INPUT,
			"%s:1: an issue may have %d octets at most, this file has %zu", file,
			ISSUE_SOURCE_MAX, source.n);
	rest = source_lines(a, source);
	if (source_check(file, rest, e) < 0)
		return -1;
	if (!str_next(&rest, '\n', &text) || !str_eq(str_trim(text), STR("---")))
		return err_set(e, ERR_INPUT,
			"%s:1: an issue starts with front matter: a line '---', lines such as "
			"'subject: …', a line '---'",
			file);
	for (;;) {
		line++;
		if (!str_next(&rest, '\n', &text))
			return err_set(e, ERR_INPUT,
				"%s:1: the front matter is not closed by a second line '---'",
				file);
		if (str_eq(str_trim(text), STR("---")))
			break;
		if (take_line(&issue, line, text, seen, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < KEYS_N; i++)
		if (keys[i].required && !((struct str *)((char *)&issue + keys[i].offset))->n)
			return err_set(e, ERR_INPUT, "%s:1: the front matter lacks '%s: …'", file,
				keys[i].name);
	if (issue.segment.n && segment_parse(a, issue.segment, &segment, e) < 0)
		return err_prefix(e, "%s:%zu: ", file, seen[KEYS_N - 1]);
	issue.subject_line = seen[0];
	issue.preheader_line = seen[1];
	issue.body = rest;
	issue.body_line = line + 1;
	if (!issue.dir.n)
		issue.dir = STR("ltr");
	if (!issue.slug.n)
		issue.slug = slug_of(a, issue.subject);
	if (!issue.slug.n) /* a subject without Latin letters */
		issue.slug = issue.date;
	if (!issue.slug.n)
		return err_set(e, ERR_INPUT,
			"%s:%zu: no slug can be made from this subject, add a line: slug: "
			"some-name",
			file, issue.subject_line);
	*out = issue;
	return 0;
}

int issue_text(
	struct arena *a, const char *file, struct str text, struct issue_source *out, struct err *e)
{
	out->text_file = file;
	out->text = source_lines(a, text);
	if (!str_trim(out->text).n)
		return err_set(e, ERR_INPUT, "%s:1: the text part is empty", file);
	return source_check(file, out->text, e);
}
