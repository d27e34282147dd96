/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "cmd.h"

#include <ctype.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

static const struct command import_commands[] = {
	{"ls", "[--json]", "List the imports, newest last", cmd_import_ls, NULL},
	{"show", "[--rows] [--json] IMPORT", "Show what an import did", cmd_import_show, NULL},
	{"undo", "[--json] IMPORT", "Take back what an import did", cmd_import_undo, NULL},
	{0},
};
static const struct command relay_commands[] = {
	{"check", "[-v] [--json] [NAME]",
		"Connect to relays and show what they offer; send nothing", cmd_relay_check, NULL},
	{0},
};
static const struct command dkim_commands[] = {
	{"new", "[--selector NAME] [--json] DOMAIN", "Make two keys, and say what to publish",
		cmd_dkim_new, NULL},
	{"show", "[--json]", "Show the records that belong to the keys in use", cmd_dkim_show,
		NULL},
	{0},
};
static const struct command commands[] = {
	{"init", "[DIR]", "Make a new site: settings, database, sample issue, templates", cmd_init,
		NULL},
	{"list", "", "Add, change and show the lists that people are on", NULL, list_commands},
	{"import",
		"[--format NAME] [--map COLUMN=FIELD]... [--skip COLUMN]... [--status WORD] "
		"[--resubscribe-with-proof TEXT] [--dry-run] [--json] --list SLUG FILE",
		"Put the people of a CSV file on a list", cmd_import, import_commands},
	{"export", "[--status WORD] [--segment EXPRESSION] [--raw] [--json] --list SLUG",
		"Write out the people of a list", cmd_export, NULL},
	{"subscriber", "", "Add, change, find and remove people", NULL, subscriber_commands},
	{"issue", "", "Check, preview, test, schedule and stop issues", NULL, issue_commands},
	{"deliver", "[--follow] [--dry-run] [--json]", "Send all that is due", cmd_deliver, NULL},
	{"serve", "[-v] [--json]", "Serve the public pages, until stopped", cmd_serve, NULL},
	{"status", "[--watch] [--json] [ISSUE]", "Show how far delivery is, and what needs a hand",
		cmd_status, NULL},
	{"why", "[--json] ADDRESS [ISSUE]",
		"Tell the whole story of an address: consent, copies, attempts", cmd_why, NULL},
	{"bounce", "", "Read what comes back, and say what replies mean", NULL, bounce_commands},
	{"suppression", "", "Look at, write out and take in who gets no mail", NULL,
		suppression_commands},
	{"consent", "", "Prove how somebody came to be on a list", NULL, consent_commands},
	{"relay", "", "Look at the SMTP servers that take the mail", NULL, relay_commands},
	{"dkim", "", "Make the keys that sign the mail, and show their records", NULL,
		dkim_commands},
	{"backup", "[--json] FILE", "Copy the database, while everything goes on", cmd_backup,
		NULL},
	{"restore", "[--dry-run] [--json] FILE", "Put a backup in the place of the database",
		cmd_restore, NULL},
	{"db", "", "Check the database, bring it up to date", NULL, db_commands},
	{"help", "[COMMAND]...", "Show how a command is used", cmd_help, NULL},
	{"version", "[--json]", "Print the version", cmd_version, NULL},
	{0},
};
static const struct command root = {
	"", "", "Deliver newsletters through your own mail relay", NULL, commands};

static const struct command *find(const struct command *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

static int set_unknown(const struct cmd *c, const struct command *table, struct err *e)
{
	const char *names[32], *near;
	size_t n = 0;

	for (; table->name; table++)
		names[n++] = table->name;
	near = str_nearest(str_of(c->argv[0]), names, n);
	return err_set(e, ERR_USAGE, "there is no command '%s%s%s'%s%s%s", c->path,
		c->path[0] ? " " : "", c->argv[0], near ? ": did you mean '" : "", near ? near : "",
		near ? "'?" : "");
}

/* Step from a command to the subcommand whose name stands in argv[0]. */
static void descend(struct cmd *c, const struct command *sub)
{
	c->path = arena_printf(&c->arena, "%s%s%s", c->path, c->path[0] ? " " : "", sub->name);
	c->command = sub;
}

/* argv[0] is the name of c->command: run it, or the subcommand that follows. A command that does
 * something by itself gives way only to the name of a subcommand right behind it. */
static int dispatch(struct cmd *c, struct err *e)
{
	const struct command *here = c->command, *sub;

	if (here->run) {
		sub = here->sub && c->argc > 1 ? find(here->sub, c->argv[1]) : NULL;
		if (!sub)
			return here->run(c, e);
		c->argc--;
		c->argv++;
	} else {
		if (cmd_global_options(c, e) < 0)
			return -1;
		if (c->argc == 0)
			return err_set(e, ERR_USAGE, "%s%sa command is missing", c->path,
				c->path[0] ? ": " : "");
		sub = find(here->sub, c->argv[0]);
		if (!sub)
			return set_unknown(c, here->sub, e);
	}
	descend(c, sub);
	return dispatch(c, e);
}

int cmd_help(struct cmd *c, struct err *e)
{
	const struct command *here = &root, *sub;

	if (cmd_options(c, NULL, 0, 2, e) < 0)
		return -1;
	c->path = "";
	for (; c->argc; c->argc--, c->argv++) {
		sub = here->sub ? find(here->sub, c->argv[0]) : NULL;
		if (!sub)
			return set_unknown(c, here->sub ? here->sub : commands, e);
		descend(c, sub);
		here = sub;
	}
	c->command = here;
	cmd_usage(c, NULL);
	return 0;
}

int cmd_version(struct cmd *c, struct err *e)
{
	if (cmd_options(c, NULL, 0, 0, e) < 0)
		return -1;
	if (c->json)
		cmd_json(json_pack("{s:s}", "version", VERSION));
	else
		printf("lettermill %s\n", VERSION);
	return 0;
}

/* Whether a sentence begins with FILE:LINE, which an editor can follow when it stands first. */
static bool begins_with_place(const char *text)
{
	const char *end = strstr(text, ": "), *p = end;

	while (p && p > text && isdigit((unsigned char)p[-1]))
		p--;
	return end && p != end && p > text && p[-1] == ':';
}

static int fail(const struct cmd *c, const struct err *e)
{
	fprintf(stderr, "%s%s\n", begins_with_place(e->text) ? "" : "lettermill: ", e->text);
	if (e->code == ERR_USAGE)
		fprintf(stderr, "try 'lettermill %s%s--help'\n", c->path, c->path[0] ? " " : "");
	return err_exit_code(e->code ? e->code : ERR_BUG); /* a failure is never a 0 */
}

int main(int argc, char **argv)
{
	struct cmd c = {.path = "", .command = &root, .argc = argc, .argv = argv};
	struct err e = {0};
	int rc;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		argv[1] = "version"; /* what every program is asked first */
	setlocale(LC_CTYPE, "C.UTF-8"); /* for the widths of names in tables */
	rc = dispatch(&c, &e);
	if (rc < 0)
		rc = fail(&c, &e);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "lettermill: cannot write to standard output\n");
		rc = err_exit_code(ERR_IO);
	}
	arena_free(&c.arena);
	return rc;
}
