/* SPDX-License-Identifier: MIT */
#include "csvtext.h"

#include <string.h>
#include <unistr.h>

const char *csvtext_encoding(struct str head, size_t *mark)
{
	size_t nul[2] = {0, 0}, n = head.n < 256 ? head.n : 256;

	*mark = 2;
	if (str_has_prefix(head, STR("\xff\xfe")))
		return "UTF-16LE";
	if (str_has_prefix(head, STR("\xfe\xff")))
		return "UTF-16BE";
	*mark = str_has_prefix(head, STR("\xef\xbb\xbf")) ? 3 : 0;
	/* A header is mostly ASCII, and so every other octet is NUL. */
	for (size_t i = 0; i < n; i++)
		nul[i % 2] += head.p[i] == '\0';
	if (nul[1] > n / 4 && !nul[0])
		return "UTF-16LE";
	if (nul[0] > n / 4 && !nul[1])
		return "UTF-16BE";
	return "UTF-8";
}

bool csvtext_utf16(struct buf *out, struct str units, bool big_endian, size_t *taken)
{
	uint16_t unit[1024];
	uint8_t utf8[3 * 1024];

	*taken = 0;
	while (units.n - *taken >= 2) {
		size_t n = 0, length = sizeof utf8, whole;
		const uint16_t *bad;

		while (n < 1024 && units.n - *taken >= 2 * n + 2) {
			const unsigned char *p = (const unsigned char *)units.p + *taken + 2 * n;

			unit[n++] = (uint16_t)(big_endian ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
		}
		if (unit[n - 1] >= 0xd800 && unit[n - 1] < 0xdc00 && --n == 0)
			return true;
		bad = u16_check(unit, n);
		whole = bad ? (size_t)(bad - unit) : n;
		u16_to_u8(unit, whole, utf8, &length);
		buf_add(out, utf8, length);
		*taken += 2 * whole;
		if (bad)
			return false;
	}
	return true;
}

void csvtext_windows_1252(struct buf *out, struct str text)
{
	static const uint16_t high[32] = {0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020,
		0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd,
		0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161,
		0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		uint8_t utf8[4];

		if (c < 0x80)
			buf_char(out, (char)c);
		else
			buf_add(out, utf8,
				(size_t)u8_uctomb(
					utf8, c < 0xa0 ? high[c - 0x80] : c, sizeof utf8));
	}
}

struct str csvtext_first_line(struct str head)
{
	size_t n = 0;

	head = str_trim(head);
	while (n < head.n && head.p[n] != '\n' && head.p[n] != '\r')
		n++;
	head = str_trim(str_slice(head, 0, n));
	if (head.n > 1 && head.p[0] == '"' &&
		str_find(str_slice(head, 1, head.n), '"') == head.n - 2)
		head = str_slice(head, 1, head.n - 1);
	return head;
}

/* Excel's own line: "sep=;". */
static char named(struct str head, size_t *skip)
{
	size_t at = str_has_prefix(head, STR("\"")) ? 1 : 0, end = at + 5;

	if (!str_has_prefix_nocase(str_slice(head, at, head.n), STR("sep=")) || head.n < end)
		return 0;
	if (at && end < head.n && head.p[end] == '"')
		end++;
	if (end < head.n && head.p[end] == '\r')
		end++;
	if (end < head.n && head.p[end] == '\n')
		end++;
	if (head.p[end - 1] != '\r' && head.p[end - 1] != '\n')
		return 0;
	*skip = end;
	return head.p[at + 4];
}

char csvtext_delimiter(struct str head, size_t *skip)
{
	static const char delimiters[] = ",;\t|";
	size_t count[4] = {0}, best = 0;
	bool quoted = false, begun = false;
	char said;

	*skip = 0;
	said = named(head, skip);
	if (said && strchr(delimiters, said))
		return said;
	*skip = 0;
	for (size_t i = 0; i < head.n; i++) {
		char c = head.p[i];
		const char *at = c ? strchr(delimiters, c) : NULL;

		if ((c == '\n' || c == '\r') && !quoted && begun)
			break;
		begun |= c != '\n' && c != '\r' && c != ' ' && c != '\t';
		quoted ^= c == '"';
		if (at && !quoted)
			count[at - delimiters]++;
	}
	for (size_t i = 1; i < 4; i++)
		if (count[i] > count[best])
			best = i;
	return delimiters[best];
}
