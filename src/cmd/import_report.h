/* SPDX-License-Identifier: MIT */
#ifndef SRC_CMD_IMPORT_REPORT_H
#define SRC_CMD_IMPORT_REPORT_H

#include "cmd.h"

/* Print the report of an import (app/import.h) as `text`: what each file was taken for. With --json a line a file. */
void import_report_print(struct cmd *c, struct str text);

#endif
