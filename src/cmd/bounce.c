/* SPDX-License-Identifier: MIT */
#include "bounce.h"
#include "bounce_files.h"
#include "cmd.h"
#include "mail/classify.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static int phase_of(const char *name, enum smtp_phase *out, struct err *e)
{
	const char *names[PHASE_N], *near;
	int i;

	for (i = 0; i < PHASE_N; i++) {
		names[i] = smtp_phase_name(i);
		if (str_eq_nocase(str_of(name), str_of(names[i])))
			break;
	}
	*out = i;
	if (i < PHASE_N)
		return 0;
	near = str_nearest(str_of(name), names, PHASE_N);
	return err_set(e, ERR_USAGE, "there is no phase '%s' of SMTP: did you mean '%s'?", name,
		near ? near : "rcpt");
}

static void print_finding(struct arena *a, struct str words, const struct finding *f, bool json)
{
	bool failed = f->rule; /* a 2yz has no reason */

	if (json)
		cmd_json(json_pack("{s:o, s:s?, s:s?, s:s?}", "reply", cmd_json_text(words),
			"class", failed ? f->hard ? "hard" : "soft" : NULL, "reason",
			failed ? reason_name(f->reason) : NULL, "action",
			failed ? reaction_name(f->action) : NULL));
	else
		printf("%-4s  %-9s  %-12s  %-20s  %s\n", failed ? f->hard ? "hard" : "soft" : "-",
			failed ? reason_name(f->reason) : "-",
			failed ? reaction_name(f->action) : "-", failed ? f->rule : "-",
			cmd_text_in(a, words));
}

/* Each line of standard input is a reply. */
static int classify_lines(struct cmd *c, enum smtp_phase phase, struct err *e)
{
	char line[8192];
	bool rest = false; /* of a line that was too long: read on and left out */
	struct arena a = {0};

	while (fgets(line, sizeof line, stdin)) {
		bool whole = strchr(line, '\n');
		struct str words = str_trim(str_of(line));
		struct finding f;

		if (!rest && words.n) {
			classify_words(phase, words, NULL, &f);
			print_finding(&a, words, &f, c->json);
			arena_reset(&a);
		}
		rest = !whole;
	}
	arena_free(&a);
	return ferror(stdin) ? err_set(e, ERR_IO, "cannot read standard input") : 0;
}

static int cmd_bounce_classify(struct cmd *c, struct err *e)
{
	bool reply = false;
	const char *phase_name = NULL;
	enum smtp_phase phase = PHASE_N;
	const struct cmd_option own[] = {
		{"reply", NULL, "read SMTP replies, one a line, from standard input", &reply, NULL,
			NULL},
		{"phase", "PHASE",
			"the step of SMTP that they answered: mail, rcpt, data, dot, ...", NULL,
			&phase_name, NULL},
		{0},
	};

	if (cmd_options(c, own, 0, INT_MAX, e) < 0)
		return -1;
	if (reply == (c->argc > 0))
		return err_set(
			e, ERR_USAGE, "%s: name files, or give --reply and no file", c->path);
	if (phase_name && !reply)
		return err_set(e, ERR_USAGE, "%s: --phase goes with --reply", c->path);
	if (!reply)
		return bounce_files(c, e);
	if (phase_name && phase_of(phase_name, &phase, e) < 0)
		return -1;
	return classify_lines(c, phase, e);
}

const struct command bounce_commands[] = {
	{"ingest",
		"[--maildir DIR | --mbox FILE | --mailbox | --events | --recipient ADDRESS] "
		"[--json]",
		"Read what has come back", cmd_bounce_ingest, NULL},
	{"replay", "[--filed] [--json]", "Read it again, after rules have changed",
		cmd_bounce_replay, NULL},
	{"undo",
		"[--until TIME] [--domain DOMAIN] [--dry-run] [--json] --since TIME --reason "
		"REASON",
		"Take back events and the suppressions they made", cmd_bounce_undo, NULL},
	{"classify", "[--phase PHASE] [--json] {--reply | FILE ...}",
		"Tell what returned messages, or SMTP replies, mean; touch nothing",
		cmd_bounce_classify, NULL},
	{0},
};
