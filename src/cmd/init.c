/* SPDX-License-Identifier: MIT */
#include "cmd.h"

#include <stdio.h>
#include <string.h>

int cmd_init(struct cmd *c, struct err *e)
{
	const char *folder, *where;

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
	where = strcmp(folder, ".") == 0
			? ""
			: arena_printf(&c->arena, "-C %s ", cmd_text(c, str_of(folder)));
	printf("a new site stands in '%s'. What to do next:\n"
	       "  1. name your publication and your relay in %s%slettermill.conf\n"
	       "  2. lettermill %simport subscribers.csv --list daily\n"
	       "  3. lettermill %sissue preview issues/sample.md\n",
		cmd_text(c, str_of(folder)), *where ? cmd_text(c, str_of(folder)) : "",
		*where ? "/" : "", where, where);
	return 0;
}
