/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "issue.h"
#include "mail/addr.h"
#include "store/people.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *word, *becomes;
} words[RESOLVE_N] = {
	[RESOLVE_SENT] = {"sent", "sent"},
	[RESOLVE_FAILED] = {"failed", "failed"},
	[RESOLVE_RESEND] = {"resend", "queued again"},
};

struct resolving {
	struct issue issue;
	int64_t subscriber; /* 0 = all */
	enum resolve_as as;
	int64_t rows;
};

static int read_word(const char *word, enum resolve_as *as, struct err *e)
{
	for (int i = 0; i < RESOLVE_N; i++)
		if (word && strcmp(word, words[i].word) == 0) {
			*as = (enum resolve_as)i;
			return 0;
		}
	return err_set(e, ERR_USAGE,
		"issue resolve: say what became of them: --as sent, --as failed or --as resend");
}

/* How many copies are in doubt of those that are meant. For a single one that is not: ERR_DENIED. */
static int count(struct cmd *c, struct site *s, struct resolving *r, struct err *e)
{
	struct issue_counts n;
	struct delivery *d;
	size_t d_n;

	if (!r->subscriber) {
		if (issue_counts(s->store, r->issue.id, &n, e) < 0)
			return -1;
		r->rows = n.n[DELIVERY_IN_DOUBT];
		return 0;
	}
	if (subscriber_deliveries(s->store, r->subscriber, r->issue.id, &c->arena, &d, &d_n, e) < 0)
		return -1;
	r->rows = d_n == 1 && d[0].state == DELIVERY_IN_DOUBT;
	if (r->rows)
		return 0;
	return err_set(e, ERR_DENIED,
		"the copy of issue %" PRId64 " for this address is %s, not in doubt", r->issue.id,
		d_n ? delivery_state_name(d[0].state) : "not in the ledger");
}

static void tell(struct cmd *c, const struct resolving *r, bool dry_run)
{
	const char *copies = cmd_count(c, r->rows, "copy", "copies");

	if (c->json)
		cmd_json(json_pack("{s:I, s:s, s:I, s:b}", "issue", (json_int_t)r->issue.id, "as",
			words[r->as].word, "resolved", (json_int_t)r->rows, "dry_run", dry_run));
	else if (dry_run)
		printf("%s in doubt would be %s (dry run, nothing has changed)\n", copies,
			words[r->as].becomes);
	else if (!c->quiet)
		printf("%s in doubt %s now %s\n", copies, r->rows == 1 ? "is" : "are",
			words[r->as].becomes);
}

int issue_resolve_command(struct cmd *c, struct err *e)
{
	const char *address = NULL, *as = NULL;
	bool all = false, dry_run = false;
	const struct cmd_option options[] = {
		{"as", "WORD", "sent: they arrived; failed: they did not, and stay unsent; resend",
			.text = &as},
		{"address", "ADDRESS", "the copy of this reader", .text = &address},
		{"all", NULL, "every copy of the issue that is in doubt", .flag = &all},
		{"dry-run", NULL, "tell how many copies are meant, change nothing",
			.flag = &dry_run},
		{0},
	};
	struct resolving r = {0};
	struct subscriber person;
	struct addr addr;
	struct site s;
	int rc = -1;

	if (cmd_options(c, options, 1, 1, e) < 0 || read_word(as, &r.as, e) < 0)
		return -1;
	if (all == (address != NULL))
		return err_set(e, ERR_USAGE, "issue resolve: either --address ADDRESS or --all");
	if (cmd_site(c, &s, e) < 0)
		return -1;
	if (issue_get(s.store, str_of(c->argv[0]), &c->arena, &r.issue, e) < 0)
		goto out;
	if (address) {
		if (cmd_subscriber(c, &s, address, &addr, &person, e) < 0)
			goto out;
		r.subscriber = person.id;
	}
	rc = count(c, &s, &r, e);
	if (rc == 0 && !dry_run)
		rc = issue_resolve(
			s.store, r.issue.id, r.subscriber, r.as, clock_now(), &r.rows, e);
	if (rc == 0)
		tell(c, &r, dry_run);
out:
	site_close(&s);
	return rc;
}
