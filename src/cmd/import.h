/* SPDX-License-Identifier: MIT */
#ifndef CMD_IMPORT_H
#define CMD_IMPORT_H

#include "cmd.h"
#include "store/import.h"

/* The counts of an import as JSON and as lines: the same after an import and in `import show`. Private to src/cmd. */
json_t *cmd_import_counts(int64_t id, const struct import_counts *n);
void cmd_import_print_counts(struct cmd *c, const struct import_counts *n);

#endif
