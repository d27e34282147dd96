/* SPDX-License-Identifier: MIT */
#ifndef SRC_CMD_STATUS_H
#define SRC_CMD_STATUS_H

#include "cmd.h"
#include "mail/pacer.h"
#include "store/ledger.h"

/* The tables below an issue (status_lanes.c); the rest is in status.c. */
void status_print_lanes(struct cmd *c, const struct pacer *p, const struct lane_counts *lane,
	size_t n, int64_t now);
void status_print_relays(struct cmd *c, const struct pacer *p, int64_t now);

#endif
