/* SPDX-License-Identifier: MIT */
#include "app/pacing.h"
#include "store/pace.h"

#include <stdio.h>

void pacing_open(const struct config *c, struct pacer *p)
{
	pacer_init(p, c->relay_n);
	for (size_t i = 0; i < c->relay_n; i++) {
		struct pacer_relay *r = &p->relay[i];

		r->limit = c->relay[i].limit;
		snprintf(r->name, sizeof r->name, "%s", c->relay[i].relay.name);
	}
}

int pacing_lane(const struct config *c, struct pacer *p, int64_t id, struct str name)
{
	int lane = pacer_lane_find(p, id);
	struct pace_lane_limits limit;
	char text[PACER_NAME_SIZE];

	if (lane >= 0)
		return lane;
	limit = config_lane_limits(c, name);
	snprintf(text, sizeof text, "%.*s", STR_ARG(name));
	return pacer_lane_add(p, id, text, &limit, id == LANE_OTHER);
}

int pacing_look(
	struct site *s, const struct lane_counts *lane, size_t n, struct pacer *out, struct err *e)
{
	pacing_open(&s->config, out);
	for (size_t i = 0; i < n; i++) {
		const int64_t *in = lane[i].counts.n;
		int at = pacing_lane(&s->config, out, lane[i].lane, lane[i].name);

		out->lane[at].waiting = in[DELIVERY_QUEUED] + in[DELIVERY_CLAIMED] +
					in[DELIVERY_SENDING] + in[DELIVERY_DEFERRED];
	}
	if (pace_load(s->store, out, e) == 0)
		return 0;
	pacer_free(out);
	return -1;
}
