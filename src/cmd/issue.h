/* SPDX-License-Identifier: MIT */
#ifndef SRC_CMD_ISSUE_H
#define SRC_CMD_ISSUE_H

#include "cmd.h"
#include "store/ledger.h"

/* The commands about an issue file (issue_file.c); those about scheduled issues are in issue.c, the word
 * about copies in doubt in issue_resolve.c. */
/* `issue preview --open`: serve the faces of the issue argv[0] until a signal comes (issue_open.c). */
int issue_open_preview(struct cmd *c, struct site *s, const char *as, bool embed, struct err *e);
/* `issue show --failed` (issue_failed.c). */
int issue_print_failed(struct cmd *c, struct site *s, const struct issue *issue, struct err *e);
int issue_new(struct cmd *c, struct err *e);
int issue_check(struct cmd *c, struct err *e);
int issue_preview(struct cmd *c, struct err *e);
int issue_test(struct cmd *c, struct err *e);
int issue_schedule_command(struct cmd *c, struct err *e);
int issue_forecast(struct cmd *c, struct err *e);
int issue_audience_command(struct cmd *c, struct err *e);
int issue_clicks_command(struct cmd *c, struct err *e);
int issue_resolve_command(struct cmd *c, struct err *e);

#endif
