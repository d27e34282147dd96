/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "cmd.h"

#include <inttypes.h>
#include <stdio.h>

int cmd_backup(struct cmd *c, struct err *e)
{
	struct site s;
	int rc;

	if (cmd_options(c, NULL, 1, 1, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	rc = store_backup(s.store, c->argv[0], e);
	site_close(&s);
	if (rc == 0 && c->json)
		cmd_json(json_pack("{s:o}", "backup", cmd_json_text(str_of(c->argv[0]))));
	else if (rc == 0 && !c->quiet)
		printf("the database is copied to '%s'\n", cmd_text(c, str_of(c->argv[0])));
	return rc;
}

static void tell(struct cmd *c, const struct store_restoration *r, bool dry_run)
{
	if (c->json) {
		cmd_json(json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:b}", "paused",
			(json_int_t)r->paused, "without_journal", (json_int_t)r->blind,
			"known_sent", (json_int_t)r->sent, "known_in_doubt",
			(json_int_t)r->in_doubt, "unknown_issues", (json_int_t)r->unknown, "kept",
			r->kept[0] && !dry_run ? cmd_json_text(str_of(r->kept)) : json_null(),
			"dry_run", dry_run));
		return;
	}
	if (c->quiet)
		return;
	if (dry_run)
		printf("would restore a sound backup (dry run, nothing has changed)\n");
	else
		printf("the database is that of the backup%s%s%s\n",
			r->kept[0] ? ", the one from before is '" : "",
			cmd_text(c, str_of(r->kept)), r->kept[0] ? "'" : "");
	if (r->sent || r->in_doubt)
		printf("the send journal knows of %s sent after the backup, and of %s that may "
		       "have been\n",
			cmd_count(c, r->sent, "copy", "copies"), cmd_number(c, r->in_doubt));
	if (r->unknown)
		printf("it also knows of %s that the backup does not have: scheduled again under "
		       "the same slug, nobody gets them twice\n",
			cmd_count(c, r->unknown, "issue", "issues"));
	if (r->blind)
		printf("%s of the following %s no send journal here: what was sent after the "
		       "backup is "
		       "not known, so resume only what nobody has got yet\n",
			cmd_number(c, r->blind), r->blind == 1 ? "has" : "have");
	if (r->paused)
		printf("%s %s paused: the backup does not know who has left since, so see to that "
		       "before you resume\n",
			cmd_count(c, r->paused, "issue", "issues"),
			dry_run          ? "would be"
			: r->paused == 1 ? "is"
					 : "are");
}

int cmd_restore(struct cmd *c, struct err *e)
{
	bool dry_run = false;
	const struct cmd_option options[] = {
		{"dry-run", NULL, "check the backup, change nothing", .flag = &dry_run},
		{0},
	};
	struct store_restoration done;
	struct site s;
	int rc;

	if (cmd_options(c, options, 1, 1, e) < 0 || site_open_config(&s, NULL, c->config, e) < 0)
		return -1;
	rc = store_restore(s.config.database, c->argv[0], clock_now(), dry_run, &done, e);
	if (rc == 0)
		tell(c, &done, dry_run);
	site_close(&s);
	return rc;
}
