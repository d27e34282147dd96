/* SPDX-License-Identifier: MIT */
#include "app/intake.h"
#include "base/clock.h"
#include "bounce.h"
#include "mail/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Standard input up to the cap. What is behind it is read, too, so that a mail server does not take our end for
 * a failure and bounce the message. */
static int read_input(struct buf *out, struct err *e)
{
	char part[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, part, sizeof part)) > 0) {
		size_t room = out->max - out->n;

		buf_add(out, part, (size_t)n < room ? (size_t)n : room);
	}
	return n < 0 ? err_sys(e, "cannot read standard input") : 0;
}

static int ingest_input(
	struct site *s, struct intake *in, bool events, const char *recipient, struct err *e)
{
	struct buf input;
	bool filed;
	int rc = -1;

	buf_init(&input, REPORT_BYTES_MAX);
	if (read_input(&input, e) < 0 || store_begin(s->store, e) < 0)
		goto out;
	rc = events ? intake_events(in, buf_view(&input), e)
		    : intake_message(in, buf_view(&input), str_of(recipient), &filed, e);
	if (rc == 0)
		rc = store_commit(s->store, e);
	else
		store_rollback(s->store);
out:
	buf_free(&input);
	return rc;
}

static void print_totals(struct cmd *c, const struct intake_totals *t)
{
	if (c->json)
		cmd_json(json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "read",
			(json_int_t)t->read, "known", (json_int_t)t->known, "bounces",
			(json_int_t)t->bounces, "complaints", (json_int_t)t->complaints,
			"unsubscribes", (json_int_t)t->unsubscribes, "ignored",
			(json_int_t)t->ignored, "filed", (json_int_t)t->filed, "suppressed",
			(json_int_t)t->suppressed));
	else if (!c->quiet && t->read)
		printf("%s read: %s, %s, %s, %s known, %s without consequence, %s filed; %s "
		       "suppressed\n",
			cmd_count(c, t->read, "message", "messages"),
			cmd_count(c, t->bounces, "bounce", "bounces"),
			cmd_count(c, t->complaints, "complaint", "complaints"),
			cmd_count(c, t->unsubscribes, "unsubscribe", "unsubscribes"),
			cmd_number(c, t->known), cmd_number(c, t->ignored), cmd_number(c, t->filed),
			cmd_count(c, t->suppressed, "address", "addresses"));
}

int cmd_bounce_ingest(struct cmd *c, struct err *e)
{
	const char *maildir = NULL, *mbox = NULL, *recipient = NULL;
	bool server = false, events = false;
	const struct cmd_option options[] = {
		{"events", NULL, "a webhook's events on standard input, one a line",
			.flag = &events},
		{"maildir", "DIR", "the messages of a Maildir, which are removed or filed",
			.text = &maildir},
		{"mbox", "FILE", "the messages of an mbox file, which stays", .text = &mbox},
		{"mailbox", NULL, "the messages of the configured mailbox", .flag = &server},
		{"recipient", "ADDRESS", "envelope recipient of the message on standard input",
			.text = &recipient},
		{0},
	};
	struct intake *in = NULL;
	struct site s = {0};
	int rc = -1;

	if (cmd_options(c, options, 0, 0, e) < 0)
		return -1;
	if (!!maildir + !!mbox + server + events + !!recipient > 1)
		return err_set(e, ERR_USAGE,
			"%s: --maildir, --mbox, --mailbox, --events and --recipient exclude each "
			"other",
			c->path);
	if (cmd_site(c, &s, e) < 0)
		goto out;
	cmd_catch_signals();
	if (intake_open(&s,
		    maildir  ? "maildir"
		    : mbox   ? "mbox"
		    : events ? "events"
			     : "stdin",
		    &in, e) < 0)
		goto out;
	if (maildir)
		rc = intake_maildir(in, maildir, &cmd_stop, e);
	else if (mbox)
		rc = intake_mbox(in, mbox, &cmd_stop, e);
	else if (server)
		rc = intake_mailbox(in, &cmd_stop, e);
	else
		rc = ingest_input(&s, in, events, recipient, e);
	print_totals(c, intake_totals(in));
out:
	intake_close(in);
	site_close(&s);
	/* A mail server keeps its message only on this code. */
	if (rc < 0 && !maildir && !mbox && !server)
		e->code = ERR_BUSY;
	return rc;
}

int cmd_bounce_replay(struct cmd *c, struct err *e)
{
	bool filed = false;
	const struct cmd_option options[] = {
		{"filed", NULL, "only what was not understood, or not signed", .flag = &filed},
		{0},
	};
	struct intake *in = NULL;
	struct site s;
	int rc = -1;

	if (cmd_options(c, options, 0, 0, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	cmd_catch_signals();
	if (intake_open(&s, "replay", &in, e) == 0) {
		rc = intake_replay(in, filed, &cmd_stop, e);
		print_totals(c, intake_totals(in));
	}
	intake_close(in);
	site_close(&s);
	return rc;
}

int cmd_bounce_undo(struct cmd *c, struct err *e)
{
	const char *since = NULL, *until = NULL, *reason = NULL, *domain = NULL;
	bool dry_run = false;
	const struct cmd_option options[] = {
		{"since", "TIME", "what came back from this instant on", .text = &since},
		{"until", "TIME", "and up to this one", .text = &until},
		{"reason", "REASON", "recipient, domain, disabled, full, complaint, …",
			.text = &reason},
		{"domain", "DOMAIN", "of addresses at this domain only", .text = &domain},
		{"dry-run", NULL, "tell what would be taken back, change nothing",
			.flag = &dry_run},
		{0},
	};
	struct return_filter filter = {.until = clock_now()};
	struct return_undone n;
	struct site s;
	int rc;

	if (cmd_options(c, options, 0, 0, e) < 0)
		return -1;
	if (!since || !reason)
		return err_set(e, ERR_USAGE, "%s: give --since and --reason", c->path);
	if (!clock_parse(str_of(since), &filter.since) ||
		(until && !clock_parse(str_of(until), &filter.until)))
		return err_set(e, ERR_USAGE, "%s: write a time as 2026-01-31T06:00:00Z", c->path);
	if (strcmp(reason, "complaint") != 0 && reason_of(str_of(reason)) == REASON_N)
		return err_set(e, ERR_USAGE, "%s: there is no reason '%s'", c->path, reason);
	filter.reason = str_of(reason);
	filter.domain = str_of(domain);
	if (cmd_site(c, &s, e) < 0)
		return -1;
	rc = returns_undo(s.store, &filter, clock_now(), dry_run, &n, e);
	site_close(&s);
	if (rc == 0 && c->json)
		cmd_json(json_pack("{s:I, s:I, s:b}", "returns", (json_int_t)n.returns, "lifted",
			(json_int_t)n.lifted, "dry_run", dry_run));
	else if (rc == 0 && !c->quiet)
		printf("%s %s, %s lifted%s\n", dry_run ? "would take back" : "took back",
			cmd_count(c, n.returns, "return", "returns"),
			cmd_count(c, n.lifted, "suppression", "suppressions"),
			dry_run ? " (dry run, nothing has changed)" : "");
	return rc;
}
