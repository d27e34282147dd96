/* SPDX-License-Identifier: MIT */
#include "base/enc.h"

#include <string.h>

static const char base64_alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base32_alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

/* Cut `in` into groups of `bits` bits, high ones first, zero bits behind the end; returns how many.
 */
static size_t spread(struct buf *out, struct str in, unsigned bits, const char *alphabet)
{
	enum { OF_AN_OCTET = 2 }; /* characters at most, as bits are 4 or more */
	unsigned held = 0, held_n = 0;
	size_t chars = 0, n = 0;
	char text[64];

	for (size_t i = 0; i < in.n; i++) {
		held = held << 8 | (unsigned char)in.p[i];
		for (held_n += 8; held_n >= bits; held_n -= bits)
			text[n++] = alphabet[held >> (held_n - bits) & ((1u << bits) - 1)];
		held &= (1u << held_n) - 1;
		if (n > sizeof text - OF_AN_OCTET - 1) {
			buf_add(out, text, n);
			chars += n;
			n = 0;
		}
	}
	if (held_n)
		text[n++] = alphabet[held << (bits - held_n)];
	buf_add(out, text, n);
	return chars + n;
}

void enc_base64(struct buf *out, struct str in)
{
	for (size_t n = spread(out, in, 6, base64_alphabet); n % 4; n++)
		buf_char(out, '=');
}

void enc_base64url(struct buf *out, struct str in)
{
	spread(out, in, 6, base64url_alphabet);
}

void enc_base32(struct buf *out, struct str in)
{
	spread(out, in, 5, base32_alphabet);
}

void enc_hex(struct buf *out, struct str in)
{
	spread(out, in, 4, "0123456789abcdef");
}

void enc_html(struct buf *out, struct str in)
{
	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];

		switch (c) {
		case '&':
			buf_cstr(out, "&amp;");
			break;
		case '<':
			buf_cstr(out, "&lt;");
			break;
		case '>':
			buf_cstr(out, "&gt;");
			break;
		case '"':
			buf_cstr(out, "&quot;");
			break;
		case '\'':
			buf_cstr(out, "&#39;");
			break;
		default:
			buf_char(out,
				(c < 0x20 && c != '\t' && c != '\n') || c == 0x7f ? '?' : (char)c);
		}
	}
}

static bool unreserved(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("-._~", c));
}

void enc_url(struct buf *out, struct str in)
{
	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];

		if (unreserved(c))
			buf_char(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

void enc_json(struct buf *out, struct str in)
{
	buf_char(out, '"');
	for (size_t i = 0, n; i < in.n; i += n) {
		unsigned char c = (unsigned char)in.p[i];

		n = utf8_len(str_slice(in, i, in.n));
		if (n == 0) {
			buf_cstr(out, "\xef\xbf\xbd");
			n = 1;
		} else if (c == '"' || c == '\\') {
			buf_char(out, '\\');
			buf_char(out, (char)c);
		} else if (c == '\n') {
			buf_cstr(out, "\\n");
		} else if (c < 0x20 || c == 0x7f) {
			buf_printf(out, "\\u%04x", c);
		} else {
			buf_add(out, in.p + i, n);
		}
	}
	buf_char(out, '"');
}

/* The inverse of spread(): -1 for trailing bits that are not zero, or that make up a whole group.
 */
static int gather(struct buf *out, const unsigned char *value, size_t n, unsigned bits)
{
	unsigned held = 0, held_n = 0;

	for (size_t i = 0; i < n; i++) {
		held = held << bits | value[i];
		held_n += bits;
		if (held_n >= 8) {
			held_n -= 8;
			buf_char(out, (char)(held >> held_n));
			held &= (1u << held_n) - 1;
		}
	}
	return held || held_n >= bits ? -1 : 0;
}

enum { CHUNK = 4096 }; /* a multiple of 8: groups of 5 and 6 bits end at an octet's end there */

static int base32_value(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

int dec_base32(struct buf *out, struct str in)
{
	unsigned char value[CHUNK];
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		int v = base32_value(in.p[i]);

		if (v < 0)
			return -1;
		value[n++] = (unsigned char)v;
		if (n == CHUNK) {
			gather(out, value, n, 5);
			n = 0;
		}
	}
	return gather(out, value, n, 5);
}

static int base64_value(char c)
{
	const char *at;

	if (c == '-')
		return 62;
	if (c == '_')
		return 63;
	at = c ? strchr(base64_alphabet, c) : NULL;
	return at ? (int)(at - base64_alphabet) : -1;
}

int dec_base64(struct buf *out, struct str in)
{
	unsigned char value[CHUNK];
	size_t n = 0;

	while (in.n && (in.p[in.n - 1] == '=' || in.p[in.n - 1] == '\n' || in.p[in.n - 1] == '\r'))
		in.n--;
	for (size_t i = 0; i < in.n; i++) {
		int v;

		if (in.p[i] == '\r' || in.p[i] == '\n')
			continue;
		v = base64_value(in.p[i]);
		if (v < 0)
			return -1;
		value[n++] = (unsigned char)v;
		if (n == CHUNK) {
			gather(out, value, n, 6);
			n = 0;
		}
	}
	return gather(out, value, n, 6);
}
