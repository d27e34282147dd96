/* SPDX-License-Identifier: MIT */
#ifndef SRC_CMD_BOUNCE_FILES_H
#define SRC_CMD_BOUNCE_FILES_H

#include "cmd.h"

/* Say what the messages in the files named on the command line report; "-" is standard input. A file that
 * cannot be read is told on standard error, and the rest goes on; the error is then the last one's. */
int bounce_files(struct cmd *c, struct err *e);

#endif
