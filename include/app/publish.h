/* SPDX-License-Identifier: MIT */
#ifndef APP_PUBLISH_H
#define APP_PUBLISH_H

#include "app/site.h"
#include "mail/compile.h"
#include "mail/render.h"
#include "store/ledger.h"
#include "store/people.h"

/*
 * From an issue file to a scheduled issue, a preview or a proof copy.
 */
struct publish {
	struct arena arena; /* holds all of the below */
	struct issue_source source;
	struct list list;
	struct compile_sender sender;
	struct composed composed;
	struct program program;
	struct str text; /* the file's bytes */
};

/* Read `file`, find its list and theme (the site's own copy first, then the built-in one), compile.
 * The one door of check, preview, test and schedule, so that they cannot differ. ERR_INPUT with
 * FILE:LINE, ERR_MISSING. */
int publish_compile(struct site *s, const char *file, struct publish *out, struct err *e);

/* Free; a zeroed one is allowed. */
void publish_free(struct publish *p);

/* What a schedule did, or would do. */
struct publish_result {
	int64_t issue, copies, due_at;
};

/* Schedule at `due_at` (0 = now, or the front matter's send_at). ERR_EXISTS, ERR_DENIED when the
 * list has nobody on it. */
int publish_schedule(struct site *s, struct publish *p, int64_t due_at, bool dry_run, int64_t now,
	struct publish_result *out, struct err *e);

/* Render the copy of one reader: the subscriber of key `to`, or (where there is none) an address
 * without names or attributes. With `issue` 0 it is a proof: its links carry no working token. The
 * whole message is appended to `out`. */
int publish_render(struct site *s, const struct program *p, const struct issue *issue, int64_t list,
	struct str to, int64_t now, struct buf *out, struct err *e);

/* Send one proof copy to `to` through `relay` and wait for the answer. ERR_RELAY, with the reply.
 */
int publish_proof(struct site *s, struct publish *p, struct str to, const struct relay *relay,
	int64_t now, struct outcome *out, struct err *e);

#endif
