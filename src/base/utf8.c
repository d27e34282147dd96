/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <string.h>

size_t utf8_len(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char low = 0x80, high = 0xbf; /* range of the second octet (RFC 3629 section 4) */
	size_t n;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (s.n < n || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

size_t utf8_invalid_at(struct str s)
{
	size_t i = 0;

	while (i < s.n) {
		uint64_t word;
		size_t n;

		/* Most text is ASCII: eight octets a step. */
		if (s.n - i >= sizeof word) {
			memcpy(&word, s.p + i, sizeof word);
			if (!(word & 0x8080808080808080u)) {
				i += sizeof word;
				continue;
			}
		}
		n = utf8_len(str_slice(s, i, s.n));
		if (n == 0)
			return i;
		i += n;
	}
	return s.n;
}

uint32_t utf8_code_point(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	switch (utf8_len(s)) {
	case 1:
		return p[0];
	case 2:
		return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
	case 3:
		return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
	default:
		return (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 |
		       (p[3] & 0x3fu);
	}
}

size_t utf8_prefix(struct str s, size_t chars)
{
	size_t i = 0;

	while (chars-- && i < s.n) {
		size_t n = utf8_len(str_slice(s, i, s.n));

		i += n ? n : 1;
	}
	return i;
}
