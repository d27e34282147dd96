/* SPDX-License-Identifier: MIT */
#ifndef APP_PUBLISH_H
#define APP_PUBLISH_H

#include "app/site.h"
#include "mail/compile.h"
#include "net/transport.h"
#include "store/ledger.h"
#include "store/people.h"

/*
 * From an issue file to a scheduled issue, a preview or a proof copy.
 */
struct publish_media {
	struct compile_media media;
	struct str file; /* of the site's media folder: "0123456789abcdef/name.png" */
	const char *source; /* the file beside the issue */
	struct publish_media *next;
};

struct publish {
	struct arena arena; /* holds all of the below */
	struct issue_source source;
	struct list list;
	struct compile_sender sender;
	struct publish_media *media; /* local images, the first used first */
	struct str *bare; /* names whose empty value would show (mail/compile.h) */
	size_t bare_n;
	struct compile_remark *remark; /* about the content; publish_lint() adds some */
	struct composed_link *link; /* that are counted (mail/compile.h) */
	struct str text; /* the file's bytes */
	struct str program; /* packed (mail/program.h) */
};

/* Ways to compile, to be added. */
enum publish_how {
	PUBLISH_EMBED = 1, /* local images travel in the message */
	PUBLISH_TO_LEAVE = 2, /* for readers, whose clicks are counted where the list says so */
};

/* Read `file` (Markdown; or HTML, with its text part in a .txt beside it), find its list and theme (the
 * site's own copy of a template first, then the built-in one) and local images, compile as `how` (of enum
 * publish_how) says. The one door of check, preview, test and schedule, so that they cannot differ.
 * ERR_INPUT with FILE:LINE, ERR_MISSING. `out` is freed by publish_free() also after an error. */
int publish_compile(
	struct site *s, const char *file, unsigned how, struct publish *out, struct err *e);

/* Look at the compiled issue beside the site: whether its slug is free, and how many readers would see
 * nothing where a value without a default stands. Adds to p->remark; the cost grows with the audience. */
int publish_lint(struct site *s, struct publish *p, struct err *e);

/* How many remarks are errors, or with `strict` how many there are at all. */
size_t publish_errors(const struct publish *p, bool strict);

/* Free; a zeroed one is allowed. */
void publish_free(struct publish *p);

/* What a schedule did, or would do. */
struct publish_result {
	int64_t issue, copies, due_at;
};

/* Schedule at `at` as the operator writes it (now, RFC 3339, "2026-12-01 06:00 Europe/Berlin",
 * "06:00 local"; NULL = the front matter's send_at, else now), to leave only in the hours of `window`
 * ("06:00-22:00", NULL = always). ERR_USAGE for a wrong `at` or `window`, ERR_INPUT for a send_at that is no
 * time or is over, ERR_EXISTS for a slug that was used before on that list, ERR_MISSING when nobody is on
 * the list. */
int publish_schedule(struct site *s, struct publish *p, const char *at, const char *window,
	bool dry_run, int64_t now, struct publish_result *out, struct err *e);

/* The three faces of a preview; each is appended to its buffer. */
struct publish_preview {
	const char *
		images; /* what stands before HASH/NAME of local images in `html`; NULL = their files'
			     * own addresses */
	struct buf eml, html, text;
};

/* Render a proof as `address` would get it: with the names and attributes of the subscriber of that
 * address, or with none where there is no such subscriber. ERR_INPUT for what is no address. */
int publish_preview(struct site *s, struct publish *p, struct str address, int64_t now,
	struct publish_preview *out, struct err *e);

/* Send one proof to `address` through `relay` and wait for the answer. ERR_RELAY, with phase and reply,
 * when the relay did not take it. */
int publish_proof(struct site *s, struct publish *p, struct str address, const struct relay *relay,
	int64_t now, struct outcome *out, struct err *e);

#endif
