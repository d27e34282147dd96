/* SPDX-License-Identifier: MIT */
#include "issue.h"
#include "store/pages.h"

#include <stdio.h>

static void print_clicks(struct cmd *c, const struct link_clicks *link, size_t n)
{
	static const char *const head[] = {">LINK", ">READERS", ">ROBOTS", "ADDRESS"};
	struct table table;

	table_init(&table, &c->arena, head, sizeof head / sizeof head[0]);
	for (size_t i = 0; i < n; i++)
		table_add(&table, (const char *[]){cmd_number(c, (int64_t)i + 1),
					  cmd_number(c, link[i].readers),
					  cmd_number(c, link[i].robots), cmd_text(c, link[i].url)});
	table_print(&table);
}

static int clicks(struct cmd *c, struct site *s, struct err *e)
{
	struct link_clicks *link;
	struct issue issue = {0};
	size_t n;

	if (issue_get(s->store, str_of(c->argv[0]), &c->arena, &issue, e) < 0 ||
		issue_clicks(s->store, issue.id, &c->arena, &link, &n, e) < 0)
		return -1;
	if (!n && !c->json)
		return err_set(e, ERR_MISSING,
			"clicks on issue %lld are not counted: say 'lettermill list set --clicks "
			"yes "
			"%.*s' before the next one is scheduled",
			(long long)issue.id, STR_ARG(issue.list));
	for (size_t i = 0; c->json && i < n; i++)
		cmd_json(json_pack("{s:I, s:I, s:I, s:I, s:o}", "issue", (json_int_t)issue.id,
			"link", (json_int_t)i + 1, "readers", (json_int_t)link[i].readers, "robots",
			(json_int_t)link[i].robots, "url", cmd_json_text(link[i].url)));
	if (!c->json)
		print_clicks(c, link, n);
	return 0;
}

int issue_clicks_command(struct cmd *c, struct err *e)
{
	struct site s;
	int rc;

	if (cmd_options(c, NULL, 1, 1, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	rc = clicks(c, &s, e);
	site_close(&s);
	return rc;
}
