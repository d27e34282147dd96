/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_INTAKE_RUN_H
#define SRC_APP_INTAKE_RUN_H

#include "intake_plan.h"

/* What the files of intake share. Private to app. */
struct intake {
	struct site *site;
	const char *source;
	struct intake_totals totals;
};

/* The SHA-256 of a message, as arrivals are known by. */
int intake_hash(struct str octets, unsigned char out[ARRIVAL_HASH_SIZE], struct err *e);

/* Do what the plan says and write the arrival down, `raw` with it (a new one where its number is 0). Inside the
 * caller's transaction. */
int intake_carry_out(struct intake *in, struct plan *p, struct str raw, int64_t now, struct err *e);

#endif
