/* SPDX-License-Identifier: MIT */
#include "app/pacing.h"
#include "base/clock.h"
#include "issue.h"
#include "mail/forecast.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const limit_names[FORECAST_LIMIT_N] = {
	[FORECAST_SECOND] = "per_second",
	[FORECAST_HOUR] = "per_hour",
	[FORECAST_DAY] = "per_day",
	[FORECAST_WARM_UP] = "warm_up",
};

static const char *done_words(struct cmd *c, int64_t done)
{
	return done ? arena_printf(&c->arena, "%s UTC", cmd_minute(c, done))
		    : arena_printf(&c->arena, "not within %d days", FORECAST_DAYS);
}

/* `waiting` as it was before the play. */
static void print_forecast(
	struct cmd *c, const struct pacer *p, const int64_t *waiting, const struct forecast *f)
{
	static const char *const head[] = {"LANE", ">LEFT", "DONE BY", "HELD BACK BY"};
	struct table table;
	int64_t left = 0;

	for (size_t i = 0; i < p->lane_n; i++)
		left += waiting[i];
	if (!left) {
		printf("nothing is left to send\n");
		return;
	}
	table_init(&table, &c->arena, head, sizeof head / sizeof head[0]);
	for (size_t i = 0; i < p->lane_n; i++)
		if (waiting[i])
			table_add(
				&table, (const char *[]){p->lane[i].name, cmd_number(c, waiting[i]),
						done_words(c, f->lane_done[i]),
						f->lane_short[i] ? "its own pace" : "-"});
	table_print(&table);
	printf("all are done by %s\n", done_words(c, f->done));
	for (size_t i = 0; i < p->relay_n; i++)
		for (int limit = FORECAST_NONE + 1; limit < FORECAST_LIMIT_N; limit++)
			if (f->relay_short[i][limit])
				printf("relay '%s': %s falls short\n", p->relay[i].name,
					limit_names[limit]);
}

static void print_json(struct cmd *c, const struct issue *issue, const struct pacer *p,
	const int64_t *waiting, const struct forecast *f)
{
	json_t *lanes = json_array(), *missing = json_array();

	(void)c;
	for (size_t i = 0; i < p->lane_n; i++)
		json_array_append_new(lanes,
			json_pack("{s:s, s:I, s:o, s:b}", "lane", p->lane[i].name, "left",
				(json_int_t)waiting[i], "done_at", cmd_json_time(f->lane_done[i]),
				"own_pace", f->lane_short[i]));
	for (size_t i = 0; i < p->relay_n; i++)
		for (int limit = FORECAST_NONE + 1; limit < FORECAST_LIMIT_N; limit++)
			if (f->relay_short[i][limit])
				json_array_append_new(
					missing, json_pack("{s:s, s:s}", "relay", p->relay[i].name,
							 "limit", limit_names[limit]));
	cmd_json(json_pack("{s:I, s:o, s:o, s:o}", "issue", (json_int_t)issue->id, "done_at",
		cmd_json_time(f->done), "lanes", lanes, "short", missing));
}

/* What the issue itself says; `*zone` is to be closed. */
static int read_issue(const struct issue_care *care, struct forecast_issue *out, struct zone **zone,
	struct err *e)
{
	*out = (struct forecast_issue){.stages = care->stages,
		.stage = care->stage,
		.stage_wait = care->stage_wait,
		.copies = care->copies};
	if (!care->hours.n)
		return 0;
	zone_window_parse(care->hours, &out->hours);
	if (zone_open(care->zone, zone, e) < 0)
		return -1;
	out->zone = *zone;
	return 0;
}

/* What is due behind `start` does not wait yet. */
static int set_later(struct cmd *c, struct site *s, int64_t issue, int64_t start, struct pacer *p,
	struct forecast_issue *out, struct err *e)
{
	struct lane_later *row;
	struct forecast_later *later;
	size_t n;

	if (issue_due_later(s->store, issue, start, &c->arena, &row, &n, e) < 0)
		return -1;
	later = arena_array(&c->arena, n + 1, sizeof *later);
	for (size_t i = 0; i < n; i++) {
		int lane = pacer_lane_find(p, row[i].lane);

		/* Delivery goes on, so some may have left since the lanes were counted. */
		if (lane < 0 || p->lane[lane].waiting < row[i].n)
			continue;
		p->lane[lane].waiting -= row[i].n;
		later[out->later_n++] = (struct forecast_later){row[i].at, (size_t)lane, row[i].n};
	}
	out->later = later;
	return 0;
}

static int forecast(struct cmd *c, struct site *s, struct err *e)
{
	struct issue issue = {0};
	struct lane_counts *lane;
	struct issue_care care;
	struct forecast_issue plan;
	struct forecast f = {0};
	struct zone *zone = NULL;
	struct pacer p = {0};
	int64_t *waiting, start = clock_now();
	size_t n;
	int rc;

	if (issue_get(s->store, str_of(c->argv[0]), &c->arena, &issue, e) < 0 ||
		issue_care_get(s->store, issue.id, &c->arena, &care, e) < 0 ||
		issue_lane_counts(s->store, issue.id, &c->arena, &lane, &n, e) < 0 ||
		read_issue(&care, &plan, &zone, e) < 0)
		return -1;
	if (pacing_look(s, lane, n, &p, e) < 0) {
		zone_close(zone);
		return -1;
	}
	start = issue.due_at > start ? issue.due_at : start;
	f.lane_done = arena_array(&c->arena, p.lane_n + 1, sizeof *f.lane_done);
	f.lane_short = arena_array(&c->arena, p.lane_n + 1, sizeof *f.lane_short);
	f.relay_short = arena_array(&c->arena, p.relay_n + 1, sizeof *f.relay_short);
	waiting = arena_array(&c->arena, p.lane_n + 1, sizeof *waiting);
	for (size_t i = 0; i < p.lane_n; i++)
		waiting[i] = p.lane[i].waiting;
	rc = set_later(c, s, issue.id, start, &p, &plan, e);
	if (rc == 0)
		forecast_play(&p, &plan, start, &f);
	zone_close(zone);
	if (rc == 0 && c->json)
		print_json(c, &issue, &p, waiting, &f);
	if (rc == 0 && !c->json && (issue.state == ISSUE_PAUSED || issue.state == ISSUE_HELD))
		printf("! issue %" PRId64 " is %s%s%s; this is as if it went on now\n", issue.id,
			issue_state_name(issue.state), issue.pause_reason.n ? ": " : "",
			cmd_text(c, issue.pause_reason));
	if (rc == 0 && !c->json)
		print_forecast(c, &p, waiting, &f);
	pacer_free(&p);
	return rc;
}

int issue_forecast(struct cmd *c, struct err *e)
{
	struct site s;
	int rc;

	if (cmd_options(c, NULL, 1, 1, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	rc = forecast(c, &s, e);
	site_close(&s);
	return rc;
}
