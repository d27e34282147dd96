/* SPDX-License-Identifier: MIT */
#include "mail/segment.h"

#include <string.h>

static const char *const op_text[SEGMENT_OP_N] = {"=", "!=", "<", "<=", ">", ">=", "~"};

/* ---- words ---- */

enum token { END, NAME, VALUE, OP, OPEN, CLOSE, BAD };

struct parser {
	struct arena *a;
	struct str text, rest; /* of `text` behind the token */
	enum token token;
	struct str word; /* the token as written */
	enum segment_op op;
	enum segment_type type;
	struct str value;
	size_t tests, depth;
	struct err *e;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
	       c == '-' || c == '.' || (unsigned char)c >= 0x80;
}

static int fail(const struct parser *p, const char *what)
{
	struct str near = str_slice(p->text, (size_t)(p->word.p - p->text.p), p->text.n);

	return err_set(p->e, ERR_INPUT, "the segment is not understood %s%.*s%s: %s",
		near.n ? "at '" : "at its end", STR_ARG(str_slice(near, 0, utf8_prefix(near, 30))),
		near.n ? "'" : "", what);
}

/* The text between quotes; false when they do not end. */
static bool take_text(struct parser *p)
{
	char *out = arena_alloc(p->a, p->rest.n + 1);
	size_t i = 1, n = 0;

	for (; i < p->rest.n && p->rest.p[i] != '"'; i++) {
		if (p->rest.p[i] == '\\' && i + 1 < p->rest.n)
			i++;
		out[n++] = p->rest.p[i];
	}
	out[n] = '\0';
	if (i >= p->rest.n)
		return false;
	p->word.n = i + 1;
	p->value = (struct str){out, n};
	p->type = SEGMENT_TEXT;
	return true;
}

/* 2026-01-31 with a month and a day that there are. */
static bool is_day(struct str s)
{
	int64_t part;

	return s.n == 10 && s.p[4] == '-' && s.p[7] == '-' &&
	       str_to_int(str_slice(s, 0, 4), 0, 9999, &part) &&
	       str_to_int(str_slice(s, 5, 7), 1, 12, &part) &&
	       str_to_int(str_slice(s, 8, 10), 1, 31, &part);
}

/* -12, 12.5 */
static bool is_number(struct str s)
{
	size_t dot, i = s.n && s.p[0] == '-';
	bool digits = i < s.n;

	s = str_slice(s, i, s.n);
	dot = str_find(s, '.');
	for (i = 0; i < s.n; i++)
		digits &= i == dot || is_digit(s.p[i]);
	return digits && s.n <= 18 && dot > 0 && dot != s.n - 1;
}

static enum token take_word(struct parser *p)
{
	size_t n = 0;

	while (n < p->rest.n && is_name(p->rest.p[n]))
		n++;
	p->word.n = n;
	if (!is_digit(p->word.p[0]) && p->word.p[0] != '-')
		return n <= SEGMENT_NAME_MAX ? NAME : BAD;
	p->value = p->word;
	p->type = is_day(p->word) ? SEGMENT_DAY : SEGMENT_NUMBER;
	return p->type == SEGMENT_DAY || is_number(p->word) ? VALUE : BAD;
}

static enum token take_op(struct parser *p)
{
	/* The longer ones first: "<=" begins with "<". */
	static const enum segment_op order[] = {SEGMENT_NE, SEGMENT_LE, SEGMENT_GE, SEGMENT_EQ,
		SEGMENT_LT, SEGMENT_GT, SEGMENT_CONTAINS};

	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		if (str_has_prefix(p->rest, str_of(op_text[order[i]]))) {
			p->op = order[i];
			p->word.n = strlen(op_text[order[i]]);
			return OP;
		}
	return BAD;
}

/* Step to the next token. */
static void next(struct parser *p)
{
	while (p->rest.n && strchr(" \t\r\n", p->rest.p[0]) && p->rest.p[0])
		p->rest = str_slice(p->rest, 1, p->rest.n);
	p->word = str_slice(p->rest, 0, 1);
	if (!p->rest.n)
		p->token = END;
	else if (p->rest.p[0] == '(' || p->rest.p[0] == ')')
		p->token = p->rest.p[0] == '(' ? OPEN : CLOSE;
	else if (p->rest.p[0] == '"')
		p->token = take_text(p) ? VALUE : BAD;
	else
		p->token = is_name(p->rest.p[0]) ? take_word(p) : take_op(p);
	p->rest = str_slice(p->rest, p->word.n, p->rest.n);
}

static bool is_word(const struct parser *p, const char *word)
{
	return p->token == NAME && str_eq_nocase(p->word, str_of(word));
}

/* ---- what can be asked ---- */

static const struct {
	const char *name;
	enum segment_type type;
} calls[] = {
	{"received", SEGMENT_TEXT},
	{"clicked", SEGMENT_TEXT},
	{"clicked_any", SEGMENT_NUMBER},
};

static int check_call(const struct parser *p, const struct segment *s)
{
	int64_t n;

	if (str_has_prefix(s->name, STR("opened")))
		return fail(p,
			"who opened a mail cannot be known and is not counted: clicked_any(5) "
			"asks for clicks");
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (str_eq(s->name, str_of(calls[i].name))) {
			if (s->type != calls[i].type)
				return fail(p,
					calls[i].type == SEGMENT_TEXT
						? "it wants the slug of an issue in double quotes"
						: "it wants a number of issues");
			if (s->type == SEGMENT_NUMBER && !str_to_int(s->value, 1, 10000, &n))
				return fail(p, "it wants a number of issues from 1 to 10000");
			return 0;
		}
	return fail(p, "there are received(\"SLUG\"), clicked(\"SLUG\") and clicked_any(N)");
}

static int check_test(const struct parser *p, const struct segment *s)
{
	static const char *const words[] = {"tag", "list", "status"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_eq(s->name, str_of(words[i])) &&
			(s->op > SEGMENT_NE || s->type != SEGMENT_TEXT))
			return fail(p, "tag, list and status are = or != a text in double quotes");
	if (s->op == SEGMENT_CONTAINS && s->type != SEGMENT_TEXT)
		return fail(p, "what it contains stands in double quotes");
	return 0;
}

/* ---- grammar ---- */

static struct segment *either(struct parser *p);

static struct segment *node(struct parser *p, enum segment_kind kind)
{
	struct segment *s = arena_alloc(p->a, sizeof *s);

	*s = (struct segment){.kind = kind};
	return s;
}

static struct segment *test(struct parser *p)
{
	struct segment *s = node(p, SEGMENT_TEST);
	struct parser at = *p; /* for messages */
	bool call;

	if (p->token != NAME) {
		fail(p, "a field is expected here, such as city = \"Lisbon\"");
		return NULL;
	}
	if (++p->tests > SEGMENT_TESTS_MAX) {
		fail(p, "it has more than 64 tests");
		return NULL;
	}
	s->name = p->word;
	next(p);
	call = p->token == OPEN;
	if (!call && p->token != OP) {
		fail(p, "behind a field stands =, !=, <, <=, >, >= or ~");
		return NULL;
	}
	s->op = call ? SEGMENT_EQ : p->op;
	next(p);
	if (p->token != VALUE) {
		fail(p, "a value is expected here: \"text\", 12 or 2026-01-31");
		return NULL;
	}
	s->type = p->type;
	s->value = p->value;
	next(p);
	if (!call)
		return check_test(&at, s) < 0 ? NULL : s;
	s->kind = SEGMENT_CALL;
	if (p->token != CLOSE) {
		fail(p, "a ')' is missing");
		return NULL;
	}
	next(p);
	return check_call(&at, s) < 0 ? NULL : s;
}

static struct segment *one(struct parser *p)
{
	struct segment *s = NULL;

	if (++p->depth > SEGMENT_DEPTH_MAX) {
		fail(p, "it is nested too deeply");
		return NULL;
	}
	if (is_word(p, "not")) {
		next(p);
		s = node(p, SEGMENT_NOT);
		s->left = one(p);
		if (!s->left)
			return NULL;
	} else if (p->token == OPEN) {
		next(p);
		s = either(p);
		if (!s)
			return NULL;
		if (p->token != CLOSE) {
			fail(p, "'and', 'or' or a ')' is expected here");
			return NULL;
		}
		next(p);
	} else {
		s = test(p);
	}
	p->depth--;
	return s;
}

static struct segment *chain(struct parser *p, const char *word, enum segment_kind kind,
	struct segment *(*part)(struct parser *p))
{
	struct segment *s = part(p), *whole;

	while (s && is_word(p, word)) {
		next(p);
		whole = node(p, kind);
		whole->left = s;
		whole->right = part(p);
		s = whole->right ? whole : NULL;
	}
	return s;
}

static struct segment *both(struct parser *p)
{
	return chain(p, "and", SEGMENT_AND, one);
}

static struct segment *either(struct parser *p)
{
	return chain(p, "or", SEGMENT_OR, both);
}

int segment_parse(struct arena *a, struct str text, const struct segment **out, struct err *e)
{
	struct parser p = {.a = a, .text = text, .rest = text, .word = text, .e = e};
	struct segment *s;

	if (text.n > SEGMENT_MAX)
		return err_set(e, ERR_INPUT, "the segment is longer than %d octets", SEGMENT_MAX);
	if (utf8_invalid_at(text) != text.n || (text.n && memchr(text.p, '\0', text.n)))
		return err_set(e, ERR_INPUT, "the segment is not valid UTF-8");
	next(&p);
	s = either(&p);
	if (!s)
		return -1;
	if (p.token != END)
		return fail(&p, "'and' or 'or' is expected here");
	*out = s;
	return 0;
}

/* ---- printing ---- */

static void print_value(const struct segment *s, struct buf *out)
{
	if (s->type != SEGMENT_TEXT) {
		buf_str(out, s->value);
		return;
	}
	buf_char(out, '"');
	for (size_t i = 0; i < s->value.n; i++) {
		if (s->value.p[i] == '"' || s->value.p[i] == '\\')
			buf_char(out, '\\');
		buf_char(out, s->value.p[i]);
	}
	buf_char(out, '"');
}

void segment_print(const struct segment *s, struct buf *out)
{
	switch (s->kind) {
	case SEGMENT_AND:
	case SEGMENT_OR:
		buf_char(out, '(');
		segment_print(s->left, out);
		buf_cstr(out, s->kind == SEGMENT_AND ? " and " : " or ");
		segment_print(s->right, out);
		buf_char(out, ')');
		break;
	case SEGMENT_NOT:
		buf_cstr(out, "not ");
		segment_print(s->left, out);
		break;
	case SEGMENT_TEST:
		buf_str(out, s->name);
		buf_printf(out, " %s ", op_text[s->op]);
		print_value(s, out);
		break;
	case SEGMENT_CALL:
		buf_str(out, s->name);
		buf_char(out, '(');
		print_value(s, out);
		buf_char(out, ')');
		break;
	}
}
