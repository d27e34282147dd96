/* SPDX-License-Identifier: MIT */
#ifndef MAIL_ISSUE_H
#define MAIL_ISSUE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

/*
 * The source of an issue: front matter and Markdown in one file.
 *
 * Front matter is not YAML: between two lines of `---`, `key: value`, the value being the rest of
 * the line with optional quotes around it. An unknown key is an error with the nearest name as a
 * hint.
 */
enum { ISSUE_SOURCE_MAX = 128 * 1024 };

struct issue_source {
	const char *file; /* for messages */
	struct str subject; /* may hold {{ }} */
	struct str preheader; /* may hold {{ }}; may be empty */
	struct str list; /* slug of the list */
	struct str from; /* mailbox; empty = the list's, else the publication's */
	struct str reply_to; /* mailbox; may be empty */
	struct str send_at; /* RFC 3339, or empty */
	struct str slug; /* made from the subject, else the date, where the front matter
			 * has none */
	struct str date; /* YYYY-MM-DD shown in the masthead, or empty */
	struct str lang; /* BCP 47; empty = the publication's */
	struct str dir; /* "ltr" (default) or "rtl" */
	struct str utm_campaign; /* for links to the configured hosts; empty = the slug */
	struct str theme; /* name of a folder in mail-templates/; empty = the list's */
	struct str segment; /* who of the list it is for (mail/segment.h), sound; empty = all */
	size_t subject_line; /* line of `subject` in the file, from 1, for messages */
	size_t preheader_line; /* likewise */
	const char *
		text_file; /* of an issue that is ready-made HTML: the file of its text part; NULL =
				* the issue is Markdown */
	struct str text; /* its text part */
	struct str body; /* Markdown or HTML: a view into the source, LF line ends */
	size_t body_line; /* line of the body's first line in the file */
};

/* Split `source` into front matter and body. Refuses more than ISSUE_SOURCE_MAX octets, invalid
 * UTF-8, C0 and C1 controls but TAB and LF, bidirectional overrides and private-use characters;
 * CRLF is taken as LF and a byte-order mark is dropped. Views live in `a`. ERR_INPUT, starting
 * "FILE:LINE: ". */
int issue_parse(struct arena *a, const char *file, struct str source, struct issue_source *out,
	struct err *e);

/* Take `text` for the text part of the ready-made HTML issue `out`, with the same refusals. */
int issue_text(struct arena *a, const char *file, struct str text, struct issue_source *out,
	struct err *e);

#endif
