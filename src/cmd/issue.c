/* SPDX-License-Identifier: MIT */
#include "issue.h"
#include "base/clock.h"
#include "status.h"

#include <inttypes.h>
#include <stdio.h>

static json_t *issue_json(const struct issue *i)
{
	return json_pack("{s:I, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "issue",
		(json_int_t)i->id, "slug", cmd_json_text(i->slug), "list", cmd_json_text(i->list),
		"state", issue_state_name(i->state), "subject", cmd_json_text(i->subject),
		"created_at", cmd_json_time(i->created_at), "due_at", cmd_json_time(i->due_at),
		"done_at", cmd_json_time(i->done_at), "hash", cmd_json_text(i->hash), "reason",
		i->pause_reason.n ? cmd_json_text(i->pause_reason) : json_null(), "segment",
		i->segment.n ? cmd_json_text(i->segment) : json_null());
}

/* Take the options, open the site and find the issue argv[0]. */
static int open_issue(struct cmd *c, const struct cmd_option *options, struct site *s,
	struct issue *issue, struct err *e)
{
	if (cmd_options(c, options, 1, 1, e) < 0 || cmd_site(c, s, e) < 0)
		return -1;
	if (issue_get(s->store, str_of(c->argv[0]), &c->arena, issue, e) == 0)
		return 0;
	site_close(s);
	return -1;
}

static int print_issue(struct cmd *c, struct site *s, const struct issue *i, struct err *e)
{
	if (c->json) {
		cmd_json(issue_json(i));
		return 0;
	}
	printf("issue %" PRId64 ", %s: %s\n", i->id, cmd_text(c, i->slug), cmd_text(c, i->subject));
	printf("  list       %s\n  state      %s%s%s\n", cmd_text(c, i->list),
		issue_state_name(i->state), i->pause_reason.n ? ": " : "",
		cmd_text(c, i->pause_reason));
	if (i->segment.n)
		printf("  segment    %s\n", cmd_text(c, i->segment));
	printf("  scheduled  %s UTC\n  due        %s UTC\n", cmd_time(c, i->created_at),
		cmd_time(c, i->due_at));
	if (status_print_plan(c, s, i, "  ", 10, e) < 0)
		return -1;
	if (i->done_at)
		printf("  done       %s UTC\n", cmd_time(c, i->done_at));
	printf("  size       %s of Markdown, %s compiled\n",
		cmd_count(c, (int64_t)i->source.n, "octet", "octets"),
		cmd_number(c, (int64_t)i->program.n));
	printf("  sha-256    %s\n", cmd_text(c, i->hash));
	return 0;
}

static int show(struct cmd *c, struct err *e)
{
	bool failed = false;
	const struct cmd_option options[] = {
		{"failed", NULL, "list the copies that will not arrive, and why", .flag = &failed},
		{0},
	};
	struct issue i = {0};
	struct site s;
	int rc;

	if (open_issue(c, options, &s, &i, e) < 0)
		return -1;
	rc = failed ? issue_print_failed(c, &s, &i, e) : print_issue(c, &s, &i, e);
	site_close(&s);
	return rc;
}

struct listing {
	struct cmd *c;
	struct table table;
};

static bool add_line(void *user, const struct issue *i)
{
	struct listing *to = user;
	struct cmd *c = to->c;

	if (i->confirmation)
		return true;
	if (c->json)
		cmd_json(issue_json(i));
	else
		table_add(&to->table, (const char *[]){cmd_number(c, i->id), cmd_text(c, i->list),
					      issue_state_name(i->state), cmd_minute(c, i->due_at),
					      cmd_text(c, i->slug)});
	return true;
}

static int ls(struct cmd *c, struct err *e)
{
	static const char *const head[] = {">ISSUE", "LIST", "STATE", "DUE (UTC)", "SLUG"};
	struct listing to = {.c = c};
	struct site s;
	int rc;

	if (cmd_options(c, NULL, 0, 0, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	table_init(&to.table, &c->arena, head, 5);
	rc = issue_each(s.store, add_line, &to, e);
	if (rc == 0 && !c->json)
		table_print(&to.table);
	site_close(&s);
	return rc;
}

/* ---- pause, resume, cancel ---- */

/* Say what an issue is now. */
static int tell(struct cmd *c, struct site *s, struct err *e)
{
	struct issue i = {0};

	if (!c->json)
		return 0;
	if (issue_get(s->store, str_of(c->argv[0]), &c->arena, &i, e) < 0)
		return -1;
	cmd_json(issue_json(&i));
	return 0;
}

static int pause_command(struct cmd *c, struct err *e)
{
	const char *reason = "by hand";
	const struct cmd_option options[] = {
		{"reason", "WORDS", "kept with the issue", .text = &reason},
		{0},
	};
	struct issue i = {0};
	struct site s;
	int rc;

	if (open_issue(c, options, &s, &i, e) < 0)
		return -1;
	rc = issue_pause(s.store, i.id, str_of(reason), clock_now(), e) < 0 ? -1 : tell(c, &s, e);
	site_close(&s);
	return rc;
}

static int resume_command(struct cmd *c, struct err *e)
{
	struct issue i = {0};
	struct site s;
	int rc;

	if (open_issue(c, NULL, &s, &i, e) < 0)
		return -1;
	rc = issue_resume(s.store, i.id, clock_now(), e);
	if (rc == 0)
		rc = tell(c, &s, e);
	site_close(&s);
	return rc;
}

/* How many copies a cancel would stop. */
static int count_open(struct site *s, const struct issue *i, int64_t *rows, struct err *e)
{
	struct issue_counts n;

	if (i->state == ISSUE_DONE || i->state == ISSUE_CANCELLED)
		return err_set(e, ERR_DENIED, "issue %" PRId64 " is %s: there is nothing to cancel",
			i->id, issue_state_name(i->state));
	if (issue_counts(s->store, i->id, &n, e) < 0)
		return -1;
	*rows = n.n[DELIVERY_QUEUED] + n.n[DELIVERY_DEFERRED];
	return 0;
}

static int cancel_command(struct cmd *c, struct err *e)
{
	bool dry_run = false;
	const struct cmd_option options[] = {
		{"dry-run", NULL, "tell how many copies would be dropped, change nothing",
			.flag = &dry_run},
		{0},
	};
	struct issue i = {0};
	int64_t rows = 0;
	struct site s;
	int rc;

	if (open_issue(c, options, &s, &i, e) < 0)
		return -1;
	rc = dry_run ? count_open(&s, &i, &rows, e)
		     : issue_cancel(s.store, i.id, clock_now(), &rows, e);
	site_close(&s);
	if (rc < 0)
		return -1;
	if (c->json)
		cmd_json(json_pack("{s:I, s:I, s:b}", "issue", (json_int_t)i.id, "cancelled",
			(json_int_t)rows, "dry_run", dry_run));
	else if (dry_run)
		printf("would cancel issue %" PRId64 " and drop %s (dry run, nothing has "
		       "changed)\n",
			i.id, cmd_count(c, rows, "copy", "copies"));
	else if (!c->quiet)
		printf("issue %" PRId64 " is cancelled, %s dropped\n", i.id,
			cmd_count(c, rows, "copy", "copies"));
	return 0;
}

const struct command issue_commands[] = {
	{"new", "[--json] FILE", "Begin an issue", issue_new, NULL},
	{"check", "[--strict] [--embed] [--json] FILE", "Say what is wrong with an issue file",
		issue_check, NULL},
	{"preview", "[--as ADDRESS] [--output DIR | --open] [--embed] [--json] FILE",
		"Write an issue as HTML, text and message", issue_preview, NULL},
	{"test", "[--embed] [--relay NAME] [--dry-run] [-v] [--json] --to ADDRESS FILE",
		"Send one proof through the relay", issue_test, NULL},
	{"schedule",
		"[--at TIME] [--window HOURS] [--segment EXPRESSION] [--strict] [--embed] "
		"[--dry-run] "
		"[--json] FILE",
		"Freeze the audience: one copy for each", issue_schedule_command, NULL},
	{"audience",
		"[--segment EXPRESSION] [--against EXPRESSION] [--sample N] [--json] --list SLUG",
		"Count and show who would get an issue", issue_audience_command, NULL},
	{"show", "[--failed] [--json] ISSUE", "Show a scheduled issue", show, NULL},
	{"forecast", "[--json] ISSUE", "Say when it will be done, and what holds it back",
		issue_forecast, NULL},
	{"clicks", "[--json] ISSUE", "Say how many readers followed which link",
		issue_clicks_command, NULL},
	{"ls", "[--json]", "List scheduled issues, newest first", ls, NULL},
	{"pause", "[--reason WORDS] [--json] ISSUE", "Stop sending an issue for now", pause_command,
		NULL},
	{"resume", "[--json] ISSUE", "Go on with a paused or held issue", resume_command, NULL},
	{"cancel", "[--dry-run] [--json] ISSUE", "Drop the copies that are not sent yet",
		cancel_command, NULL},
	{"resolve", "[--dry-run] [--json] --as WORD {--address ADDRESS | --all} ISSUE",
		"Say what became of copies in doubt", issue_resolve_command, NULL},
	{0},
};
