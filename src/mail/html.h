/* SPDX-License-Identifier: MIT */
#ifndef HTML_H
#define HTML_H

#include "base/err.h"
#include "base/str.h"

/* HTML that the writer brings: a piece between `::: html` and `:::`, or a whole page. */
enum html_extent { HTML_PIECE, HTML_PAGE };

/* Check HTML that begins on line `line` of `file`; marks (mail/liquid.h) may be in it. It must be fit for
 * mail: no script, frame, form, media or event handler, no address but https, http, mailto, tel, cid and
 * those of marks; and whole: every element that is opened is closed in it, and the other way round, so that
 * it cannot break what stands around it. ERR_INPUT, starting "FILE:LINE: ". */
int html_check(
	const char *file, size_t line, struct str html, enum html_extent extent, struct err *e);

#endif
