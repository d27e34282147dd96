/* SPDX-License-Identifier: MIT */
#include "mail/reply.h"

#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

void reply_init(struct reply_reader *r)
{
	memset(r, 0, sizeof(*r));
}

/* Begin the next reply. */
static void reply_start(struct reply_reader *r)
{
	r->reply.code = 0;
	r->reply.status[0] = '\0';
	r->reply.text[0] = '\0';
	r->lines = r->bytes = r->text_n = r->line_n = 0;
}

/* Octets of the enhanced code (RFC 3463 section 2) that `s` starts with, 0 where there is none. */
static size_t status_len(struct str s)
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
	return i == s.n || s.p[i] == ' ' ? i : 0;
}

/* Add the text of one line; what does not fit is cut. */
static void text_add(struct reply_reader *r, struct str s)
{
	struct str parts[] = {r->text_n ? STR(" / ") : (struct str){NULL, 0}, s};

	for (size_t i = 0; s.n && i < 2; i++) {
		size_t room = sizeof(r->reply.text) - 1 - r->text_n;
		size_t n = parts[i].n < room ? parts[i].n : room;

		if (n)
			memcpy(r->reply.text + r->text_n, parts[i].p, n);
		r->text_n += n;
	}
}

/* The reply is whole: end the text, and mask what is not UTF-8 in it. */
static void text_end(struct reply_reader *r)
{
	struct str rest = {r->reply.text, r->text_n};

	r->reply.text[r->text_n] = '\0';
	for (;;) {
		size_t at = utf8_invalid_at(rest);

		if (at == rest.n)
			return;
		r->reply.text[rest.p - r->reply.text + (ptrdiff_t)at] = '?';
		rest = str_slice(rest, at + 1, rest.n);
	}
}

/* One whole line is in r->line. */
static enum reply_result line_read(struct reply_reader *r)
{
	struct str s = {r->line, r->line_n};
	size_t status;
	int code;
	bool more;

	if (s.n && s.p[s.n - 1] == '\r')
		s.n--;
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			r->line[i] = '?';
	}
	r->line_n = 0;
	if (r->on_line)
		r->on_line(r->user, s);
	if (++r->lines > REPLY_LINES_MAX || s.n < 3 || s.p[0] < '2' || s.p[0] > '5' ||
		!is_digit(s.p[1]) || !is_digit(s.p[2]) ||
		(s.n > 3 && s.p[3] != ' ' && s.p[3] != '-'))
		return REPLY_BAD;
	code = (s.p[0] - '0') * 100 + (s.p[1] - '0') * 10 + (s.p[2] - '0');
	if (r->lines > 1 && code != r->reply.code)
		return REPLY_BAD;
	r->reply.code = code;
	more = s.n > 3 && s.p[3] == '-';
	s = str_trim(str_slice(s, 4, s.n));
	status = status_len(s);
	if (status && !r->reply.status[0]) {
		_Static_assert(
			sizeof(r->reply.status) > sizeof "5.123.123" - 1, "no room for a code");
		memcpy(r->reply.status, s.p, status);
		r->reply.status[status] = '\0';
	}
	text_add(r, str_trim(str_slice(s, status, s.n)));
	if (more)
		return REPLY_MORE;
	text_end(r);
	return REPLY_DONE;
}

enum reply_result reply_read(struct reply_reader *r, struct str *input)
{
	while (input->n) {
		size_t end = str_find(*input, '\n');
		size_t keep = sizeof(r->line) - r->line_n;
		enum reply_result result;

		if (!r->lines && !r->bytes)
			reply_start(r);
		if (keep > end)
			keep = end;
		memcpy(r->line + r->line_n, input->p, keep);
		r->line_n += keep;
		r->bytes += end < input->n ? end + 1 : end;
		if (r->bytes > REPLY_BYTES_MAX)
			return REPLY_BAD;
		if (end == input->n) {
			*input = (struct str){NULL, 0};
			return REPLY_MORE;
		}
		*input = str_slice(*input, end + 1, input->n);
		result = line_read(r);
		if (result == REPLY_DONE)
			r->lines = r->bytes = 0;
		if (result != REPLY_MORE)
			return result;
	}
	return REPLY_MORE;
}

void smtp_caps_line(struct smtp_caps *caps, struct str line)
{
	static const struct {
		struct str keyword;
		size_t flag;
	} flags[] = {
		{STR("PIPELINING"), offsetof(struct smtp_caps, pipelining)},
		{STR("8BITMIME"), offsetof(struct smtp_caps, eightbitmime)},
		{STR("SMTPUTF8"), offsetof(struct smtp_caps, smtputf8)},
		{STR("DSN"), offsetof(struct smtp_caps, dsn)},
		{STR("STARTTLS"), offsetof(struct smtp_caps, starttls)},
		{STR("CHUNKING"), offsetof(struct smtp_caps, chunking)},
		{STR("ENHANCEDSTATUSCODES"), offsetof(struct smtp_caps, enhanced)},
		{STR("SIZE"), offsetof(struct smtp_caps, has_size)},
	};
	struct str keyword, rest;
	int64_t size;

	line = str_trim(line);
	if (str_has_prefix(line, STR("250-")) || str_has_prefix(line, STR("250 ")))
		line = str_slice(line, 4, line.n);
	keyword = str_slice(line, 0, str_find(line, ' '));
	rest = str_trim(str_slice(line, keyword.n, line.n));
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (str_eq_nocase(keyword, flags[i].keyword))
			*(bool *)((char *)caps + flags[i].flag) = true;
	}
	if (str_eq_nocase(keyword, STR("SIZE")) && str_to_int(rest, 0, INT64_MAX, &size))
		caps->size = (unsigned long long)size;
	/* "AUTH=LOGIN" is how servers said it before the standard; some still say both. */
	if (str_has_prefix_nocase(line, STR("AUTH=")) && !caps->auth[0])
		rest = str_slice(line, 5, line.n);
	else if (!str_eq_nocase(keyword, STR("AUTH")))
		return;
	snprintf(caps->auth, sizeof(caps->auth), "%.*s", STR_ARG(rest));
}

char *reply_words(const struct reply *r, char out[REPLY_WORDS_SIZE])
{
	if (!r->code)
		snprintf(out, REPLY_WORDS_SIZE, "%s", r->text);
	else
		snprintf(out, REPLY_WORDS_SIZE, "%d %s%s%s", r->code, r->status,
			r->status[0] ? " " : "", r->text);
	return out;
}
