/* SPDX-License-Identifier: MIT */
#include "app/metrics.h"
#include "app/pacing.h"
#include "base/file.h"

#include <inttypes.h>
#include <stdio.h>

enum { METRICS_MAX = 1024 * 1024, DAY = 86400 };

/* One sample, with up to two labels. Values of labels are names of ours: letters, digits, '.', '_', '-'. */
static void sample(struct buf *out, const char *name, const char *label, struct str value,
	const char *label2, struct str value2, int64_t n)
{
	buf_printf(out, "lettermill_%s{%s=\"%.*s\"", name, label, STR_ARG(value));
	if (label2)
		buf_printf(out, ",%s=\"%.*s\"", label2, STR_ARG(value2));
	buf_printf(out, "} %" PRId64 "\n", n);
}

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(
		out, "# HELP lettermill_%s %s\n# TYPE lettermill_%s %s\n", name, help, name, type);
}

/* ---- issues ---- */

struct issues {
	struct site *s;
	int64_t now;
	struct buf *out;
	int rc;
	struct err *e;
};

/* What is over for a day is left out. */
static bool is_old(const struct issue *i, int64_t now)
{
	return i->state == ISSUE_CANCELLED || (i->done_at && i->done_at < now - DAY);
}

static bool add_state(void *user, const struct issue *i)
{
	const struct issues *to = user;
	char number[24];

	snprintf(number, sizeof number, "%" PRId64, i->id);
	if (!is_old(i, to->now))
		sample(to->out, "issue_state", "issue", str_of(number), "state",
			str_of(issue_state_name(i->state)), 1);
	return true;
}

static bool add_issue(void *user, const struct issue *i)
{
	struct issues *to = user;
	struct issue_counts n;
	char number[24];

	if (is_old(i, to->now))
		return true;
	to->rc = issue_counts(to->s->store, i->id, &n, to->e);
	if (to->rc < 0)
		return false;
	snprintf(number, sizeof number, "%" PRId64, i->id);
	for (int state = 0; state < DELIVERY_STATE_N; state++)
		sample(to->out, "copies", "issue", str_of(number), "state",
			str_of(delivery_state_name((enum delivery_state)state)), n.n[state]);
	return true;
}

/* ---- relays and lanes ---- */

static void add_relays(struct buf *out, const struct pacer *p, int64_t now)
{
	static const char *const spans[PACE_SPAN_N] = {"hour", "day"};

	head(out, "relay_resting", "gauge", "1 while a relay in trouble is not used.");
	for (size_t i = 0; i < p->relay_n; i++)
		sample(out, "relay_resting", "relay", str_of(p->relay[i].name), NULL, STR(""),
			pacer_circuit(p, i, now) != PACE_CLOSED);
	head(out, "relay_messages", "gauge", "Messages within the last hour or day.");
	for (size_t i = 0; i < p->relay_n; i++)
		for (enum pace_span span = 0; span < PACE_SPAN_N; span++)
			sample(out, "relay_messages", "relay", str_of(p->relay[i].name), "within",
				str_of(spans[span]),
				pace_window_used(&p->relay[i].window[span], span, now));
	head(out, "relay_limit", "gauge", "Messages that an hour or a day may hold; 0 = any.");
	for (size_t i = 0; i < p->relay_n; i++)
		for (enum pace_span span = 0; span < PACE_SPAN_N; span++)
			sample(out, "relay_limit", "relay", str_of(p->relay[i].name), "within",
				str_of(spans[span]),
				span == PACE_HOUR ? p->relay[i].limit.per_hour
						  : p->relay[i].limit.per_day);
}

static void add_lanes(struct buf *out, const struct pacer *p, int64_t now)
{
	head(out, "lane_throttled_total", "counter", "Replies about rate or reputation.");
	for (size_t i = 0; i < p->lane_n; i++)
		sample(out, "lane_throttled_total", "lane", str_of(p->lane[i].name), NULL, STR(""),
			p->lane[i].throttled);
	head(out, "lane_waiting", "gauge", "1 while a lane waits because a provider asked for it.");
	for (size_t i = 0; i < p->lane_n; i++)
		sample(out, "lane_waiting", "lane", str_of(p->lane[i].name), NULL, STR(""),
			p->lane[i].throttle.wait_until > now);
	head(out, "lane_per_minute", "gauge", "Messages a minute that a lane may have; 0 = any.");
	for (size_t i = 0; i < p->lane_n; i++)
		sample(out, "lane_per_minute", "lane", str_of(p->lane[i].name), NULL, STR(""),
			pace_throttle_rate(&p->lane[i].throttle, p->lane[i].limit.per_minute, now));
}

int metrics_format(struct site *s, int64_t now, struct buf *out, struct err *e)
{
	struct issues issues = {.s = s, .now = now, .out = out, .e = e};
	struct lane_counts *lane;
	struct arena a = {0};
	struct pacer p = {0};
	size_t n;
	int rc = -1;

	head(out, "copies", "gauge", "Copies of an issue by state.");
	if (issue_each(s->store, add_issue, &issues, e) < 0 || issues.rc < 0)
		goto out;
	head(out, "issue_state", "gauge", "1 for the state that an issue is in.");
	if (issue_each(s->store, add_state, &issues, e) < 0 ||
		lanes_known(s->store, &a, &lane, &n, e) < 0 || pacing_look(s, lane, n, &p, e) < 0)
		goto out;
	add_relays(out, &p, now);
	add_lanes(out, &p, now);
	rc = 0;
out:
	pacer_free(&p);
	arena_free(&a);
	return rc;
}

int metrics_write(struct site *s, int64_t now, struct err *e)
{
	struct buf text;
	int rc;

	if (!s->config.metrics_file)
		return 0;
	buf_init(&text, METRICS_MAX);
	rc = metrics_format(s, now, &text, e);
	if (rc == 0)
		rc = file_write(s->config.metrics_file, buf_view(&text), 0644, e);
	buf_free(&text);
	return rc;
}
