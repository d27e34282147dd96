/* SPDX-License-Identifier: MIT */
#ifndef SRC_CMD_STATUS_H
#define SRC_CMD_STATUS_H

#include "cmd.h"
#include "mail/pacer.h"
#include "store/ledger.h"

/* status.c shows an issue, or all; status_plan.c what the issue itself allows now; status_lanes.c the tables
 * below it; status_watch.c draws it anew every second. */

/* What --watch has seen, for the rate: how many copies had left, second by second. */
enum { WATCH_SAMPLES = 16 /* seconds that a rate is taken over */ };
struct watch {
	bool on;
	bool screen; /* on a terminal, where only the window's lines are to be seen */
	int64_t done[WATCH_SAMPLES], at_ms[WATCH_SAMPLES];
	size_t n;
	bool over; /* nothing will change any more */
};

/* Show what the command asks for, once. */
int status_show(struct cmd *c, struct site *s, struct watch *w, struct err *e);

/* Show it every second, until it is over or a signal comes. */
int status_watch(struct cmd *c, struct site *s, struct watch *w, struct err *e);

/* Hours, stage, and readers' own times of an issue that is not over, a line each where there are some:
 * `indent`, a word in `width` columns, and what it says. */
int status_print_plan(struct cmd *c, struct site *s, const struct issue *i, const char *indent,
	int width, struct err *e);

/* What holds a lane back now, "-" for nothing. */
const char *status_pace_words(struct cmd *c, const struct pacer_lane *l, int64_t now);

void status_print_lanes(struct cmd *c, const struct pacer *p, const struct lane_counts *lane,
	size_t n, int64_t now);
void status_print_relays(struct cmd *c, const struct pacer *p, int64_t now);

#endif
