/* SPDX-License-Identifier: MIT */
#include "app/publish.h"
#include "base/clock.h"
#include "base/embed.h"
#include "base/file.h"
#include "issue.h"
#include "store/segment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PREVIEW_MAX = 4 * 1024 * 1024 };

#define EMBED                                                                                      \
	{                                                                                          \
		"embed", NULL, "put local images into the message", .flag = &embed                 \
	}

/* The site and the compiled issue file argv[0]. */
static int open_issue(struct cmd *c, unsigned how, struct site *s, struct publish *p, struct err *e)
{
	*p = (struct publish){0};
	if (cmd_site(c, s, e) < 0)
		return -1;
	if (publish_compile(s, c->argv[0], how, p, e) == 0)
		return 0;
	publish_free(p);
	site_close(s);
	return -1;
}

static void close_issue(struct site *s, struct publish *p)
{
	publish_free(p);
	site_close(s);
}

/* ---- new ---- */

int issue_new(struct cmd *c, struct err *e)
{
	struct str skeleton = embedded_get(embedded_templates, "sample/new.md");
	const char *file;

	if (cmd_options(c, NULL, 1, 1, e) < 0)
		return -1;
	file = c->argv[0];
	if (!str_has_suffix(str_of(file), STR(".md")))
		return err_set(e, ERR_USAGE, "an issue's file ends in .md: try '%s.md'", file);
	if (file_create(file, skeleton, 0644, e) < 0)
		return -1;
	if (c->json)
		cmd_json(json_pack("{s:o}", "file", cmd_json_text(str_of(file))));
	else if (!c->quiet)
		printf("%s: edit it, then 'lettermill issue check %s'\n", cmd_text(c, str_of(file)),
			cmd_text(c, str_of(file)));
	return 0;
}

/* ---- check ---- */

static const char *level_of(const struct compile_remark *r)
{
	return r->error ? "error" : "warning";
}

static void print_remarks(struct cmd *c, const struct publish *p)
{
	for (const struct compile_remark *r = p->remark; r; r = r->next)
		fprintf(stderr, "%s:%zu: %s %s %s\n", cmd_text(c, str_of(r->file)), r->line,
			level_of(r), r->rule, cmd_text(c, str_of(r->message)));
}

static json_t *remarks_json(const struct publish *p)
{
	json_t *all = json_array();

	for (const struct compile_remark *r = p->remark; r; r = r->next)
		json_array_append_new(
			all, json_pack("{s:o, s:I, s:s, s:s, s:o}", "file",
				     cmd_json_text(str_of(r->file)), "line", (json_int_t)r->line,
				     "level", level_of(r), "rule", r->rule, "message",
				     cmd_json_text(str_of(r->message))));
	return all;
}

/* Look at the issue beside its audience, tell what is found, and refuse what may not leave. */
static int lint(struct cmd *c, struct site *s, struct publish *p, bool strict, struct err *e)
{
	size_t bad;

	if (publish_lint(s, p, e) < 0)
		return -1;
	if (!c->json)
		print_remarks(c, p);
	bad = publish_errors(p, strict);
	if (!bad)
		return 0;
	return err_set(e, ERR_INPUT, "%s: %s to mend before this can be sent", p->source.file,
		cmd_count(c, (int64_t)bad, "thing", "things"));
}

/* How many would get the issue now. */
static int count_readers(
	struct cmd *c, struct site *s, const struct publish *p, int64_t *out, struct err *e)
{
	const struct segment *segment = NULL;
	struct audience n;

	if ((p->source.segment.n && segment_parse(&c->arena, p->source.segment, &segment, e) < 0) ||
		segment_find(s->store, segment, p->list.id, SEGMENT_FIRST, out, e) < 0 ||
		audience_count(s->store, p->list.id, clock_now(), &n, e) < 0)
		return err_prefix(e, "%s: ", p->source.file);
	*out = n.both + n.first;
	return 0;
}

static int tell_failed(struct cmd *c, const struct err *e)
{
	if (c->json)
		cmd_json(json_pack("{s:o, s:b, s:o}", "file", cmd_json_text(str_of(c->argv[0])),
			"ok", 0, "error", cmd_json_text(str_of(e->text))));
	return -1;
}

static void print_checked(struct cmd *c, const struct publish *p, int64_t readers, bool ok)
{
	if (c->json)
		cmd_json(json_pack("{s:o, s:b, s:o, s:o, s:o, s:I, s:I, s:o}", "file",
			cmd_json_text(str_of(c->argv[0])), "ok", ok, "slug",
			cmd_json_text(p->source.slug), "list", cmd_json_text(p->list.slug),
			"subject", cmd_json_text(p->source.subject), "subscribed",
			(json_int_t)p->list.subscribed, "audience", (json_int_t)readers, "remarks",
			remarks_json(p)));
	else if (ok && !c->quiet)
		printf("%s: all right, for %s of '%s': %s\n", cmd_text(c, str_of(c->argv[0])),
			cmd_count(c, readers, "subscriber", "subscribers"),
			cmd_text(c, p->list.slug), cmd_text(c, p->source.subject));
}

int issue_check(struct cmd *c, struct err *e)
{
	bool strict = false, embed = false;
	const struct cmd_option options[] = {
		{"strict", NULL, "take every warning for an error", .flag = &strict},
		EMBED,
		{0},
	};
	struct publish p;
	int64_t readers;
	struct site s;
	int rc;

	if (cmd_options(c, options, 1, 1, e) < 0)
		return -1;
	if (open_issue(c, embed ? PUBLISH_EMBED : 0, &s, &p, e) < 0)
		return tell_failed(c, e);
	if (count_readers(c, &s, &p, &readers, e) == 0) {
		rc = lint(c, &s, &p, strict, e);
		print_checked(c, &p, readers, rc == 0);
	} else {
		rc = tell_failed(c, e);
	}
	close_issue(&s, &p);
	return rc;
}

/* ---- preview ---- */

static int write_face(struct cmd *c, const char *base, const char *suffix,
	const struct buf *content, json_t *files, struct err *e)
{
	const char *path = arena_printf(&c->arena, "%s.%s", base, suffix);

	if (content->over)
		return err_set(e, ERR_INPUT, "the preview '%s' would be larger than %d octets",
			path, PREVIEW_MAX);
	if (file_write(path, buf_view(content), 0644, e) < 0)
		return -1;
	json_object_set_new(files, suffix, cmd_json_text(str_of(path)));
	if (!c->json && !c->quiet)
		printf("%s\n", cmd_text(c, str_of(path)));
	return 0;
}

static int write_preview(
	struct cmd *c, const char *base, const struct publish_preview *faces, struct err *e)
{
	json_t *files = json_object();
	int rc = -1;

	if (write_face(c, base, "html", &faces->html, files, e) == 0 &&
		write_face(c, base, "txt", &faces->text, files, e) == 0 &&
		write_face(c, base, "eml", &faces->eml, files, e) == 0)
		rc = 0;
	if (rc == 0 && c->json)
		cmd_json(json_incref(files));
	json_decref(files);
	return rc;
}

static int make_preview(struct cmd *c, struct site *s, struct publish *p, const char *as,
	const char *folder, struct err *e)
{
	struct publish_preview faces = {NULL};
	int rc = -1;

	buf_init(&faces.eml, PREVIEW_MAX);
	buf_init(&faces.html, PREVIEW_MAX);
	buf_init(&faces.text, PREVIEW_MAX);
	if (mkdir(folder, 0755) < 0 && errno != EEXIST)
		err_sys(e, "cannot make the folder '%s'", folder);
	else if (publish_preview(s, p, str_of(as), clock_now(), &faces, e) == 0)
		rc = write_preview(c,
			arena_printf(&c->arena, "%s/%.*s", folder, STR_ARG(p->source.slug)), &faces,
			e);
	buf_free(&faces.eml);
	buf_free(&faces.html);
	buf_free(&faces.text);
	return rc;
}

int issue_preview(struct cmd *c, struct err *e)
{
	const char *as = NULL, *folder = ".";
	bool open = false, embed = false;
	const struct cmd_option options[] = {
		{"as", "ADDRESS", "what this reader would get, else a reader without a name",
			.text = &as},
		{"output", "DIR", "write into DIR, else into this folder", .text = &folder},
		{"open", NULL, "show it in a browser, and follow its changes", .flag = &open},
		EMBED,
		{0},
	};
	struct publish p;
	struct site s;
	int rc = -1;

	if (cmd_options(c, options, 1, 1, e) < 0)
		return -1;
	if (open) {
		rc = cmd_site(c, &s, e);
		if (rc == 0)
			rc = issue_open_preview(c, &s, as, embed, e);
		site_close(&s);
		return rc;
	}
	if (open_issue(c, embed ? PUBLISH_EMBED : 0, &s, &p, e) < 0)
		return -1;
	if (!c->json)
		print_remarks(c, &p);
	if (!as)
		as = arena_cstr(&c->arena, s.config.publication.from.addr.email);
	if (site_load_key(&s, e) == 0)
		rc = make_preview(c, &s, &p, as, folder, e);
	close_issue(&s, &p);
	return rc;
}

/* ---- test ---- */

static int send_proof(struct cmd *c, struct site *s, struct publish *p, const char *to,
	const char *relay, struct err *e)
{
	const struct config_relay *found;
	struct relay copy;
	struct outcome outcome = {0};

	if (config_relay_get(&s->config, relay, &found, e) < 0)
		return -1;
	copy = found->relay;
	if (c->verbose)
		copy.on_dialogue = cmd_print_dialogue;
	if (publish_proof(s, p, str_of(to), &copy, clock_now(), &outcome, e) < 0)
		return -1;
	if (c->json)
		cmd_json(json_pack("{s:o, s:s, s:i, s:o, s:I}", "to", cmd_json_text(str_of(to)),
			"relay", copy.name, "code", outcome.reply.code, "text",
			cmd_json_text(str_of(outcome.reply.text)), "took_ms",
			(json_int_t)outcome.took_ms));
	else if (!c->quiet)
		printf("%s took a proof for %s: %d %s\n", copy.name, cmd_text(c, str_of(to)),
			outcome.reply.code, cmd_text(c, str_of(outcome.reply.text)));
	return 0;
}

/* Everything but the sending. */
static int pretend_proof(
	struct cmd *c, struct site *s, const char *to, const char *relay, struct err *e)
{
	const struct config_relay *found;
	struct addr addr;

	if (config_relay_get(&s->config, relay, &found, e) < 0 ||
		addr_parse_as(&c->arena, str_of(to), s->config.quoted_local_parts, &addr, e) < 0)
		return -1;
	if (c->json)
		cmd_json(json_pack("{s:o, s:s, s:b}", "to", cmd_json_text(str_of(to)), "relay",
			found->relay.name, "dry_run", 1));
	else
		printf("would send a proof to %s through %s, %s:%u (dry run, nothing was sent)\n",
			addr.email.p, found->relay.name, found->relay.host, found->relay.port);
	return 0;
}

int issue_test(struct cmd *c, struct err *e)
{
	const char *to = NULL, *relay = NULL;
	bool embed = false, dry_run = false;
	const struct cmd_option options[] = {
		EMBED,
		{"to", "ADDRESS", "who gets the proof", .text = &to},
		{"relay", "NAME", "send through this relay, else the first", .text = &relay},
		{"dry-run", NULL, "do everything but send", .flag = &dry_run},
		{0},
	};
	struct publish p;
	struct site s;
	int rc = -1;

	if (cmd_options(c, options, 1, 1, e) < 0)
		return -1;
	if (!to)
		return err_set(e, ERR_USAGE, "%s: --to ADDRESS is missing", c->path);
	if (open_issue(c, embed ? PUBLISH_EMBED : 0, &s, &p, e) < 0)
		return -1;
	if (!c->json)
		print_remarks(c, &p);
	if (site_load_key(&s, e) == 0 && config_relay_secrets(&s.arena, &s.config, e) == 0)
		rc = dry_run ? pretend_proof(c, &s, to, relay, e)
			     : send_proof(c, &s, &p, to, relay, e);
	close_issue(&s, &p);
	return rc;
}

/* ---- schedule ---- */

static void print_scheduled(
	struct cmd *c, const struct publish *p, const struct publish_result *r, bool dry_run)
{
	const char *copies = cmd_count(c, r->copies, "copy", "copies");

	if (c->json)
		cmd_json(json_pack("{s:o, s:o, s:o, s:I, s:o, s:b}", "issue",
			dry_run ? json_null() : json_integer(r->issue), "slug",
			cmd_json_text(p->source.slug), "list", cmd_json_text(p->list.slug),
			"copies", (json_int_t)r->copies, "due_at", cmd_json_time(r->due_at),
			"dry_run", dry_run));
	else if (dry_run)
		printf("would schedule '%s' for %s UTC: %s (dry run, nothing has changed)\n",
			cmd_text(c, p->source.slug), cmd_time(c, r->due_at), copies);
	else if (!c->quiet)
		printf("issue %" PRId64 ", '%s', is scheduled for %s UTC: %s\n"
		       "'lettermill deliver' sends it, the timer does so every minute\n",
			r->issue, cmd_text(c, p->source.slug), cmd_time(c, r->due_at), copies);
}

int issue_schedule_command(struct cmd *c, struct err *e)
{
	const char *at = NULL, *window = NULL, *segment = NULL;
	bool strict = false, embed = false, dry_run = false;
	const struct cmd_option options[] = {
		{"at", "TIME",
			"now, 2026-01-31T06:00:00+01:00, 2026-01-31 06:00 Europe/Berlin, 06:00 "
			"local",
			.text = &at},
		{"window", "HOURS", "send only in these hours, such as 06:00-22:00",
			.text = &window},
		{"segment", "EXPRESSION", "only for those on the list who are in this segment",
			.text = &segment},
		{"strict", NULL, "take every warning of 'issue check' for an error",
			.flag = &strict},
		EMBED,
		{"dry-run", NULL, "tell how many copies there would be, change nothing",
			.flag = &dry_run},
		{0},
	};
	struct publish_result result = {0};
	struct publish p;
	struct site s;
	int64_t now = clock_now();
	int rc;

	if (cmd_options(c, options, 1, 1, e) < 0)
		return -1;
	if (open_issue(c, PUBLISH_TO_LEAVE | (embed ? PUBLISH_EMBED : 0), &s, &p, e) < 0)
		return -1;
	if (segment)
		p.source.segment = str_of(segment);
	rc = lint(c, &s, &p, strict, e);
	if (rc == 0)
		rc = publish_schedule(&s, &p, at, window, dry_run, now, &result, e);
	if (rc == 0)
		print_scheduled(c, &p, &result, dry_run);
	close_issue(&s, &p);
	return rc;
}
