/* SPDX-License-Identifier: MIT */
#ifndef SRC_CMD_BOUNCE_H
#define SRC_CMD_BOUNCE_H

#include "cmd.h"

/* Subcommands of "bounce" that stand in files of their own. */
int cmd_bounce_ingest(struct cmd *c, struct err *e);
int cmd_bounce_replay(struct cmd *c, struct err *e);
int cmd_bounce_undo(struct cmd *c, struct err *e);

#endif
