/* SPDX-License-Identifier: MIT */
#ifndef MAIL_COMPILE_H
#define MAIL_COMPILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "mail/image.h"
#include "mail/issue.h"
#include "mail/liquid.h"
#include "mail/program.h"
#include "mail/theme.h"

/*
 * From an issue file to a program, in two steps that can be looked at:
 *
 *   issue + theme ─ compose ─► subject, HTML and text with marks ─ assemble ─► program
 *
 * Pure: the same input gives the same bytes.
 */

/* What the publication and its list contribute; views, none NULL but where it says so. */
struct compile_sender {
	struct str name; /* publication.name: the wordmark */
	struct str tagline; /* publication.tagline, may be empty */
	struct str address; /* publication.address: postal address */
	struct str url; /* publication.url: https://…, no slash at its end */
	struct str lang; /* BCP 47 */
	struct str list_slug;
	struct str list_name;
	struct str list_id; /* "daily.news.example.org" (RFC 2919) */
	struct str from_name; /* display name, may be empty */
	struct str from_email;
	struct str reply_to_name;
	struct str reply_to_email; /* empty = no Reply-To */
	struct str sender_id; /* last part of Feedback-ID, 5 to 15 characters */
	struct str accent_label; /* labels drawn as a lede, "|" between them: "Next in AI" */
	struct str callout_label; /* labels drawn as a callout: "Why It Matters|Bottom Line" */
	bool confirmation; /* it asks to confirm: {{ confirm_url }} is there, it is no mail of the
			    * list, and nobody is to answer it (RFC 3834) */
	bool raw_html; /* `::: html` is allowed */
	struct str utm_source, utm_medium; /* empty source = no UTM parameters are added to links */
	struct str utm_hosts; /* hosts whose links get them, "|" between */
};

/* A local image of the issue. */
struct compile_media {
	struct str path; /* as the issue writes it */
	struct str url; /* where readers find it */
	struct str data; /* the file's octets */
	struct image image;
};

/* Words that the program puts around an issue, in its language: plain text with the names that a layout may
 * use. Layouts, blocks and issues know it by `name`. */
struct compile_word {
	const char *name; /* "t.issue_leave" */
	struct str text;
	const char *file; /* where it stands, for messages */
	size_t line;
};

struct compile_input {
	const struct issue_source *issue;
	const struct theme *theme;
	const struct compile_sender *sender;
	const struct compile_word *word;
	size_t word_n;
	const char *const *fields; /* names of subscriber attributes in use, for subscriber.NAME */
	size_t fields_n;
	/* The local image `path`: NULL, and why not, when it cannot be had. */
	const struct compile_media *(*media)(void *user, struct str path, struct err *e);
	void *media_user;
	bool embed; /* local images travel in the message (RFC 2387) and not by address */
	bool clicks; /* web links of Markdown in the HTML lead through {{ click_url }}/NUMBER */
};

/* A remark about the content: a warning, or an error that it may not leave with. */
struct compile_remark {
	const char *file; /* the issue's, or one of the theme's */
	size_t line;
	bool error;
	const char *rule; /* short name: "image-without-alt" */
	const char *message; /* with the cure */
	struct compile_remark *next;
};

/* The two parts and the subject, complete but for their slots: strings with marks (mail/liquid.h).
 */
struct composed {
	struct str subject;
	struct str html;
	struct str text;
	struct liquid_slots slots;
	struct str *
		bare; /* names of values that stand somewhere without a default and outside a condition on
			   * them: where one is empty, the reader sees a gap */
	size_t bare_n;
	struct compile_remark *remark;
	struct composed_media {
		const struct compile_media *media;
		struct composed_media *next;
	} * embedded; /* the first has the Content-ID "image1@LIST-ID", the next "image2@…" (RFC 2392) */
	struct composed_link {
		struct str url;
		struct composed_link *next;
	} * link; /* where {{ click_url }}/1, /2, … lead, each address once */
};

/* Markdown, theme and names to marked strings, in `a`; of an issue that is ready-made HTML and text, the
 * names alone. ERR_INPUT, starting "FILE:LINE: ". */
int compose(struct arena *a, const struct compile_input *in, struct composed *out, struct err *e);

/* Marked strings to constant, encoded segments and slots: multipart/alternative, text first (RFC
 * 2046 section 5.1.4), the HTML with embedded images in a multipart/related (RFC 2387), both quoted-printable, UTF-8; boundary derived from the content, and
 * impossible in quoted-printable text. ERR_INPUT for more than 102,000 octets of HTML (Gmail clips
 * there). */
int assemble(struct arena *a, const struct compile_input *in, const struct composed *c,
	struct program *out, struct err *e);

#endif
