/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_INTAKE_PLAN_H
#define SRC_APP_INTAKE_PLAN_H

#include "app/intake.h"
#include "mail/report.h"

/*
 * What a message asks for, before anything is done about it. Private to app: intake_plan.c reads and finds the
 * copy, intake.c carries out.
 */
struct plan {
	enum { PLAN_NOTHING, PLAN_FILE, PLAN_RETURN, PLAN_UNSUBSCRIBE } act;
	struct arrival arrival; /* all but its number, time, hash and source */
	struct returned returned; /* of PLAN_RETURN, but for time and number of the arrival */
	int64_t list; /* of PLAN_UNSUBSCRIBE */
};

/* Read `message`; views in `a`. ERR_IO, ERR_BUSY, ERR_BUG from looking into the ledger. */
int plan_message(struct site *s, struct str message, struct str recipient, struct arena *a,
	struct plan *out, struct err *e);

/* The copy of `address` that has this Message-ID (without <>): its issue and subscriber, or the newest one
 * that was sent where `message_id` is empty. 1, 0 when there is none, or -1. */
int plan_find_copy(struct site *s, struct str message_id, struct str address, struct arena *a,
	int64_t *issue, int64_t *subscriber, struct err *e);

/* File it: why, in words. */
void plan_file(struct plan *p, const char *why);

#endif
