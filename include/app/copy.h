/* SPDX-License-Identifier: MIT */
#ifndef APP_COPY_H
#define APP_COPY_H

#include "app/site.h"
#include "base/parts.h"
#include "store/ledger.h"

/*
 * One reader's copy of one issue: values for the slots, links with their tokens, Message-ID,
 * envelope sender, signature. Used for every copy that leaves, and by nothing else that makes one.
 */
struct copy_maker;

/* Prepare for copies of one issue: its UUID (16 octets), and its packed program, which must outlive the
 * maker. Without a UUID the copies are proofs: a random Message-ID, links that lead nowhere, no
 * List-Unsubscribe. ERR_CONFIG, ERR_DENIED for the DKIM key, ERR_INPUT for the program. */
int copy_maker_open(struct site *s, const unsigned char *uuid, struct str packed,
	struct copy_maker **out, struct err *e);

/* How an issue shows on the web. */
struct copy_face {
	struct str web; /* view.web: "yes" for a page, "feed" for an entry of a feed */
	/* For everybody to see: where to subscribe, in place of the links to leave; the page's own address.
	 * Empty for a reader's own page. */
	struct str join, here;
};

/* As copy_maker_open(), for copy_preview() alone: nothing is signed. `face` is copied, its views are not. */
int copy_page_open(struct site *s, const unsigned char *uuid, struct str packed,
	const struct copy_face *face, struct copy_maker **out, struct err *e);

/* Free; NULL is allowed. */
void copy_maker_close(struct copy_maker *m);

/* Write the whole message for `claim` to `message`, which is empty and refers to the program, and its envelope
 * sender (with the signed VERP token) to `sender`. Signs where the configuration says so. ERR_INPUT, ERR_BUG. */
int copy_make(struct copy_maker *m, const struct claim *claim, int64_t now, struct parts *message,
	struct buf *sender, struct err *e);

/* As copy_make(), but what a reader sees of it, not encoded: `which` as for render_part(). */
int copy_preview(struct copy_maker *m, const struct claim *claim, int64_t now, const char *which,
	struct buf *out, struct err *e);

#endif
