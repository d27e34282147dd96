/* SPDX-License-Identifier: MIT */
#include "app/deliver.h"
#include "base/clock.h"
#include "cmd.h"

#include <stdio.h>

struct delivery_run {
	struct cmd *c;
	struct progress progress;
};

static int64_t settled(const struct deliver_totals *t)
{
	return t->sent + t->failed + t->expired + t->in_doubt;
}

static void tell_progress(void *user, const struct deliver_totals *t)
{
	struct delivery_run *run = user;
	int64_t done = settled(t);
	struct arena a = {0};
	char rate[32];

	snprintf(rate, sizeof rate, "%.0f copies/s",
		(double)done / progress_seconds(&run->progress));
	progress_draw(&run->progress, done, done + t->left,
		t->waits[0] ? cmd_text_in(&a, str_of(t->waits)) : rate);
	arena_free(&a);
}

static void print_part(struct cmd *c, int64_t n, const char *what)
{
	if (n)
		printf(", %s %s", cmd_number(c, n), what);
}

static void print_totals(struct cmd *c, const struct deliver_totals *t)
{
	int64_t done = settled(t) + t->deferred;

	if (c->json) {
		cmd_json(json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "sent",
			(json_int_t)t->sent, "deferred", (json_int_t)t->deferred, "failed",
			(json_int_t)t->failed, "expired", (json_int_t)t->expired, "in_doubt",
			(json_int_t)t->in_doubt, "recovered", (json_int_t)t->recovered,
			"known_sent", (json_int_t)t->known_sent, "known_in_doubt",
			(json_int_t)t->known_in_doubt, "left", (json_int_t)t->left, "milliseconds",
			(json_int_t)t->milliseconds));
		return;
	}
	if (c->quiet)
		return;
	/* What the timer finds nearly every time: not worth a line unless somebody is there to read it. */
	if (!(done || t->recovered || t->known_sent || t->known_in_doubt)) {
		if (cmd_columns())
			printf("nothing to send now: 'lettermill status' tells what waits\n");
		return;
	}
	printf("%s sent", cmd_number(c, t->sent));
	print_part(c, t->deferred, "put off");
	print_part(c, t->failed, "failed");
	print_part(c, t->expired, "expired");
	print_part(c, t->in_doubt, "in doubt");
	print_part(c, t->recovered, "taken back from a worker that was stopped");
	print_part(c, t->known_sent, "known to be sent by the send journal");
	print_part(c, t->known_in_doubt, "in doubt by the send journal");
	printf(" in %.1f s", (double)t->milliseconds / 1e3);
	if (t->milliseconds)
		printf(" (%s a second)", cmd_number(c, done * 1000 / t->milliseconds));
	if (t->left)
		printf(", %s left", cmd_number(c, t->left));
	printf("\n");
}

static int pretend(struct cmd *c, struct site *s, struct err *e)
{
	int64_t n = deliver_due(s, clock_now(), e);

	if (n < 0)
		return -1;
	if (c->json)
		cmd_json(json_pack("{s:I, s:b}", "due", (json_int_t)n, "dry_run", 1));
	else
		printf("would send %s (dry run, nothing was sent)\n",
			cmd_count(c, n, "copy", "copies"));
	return 0;
}

static int run_delivery(
	struct cmd *c, struct site *s, struct deliver_options *options, struct err *e)
{
	struct delivery_run run = {.c = c};
	struct deliver_totals totals = {0};
	int rc;

	options->stop = &cmd_stop;
	options->progress = tell_progress;
	options->user = &run;
	cmd_catch_signals();
	progress_init(&run.progress, c, "delivering");
	rc = deliver(s, options, &totals, e);
	progress_clear(&run.progress);
	print_totals(c, &totals);
	return rc;
}

int cmd_deliver(struct cmd *c, struct err *e)
{
	struct deliver_options options = {0};
	bool dry_run = false;
	const struct cmd_option table[] = {
		{"follow", NULL, "when nothing is due, wait for what comes due later",
			.flag = &options.follow},
		{"dry-run", NULL, "tell how many copies are due, send nothing", .flag = &dry_run},
		{0},
	};
	struct site s;
	int rc;

	if (cmd_options(c, table, 0, 0, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	rc = dry_run ? pretend(c, &s, e) : run_delivery(c, &s, &options, e);
	site_close(&s);
	return rc;
}
