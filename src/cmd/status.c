/* SPDX-License-Identifier: MIT */
#include "status.h"
#include "app/pacing.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
	BAR_WIDTH = 30,
	WIDE_BAR = 30,
	SAMPLES = 16, /* seconds that a rate is taken over */
};

/* What --watch has seen, for the rate: how many copies had left, second by second. */
struct watch {
	bool on;
	int64_t done[SAMPLES], at_ms[SAMPLES];
	size_t n;
	bool over; /* nothing will change any more */
};

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

static void print_bar(int64_t part, int64_t all, int width)
{
	int filled = (int)((double)part * width / (double)all);

	for (int i = 0; i < width; i++)
		putchar(i < filled ? '#' : '.');
}

/* Copies a second over the last seconds; 0 while nothing moves. */
static double rate_of(struct watch *w, int64_t done)
{
	size_t now = w->n % SAMPLES, first = w->n < SAMPLES ? 0 : (w->n + 1) % SAMPLES;
	int64_t ms;

	w->done[now] = done;
	w->at_ms[now] = clock_mono_ms();
	w->n++;
	ms = w->at_ms[now] - w->at_ms[first];
	return ms > 0 ? (double)(done - w->done[first]) * 1e3 / (double)ms : 0;
}

/* How far it is: a bar, and while somebody watches, how fast and how long. */
static void print_progress(
	struct cmd *c, struct watch *w, const struct issue_counts *n, int64_t all)
{
	int64_t left = waiting(n), done = all - left, seconds;
	double rate;

	printf("  [");
	print_bar(done, all, WIDE_BAR);
	printf("] %5.1f %%  %s of %s", 100.0 * (double)done / (double)all, cmd_number(c, done),
		cmd_number(c, all));
	if (w->on) {
		rate = rate_of(w, done);
		printf("  %s/s", cmd_number(c, (int64_t)(rate + 0.5)));
		seconds = rate > 0 ? (int64_t)((double)left / rate) : 0;
		if (seconds && left)
			printf("  %" PRId64 ":%02d:%02d left", seconds / 3600,
				(int)(seconds / 60 % 60), (int)(seconds % 60));
	}
	printf("\n\n");
}

static void print_issue(
	struct cmd *c, struct watch *w, const struct issue *i, const struct issue_counts *n)
{
	int64_t all = total(n);

	shout(c, i, n);
	printf("issue %" PRId64 ", %s: %s\n", i->id, cmd_text(c, i->slug), cmd_text(c, i->subject));
	printf("list %s, %s, due %s UTC", cmd_text(c, i->list), issue_state_name(i->state),
		cmd_time(c, i->due_at));
	if (i->done_at)
		printf(", done %s UTC", cmd_time(c, i->done_at));
	printf("\n\n");
	if (all)
		print_progress(c, w, n, all);
	for (int state = 0; state < DELIVERY_STATE_N; state++) {
		if (!n->n[state])
			continue;
		printf("  %-11s %9s  ", delivery_state_name(state), cmd_number(c, n->n[state]));
		print_bar(n->n[state], all, BAR_WIDTH);
		printf("  %5.1f %%\n", 100.0 * (double)n->n[state] / (double)all);
	}
	printf("  %-11s %9s\n", "copies", cmd_number(c, all));
}

static int print_tables(struct cmd *c, struct site *s, const struct issue *i, struct err *e)
{
	struct lane_counts *lane;
	struct pacer p = {0};
	size_t n;

	if (issue_lane_counts(s->store, i->id, &c->arena, &lane, &n, e) < 0 ||
		pacing_look(s, lane, n, &p, e) < 0)
		return -1;
	printf("\n");
	status_print_lanes(c, &p, lane, n, clock_now());
	printf("\n");
	status_print_relays(c, &p, clock_now());
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
	if (shout_relays(c, s, e) < 0)
		return -1;
	print_issue(c, w, &i, &n);
	return print_tables(c, s, &i, e);
}

static int show(struct cmd *c, struct site *s, struct watch *w, struct err *e)
{
	return c->argc ? show_one(c, s, w, e) : show_all(c, s, e);
}

/* One picture a second, each drawn at once over the one before, in memory of its own. */
static int watch(struct cmd *c, struct site *s, struct watch *w, struct err *e)
{
	static char picture[1 << 16];
	const struct timespec second = {1, 0};
	bool screen = isatty(STDOUT_FILENO);
	int rc = 0;

	setvbuf(stdout, picture, _IOFBF, sizeof picture);
	cmd_catch_signals();
	while (rc == 0 && !cmd_stop) {
		struct arena kept = c->arena;

		c->arena = (struct arena){0};
		if (screen) /* a line that is too long ends at the edge */
			printf("\033[H\033[J\033[?7l");
		rc = show(c, s, w, e);
		if (screen)
			printf("\033[?7h");
		fflush(stdout);
		arena_free(&c->arena);
		c->arena = kept;
		if (w->over)
			break;
		nanosleep(&second, NULL);
	}
	return rc;
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
	rc = w.on ? watch(c, &s, &w, e) : show(c, &s, &w, e);
	site_close(&s);
	return rc;
}
