/* SPDX-License-Identifier: MIT */
#ifndef SOURCE_H
#define SOURCE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* `source` without byte-order mark, its CRLF as LF, in `a`. */
struct str source_lines(struct arena *a, struct str source);

/* Refuse what no source may hold: invalid UTF-8, C0 and C1 controls but TAB and LF, characters that turn
 * the direction of text, private-use characters. ERR_INPUT, starting "FILE:LINE: ". */
int source_check(const char *file, struct str s, struct err *e);

#endif
