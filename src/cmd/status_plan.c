/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "status.h"

#include <stdio.h>

static const char *hours_words(struct cmd *c, const struct issue_care *k, int64_t now)
{
	const char *hours = cmd_text(c, k->hours), *zone = cmd_text(c, k->zone);

	/* What is over by now is moved on when delivery runs next. */
	if (k->open_until <= now)
		return arena_printf(&c->arena, "%s %s", hours, zone);
	return arena_printf(&c->arena, "%s %s, %s until %s UTC", hours, zone,
		now < k->open_from ? "closed" : "open",
		cmd_minute(c, now < k->open_from ? k->open_from : k->open_until));
}

static const char *stage_words(struct cmd *c, const struct issue_care *k)
{
	const char *copies = arena_printf(&c->arena, "%d of %d: the first %s of %s copies",
		k->stage + 1, k->stages.n + 1, cmd_number(c, k->ceiling), cmd_number(c, k->copies));

	if (!k->settled_at)
		return arena_printf(
			&c->arena, "%s, the next when these have had their answer", copies);
	return arena_printf(&c->arena, "%s, the next at %s UTC where few were refused", copies,
		cmd_time(c, k->settled_at + k->stage_wait));
}

int status_print_plan(struct cmd *c, struct site *s, const struct issue *i, const char *indent,
	int width, struct err *e)
{
	int64_t now = clock_now();
	struct issue_care care;

	if (issue_care_get(s->store, i->id, &c->arena, &care, e) < 0)
		return -1;
	if (i->state == ISSUE_DONE || i->state == ISSUE_CANCELLED)
		return 0;
	if (care.hours.n)
		printf("%s%-*s %s\n", indent, width, "hours", hours_words(c, &care, now));
	if (care.ceiling < care.copies)
		printf("%s%-*s %s\n", indent, width, "stage", stage_words(c, &care));
	if (care.due_last > i->due_at)
		printf("%s%-*s %s UTC, by readers' own clocks\n", indent, width, "last due",
			cmd_time(c, care.due_last));
	return 0;
}
