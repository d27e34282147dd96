/* SPDX-License-Identifier: MIT */
#include "cmd.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPTIONS_MAX = 32, WIDTH = 79, LABEL = 22 };

/* The options that every command takes; `letter` is also what getopt_long() returns. */
static const struct global {
	char letter;
	const char *dashes, *name, *arg, *about;
} globals[] = {
	{'C', "-C, --", "directory", "DIR", "work in DIR, where the site's lettermill.conf is"},
	{'f', "--", "config", "FILE", "use this configuration file"},
	{'j', "--", "json", NULL, "print JSON, one object a line"},
	{'q', "-q, --", "quiet", NULL, "print no progress and no praise"},
	{'v', "-v, --", "verbose", NULL, "print more"},
	{'h', "-h, --", "help", NULL, "print this and exit"},
};
enum { GLOBAL_N = sizeof globals / sizeof globals[0], OWN = 256 };

static int set_global(struct cmd *c, char letter, const struct cmd_option *own, struct err *e)
{
	switch (letter) {
	case 'C':
		if (chdir(optarg) < 0)
			return err_sys(e, "cannot change to '%s'", optarg);
		break;
	case 'f':
		c->config = optarg;
		break;
	case 'j':
		c->json = true;
		break;
	case 'q':
		c->quiet = true;
		break;
	case 'v':
		c->verbose = true;
		break;
	case 'h':
		cmd_usage(c, own);
		exit(EXIT_SUCCESS);
	}
	return 0;
}

static void set_own(struct cmd *c, const struct cmd_option *o)
{
	if (o->flag) {
		*o->flag = true;
	} else if (o->text) {
		*o->text = optarg;
	} else {
		if (!o->many->n)
			o->many->text = arena_array(&c->arena, (size_t)c->argc, sizeof optarg);
		o->many->text[o->many->n++] = optarg;
	}
}

static size_t make_table(const struct cmd_option *own, struct option out[OPTIONS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < GLOBAL_N; i++)
		out[n++] = (struct option){globals[i].name,
			globals[i].arg ? required_argument : no_argument, NULL, globals[i].letter};
	for (size_t i = 0; own && own[i].name; i++)
		out[n++] = (struct option){own[i].name,
			own[i].arg ? required_argument : no_argument, NULL, OWN + (int)i};
	out[n] = (struct option){0};
	return n;
}

/* What getopt_long() did not understand: `result` is '?' or ':'. */
static int refuse(
	const struct cmd *c, const struct option *table, size_t n, int result, struct err *e)
{
	const char *names[OPTIONS_MAX], *given = c->argv[optind - 1], *near;
	const char *where = c->path[0] ? c->path : "lettermill";
	struct str name = str_of(given + strspn(given, "-"));

	if (result == ':')
		return err_set(e, ERR_USAGE, "%s: option '%s' needs a value", where, given);
	if (optopt && !strchr(given, '='))
		return err_set(e, ERR_USAGE, "%s: there is no option '-%c'", where, optopt);
	name = str_slice(name, 0, str_find(name, '='));
	for (size_t i = 0; i < n; i++)
		names[i] = table[i].name;
	if (optopt)
		return err_set(
			e, ERR_USAGE, "%s: option '--%.*s' takes no value", where, STR_ARG(name));
	near = str_nearest(name, names, n);
	return err_set(e, ERR_USAGE, "%s: there is no option '--%.*s'%s%s%s", where, STR_ARG(name),
		near ? ": did you mean '--" : "", near ? near : "", near ? "'?" : "");
}

static int take(struct cmd *c, const struct cmd_option *own, const char *letters, struct err *e)
{
	struct option table[OPTIONS_MAX];
	size_t n = make_table(own, table);
	int o;

	optind = 0; /* start afresh, also inside */
	opterr = 0;
	while ((o = getopt_long(c->argc, c->argv, letters, table, NULL)) != -1) {
		if (o == '?' || o == ':')
			return refuse(c, table, n, o, e);
		if (o >= OWN)
			set_own(c, &own[o - OWN]);
		else if (set_global(c, (char)o, own, e) < 0)
			return -1;
	}
	c->argc -= optind;
	c->argv += optind;
	return 0;
}

int cmd_global_options(struct cmd *c, struct err *e)
{
	return take(c, NULL, "+:C:qvh", e);
}

int cmd_options(struct cmd *c, const struct cmd_option *own, int min, int max, struct err *e)
{
	if (take(c, own, ":C:qvh", e) < 0)
		return -1;
	if (c->argc < min)
		return err_set(e, ERR_USAGE, "%s: an argument is missing", c->path);
	if (c->argc > max)
		return err_set(e, ERR_USAGE, "%s: there is no place for the argument '%s'", c->path,
			c->argv[max]);
	return 0;
}

/* ---- usage ---- */

static void print_form(const char *path, const struct command *command, bool *first)
{
	if (command->run || !command->sub) {
		printf("%s lettermill %s%s%s\n", *first ? "usage:" : "      ", path,
			command->usage[0] ? " " : "", command->usage);
		*first = false;
	}
	for (const struct command *s = command->sub; s && s->name; s++) {
		char longer[64];

		snprintf(longer, sizeof longer, "%s %s", path, s->name);
		print_form(longer, s, first);
	}
}

/* Behind `indent` columns, in lines of that indent. */
static void print_words(const char *text, int indent)
{
	struct str rest = str_of(text), word;
	int at = indent;

	while (str_next(&rest, ' ', &word)) {
		if (at > indent && at + 1 + (int)word.n > WIDTH) {
			printf("\n%*s", indent, "");
			at = indent;
		}
		printf(" %.*s", STR_ARG(word));
		at += 1 + (int)word.n;
	}
	printf("\n");
}

static void print_option(const char *dashes, const char *name, const char *arg, const char *about)
{
	char text[64];

	snprintf(text, sizeof text, "%s%s%s%s", dashes, name, arg ? " " : "", arg ? arg : "");
	printf("  %-22s", text);
	if (strlen(text) > LABEL)
		printf("\n%*s", LABEL + 2, "");
	print_words(about, LABEL + 2);
}

static void print_commands(const struct command *table)
{
	printf("\n");
	for (; table->name; table++)
		printf("  %-12s %s\n", table->name, table->about);
}

void cmd_usage(const struct cmd *c, const struct cmd_option *own)
{
	bool first = true, whole = !c->path[0];

	if (whole) {
		printf("usage: lettermill [-C DIR] [--config FILE] [--json] [-q | -v] COMMAND "
		       "[ARGUMENT ...]\n");
		print_commands(c->command->sub);
	} else {
		print_form(c->path, c->command, &first);
		printf("\n%s\n", c->command->about);
		if (c->command->sub)
			print_commands(c->command->sub);
	}
	if (whole || (own && own[0].name))
		printf("\n");
	for (size_t i = 0; own && own[i].name; i++)
		print_option("--", own[i].name, own[i].arg, own[i].about);
	for (size_t i = 0; whole && i < GLOBAL_N; i++)
		print_option(globals[i].dashes, globals[i].name, globals[i].arg, globals[i].about);
	printf("\n");
	if (whole)
		printf("lettermill(1) tells more.\n");
	else
		printf("lettermill-%.*s(1) tells more.\n", (int)strcspn(c->path, " "), c->path);
}

int cmd_split(struct cmd *c, const char *option, const char *text, const char **name,
	const char **value, struct err *e)
{
	const char *sign = strchr(text, '=');

	if (!sign || sign == text)
		return err_set(
			e, ERR_USAGE, "%s: --%s is '%s': write NAME=VALUE", c->path, option, text);
	*name = arena_cstr(&c->arena, (struct str){text, (size_t)(sign - text)});
	*value = sign + 1;
	return 0;
}
