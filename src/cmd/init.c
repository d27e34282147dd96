/* SPDX-License-Identifier: MIT */
#include "cmd.h"

#include <stdio.h>

int cmd_init(struct cmd *c, struct err *e)
{
	const char *folder;

	if (cmd_options(c, NULL, 0, 1, e) < 0)
		return -1;
	folder = c->argc ? c->argv[0] : ".";
	if (site_init(folder, e) < 0)
		return -1;
	if (c->json) {
		cmd_json(json_pack("{s:o}", "folder", cmd_json_text(str_of(folder))));
		return 0;
	}
	if (c->quiet)
		return 0;
	printf("a new site stands in '%s'. What to do next, in that folder:\n"
	       "  1. name your publication and your relay in lettermill.conf\n"
	       "  2. lettermill import subscribers.csv --list daily\n"
	       "  3. lettermill issue preview issues/sample.md\n",
		cmd_text(c, str_of(folder)));
	return 0;
}
