/* SPDX-License-Identifier: MIT */
#include "cmd.h"

#include <stdio.h>

static void tell_finding(void *user, const char *text)
{
	struct cmd *c = user;

	if (c->json)
		cmd_json(json_pack("{s:o}", "finding", cmd_json_text(str_of(text))));
	else
		printf("%s\n", cmd_text(c, str_of(text)));
}

static int check(struct cmd *c, struct err *e)
{
	bool quick = false;
	const struct cmd_option options[] = {
		{"quick", NULL, "leave out the comparison of every index", .flag = &quick},
		{0},
	};
	struct site s;
	int findings;

	if (cmd_options(c, options, 0, 0, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	findings = store_check(s.store, !quick, tell_finding, c, e);
	if (findings == 0 && !c->json && !c->quiet)
		printf("%s: all right\n", s.config.database);
	site_close(&s);
	if (findings < 0)
		return -1;
	if (c->json)
		cmd_json(json_pack("{s:b, s:i}", "ok", findings == 0, "findings", findings));
	return findings ? EXIT_NO : 0;
}

static void print_migration(struct cmd *c, const struct store_migration *m, bool dry_run)
{
	if (c->json)
		cmd_json(json_pack("{s:i, s:i, s:o, s:b}", "from", m->from, "to", m->to, "copy",
			m->copy[0] ? cmd_json_text(str_of(m->copy)) : json_null(), "dry_run",
			dry_run));
	else if (c->quiet)
		return;
	else if (m->from == m->to)
		printf("the database is up to date: schema %d\n", m->to);
	else if (dry_run)
		printf("would bring the database from schema %d to %d (dry run, nothing has "
		       "changed)\n",
			m->from, m->to);
	else
		printf("the database went from schema %d to %d, the copy from before is '%s'\n",
			m->from, m->to, cmd_text(c, str_of(m->copy)));
}

static int migrate(struct cmd *c, struct err *e)
{
	bool dry_run = false;
	const struct cmd_option options[] = {
		{"dry-run", NULL, "tell what would be done, change nothing", .flag = &dry_run},
		{0},
	};
	struct store_migration m = {0};
	struct site s;
	int rc;

	if (cmd_options(c, options, 0, 0, e) < 0 || site_open_config(&s, NULL, c->config, e) < 0)
		return -1;
	rc = store_migrate(s.config.database, dry_run, &m, e);
	if (rc == 0)
		print_migration(c, &m, dry_run);
	site_close(&s);
	return rc;
}

const struct command db_commands[] = {
	{"check", "[--quick] [--json]", "Check the database and the ledger in it", check, NULL},
	{"migrate", "[--dry-run] [--json]", "Bring the database to this program's schema", migrate,
		NULL},
	{0},
};
