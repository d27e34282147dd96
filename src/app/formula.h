/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_FORMULA_H
#define SRC_APP_FORMULA_H

#include "base/buf.h"
#include "base/str.h"

/*
 * Spreadsheets take a cell that begins with one of = + - @, a tab, a line end, or a full-width form of these for a
 * formula, and run it. An apostrophe in front makes it text. What has apostrophes and then such a character gets
 * one more, so that the way back is exact.
 */
bool formula_begins(struct str cell);

/* The cell without the apostrophe that was put in front; others as they are. */
struct str formula_unescape(struct str cell);

#endif
