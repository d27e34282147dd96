/* SPDX-License-Identifier: MIT */
#include "app/import.h"
#include "base/log.h"
#include "cmd.h"
#include "import.h"
#include "import_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct import_run {
	struct cmd *c;
	const char *file;
	struct progress progress;
	bool giving; /* the file is read: the list gets its people */
	struct arena line; /* for one rejected row */
	struct str report;
};

static void tell_rejected(void *user, const char *file, uint64_t line, const char *reason)
{
	struct import_run *run = user;
	json_t *o;

	progress_clear(&run->progress);
	arena_reset(&run->line);
	if (run->c->json) {
		o = json_pack("{s:I, s:o}", "line", (json_int_t)line, "reason",
			cmd_json_text(str_of(reason)));
		if (file[0])
			json_object_set_new(o, "file", cmd_json_text(str_of(file)));
		cmd_json(o);
	} else {
		/* No editor follows the path of an archive. */
		fprintf(stderr, "%s:%" PRIu64 ": rejected: %s\n",
			cmd_text_in(&run->line, str_of(file[0] ? file : run->file)), line,
			cmd_text_in(&run->line, str_of(reason)));
	}
}

static void keep_report(void *user, struct str json)
{
	struct import_run *run = user;

	run->report = arena_str(&run->c->arena, json);
}

static bool tell_progress(void *user, const struct import_progress *p)
{
	struct import_run *run = user;
	char rate[64];

	if (p->people && !run->giving) {
		run->giving = true;
		progress_init(&run->progress, run->c, "putting on the list");
	}
	snprintf(rate, sizeof rate, "%s rows/s",
		cmd_number(run->c, (int64_t)((double)(run->giving ? p->given : p->rows) /
					     progress_seconds(&run->progress))));
	if (run->giving)
		progress_draw(&run->progress, p->given, p->people, rate);
	else
		progress_draw(&run->progress, (int64_t)p->octets, (int64_t)p->size, rate);
	return !cmd_stop;
}

/* --skip COLUMN is short for --map COLUMN=- */
static int make_map(struct cmd *c, const struct cmd_texts *texts, const struct cmd_texts *skips,
	struct import_options *options, struct err *e)
{
	struct import_map *map = arena_array(&c->arena, texts->n + skips->n, sizeof *map);

	for (size_t i = 0; i < texts->n; i++)
		if (cmd_split(c, "map", texts->text[i], &map[i].column, &map[i].field, e) < 0)
			return -1;
	for (size_t i = 0; i < skips->n; i++)
		map[texts->n + i] = (struct import_map){skips->text[i], "-"};
	options->map = map;
	options->map_n = texts->n + skips->n;
	return 0;
}

static void print_counts(
	struct cmd *c, int64_t id, bool dry_run, const char *list, const struct import_counts *n)
{
	if (dry_run)
		printf("would import %s into '%s' (dry run, nothing has changed)\n",
			cmd_count(c, n->rows, "row", "rows"), list);
	else
		printf("import %" PRId64 " into '%s': %s\n", id, list,
			cmd_count(c, n->rows, "row", "rows"));
	cmd_import_print_counts(c, n);
	printf("  %9s  %s\n", cmd_number(c, n->mailed),
		dry_run ? "would get mail from then on, and get none now"
			: "get mail from now on, and got none before");
	if (n->repeats)
		printf("  %9s  of the unchanged are repeats: the strictest status counts\n",
			cmd_number(c, n->repeats));
}

/* Nothing has changed, most likely: say why. */
static int tell_same(struct cmd *c, struct site *s, int64_t id, struct err *e)
{
	int64_t before, at;
	int rc = import_same(s->store, id, &before, &at, e);

	if (rc == 1)
		printf("  the same file came in as import %" PRId64 " on %s\n", before,
			cmd_minute(c, at));
	return rc < 0 ? -1 : 0;
}

static int run_import(
	struct cmd *c, const struct import_options *options, struct import_run *run, struct err *e)
{
	struct import_counts n = {0};
	struct site s;
	int64_t id = 0;
	int rc;

	if (cmd_site(c, &s, e) < 0)
		return -1;
	cmd_catch_signals();
	progress_init(&run->progress, c, "importing");
	rc = import_file(&s, run->file, options, &id, &n, e);
	progress_clear(&run->progress);
	if (rc < 0 && cmd_stop) {
		fprintf(stderr, "lettermill: stopped, nothing was imported\n");
		rc = 128 + cmd_stop;
	} else if (rc == 0 && c->json) {
		import_report_print(c, run->report);
		cmd_json(cmd_import_counts(id, &n));
	} else if (rc == 0 && !c->quiet) {
		import_report_print(c, run->report);
		print_counts(c, id, options->dry_run, options->list, &n);
		rc = tell_same(c, &s, id, e);
	}
	arena_free(&run->line);
	site_close(&s);
	return rc;
}

int cmd_import(struct cmd *c, struct err *e)
{
	struct cmd_texts maps = {0}, skips = {0};
	struct import_run run = {.c = c};
	struct import_options options = {.rejected = tell_rejected,
		.progress = tell_progress,
		.report = keep_report,
		.user = &run};
	const struct cmd_option table[] = {
		{"list", "SLUG", "the list to put them on", .text = &options.list},
		{"format", "NAME", "what wrote the file, where its header does not tell",
			.text = &options.format},
		{"map", "COLUMN=FIELD",
			"what a column is: email, first_name, last_name, name, status, tags, "
			"created_at, an attribute, or - to drop it",
			.many = &maps},
		{"skip", "COLUMN", "drop a column", .many = &skips},
		{"status", "WORD",
			"what all are at least: subscribed, pending, unsubscribed, bounced, "
			"suppressed, complained",
			.text = &options.status},
		{"resubscribe-with-proof", "TEXT",
			"bring back those who had left: TEXT says where it is written that they "
			"want it",
			.text = &options.proof},
		{"dry-run", NULL, "read all, change nothing", .flag = &options.dry_run},
		{0},
	};
	if (cmd_options(c, table, 1, 1, e) < 0 || make_map(c, &maps, &skips, &options, e) < 0)
		return -1;
	if (!options.list)
		return err_set(e, ERR_USAGE,
			"import: --list SLUG is missing: say which list the people "
			"are for, 'lettermill list ls' shows them");
	if (options.proof && !str_trim(str_of(options.proof)).n)
		return err_set(e, ERR_USAGE,
			"import: the TEXT of --resubscribe-with-proof is empty: say where it is "
			"written that they want it");
	run.file = c->argv[0];
	return run_import(c, &options, &run, e);
}
