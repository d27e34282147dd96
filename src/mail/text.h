/* SPDX-License-Identifier: MIT */
#ifndef SRC_MAIL_TEXT_H
#define SRC_MAIL_TEXT_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether `c` may not stand in a value: controls (C0, DEL, C1), line and paragraph separators, and the
 * overrides and isolates that would turn the direction of the text behind them. */
static inline bool text_is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

/* Take the first character of `*s`, which is not empty, and its octets; U+FFFD for one octet that
 * starts no valid sequence. */
static inline uint32_t text_next(struct str *s, struct str *octets)
{
	size_t n = utf8_len(*s);

	*octets = n ? (struct str){s->p, n} : STR("\xef\xbf\xbd");
	s->p += n ? n : 1;
	s->n -= n ? n : 1;
	return utf8_code_point(*octets);
}

#endif
