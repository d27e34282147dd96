/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_CSVTEXT_H
#define SRC_APP_CSVTEXT_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

/*
 * What a file of text is written in, told by its first octets, and made UTF-8.
 */

/* "UTF-8" (also for what is none), "UTF-16LE" or "UTF-16BE", by a mark or by where the NULs are; the mark's length
 * in `*mark`. */
const char *csvtext_encoding(struct str head, size_t *mark);

/* Append UTF-16 of whole units as UTF-8, but for the first half of a pair at its end: how much was taken is
 * `*taken`. False for what is no UTF-16; what came before is appended. */
bool csvtext_utf16(struct buf *out, struct str units, bool big_endian, size_t *taken);

/* Append Windows-1252; octets without a meaning become U+FFFD. */
void csvtext_windows_1252(struct buf *out, struct str text);

/* The delimiter of the first line of `head` that is not empty, counted outside quotes; a line `sep=;` names it, and
 * its length with the line end is `*skip`. */
char csvtext_delimiter(struct str head, size_t *skip);

/* The first line of `head` that is not empty, without blanks and one pair of quotes around it. */
struct str csvtext_first_line(struct str head);

#endif
