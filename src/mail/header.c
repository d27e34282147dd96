/* SPDX-License-Identifier: MIT */
#include "mail/header.h"

#include "base/enc.h"
#include "text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/*
 * LINE: where plain lines are folded. WORD: longest encoded-word; CODED_LINE: longest line that holds
 * one (RFC 2047 section 2). FRAME: "=?utf-8?Q?" and "?="; CHARACTER: longest encoding of one.
 */
enum { LINE = 78, WORD = 75, CODED_LINE = 76, FRAME = 12, CHARACTER = 12 };

static const char hex[] = "0123456789ABCDEF";

/* Octets that Q-encoding leaves alone everywhere, also in a phrase (RFC 2047 section 5 (3)). */
static const bool q_plain[256] = {
	['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['a' ... 'z'] = true,
	['!'] = true,
	['*'] = true,
	['+'] = true,
	['-'] = true,
	['/'] = true,
};

/* A field being written. */
struct field {
	struct buf *out;
	size_t column;
	bool begun; /* a word is there: the name stands on no line alone */
};

static struct field field_begin(struct buf *out, const char *name)
{
	size_t n = strlen(name);

	buf_add(out, name, n);
	buf_char(out, ':');
	return (struct field){.out = out, .column = n + 1};
}

/* Append the blank before a word of `n` octets, on a new line where it would pass `width`. */
static void field_blank(struct field *f, size_t n, size_t width)
{
	if (f->begun && f->column + 1 + n > width) {
		buf_add(f->out, "\r\n", 2);
		f->column = 0;
	}
	buf_char(f->out, ' ');
	f->column += 1 + n;
	f->begun = true;
}

static void field_word(struct field *f, struct str word)
{
	field_blank(f, word.n, LINE);
	buf_str(f->out, word);
}

/* Append each word of `value`. */
static void field_words(struct field *f, struct str value)
{
	struct str rest = value, word;

	while (str_next(&rest, ' ', &word))
		field_word(f, word);
}

static void field_end(struct field *f)
{
	buf_add(f->out, "\r\n", 2);
}

/* Whether `value` may stand as it is: ASCII that nobody takes for encoded, in words that fit a line. */
static bool is_plain(struct str value, size_t name_n)
{
	size_t room = LINE - (name_n + 2), word = 0; /* of the first word, behind the name */

	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if ((unsigned char)c >= 0x80 || (c == '?' && i && value.p[i - 1] == '='))
			return false;
		word = c == ' ' ? 0 : word + 1;
		if (c == ' ')
			room = LINE - 1;
		if (word > room)
			return false;
	}
	return true;
}

/* Octets of the Q-encoding of `s`. */
static size_t q_size(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += q_plain[(unsigned char)s.p[i]] || s.p[i] == ' ' ? 1 : 3;
	return n;
}

static size_t b_size(size_t n)
{
	return (n + 2) / 3 * 4;
}

static void q_encode(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (q_plain[c]) {
			buf_char(out, (char)c);
		} else if (c == ' ') {
			buf_char(out, '_');
		} else {
			buf_char(out, '=');
			buf_char(out, hex[c >> 4]);
			buf_char(out, hex[c & 15]);
		}
	}
}

/* Octets from the front of `value`, in whole characters, whose encoding takes at most `room`. */
static size_t fitting(struct str value, bool q, size_t room)
{
	size_t n = 0, size = 0;

	while (n < value.n) {
		size_t one = utf8_len(str_slice(value, n, value.n));

		size += q_size(str_slice(value, n, n + one));
		if ((q ? size : b_size(n + one)) > room)
			break;
		n += one;
	}
	return n;
}

/* Append `value` (valid UTF-8) as encoded-words of whole characters: Q, which people can read, but
 * where it would be more than half as long again as B. White space between encoded-words is none to
 * the reader, so each can have a line of its own. */
static void field_coded(struct field *f, struct str value)
{
	bool q = 2 * q_size(value) <= 3 * b_size(value.n);

	while (value.n) {
		size_t left = f->column < CODED_LINE - 1 - FRAME - CHARACTER
				      ? CODED_LINE - 1 - f->column
				      : WORD;
		struct str part =
			str_slice(value, 0, fitting(value, q, (left < WORD ? left : WORD) - FRAME));

		field_blank(f, FRAME + (q ? q_size(part) : b_size(part.n)), CODED_LINE);
		buf_cstr(f->out, q ? "=?utf-8?Q?" : "=?utf-8?B?");
		if (q)
			q_encode(f->out, part);
		else
			enc_base64(f->out, part);
		buf_cstr(f->out, "?=");
		value = str_slice(value, part.n, value.n);
	}
}

/* Append `value` to `out` fit for a field: control characters become blanks, runs of blanks one, none
 * at the ends; what is not UTF-8 becomes U+FFFD. */
static void clean(struct str value, struct buf *out)
{
	bool blank = false;

	while (value.n) {
		struct str run = value;
		size_t n = 0;

		while (n < value.n && value.p[n] > ' ' && value.p[n] < 0x7f)
			n++;
		if (n) {
			run = str_slice(value, 0, n);
			value = str_slice(value, n, value.n);
		} else {
			uint32_t c = text_next(&value, &run);

			if (c == ' ' || text_is_control(c)) {
				blank = true;
				continue;
			}
		}
		if (blank && out->n)
			buf_char(out, ' ');
		blank = false;
		buf_str(out, run);
	}
}

void header_text(struct buf *out, const char *name, struct str value)
{
	struct field f = field_begin(out, name);
	struct buf text;

	buf_init(&text, value.n * 3);
	clean(value, &text);
	if (is_plain(buf_view(&text), f.column + 1))
		field_words(&f, buf_view(&text));
	else
		field_coded(&f, buf_view(&text));
	field_end(&f);
	buf_free(&text);
}

/* Append a display name: as it is, quoted (RFC 5322 section 3.2.4), or encoded. */
static void field_phrase(struct field *f, struct str display)
{
	struct buf quoted;
	bool atoms = true;

	buf_init(&quoted, 2 * display.n + 2);
	buf_char(&quoted, '"');
	for (size_t i = 0; i < display.n; i++) {
		char c = display.p[i];

		atoms = atoms && (q_plain[(unsigned char)c] || c == ' ');
		if (c == '"' || c == '\\')
			buf_char(&quoted, '\\');
		buf_char(&quoted, c);
	}
	buf_char(&quoted, '"');
	if (!is_plain(display, 0) || quoted.n > LINE - 1 - f->column)
		field_coded(f, display);
	else if (atoms)
		field_words(f, display);
	else
		field_word(f, buf_view(&quoted));
	buf_free(&quoted);
}

void header_mailbox(struct buf *out, const char *name, struct str display, struct str email)
{
	struct field f = field_begin(out, name);
	struct buf text;

	buf_init(&text, display.n * 3);
	clean(display, &text);
	if (text.n)
		field_phrase(&f, buf_view(&text));
	field_blank(&f, email.n + 2, LINE);
	buf_char(out, '<');
	buf_str(out, email);
	buf_char(out, '>');
	field_end(&f);
	buf_free(&text);
}

void header_token(struct buf *out, const char *name, struct str value)
{
	struct field f = field_begin(out, name);
	struct buf text;

	buf_init(&text, value.n * 3);
	clean(value, &text);
	field_words(&f, buf_view(&text));
	field_end(&f);
	buf_free(&text);
}

static void put_two(char *to, int n)
{
	to[0] = (char)('0' + n / 10 % 10);
	to[1] = (char)('0' + n % 10);
}

char *header_date(int64_t t, char out[HEADER_DATE_SIZE])
{
	/* Not strftime(), whose names follow the locale. */
	static const char day[] = "SunMonTueWedThuFriSat";
	static const char month[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const int64_t last = 253402300799; /* the year 9999 ends */
	time_t when = (time_t)(t < 0 ? 0 : t > last ? last : t);
	struct tm tm;

	gmtime_r(&when, &tm);
	/* Neither snprintf(), which takes as long as all the rest of a header. */
	memcpy(out, "Sun, 00 Jan 0000 00:00:00 +0000", HEADER_DATE_SIZE);
	memcpy(out, day + 3 * tm.tm_wday, 3);
	put_two(out + 5, tm.tm_mday);
	memcpy(out + 8, month + 3 * tm.tm_mon, 3);
	put_two(out + 12, (tm.tm_year + 1900) / 100);
	put_two(out + 14, (tm.tm_year + 1900) % 100);
	put_two(out + 17, tm.tm_hour);
	put_two(out + 20, tm.tm_min);
	put_two(out + 23, tm.tm_sec);
	return out;
}
