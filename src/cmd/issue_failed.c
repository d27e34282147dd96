/* SPDX-License-Identifier: MIT */
#include "issue.h"

#include <stdio.h>

/* `issue show --failed`: one line a copy, at once, as there may be many. */

static bool print_line(void *user, const struct failed_copy *f)
{
	struct cmd *c = user;
	struct arena kept = c->arena;

	c->arena = (struct arena){0};
	if (c->json)
		cmd_json(json_pack("{s:o, s:s, s:o, s:i, s:s, s:i, s:o, s:o}", "email",
			f->email.n ? cmd_json_text(f->email) : json_null(), "state",
			delivery_state_name(f->state), "at", cmd_json_time(f->at), "attempts",
			f->attempts, "phase", smtp_phase_name(f->phase), "code", f->code, "status",
			cmd_json_text(f->status), "text", cmd_json_text(f->text)));
	else if (f->code)
		printf("%s: %s at %s: %d %s%s%s\n", f->email.n ? cmd_text(c, f->email) : "(erased)",
			delivery_state_name(f->state), smtp_phase_name(f->phase), f->code,
			cmd_text(c, f->status), f->status.n ? " " : "", cmd_text(c, f->text));
	else
		printf("%s: %s: %s\n", f->email.n ? cmd_text(c, f->email) : "(erased)",
			delivery_state_name(f->state),
			f->text.n ? cmd_text(c, f->text) : "no reply");
	arena_free(&c->arena);
	c->arena = kept;
	return true;
}

int issue_print_failed(struct cmd *c, struct site *s, const struct issue *issue, struct err *e)
{
	return issue_failed_each(s->store, issue->id, print_line, c, e);
}
