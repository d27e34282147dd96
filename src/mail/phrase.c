/* SPDX-License-Identifier: MIT */
#include "phrase.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static char lower(char c)
{
	return is_upper(c) ? (char)(c + ('a' - 'A')) : c;
}

/* Octets above ASCII are letters of other languages. */
static bool in_word(char c)
{
	return is_upper(c) || is_lower(c) || is_digit(c) || c == '_' || (c & 0x80);
}

size_t phrase_status(struct str s)
{
	size_t i = 1;

	if (s.n < 5 || (s.p[0] != '2' && s.p[0] != '4' && s.p[0] != '5'))
		return 0;
	for (int part = 0; part < 2; part++) {
		size_t digits = 0;

		if (i == s.n || s.p[i++] != '.')
			return 0;
		while (i < s.n && is_digit(s.p[i])) {
			i++;
			digits++;
		}
		if (digits < 1 || digits > 3)
			return 0;
	}
	return i < s.n && (in_word(s.p[i]) ||
				  (s.p[i] == '.' && i + 1 < s.n && is_digit(s.p[i + 1])))
		       ? 0
		       : i;
}

/* ---- words ---- */

/* A bit for the first three octets of a word. */
static size_t beginning(struct str w)
{
	unsigned hash = 0;

	for (size_t i = 0; i < 3; i++)
		hash = hash * 41 + (i < w.n ? (unsigned char)w.p[i] : 0);
	return hash % (16 * 64);
}

static void word_add(struct phrase_words *in, struct str w)
{
	size_t bit = beginning(w);

	if (in->n == PHRASE_WORDS_MAX)
		return;
	in->word[in->n++] = w;
	in->seen[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* Add the words of `s`. "doesn't" is "doesnt", "e-mail" is "email". */
static void words_add(struct phrase_text *t, enum phrase_where where, struct str s)
{
	for (size_t i = 0; i < s.n;) {
		struct str w = {t->room + t->room_n, 0};

		for (; i < s.n && t->room_n < sizeof t->room; i++) {
			bool joins = s.p[i] == '\'' || (s.p[i] == '-' && w.n == 1 && w.p[0] == 'e');

			if (in_word(s.p[i])) {
				t->room[t->room_n++] = lower(s.p[i]);
				w.n++;
			} else if (!joins) {
				break;
			}
		}
		i++;
		if (w.n)
			word_add(&t->in[where], w);
	}
}

/* "192.0.2.1", "2001:db8::1". */
static bool is_ip(struct str s)
{
	size_t dots = 0, colons = 0, digits = 0, i;

	for (i = 0; i < s.n; i++) {
		char c = lower(s.p[i]);

		dots += c == '.';
		colons += c == ':';
		digits += is_digit(c);
		if (!is_digit(c) && c != '.' && c != ':' && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return digits && ((dots == 3 && digits + dots == s.n) || colons >= 2);
}

/* Labels with dots between, the last one of letters. "closed.Please" is the end of a sentence. */
static bool is_host(struct str s)
{
	size_t last = s.n, dots = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c != '.') {
			if (!in_word(c) && c != '-' && c != '*')
				return false;
			continue;
		}
		if (i == 0 || i + 1 == s.n || s.p[i + 1] == '.')
			return false;
		if (i + 2 < s.n && is_upper(s.p[i + 1]) && is_lower(s.p[i + 2]))
			return false;
		dots++;
		last = i + 1;
	}
	if (!dots || s.n - last < 2)
		return false;
	for (size_t i = last; i < s.n; i++)
		if (is_digit(s.p[i]))
			return false;
	return true;
}

/* A reply's code at the head of a further line, "550-5.1.1" or "550": no word of the text. */
static bool is_code(struct str s)
{
	if (s.n < 3 || (s.p[0] != '4' && s.p[0] != '5') || !is_digit(s.p[1]) || !is_digit(s.p[2]))
		return false;
	s = str_slice(s, 3, s.n);
	if (s.n && s.p[0] == '-')
		s = str_slice(s, 1, s.n);
	return s.n == 0 || phrase_status(s) == s.n;
}

static bool in_set(char c, const char *set)
{
	return c && strchr(set, c);
}

static struct str bare(struct str s)
{
	static const char around[] = "'.:#!?=*";

	while (s.n && in_set(s.p[0], around))
		s = str_slice(s, 1, s.n);
	while (s.n && in_set(s.p[s.n - 1], around))
		s.n--;
	return s;
}

/* False for what may be several of these with ':' or '=' between. */
static bool piece_add(struct phrase_text *t, struct str s)
{
	struct phrase_words *text = &t->in[IN_TEXT];

	if (str_find(s, '@') < s.n) {
		word_add(text, STR("#addr"));
	} else if (is_ip(s)) {
		word_add(text, STR("#ip"));
	} else if (is_host(s)) {
		word_add(text, STR("#host"));
		words_add(t, IN_HOSTS, s);
	} else if (!is_code(s) && phrase_status(s) != s.n) {
		return false;
	}
	return true;
}

/* What stands between two blanks or brackets. */
static void chunk_add(struct phrase_text *t, struct str s)
{
	s = bare(s);
	if (piece_add(t, s))
		return;
	while (s.n) {
		size_t colon = str_find(s, ':');
		size_t end = str_find(str_slice(s, 0, colon), '=');
		struct str piece = bare(str_slice(s, 0, end));

		if (piece.n && !piece_add(t, piece))
			words_add(t, IN_TEXT, piece);
		s = str_slice(s, end + 1, s.n);
	}
}

static bool is_link(struct str s)
{
	return str_has_prefix_nocase(s, STR("http://")) ||
	       str_has_prefix_nocase(s, STR("https://")) || str_has_prefix_nocase(s, STR("www."));
}

void phrase_read(struct str text, struct phrase_text *out)
{
	static const char ends[] = " \t\r\n<>()[]{}\",;|";
	size_t i = 0;

	out->room_n = 0;
	for (int k = 0; k < PHRASE_WHERE_N; k++) {
		out->in[k].n = 0;
		memset(out->in[k].seen, 0, sizeof out->in[k].seen);
	}
	text = str_slice(text, 0, PHRASE_TEXT_MAX);
	while (i < text.n) {
		size_t from = i;
		bool link = is_link(str_slice(text, i, text.n));

		/* A link also begins within "see:http://host/". */
		while (i < text.n && !in_set(text.p[i], ends) &&
			(link || i == from || !in_set(text.p[i - 1], ":=/") ||
				!is_link(str_slice(text, i, text.n))))
			i++;
		if (link) {
			struct str s = str_slice(text, from, i);
			size_t host = str_search(s, STR("://"));

			s = host < s.n ? str_slice(s, host + 3, s.n) : s;
			words_add(out, IN_LINKS, str_slice(s, 0, str_find(s, '/')));
		} else {
			chunk_add(out, str_slice(text, from, i));
		}
		if (i < text.n && in_set(text.p[i], ends))
			i++;
	}
}

/* ---- phrases ---- */

/* Take the next word of a phrase. */
static struct str element_next(struct str *phrase)
{
	size_t end = str_find(*phrase, ' ');
	struct str element = str_slice(*phrase, 0, end);

	*phrase = str_slice(*phrase, end + 1, phrase->n);
	return element;
}

static bool element_matches(struct str element, struct str word)
{
	struct str one;
	int64_t number;

	if (str_eq(element, STR("#num")))
		return str_to_int(word, 0, INT64_MAX, &number);
	while (str_next(&element, '/', &one)) {
		if (one.n && one.p[one.n - 1] == '*') {
			if (str_has_prefix(word, str_slice(one, 0, one.n - 1)))
				return true;
		} else if (str_eq(one, word)) {
			return true;
		}
	}
	return false;
}

/* Whether all of `phrase` stands at word `i`. */
static bool stands_at(struct str phrase, const struct phrase_words *in, size_t i)
{
	while (phrase.n) {
		struct str element = element_next(&phrase);

		if (str_eq(element, STR(".."))) {
			for (size_t k = 0; k <= PHRASE_GAP && i + k <= in->n; k++)
				if (stands_at(phrase, in, i + k))
					return true;
			return false;
		}
		if (element.p[0] == '(') {
			if (stands_at(phrase, in, i))
				return true;
			element = str_slice(element, 1, element.n - 1);
		}
		if (str_eq(element, STR("$")))
			return i == in->n;
		if (i == in->n || !element_matches(element, in->word[i]))
			return false;
		i++;
	}
	return true;
}

/* Whether the words can begin with `element`: cheap, and mostly not so. */
static bool may_occur(struct str element, const struct phrase_words *in)
{
	struct str one;

	while (str_next(&element, '/', &one)) {
		size_t bit = beginning(one);

		if (one.n < 4 && one.p[one.n - 1] == '*')
			return true;
		if (in->seen[bit / 64] & UINT64_C(1) << bit % 64)
			return true;
	}
	return false;
}

bool phrase_match(const char *pattern, const struct phrase_words *in, size_t *at)
{
	struct str rest = str_of(pattern), phrase;

	while (str_next(&rest, ';', &phrase)) {
		struct str behind = phrase;
		struct str first = element_next(&behind);
		bool anchored = str_eq(first, STR("^"));

		if (anchored)
			first = element_next(&behind);
		if (!may_occur(first, in))
			continue;
		for (size_t i = 0; i < (anchored && in->n ? 1 : in->n); i++) {
			if (!element_matches(first, in->word[i]) || !stands_at(behind, in, i + 1))
				continue;
			if (at)
				*at = i;
			return true;
		}
	}
	return false;
}
