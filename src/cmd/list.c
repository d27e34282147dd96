/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "cmd.h"
#include "mail/addr.h"
#include "store/people.h"

#include <stdio.h>
#include <string.h>

enum { SLUG_MAX = 40 };

/* What --name and its like say; NULL = not given. */
struct wishes {
	const char *name, *from, *reply_to, *theme, *opt_in, *public, *welcome, *goodbye, *clicks;
};

static int take_options(struct cmd *c, struct wishes *w, struct err *e)
{
	const struct cmd_option options[] = {
		{"name", "NAME", "its name for readers", .text = &w->name},
		{"from", "MAILBOX", "sender, when not the publication's", .text = &w->from},
		{"reply-to", "MAILBOX", "where answers go", .text = &w->reply_to},
		{"theme", "NAME", "folder in mail-templates", .text = &w->theme},
		{"opt-in", "HOW", "single, or double: new readers confirm", .text = &w->opt_in},
		{"public", "WHETHER", "yes: with a form and an archive on the web, or no",
			.text = &w->public},
		{"welcome", "WHETHER", "yes: who subscribes on the web gets a mail, or no",
			.text = &w->welcome},
		{"goodbye", "WHETHER", "yes: who leaves on the web gets a mail, or no",
			.text = &w->goodbye},
		{"clicks", "WHETHER", "yes: count who follows the links of issues, or no",
			.text = &w->clicks},
		{0},
	};

	return cmd_options(c, options, 1, 1, e);
}

/* A slug becomes part of List-Id and of file names. */
static int check_slug(const char *slug, struct err *e)
{
	size_t n = strlen(slug);

	if (n == 0 || n > SLUG_MAX || strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-") != n ||
		slug[0] == '-' || slug[n - 1] == '-')
		return err_set(e, ERR_USAGE,
			"'%s' cannot be the slug of a list: use 1 to %d of a-z, 0-9 and '-', such "
			"as daily",
			slug, SLUG_MAX);
	return 0;
}

static int set_mailbox(
	struct cmd *c, const char *option, const char *text, struct str *field, struct err *e)
{
	struct mailbox m;

	if (!text)
		return 0;
	if (*text && mailbox_parse(&c->arena, str_of(text), &m, e) < 0)
		return err_prefix(e, "--%s: ", option);
	*field = str_of(text);
	return 0;
}

static int set_choice(const char *option, const char *text, const char *yes, const char *no,
	bool *field, struct err *e)
{
	if (!text)
		return 0;
	*field = strcmp(text, yes) == 0;
	if (*field || strcmp(text, no) == 0)
		return 0;
	return err_set(e, ERR_USAGE, "--%s is '%s': it can be %s or %s", option, text, no, yes);
}

static int apply(struct cmd *c, const struct wishes *w, struct list *list, struct err *e)
{
	if (w->name)
		list->name = str_of(w->name);
	if (w->theme)
		list->theme = str_of(w->theme);
	if (set_mailbox(c, "from", w->from, &list->from, e) < 0 ||
		set_mailbox(c, "reply-to", w->reply_to, &list->reply_to, e) < 0)
		return -1;
	if (set_choice("opt-in", w->opt_in, "double", "single", &list->double_opt_in, e) < 0)
		return -1;
	if (set_choice("public", w->public, "yes", "no", &list->public, e) < 0 ||
		set_choice("welcome", w->welcome, "yes", "no", &list->welcome, e) < 0 ||
		set_choice("goodbye", w->goodbye, "yes", "no", &list->goodbye, e) < 0)
		return -1;
	return set_choice("clicks", w->clicks, "yes", "no", &list->clicks, e);
}

static json_t *list_json(const struct list *l)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:b, s:b, s:b, s:I}", "list",
		cmd_json_text(l->slug), "name", cmd_json_text(l->name), "from",
		cmd_json_text(l->from), "reply_to", cmd_json_text(l->reply_to), "theme",
		cmd_json_text(l->theme), "opt_in", l->double_opt_in ? "double" : "single", "public",
		l->public, "welcome", l->welcome, "goodbye", l->goodbye, "clicks", l->clicks,
		"subscribed", (json_int_t)l->subscribed);
}

/* ---- the commands ---- */

static int list_add_command(struct cmd *c, struct err *e)
{
	struct wishes w = {0};
	struct list list = {.double_opt_in = true, .public = true};
	struct site s;
	int rc = -1;

	if (take_options(c, &w, e) < 0 || check_slug(c->argv[0], e) < 0)
		return -1;
	list.slug = list.name = str_of(c->argv[0]);
	if (apply(c, &w, &list, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	if (list_add(s.store, &list, clock_now(), e) < 0)
		goto out;
	if (c->json)
		cmd_json(list_json(&list));
	rc = 0;
out:
	site_close(&s);
	return rc;
}

static int list_set_command(struct cmd *c, struct err *e)
{
	struct wishes w = {0};
	struct list list;
	struct site s;
	int rc = -1;

	if (take_options(c, &w, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	if (list_get(s.store, str_of(c->argv[0]), &c->arena, &list, e) < 0 ||
		apply(c, &w, &list, e) < 0 || list_update(s.store, &list, e) < 0)
		goto out;
	if (c->json)
		cmd_json(list_json(&list));
	rc = 0;
out:
	site_close(&s);
	return rc;
}

static void show_line(struct cmd *c, const char *what, struct str value, const char *otherwise)
{
	printf("  %-11s %s\n", what, value.n ? cmd_text(c, value) : otherwise);
}

static int list_show_command(struct cmd *c, struct err *e)
{
	struct list list;
	struct site s;
	int rc = -1;

	if (cmd_options(c, NULL, 1, 1, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	if (list_get(s.store, str_of(c->argv[0]), &c->arena, &list, e) < 0)
		goto out;
	rc = 0;
	if (c->json) {
		cmd_json(list_json(&list));
		goto out;
	}
	printf("list %s, %s\n", cmd_text(c, list.slug),
		cmd_count(c, list.subscribed, "subscriber", "subscribers"));
	show_line(c, "name", list.name, "-");
	show_line(c, "from", list.from, "the publication's");
	show_line(c, "reply-to", list.reply_to, "the publication's");
	show_line(c, "theme", list.theme, "sheet");
	show_line(c, "opt-in", list.double_opt_in ? STR("double") : STR("single"), "");
	show_line(c, "public", list.public ? STR("yes") : STR("no"), "");
	show_line(c, "welcome", list.welcome ? STR("mailed") : STR("no mail"), "");
	show_line(c, "goodbye", list.goodbye ? STR("mailed") : STR("no mail"), "");
	show_line(c, "clicks", list.clicks ? STR("counted") : STR("not counted"), "");
out:
	site_close(&s);
	return rc;
}

struct listing {
	struct cmd *c;
	struct table table;
};

static bool add_line(void *user, const struct list *l)
{
	struct listing *to = user;
	struct cmd *c = to->c;

	if (c->json)
		cmd_json(list_json(l));
	else
		table_add(&to->table,
			(const char *[]){cmd_text(c, l->slug), cmd_number(c, l->subscribed),
				l->double_opt_in ? "double" : "single", cmd_text(c, l->name)});
	return true;
}

static int list_ls_command(struct cmd *c, struct err *e)
{
	static const char *const head[] = {"LIST", ">SUBSCRIBED", "OPT-IN", "NAME"};
	struct listing to = {.c = c};
	struct site s;
	int rc;

	if (cmd_options(c, NULL, 0, 0, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	table_init(&to.table, &c->arena, head, 4);
	rc = list_each(s.store, add_line, &to, e);
	if (rc == 0 && !c->json)
		table_print(&to.table);
	site_close(&s);
	return rc;
}

#define LIST_OPTIONS                                                                               \
	"[--name NAME] [--from MAILBOX] [--reply-to MAILBOX] [--theme NAME] "                      \
	"[--opt-in single|double] [--public yes|no] "                                              \
	"[--welcome yes|no] [--goodbye yes|no] [--clicks yes|no] [--json] SLUG"

const struct command list_commands[] = {
	{"add", LIST_OPTIONS, "Add a list", list_add_command, NULL},
	{"set", LIST_OPTIONS, "Change a list", list_set_command, NULL},
	{"show", "[--json] SLUG", "Show a list", list_show_command, NULL},
	{"ls", "[--json]", "List all lists", list_ls_command, NULL},
	{0},
};
