/* SPDX-License-Identifier: MIT */
#include "report_lines.h"

#include "inbound_text.h"
#include "phrase.h"
#include "report_rules.h"

#include <string.h>

enum { RULES_N = sizeof line_rules / sizeof line_rules[0] };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

/* A reply's code at `i`. */
static bool is_code(struct str s, size_t i)
{
	return i + 3 <= s.n && (s.p[i] == '4' || s.p[i] == '5') && s.p[i + 1] >= '0' &&
	       s.p[i + 1] <= '7' && is_digit(s.p[i + 2]) &&
	       (i + 3 == s.n || strchr(" -:#,", s.p[i + 3]));
}

/* ---- addresses ---- */

bool lines_is_address(struct str s)
{
	size_t at = s.n, dots = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '@')
			at = i;
		if ((unsigned char)s.p[i] <= ' ' || strchr("<>()[]\",;\\", s.p[i]))
			return false;
	}
	if (at == 0 || at + 1 >= s.n || at != str_find(s, '@'))
		return false;
	for (size_t i = at + 1; i < s.n; i++) {
		dots += s.p[i] == '.';
		if (!is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '.' && s.p[i] != '_')
			return false;
	}
	return dots && s.p[at + 1] != '.' && is_alnum(s.p[s.n - 1]);
}

/* A domain ends at a colon, and where the words of another script go on without a space. */
static struct str cut_domain(struct str s)
{
	size_t at = str_find(s, '@');
	bool dots = false;

	for (size_t i = at; i < s.n; i++) {
		dots |= s.p[i] == '.';
		if (s.p[i] == ':' || (s.p[i] & 0x80 && dots)) {
			s.n = i;
			break;
		}
	}
	while (s.n && !is_alnum(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* What may stand around an address without being part of it. */
static struct str address_bare(struct str s)
{
	struct str scheme = STR("mailto:");

	if (str_has_prefix_nocase(s, scheme))
		s = str_slice(s, scheme.n, s.n);
	while (s.n && strchr("'`:*=", s.p[0]))
		s = str_slice(s, 1, s.n);
	/* The code of a reply's further line stands right before it: "550-anna@example.com". */
	if (is_code(s, 0) && s.n > 4 && s.p[3] == '-')
		s = str_slice(s, 4, s.n);
	return cut_domain(s);
}

/* The pieces with a '@', cut as phrase_read() cuts them: the n-th of a line is its n-th #addr. */
static void find_addresses(struct line *l)
{
	static const char ends[] = " \t<>()[]{}\",;|";
	struct str s = l->text;

	for (size_t i = 0; i < s.n && l->address_n < LINE_ADDRESSES_MAX; i++) {
		size_t from = i;
		struct str piece;

		while (i < s.n && s.p[i] && !strchr(ends, s.p[i]))
			i++;
		piece = str_slice(s, from, i);
		if (str_find(piece, '@') < piece.n && !str_has_prefix_nocase(piece, STR("http")))
			l->address[l->address_n++] = address_bare(piece);
	}
}

/* Whether the line begins with its first address, but for bullets, brackets and a name in quotes. */
static bool leads(const struct line *l)
{
	struct str s = l->text;
	size_t i = 0;

	if (!l->address_n || !lines_is_address(l->address[0]))
		return false;
	if (str_has_prefix_nocase(s, STR("SMTP ")))
		i = 5;
	while (i < s.n && strchr(" \t*<>-=.'\"(", s.p[i]))
		i++;
	return s.p + i == l->address[0].p ||
	       str_has_prefix_nocase(str_slice(s, i, s.n), STR("mailto:")) ||
	       str_has_prefix_nocase(str_slice(s, i, s.n), STR("rfc822;"));
}

/* ---- replies ---- */

/* Whether what stands before `i` announces a reply. */
static bool announced(struct str s, size_t i)
{
	static const struct str words[] = {STR("said"), STR("error"), STR("code"), STR("reply"),
		STR("response"), STR("returned"), STR("with"), STR("status"), STR("smtp"),
		STR("because"), STR("answer"), STR("Error")};

	while (i && (s.p[i - 1] == ' ' || s.p[i - 1] == '\t'))
		i--;
	if (!i || strchr(":;>(\"'[|=<", s.p[i - 1]))
		return true;
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (str_has_suffix(str_slice(s, 0, i), words[k]))
			return true;
	return false;
}

/* "host mx said: 550" at the end of a line that goes on in the next one. */
static bool is_broken_off(struct str s, size_t i)
{
	return i + 3 == s.n && i > 2 && s.p[i - 1] == ' ' && s.p[i - 2] == ':';
}

struct str lines_find_reply(struct str s)
{
	for (size_t i = 0; i + 3 <= s.n; i++) {
		if ((i && (is_alnum(s.p[i - 1]) || strchr(".-/@_+%&?", s.p[i - 1]))) ||
			!is_code(s, i))
			continue;
		struct str behind = str_trim(str_slice(s, i + 4, s.n));

		if (behind.n && behind.p[0] == '#')
			behind = str_slice(behind, 1, behind.n);
		if (phrase_status(behind) || (announced(s, i) && (i == 0 || behind.n > 3)) ||
			is_broken_off(s, i))
			return str_slice(s, i, s.n);
	}
	return (struct str){0};
}

/* ---- what it says ---- */

static enum smtp_phase find_phase(const struct phrase_words *in)
{
	static const struct {
		const char *pattern;
		enum smtp_phase phase;
	} said[] = {
		{"in reply to mail from;after mail from;error .. mail from;sender was rejected;"
		 "response to mail from;mail from command;not like our mail from;mail_from $",
			PHASE_MAIL},
		{"in reply to rcpt to;after rcpt;response to rcpt;not like our rcpt;not like "
		 "recipient;"
		 "rcpt to command;smtp rcpt;rcpt_to $",
			PHASE_RCPT},
		{"in reply to end of data;after end of data;after (sending) message body;"
		 "end of data command;failed after i sent the message",
			PHASE_DOT},
		{"in reply to data;after data;response to data;data command", PHASE_DATA},
	};

	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
		if (phrase_match(said[i].pattern, in, NULL))
			return said[i].phase;
	return PHASE_N;
}

/* The address that stands behind word `from`. */
static struct str address_behind(const struct line *l, const struct phrase_words *in, size_t from)
{
	size_t k = 0;

	for (size_t i = 0; i < in->n; i++) {
		if (!str_eq(in->word[i], STR("#addr")))
			continue;
		if (i >= from && k < l->address_n && lines_is_address(l->address[k]))
			return l->address[k];
		k++;
	}
	return (struct str){0};
}

static void judge(struct line *l, const struct phrase_words *in)
{
	size_t at;

	l->phase = find_phase(in);
	for (size_t i = 0; i < RULES_N; i++) {
		const struct line_rule *r = &line_rules[i];

		if (!phrase_match(r->text, in, &at))
			continue;
		if (r->says & SAYS_NAME)
			l->named = address_behind(l, in, at);
		if (r->says & SAYS_NAME && !l->named.n)
			continue;
		l->says |= r->says;
		if (!l->rule && r->says & (SAYS_NAMES | SAYS_NAME))
			l->rule = r->name;
	}
}

unsigned lines_say(struct str words)
{
	struct line l = {.text = str_slice(words, 0, LINE_BYTES_MAX)};
	struct phrase_text t;

	find_addresses(&l);
	phrase_read(l.text, &t);
	judge(&l, &t.in[IN_TEXT]);
	return l.says;
}

/* A phrase may go on in the next line. */
static void judge_pair(struct arena *a, struct line *l, const struct line *next)
{
	static const unsigned whole =
		SAYS_NAMES | SAYS_FAILED | SAYS_LATER | SAYS_FINAL | SAYS_CHALLENGE;
	struct str both =
		str_of(arena_printf(a, "%.*s %.*s", STR_ARG(l->text), STR_ARG(next->text)));
	struct phrase_text t;

	phrase_read(both, &t);
	for (size_t i = 0; i < RULES_N; i++) {
		const struct line_rule *r = &line_rules[i];

		if (r->says & SAYS_NAME || !(r->says & whole) ||
			!phrase_match(r->text, &t.in[IN_TEXT], NULL))
			continue;
		l->says |= r->says;
		if (!l->rule && r->says & SAYS_NAMES)
			l->rule = r->name;
	}
}

/* ---- lines ---- */

/* Fields that open a copied message. */
static bool is_copied_field(struct str s)
{
	return str_has_prefix_nocase(s, STR("Received: ")) ||
	       str_has_prefix_nocase(s, STR("Return-Path: ")) ||
	       str_has_prefix_nocase(s, STR("DKIM-Signature: ")) ||
	       str_has_prefix_nocase(s, STR("X-Originating-IP: "));
}

/* A line of marks: "-----". */
static bool is_rule(struct str s)
{
	size_t i = 0;

	while (i < s.n && strchr("-=_*#~ ", s.p[i]))
		i++;
	return s.n > 2 && i == s.n;
}

static bool is_marker(const struct line *l)
{
	/* A sentence that merely mentions the copy is no marker. */
	return l->says & SAYS_COPY && !(l->says & SAYS_NAMES) && l->text.n < 100 && !l->address_n;
}

static struct str unquote(struct str s)
{
	s = str_trim(s);
	while (s.n && s.p[0] == '>' && !str_has_prefix(s, STR(">>> "))) {
		s = str_trim(str_slice(s, 1, s.n));
	}
	return s;
}

static void take_to(struct lines *out, const struct line *l)
{
	if (str_has_prefix_nocase(l->text, STR("To:")) && l->address_n == 1 && !out->to.n &&
		lines_is_address(l->address[0]))
		out->to = l->address[0];
}

static void read_line(struct line *l, struct str text)
{
	struct phrase_text t;

	l->text = str_slice(text, 0, LINE_BYTES_MAX);
	l->phase = PHASE_N;
	if (!l->text.n || is_rule(l->text))
		return;
	find_addresses(l);
	l->leads = leads(l);
	phrase_read(l->text, &t);
	judge(l, &t.in[IN_TEXT]);
	l->reply = lines_find_reply(l->text);
}

/* Join a line to the one behind it, where both hold words of one paragraph. */
static void judge_pairs(struct arena *a, struct lines *t)
{
	for (size_t i = 0; i + 1 < t->n; i++) {
		struct line *l = &t->line[i], *next = l + 1;

		if (l->text.n && next->text.n && l->text.n + next->text.n < 240 && !l->leads &&
			!next->leads && !is_rule(l->text) && !is_rule(next->text))
			judge_pair(a, l, next);
	}
}

static size_t count_lines(struct str text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.n && n < LINES_MAX; i++)
		n += text.p[i] == '\n';
	return n;
}

void lines_read(struct arena *a, struct str text, struct lines *out)
{
	struct str rest = text, one;
	size_t words = 0;

	*out = (struct lines){.line = arena_array(a, count_lines(text), sizeof(struct line))};
	while (out->n < LINES_MAX) {
		struct str before = rest;

		if (!rest.n || !str_next(&rest, '\n', &one))
			break;
		struct line *l = &out->line[out->n];

		*l = (struct line){0};
		read_line(l, unquote(one));
		if (words && (is_marker(l) || is_copied_field(l->text))) {
			out->copy = is_marker(l) ? rest : before;
			break;
		}
		words += l->text.n > 0;
		take_to(out, l);
		out->n++;
	}
	judge_pairs(a, out);
	for (size_t i = 0; i < out->n; i++)
		out->says |= out->line[i].says | (out->line[i].reply.n ? SAYS_FAILED : 0);
}

struct str lines_join(struct arena *a, const struct lines *t, size_t from, size_t to)
{
	enum { JOINED_MAX = 2000 };
	char *p = arena_alloc(a, JOINED_MAX);
	size_t n = 0;

	for (size_t i = from; i < to && i < t->n; i++) {
		struct str s = t->line[i].text;

		if (!s.n || is_rule(s))
			continue;
		if (n + s.n + 1 > JOINED_MAX)
			break;
		if (n)
			p[n++] = ' ';
		memcpy(p + n, s.p, s.n);
		n += s.n;
	}
	return (struct str){p, n};
}

struct str lines_tidy(struct arena *a, struct str reply, struct str more)
{
	struct str text = str_slice(reply, 3, reply.n);

	if (!reply.n)
		return reply;
	while (text.n && strchr(" -:#,'\"", text.p[0]))
		text = str_slice(text, 1, text.n);
	return str_of(arena_printf(a, "%.*s %.*s %.*s", 3, reply.p, STR_ARG(text), STR_ARG(more)));
}

struct str lines_reply(struct arena *a, const struct lines *t, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < t->n; i++) {
		struct str first = t->line[i].reply;
		size_t end = i + 1;
		char code[4] = {0};

		if (!first.n)
			continue;
		memcpy(code, first.p, 3);
		/* Its further lines: the same code, or none, up to the end of the paragraph. */
		while (end < to && end < t->n && end < i + 12 && t->line[end].text.n &&
			!t->line[end].leads &&
			(!t->line[end].reply.n || str_has_prefix(t->line[end].text, str_of(code))))
			end++;
		struct str more = lines_join(a, t, i + 1, end);
		return lines_tidy(a, first, more);
	}
	return (struct str){0};
}
