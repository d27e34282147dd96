/* SPDX-License-Identifier: MIT */
#include "status.h"
#include "app/pacing.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BAR_WIDTH = 30, BAR_LEAST = 5 };

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

static void shout(
	struct cmd *c, const struct site *s, const struct issue *i, const struct issue_counts *n)
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
		       "have arrived; 'lettermill issue resolve %" PRId64 "' settles %s\n",
			i->id, cmd_count(c, n->n[DELIVERY_IN_DOUBT], "copy is", "copies are"),
			i->id,
			s->config.delivery.resend_in_doubt && i->state == ISSUE_DELIVERING
				? "what is not sent once more by itself"
				: "it");
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
	shout(c, o->s, i, &n);
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

static void print_bar(int64_t part, int64_t all, int width)
{
	int filled = (int)((double)part * width / (double)all);

	for (int i = 0; i < width; i++)
		putchar(i < filled ? '#' : '.');
}

/* Copies a second over the last seconds; 0 while nothing moves. */
static double rate_of(struct watch *w, int64_t done)
{
	size_t now = w->n % WATCH_SAMPLES,
	       first = w->n < WATCH_SAMPLES ? 0 : (w->n + 1) % WATCH_SAMPLES;
	int64_t ms;

	w->done[now] = done;
	w->at_ms[now] = clock_mono_ms();
	w->n++;
	ms = w->at_ms[now] - w->at_ms[first];
	return ms > 0 ? (double)(done - w->done[first]) * 1e3 / (double)ms : 0;
}

/* While somebody watches: how fast, and how long. */
static const char *speed_words(struct cmd *c, struct watch *w, int64_t done, int64_t left)
{
	double rate;
	int64_t s;

	if (!w->on)
		return "";
	rate = rate_of(w, done);
	s = rate > 0 ? (int64_t)((double)left / rate) : 0;
	if (!s || !left)
		return arena_printf(&c->arena, "  %s/s", cmd_number(c, (int64_t)(rate + 0.5)));
	return arena_printf(&c->arena, "  %s/s  %" PRId64 ":%02d:%02d left",
		cmd_number(c, (int64_t)(rate + 0.5)), s / 3600, (int)(s / 60 % 60), (int)(s % 60));
}

/* How far it is: a bar as wide as the terminal has room for, and figures. */
static void print_progress(
	struct cmd *c, struct watch *w, const struct issue_counts *n, int64_t all)
{
	int64_t left = waiting(n), done = all - left;
	const char *words = arena_printf(&c->arena, "] %5.1f %%  %s of %s%s",
		100.0 * (double)done / (double)all, cmd_number(c, done), cmd_number(c, all),
		speed_words(c, w, done, left));
	int room = (int)cmd_columns() - (int)strlen("  [") - (int)strlen(words), bar = BAR_WIDTH;

	if (room < bar && cmd_columns())
		bar = room < BAR_LEAST ? BAR_LEAST : room;
	printf("  [");
	print_bar(done, all, bar);
	printf("%s\n\n", words);
}

static void print_states(struct cmd *c, const struct issue_counts *n, int64_t all)
{
	for (int state = 0; state < DELIVERY_STATE_N; state++) {
		if (!n->n[state])
			continue;
		printf("  %-11s %9s  ", delivery_state_name(state), cmd_number(c, n->n[state]));
		print_bar(n->n[state], all, BAR_WIDTH);
		printf("  %5.1f %%\n", 100.0 * (double)n->n[state] / (double)all);
	}
	printf("  %-11s %9s\n", "copies", cmd_number(c, all));
}

/* The same in a line or two, where the window has to hold the tables, too. */
static void print_states_short(struct cmd *c, const struct issue_counts *n)
{
	size_t room = cmd_columns(), at = 0;

	for (int state = 0; state < DELIVERY_STATE_N; state++) {
		const char *words = arena_printf(&c->arena, "  %s %s", delivery_state_name(state),
			cmd_number(c, n->n[state]));
		size_t width = strlen(words);

		if (!n->n[state])
			continue;
		if (at && room && at + width > room) {
			putchar('\n');
			at = 0;
		}
		printf("%s", words);
		at += width;
	}
	putchar('\n');
}

static int print_issue(struct cmd *c, struct site *s, struct watch *w, const struct issue *i,
	const struct issue_counts *n, struct err *e)
{
	int64_t all = total(n);

	shout(c, s, i, n);
	printf("issue %" PRId64 ", %s: %s\n", i->id, cmd_text(c, i->slug), cmd_text(c, i->subject));
	printf("list %s, %s, due %s UTC", cmd_text(c, i->list), issue_state_name(i->state),
		cmd_time(c, i->due_at));
	if (i->done_at)
		printf(", done %s UTC", cmd_time(c, i->done_at));
	printf("\n");
	if (status_print_plan(c, s, i, "", 0, e) < 0)
		return -1;
	printf("\n");
	if (all)
		print_progress(c, w, n, all);
	if (w->screen)
		print_states_short(c, n);
	else
		print_states(c, n, all);
	return 0;
}

static int by_left(const void *a, const void *b)
{
	const struct lane_counts *x = a, *y = b;
	int64_t left = waiting(&x->counts), other = waiting(&y->counts);

	return left != other ? (left < other) - (left > other)
			     : (x->lane > y->lane) - (x->lane < y->lane);
}

static int print_tables(
	struct cmd *c, struct site *s, struct watch *w, const struct issue *i, struct err *e)
{
	struct lane_counts *lane;
	struct pacer p = {0};
	size_t n;

	if (issue_lane_counts(s->store, i->id, &c->arena, &lane, &n, e) < 0 ||
		pacing_look(s, lane, n, &p, e) < 0)
		return -1;
	printf("\n");
	if (w->screen) { /* what a small window may lack are lanes that are nearly done */
		status_print_relays(c, &p, clock_now());
		printf("\n");
		qsort(lane, n, sizeof *lane, by_left);
	}
	status_print_lanes(c, &p, lane, n, clock_now());
	if (!w->screen) {
		printf("\n");
		status_print_relays(c, &p, clock_now());
	}
	pacer_free(&p);
	return 0;
}

static int show_one(struct cmd *c, struct site *s, struct watch *w, struct err *e)
{
	struct issue i = {0};
	struct issue_counts n;

	if (issue_get(s->store, str_of(c->argv[0]), &c->arena, &i, e) < 0 ||
		issue_counts(s->store, i.id, &n, e) < 0)
		return -1;
	w->over = i.state == ISSUE_DONE || i.state == ISSUE_CANCELLED;
	if (c->json) {
		cmd_json(status_json(&i, &n));
		return 0;
	}
	if (shout_relays(c, s, e) < 0 || print_issue(c, s, w, &i, &n, e) < 0)
		return -1;
	return print_tables(c, s, w, &i, e);
}

int status_show(struct cmd *c, struct site *s, struct watch *w, struct err *e)
{
	return c->argc ? show_one(c, s, w, e) : show_all(c, s, e);
}

int cmd_status(struct cmd *c, struct err *e)
{
	struct watch w = {0};
	const struct cmd_option table[] = {
		{"watch", NULL, "show it anew every second", .flag = &w.on},
		{0},
	};
	struct site s;
	int rc;

	if (cmd_options(c, table, 0, 1, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	rc = w.on ? status_watch(c, &s, &w, e) : status_show(c, &s, &w, e);
	site_close(&s);
	return rc;
}
