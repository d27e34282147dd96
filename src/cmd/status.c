/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "cmd.h"
#include "store/ledger.h"

#include <inttypes.h>
#include <stdio.h>

enum { BAR_WIDTH = 30 };

static json_t *status_json(const struct issue *i, const struct issue_counts *n)
{
	json_t *counts = json_object();

	for (int state = 0; state < DELIVERY_STATE_N; state++)
		json_object_set_new(counts, delivery_state_name(state), json_integer(n->n[state]));
	return json_pack("{s:I, s:s, s:o}", "issue", (json_int_t)i->id, "state",
		issue_state_name(i->state), "counts", counts);
}

static int64_t waiting(const struct issue_counts *n)
{
	return n->n[DELIVERY_QUEUED] + n->n[DELIVERY_CLAIMED] + n->n[DELIVERY_SENDING] +
	       n->n[DELIVERY_DEFERRED];
}

static int64_t total(const struct issue_counts *n)
{
	int64_t sum = 0;

	for (int state = 0; state < DELIVERY_STATE_N; state++)
		sum += n->n[state];
	return sum;
}

/* ---- what needs a hand ---- */

static void shout(struct cmd *c, const struct issue *i, const struct issue_counts *n)
{
	if (i->state == ISSUE_HELD)
		printf("! issue %" PRId64 " is held%s%s: 'lettermill issue resume %" PRId64
		       "' sends it, 'issue cancel' drops it\n",
			i->id, i->pause_reason.n ? ": " : "", cmd_text(c, i->pause_reason), i->id);
	if (i->state == ISSUE_PAUSED)
		printf("! issue %" PRId64 " is paused%s%s: 'lettermill issue resume %" PRId64
		       "' goes on with it\n",
			i->id, i->pause_reason.n ? ": " : "", cmd_text(c, i->pause_reason), i->id);
	if (n->n[DELIVERY_IN_DOUBT])
		printf("! issue %" PRId64 ": %s in doubt, the relay's answer got lost: they may "
		       "have arrived\n",
			i->id, cmd_count(c, n->n[DELIVERY_IN_DOUBT], "copy is", "copies are"));
}

static int shout_relays(struct cmd *c, struct site *s, struct err *e)
{
	int64_t now = clock_now();

	for (size_t i = 0; i < s->config.relay_n; i++) {
		const char *name = s->config.relay[i].relay.name;
		struct relay_state state = {0};

		if (relay_state(s->store, str_of(name), &c->arena, &state, e) < 0)
			return -1;
		if (state.until > now)
			printf("! relay '%s' rests until %s UTC: %s\n", name,
				cmd_time(c, state.until), cmd_text(c, state.reason));
	}
	return 0;
}

/* ---- all issues ---- */

struct overview {
	struct cmd *c;
	struct site *s;
	struct table table;
	int rc;
	struct err *e;
};

static bool add_line(void *user, const struct issue *i)
{
	struct overview *o = user;
	struct cmd *c = o->c;
	struct issue_counts n;
	int64_t ended;

	/* Confirmations run by themselves; only one that stands still is to be seen. */
	if (i->confirmation && i->state != ISSUE_PAUSED && i->state != ISSUE_HELD)
		return true;
	o->rc = issue_counts(o->s->store, i->id, &n, o->e);
	if (o->rc < 0)
		return false;
	if (c->json) {
		cmd_json(status_json(i, &n));
		return true;
	}
	shout(c, i, &n);
	ended = n.n[DELIVERY_FAILED] + n.n[DELIVERY_EXPIRED] + n.n[DELIVERY_BOUNCED] +
		n.n[DELIVERY_COMPLAINED];
	table_add(&o->table, (const char *[]){cmd_number(c, i->id), issue_state_name(i->state),
				     cmd_minute(c, i->due_at), cmd_number(c, total(&n)),
				     cmd_number(c, n.n[DELIVERY_SENT]), cmd_number(c, waiting(&n)),
				     cmd_number(c, ended), cmd_text(c, i->slug)});
	return true;
}

static int show_all(struct cmd *c, struct site *s, struct err *e)
{
	static const char *const head[] = {
		">ISSUE", "STATE", "DUE (UTC)", ">COPIES", ">SENT", ">WAITING", ">FAILED", "SLUG"};
	struct overview o = {.c = c, .s = s, .e = e};

	table_init(&o.table, &c->arena, head, sizeof head / sizeof head[0]);
	if (!c->json && shout_relays(c, s, e) < 0)
		return -1;
	if (issue_each(s->store, add_line, &o, e) < 0 || o.rc < 0)
		return -1;
	if (c->json)
		return 0;
	if (o.table.first)
		table_print(&o.table);
	else if (!c->quiet)
		printf("no issue was scheduled yet: 'lettermill issue schedule FILE' does that\n");
	return 0;
}

/* ---- one issue ---- */

static void print_bar(int64_t part, int64_t all)
{
	int filled = (int)(part * BAR_WIDTH / all);

	for (int i = 0; i < BAR_WIDTH; i++)
		putchar(i < filled ? '#' : '.');
}

static void print_issue(struct cmd *c, const struct issue *i, const struct issue_counts *n)
{
	int64_t all = total(n);

	shout(c, i, n);
	printf("issue %" PRId64 ", %s: %s\n", i->id, cmd_text(c, i->slug), cmd_text(c, i->subject));
	printf("list %s, %s, due %s UTC", cmd_text(c, i->list), issue_state_name(i->state),
		cmd_time(c, i->due_at));
	if (i->done_at)
		printf(", done %s UTC", cmd_time(c, i->done_at));
	printf("\n\n");
	for (int state = 0; state < DELIVERY_STATE_N; state++) {
		if (!n->n[state])
			continue;
		printf("  %-11s %9s  ", delivery_state_name(state), cmd_number(c, n->n[state]));
		print_bar(n->n[state], all);
		printf("  %5.1f %%\n", 100.0 * (double)n->n[state] / (double)all);
	}
	printf("  %-11s %9s\n", "copies", cmd_number(c, all));
}

static int show_one(struct cmd *c, struct site *s, struct err *e)
{
	struct issue i = {0};
	struct issue_counts n;

	if (issue_get(s->store, str_of(c->argv[0]), &c->arena, &i, e) < 0 ||
		issue_counts(s->store, i.id, &n, e) < 0)
		return -1;
	if (c->json) {
		cmd_json(status_json(&i, &n));
		return 0;
	}
	if (shout_relays(c, s, e) < 0)
		return -1;
	print_issue(c, &i, &n);
	return 0;
}

int cmd_status(struct cmd *c, struct err *e)
{
	struct site s;
	int rc;

	if (cmd_options(c, NULL, 0, 1, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	rc = c->argc ? show_one(c, &s, e) : show_all(c, &s, e);
	site_close(&s);
	return rc;
}
