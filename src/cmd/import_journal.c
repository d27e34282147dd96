/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/log.h"
#include "cmd.h"
#include "import.h"
#include "import_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { KEPT_SHOWN = 10 }; /* rows, on the screen of undo */

json_t *cmd_import_counts(int64_t id, const struct import_counts *n)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "import", (json_int_t)id, "rows",
		(json_int_t)n->rows, "added", (json_int_t)n->added, "updated",
		(json_int_t)n->updated, "unchanged", (json_int_t)n->unchanged, "rejected",
		(json_int_t)n->rejected, "suppressed", (json_int_t)n->suppressed);
}

void cmd_import_print_counts(struct cmd *c, const struct import_counts *n)
{
	printf("  %9s  added\n  %9s  updated\n  %9s  unchanged\n", cmd_number(c, n->added),
		cmd_number(c, n->updated), cmd_number(c, n->unchanged));
	if (n->suppressed)
		printf("  %9s  left alone: unsubscribed or suppressed before\n",
			cmd_number(c, n->suppressed));
	if (n->rejected)
		printf("  %9s  rejected\n", cmd_number(c, n->rejected));
}

/* ---- import ls ---- */

struct listing {
	struct cmd *c;
	struct table table;
};

static bool add_line(void *user, const struct import_record *r)
{
	struct listing *to = user;
	struct cmd *c = to->c;
	const struct import_counts *n = &r->counts;
	const char *slash = memrchr(r->file.p, '/', r->file.n);
	struct str name = r->file;
	json_t *o;

	if (c->json) {
		o = cmd_import_counts(r->id, n);
		json_object_set_new(o, "at", cmd_json_time(r->at));
		json_object_set_new(o, "list", cmd_json_text(r->list));
		json_object_set_new(o, "file", cmd_json_text(r->file));
		json_object_set_new(o, "undone", json_boolean(r->undone));
		cmd_json(o);
		return true;
	}
	/* What fits beside each other; 'show' tells the rest. */
	if (slash)
		name = str_slice(name, (size_t)(slash - name.p) + 1, name.n);
	table_add(&to->table,
		(const char *[]){cmd_number(c, r->id), cmd_minute(c, r->at), cmd_text(c, r->list),
			cmd_number(c, n->rows), r->undone ? "undone" : cmd_number(c, n->added),
			r->undone ? "" : cmd_number(c, n->updated), cmd_text(c, name)});
	return true;
}

int cmd_import_ls(struct cmd *c, struct err *e)
{
	static const char *const head[] = {
		">IMPORT", "AT (UTC)", "LIST", ">ROWS", ">ADDED", ">UPDATED", "FILE"};
	struct listing to = {.c = c};
	struct site s;
	int rc;

	if (cmd_options(c, NULL, 0, 0, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	table_init(&to.table, &c->arena, head, sizeof head / sizeof head[0]);
	rc = import_each(s.store, add_line, &to, e);
	if (rc == 0 && !c->json)
		table_print(&to.table);
	site_close(&s);
	return rc;
}

/* ---- import show, import undo ---- */

static int id_of(struct cmd *c, int64_t *id, struct err *e)
{
	if (str_to_int(str_of(c->argv[0]), 1, INT64_MAX, id))
		return 0;
	return err_set(e, ERR_USAGE,
		"'%s' is no number of an import: 'lettermill import ls' shows them", c->argv[0]);
}

static void print_record(struct cmd *c, const struct import_record *r)
{
	printf("import %" PRId64 " into '%s', %s%s\n", r->id, cmd_text(c, r->list),
		cmd_time(c, r->at), r->undone ? ", undone" : "");
	printf("  file      %s\n", cmd_text(c, r->file));
	if (r->hash.n)
		printf("  SHA-256   %s\n", cmd_text(c, r->hash));
	if (r->proof.n)
		printf("  proof     %s\n", cmd_text(c, r->proof));
	if (r->report.n)
		import_report_print(c, r->report);
	cmd_import_print_counts(c, &r->counts);
}

static json_t *record_json(const struct import_record *r)
{
	json_t *o = cmd_import_counts(r->id, &r->counts);

	json_object_set_new(o, "at", cmd_json_time(r->at));
	json_object_set_new(o, "list", cmd_json_text(r->list));
	json_object_set_new(o, "file", cmd_json_text(r->file));
	json_object_set_new(o, "sha256", cmd_json_text(r->hash));
	json_object_set_new(o, "proof", cmd_json_text(r->proof));
	json_object_set_new(o, "undone", json_boolean(r->undone));
	json_object_set_new(
		o, "report", json_loadb(r->report.p ? r->report.p : "", r->report.n, 0, NULL));
	return o;
}

struct showing {
	struct cmd *c;
	struct arena a; /* for one row */
	int64_t kept; /* rows of which something was kept, so far */
};

static bool show_effect(void *user, const struct import_effect *effect)
{
	struct showing *to = user;

	if (to->c->json) {
		cmd_json(json_pack("{s:I, s:o, s:o, s:o}", "line", (json_int_t)effect->line,
			"email", cmd_json_text(effect->email), "effect",
			cmd_json_text(effect->words), "kept", cmd_json_text(effect->kept)));
		return true;
	}
	arena_reset(&to->a);
	printf("%8" PRId64 "  %s%s%s%s%s\n", effect->line, cmd_text_in(&to->a, effect->email),
		effect->email.n ? "  " : "", cmd_text_in(&to->a, effect->words),
		effect->kept.n ? "; kept: " : "", cmd_text_in(&to->a, effect->kept));
	return true;
}

int cmd_import_show(struct cmd *c, struct err *e)
{
	bool rows = false;
	const struct cmd_option table[] = {
		{"rows", NULL, "what it did, row by row", .flag = &rows},
		{0},
	};
	struct showing to = {.c = c};
	struct import_record r;
	struct site s;
	int64_t id;
	int rc;

	if (cmd_options(c, table, 1, 1, e) < 0 || id_of(c, &id, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	rc = import_get(s.store, id, &c->arena, &r, e);
	if (rc == 0 && c->json)
		cmd_json(record_json(&r));
	else if (rc == 0)
		print_record(c, &r);
	if (rc == 0 && rows)
		rc = import_effects(s.store, id, show_effect, &to, e);
	arena_free(&to.a);
	site_close(&s);
	return rc;
}

static bool show_kept(void *user, const struct import_effect *effect)
{
	struct showing *to = user;

	if (!effect->kept.n || (!to->c->json && to->kept++ >= KEPT_SHOWN))
		return true;
	return show_effect(user, effect);
}

static void print_undone(struct cmd *c, int64_t id, const struct import_undone *n)
{
	printf("import %" PRId64 " is undone\n", id);
	printf("  %9s  taken off the list, or given back their status\n", cmd_number(c, n->ended));
	printf("  %9s  removed: the import had brought them\n", cmd_number(c, n->removed));
	printf("  %9s  with their names and attributes from before\n", cmd_number(c, n->restored));
	if (n->kept)
		printf("  %9s  in part left as they are, because something happened since:\n",
			cmd_number(c, n->kept));
}

/* Later imports into the same list that left rows unchanged, of which the journal does not tell whose they were. */
struct later {
	struct cmd *c;
	int64_t id;
	struct str list;
	const char *numbers; /* "3, 5" */
};

static bool add_later(void *user, const struct import_record *r)
{
	struct later *l = user;

	if (r->id == l->id)
		l->list = arena_str(&l->c->arena, r->list);
	else if (r->id > l->id && !r->undone && r->counts.unchanged && str_eq(r->list, l->list))
		l->numbers = arena_printf(
			&l->c->arena, "%s%s%" PRId64, l->numbers, l->numbers[0] ? ", " : "", r->id);
	return true;
}

static int print_later(struct cmd *c, struct site *s, int64_t id, struct err *e)
{
	struct later l = {.c = c, .id = id, .numbers = ""};

	if (import_each(s->store, add_later, &l, e) < 0)
		return -1;
	if (l.numbers[0])
		printf("  later imports may have listed some of them, too, and found them there: "
		       "%s\n  to have those back, import these files again\n",
			l.numbers);
	return 0;
}

int cmd_import_undo(struct cmd *c, struct err *e)
{
	struct showing to = {.c = c};
	struct import_undone n;
	struct site s;
	int64_t id;
	int rc;

	if (cmd_options(c, NULL, 1, 1, e) < 0 || id_of(c, &id, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	rc = import_undo(s.store, id, clock_now(), &n, e);
	if (rc == 0 && !c->json && !c->quiet)
		print_undone(c, id, &n);
	if (rc == 0 && n.kept && !c->quiet)
		rc = import_effects(s.store, id, show_kept, &to, e);
	if (rc == 0 && to.kept > KEPT_SHOWN)
		printf("            and %s more: 'lettermill import show --rows %" PRId64
		       "' has them all\n",
			cmd_number(c, to.kept - KEPT_SHOWN), id);
	if (rc == 0 && n.ended && !c->json && !c->quiet)
		rc = print_later(c, &s, id, e);
	if (rc == 0 && c->json)
		cmd_json(json_pack("{s:I, s:I, s:I, s:I, s:I}", "import", (json_int_t)id, "ended",
			(json_int_t)n.ended, "removed", (json_int_t)n.removed, "restored",
			(json_int_t)n.restored, "kept", (json_int_t)n.kept));
	arena_free(&to.a);
	site_close(&s);
	return rc;
}
