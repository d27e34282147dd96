/* SPDX-License-Identifier: MIT */
#ifndef SRC_CMD_CMD_H
#define SRC_CMD_CMD_H

#include "app/site.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The frame of the command line: one table of commands (main.c), options by a table in each command,
 * and what all of them print with. A command returns its exit code, or -1 with a sentence in *e.
 */
enum { EXIT_NO = 1 }; /* "the answer is no" */

struct cmd {
	const char *config; /* --config */
	bool json, quiet, verbose;
	const char *path; /* "issue check": the command being run, for messages */
	const struct command *command;
	int argc; /* what stands behind the command; after cmd_options() without the options */
	char **argv;
	struct arena arena; /* lives as long as the program */
};

struct command {
	const char *name;
	const char *usage; /* what follows the name; further lines are further lines of it */
	const char *about; /* one line, in the imperative */
	int (*run)(struct cmd *c, struct err *e); /* NULL: only `sub` */
	const struct command *sub; /* ends with a NULL name; NULL = none */
};

/* The tables of main.c are filled from these, one file a command. */
int cmd_init(struct cmd *c, struct err *e);
int cmd_import(struct cmd *c, struct err *e);
int cmd_import_ls(struct cmd *c, struct err *e);
int cmd_import_show(struct cmd *c, struct err *e);
int cmd_import_undo(struct cmd *c, struct err *e);
int cmd_export(struct cmd *c, struct err *e);
int cmd_deliver(struct cmd *c, struct err *e);
int cmd_serve(struct cmd *c, struct err *e);
int cmd_status(struct cmd *c, struct err *e);
int cmd_why(struct cmd *c, struct err *e);
int cmd_dkim_new(struct cmd *c, struct err *e);
int cmd_dkim_show(struct cmd *c, struct err *e);
int cmd_relay_check(struct cmd *c, struct err *e);
int cmd_backup(struct cmd *c, struct err *e);
int cmd_restore(struct cmd *c, struct err *e);
int cmd_help(struct cmd *c, struct err *e);
int cmd_version(struct cmd *c, struct err *e);
extern const struct command list_commands[], subscriber_commands[], issue_commands[],
	bounce_commands[], suppression_commands[], consent_commands[], db_commands[];

/* ---- options ---- */

/* Values of an option that may be given several times. */
struct cmd_texts {
	const char **text;
	size_t n;
};

/* An option of one command: exactly one of flag, text, many is set. A table ends with a NULL name. */
struct cmd_option {
	const char *name; /* without the dashes */
	const char *arg; /* "SLUG"; NULL for a flag */
	const char *about; /* for --help */
	bool *flag;
	const char **text;
	struct cmd_texts *many;
};

/* Take the options of this command, and the global ones, out of c->argv. Between `min` and `max`
 * arguments must be left. --help prints and ends the program. ERR_USAGE. */
int cmd_options(struct cmd *c, const struct cmd_option *own, int min, int max, struct err *e);

/* Take global options until the first argument: in front of a command. ERR_USAGE. */
int cmd_global_options(struct cmd *c, struct err *e);

/* Print the usage of c->command, its lines beginning "usage: lettermill", and the line about it. */
void cmd_usage(const struct cmd *c, const struct cmd_option *own);

/* Split "NAME=VALUE". ERR_USAGE. */
int cmd_split(struct cmd *c, const char *option, const char *text, const char **name,
	const char **value, struct err *e);

/* ---- the site ---- */

/* Open the site that the options name. */
int cmd_site(struct cmd *c, struct site *s, struct err *e);

/* The subscriber of an address given on the command line. ERR_INPUT, ERR_MISSING. */
struct addr;
struct subscriber;
int cmd_subscriber(struct cmd *c, struct site *s, const char *address, struct addr *addr,
	struct subscriber *out, struct err *e);

/* ---- printing ---- */

/* `s` for a terminal: control octets, invalid UTF-8 and characters that turn the writing direction
 * become '?'. In c->arena, or in one of your own for a job without an end. */
const char *cmd_text(struct cmd *c, struct str s);
const char *cmd_text_in(struct arena *a, struct str s);

/* "2026-01-31 06:00:00" (UTC), "-" for 0. */
const char *cmd_time(struct cmd *c, int64_t t);

/* The same without the seconds, for tables. */
const char *cmd_minute(struct cmd *c, int64_t t);

/* "1,234,567". */
const char *cmd_number(struct cmd *c, int64_t n);

/* "1 copy", "1,234 copies". */
const char *cmd_count(struct cmd *c, int64_t n, const char *one, const char *many);

/* A JSON string of `s` (invalid UTF-8 as U+FFFD); a time as RFC 3339, null for 0. */
json_t *cmd_json_text(struct str s);
json_t *cmd_json_time(int64_t t);

/* Print `o` as one line and free it. */
void cmd_json(json_t *o);

/* One line of an SMTP dialogue on standard error, for relay.on_dialogue. */
void cmd_print_dialogue(void *user, char direction, struct str line);

/* How many columns the terminal has that is standard output; 0 where it is none. */
size_t cmd_columns(void);

/* How much of the valid UTF-8 `text` fits into `room` columns of a terminal: octets; `*width` is what it takes
 * there. */
size_t cmd_fit(struct str text, size_t room, size_t *width);

/* A table whose columns are as wide as their widest cell; on a terminal the last one is cut where the
 * line would break. `head` has one word a column, with a '>' in
 * front where it is flush right; an empty column heading has no text but keeps its column. */
struct table {
	struct arena *arena;
	const char *const *head;
	size_t columns;
	struct table_row *first, **last;
};
void table_init(struct table *t, struct arena *a, const char *const *head, size_t columns);
void table_add(struct table *t, const char *const *cell);
void table_print(const struct table *t);

/* ---- progress ---- */

/* A bar on standard error, when it is a terminal and nothing speaks against it; else nothing. */
struct progress {
	bool wanted, drawn;
	int64_t started_ms;
	const char *what;
};
void progress_init(struct progress *p, const struct cmd *c, const char *what);

/* Draw: `rate` is the text of the speed. `all` 0 = unknown. */
void progress_draw(struct progress *p, int64_t done, int64_t all, const char *rate);

/* Remove the bar, before other text or at the end. */
void progress_clear(struct progress *p);

/* Seconds since progress_init(), never 0: for rates. */
double progress_seconds(const struct progress *p);

/* From now on SIGINT and SIGTERM only set cmd_stop to their number. */
extern volatile sig_atomic_t cmd_stop;
void cmd_catch_signals(void);

#endif
