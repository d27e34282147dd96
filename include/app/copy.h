/* SPDX-License-Identifier: MIT */
#ifndef APP_COPY_H
#define APP_COPY_H

#include "app/site.h"
#include "mail/dkim.h"
#include "mail/program.h"
#include "store/ledger.h"

/*
 * One reader's copy of one issue: values for the slots, links with their tokens, Message-ID,
 * envelope sender, signature. Used for every copy that leaves, and by nothing else that makes one.
 */
struct copy_maker;

/* Prepare for issue `issue` of list `list`, whose packed program is `packed` (must outlive it). */
int copy_maker_open(struct site *s, const unsigned char uuid[16], struct str packed,
	struct copy_maker **out, struct err *e);

/* Free; NULL is allowed. */
void copy_maker_close(struct copy_maker *m);

/* Append the whole message for `claim` to `message`, and its envelope sender (with the signed VERP
 * token) to `sender`. Signs where the configuration says so. */
int copy_make(struct copy_maker *m, const struct claim *claim, int64_t now, struct buf *message,
	struct buf *sender, struct err *e);

#endif
