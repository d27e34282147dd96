/* SPDX-License-Identifier: MIT */
#ifndef LIQUID_TAG_H
#define LIQUID_TAG_H

#include "base/err.h"
#include "base/str.h"
#include "mail/liquid.h"

/* One tag of the template language, taken apart but with its names not looked up. */
enum liquid_tag_kind {
	TAG_VALUE, /* {{ name | default: "text" }} */
	TAG_IF,
	TAG_UNLESS,
	TAG_ELSIF,
	TAG_ELSE,
	TAG_ENDIF,
	TAG_ENDUNLESS,
	TAG_RAW,
};

struct liquid_tag {
	enum liquid_tag_kind kind;
	struct str name; /* of VALUE, IF, UNLESS, ELSIF */
	enum liquid_test test; /* of IF, UNLESS, ELSIF */
	struct str text; /* the default, or the text compared with */
	size_t n; /* octets of the whole tag */
};

/* Read the tag that `s` starts with ("{{" or "{%"); views into `s`. ERR_INPUT, starting
 * "FILE:LINE: ". */
int liquid_tag_read(
	struct str s, const char *file, size_t line, struct liquid_tag *out, struct err *e);

#endif
