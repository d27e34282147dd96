/* SPDX-License-Identifier: MIT */
#include "liquid_tag.h"

#include <string.h>

/* The words a control tag may start with. */
static const struct {
	const char *word;
	enum liquid_tag_kind kind;
	bool condition; /* a name and perhaps a test follow */
} words[] = {
	{"if", TAG_IF, true},
	{"unless", TAG_UNLESS, true},
	{"elsif", TAG_ELSIF, true},
	{"else", TAG_ELSE, false},
	{"endif", TAG_ENDIF, false},
	{"endunless", TAG_ENDUNLESS, false},
	{"raw", TAG_RAW, false},
};

static const struct {
	const char *op;
	enum liquid_test test;
} tests[] = {
	{"==", LIQUID_EQUAL},
	{"!=", LIQUID_NOT_EQUAL},
	{"contains", LIQUID_CONTAINS},
};

static bool word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.' || c == '-' || (unsigned char)c >= 0x80;
}

static void skip_space(struct str *s)
{
	while (s->n && (*s->p == ' ' || *s->p == '\t'))
		*s = str_slice(*s, 1, s->n);
}

static struct str take_word(struct str *s)
{
	struct str word;
	size_t n = 0;

	skip_space(s);
	while (n < s->n && word_char(s->p[n]))
		n++;
	word = str_slice(*s, 0, n);
	*s = str_slice(*s, n, s->n);
	return word;
}

/* Take "text" or 'text'. */
static bool take_literal(struct str *s, struct str *text)
{
	struct str rest;
	size_t end;

	skip_space(s);
	if (!s->n || (*s->p != '"' && *s->p != '\''))
		return false;
	rest = str_slice(*s, 1, s->n);
	end = str_find(rest, *s->p);
	if (end == rest.n)
		return false;
	*text = str_slice(rest, 0, end);
	*s = str_slice(rest, end + 1, rest.n);
	return true;
}

static bool take_filter(struct str *s, struct liquid_tag *tag, struct str *filter)
{
	skip_space(s);
	*s = str_slice(*s, 1, s->n); /* the '|' */
	*filter = take_word(s);
	if (!str_eq(*filter, STR("default")))
		return false;
	skip_space(s);
	if (!s->n || *s->p != ':')
		return false;
	*s = str_slice(*s, 1, s->n);
	return take_literal(s, &tag->text);
}

static bool take_test(struct str *s, struct liquid_tag *tag)
{
	skip_space(s);
	if (!s->n)
		return true;
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		if (str_has_prefix(*s, str_of(tests[i].op))) {
			*s = str_slice(*s, strlen(tests[i].op), s->n);
			tag->test = tests[i].test;
			return take_literal(s, &tag->text);
		}
	return false;
}

/* The inside of `{{ … }}`. */
static int read_value(
	struct str s, const char *file, size_t line, struct liquid_tag *tag, struct err *e)
{
	struct str whole = str_trim(s), filter;

	tag->name = take_word(&s);
	if (!tag->name.n)
		return err_set(e, ERR_INPUT, "%s:%zu: '{{ %.*s }}' does not start with a name",
			file, line, STR_ARG(whole));
	skip_space(&s);
	if (s.n && *s.p == '|' && !take_filter(&s, tag, &filter)) {
		if (!str_eq(filter, STR("default")))
			return err_set(e, ERR_INPUT,
				"%s:%zu: unknown filter '%.*s', the only one is: default: \"text\"",
				file, line, STR_ARG(filter));
		return err_set(e, ERR_INPUT,
			"%s:%zu: '{{ %.*s }}' must read: {{ name | default: \"text\" }}", file,
			line, STR_ARG(whole));
	}
	skip_space(&s);
	if (s.n)
		return err_set(e, ERR_INPUT, "%s:%zu: '%.*s' is not understood in '{{ %.*s }}'",
			file, line, STR_ARG(s), STR_ARG(whole));
	return 0;
}

/* The inside of `{% … %}`. */
static int read_control(
	struct str s, const char *file, size_t line, struct liquid_tag *tag, struct err *e)
{
	struct str whole = str_trim(s), word = take_word(&s);
	size_t i, n = sizeof(words) / sizeof(words[0]);

	for (i = 0; i < n && !str_eq(word, str_of(words[i].word)); i++)
		;
	if (i == n)
		return err_set(e, ERR_INPUT,
			"%s:%zu: unknown tag '{%% %.*s %%}', there are: if, elsif, else, endif, "
			"unless, endunless, raw, endraw",
			file, line, STR_ARG(whole));
	tag->kind = words[i].kind;
	if (words[i].condition) {
		tag->name = take_word(&s);
		if (!tag->name.n || !take_test(&s, tag))
			return err_set(e, ERR_INPUT,
				"%s:%zu: '{%% %.*s %%}' must read: %s name, perhaps with == "
				"\"text\", != \"text\" or contains \"text\"",
				file, line, STR_ARG(whole), words[i].word);
	}
	skip_space(&s);
	if (s.n)
		return err_set(e, ERR_INPUT, "%s:%zu: '%.*s' is not understood in '{%% %.*s %%}'",
			file, line, STR_ARG(s), STR_ARG(whole));
	return 0;
}

int liquid_tag_read(
	struct str s, const char *file, size_t line, struct liquid_tag *out, struct err *e)
{
	bool value = s.p[1] == '{';
	struct str inner = str_slice(s, 2, str_find(s, '\n'));
	size_t close = str_search(inner, value ? STR("}}") : STR("%}"));

	*out = (struct liquid_tag){.kind = TAG_VALUE, .n = close + 4};
	if (close == inner.n)
		return err_set(e, ERR_INPUT, "%s:%zu: '%s' is not closed by '%s' on its line", file,
			line, value ? "{{" : "{%", value ? "}}" : "%}");
	inner = str_slice(inner, 0, close);
	return value ? read_value(inner, file, line, out, e)
		     : read_control(inner, file, line, out, e);
}
