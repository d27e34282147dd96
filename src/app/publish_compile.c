/* SPDX-License-Identifier: MIT */
#include "app/publish.h"
#include "base/file.h"

#include "build.h"
#include "lang.h"
#include "media.h"
#include "template.h"

#include <string.h>

enum { PROGRAM_MAX = 4 * 1024 * 1024 };

static int load_theme(struct site *s, struct publish *p, struct theme *out, struct err *e)
{
	struct str name = p->source.theme.n ? p->source.theme : p->list.theme;

	if (!template_is_name(name))
		return err_set(e, ERR_INPUT,
			"%s: the theme '%.*s' is not a name of a folder in mail-templates: use "
			"a-z, 0-9, '-' and '_'",
			p->source.file, STR_ARG(name));
	return template_theme(s, &p->arena, name, out, e);
}

/* A mailbox of the issue, else of the list, else the publication's. */
static int choose_mailbox(struct publish *p, const char *key, struct str of_issue,
	struct str of_list, const struct mailbox *of_publication, struct str *name,
	struct str *email, struct err *e)
{
	struct str text = of_issue.n ? of_issue : of_list;
	struct mailbox m = *of_publication;

	if (text.n && mailbox_parse(&p->arena, text, &m, e) < 0)
		return err_prefix(e, "%s: %s: ", of_issue.n ? p->source.file : "list", key);
	*name = m.name;
	*email = m.addr.email;
	return 0;
}

int publish_sender(const struct site *s, struct publish *p, struct err *e)
{
	const struct config *c = &s->config;
	struct compile_sender *to = &p->sender;

	*to = (struct compile_sender){
		.name = c->publication.name,
		.tagline = c->publication.tagline,
		.address = c->publication.address,
		.url = c->publication.url,
		.lang = p->source.lang.n ? p->source.lang : c->publication.lang,
		.list_slug = p->list.slug,
		.list_name = p->list.name,
		.list_id = str_of(arena_printf(&p->arena, "%.*s.%.*s", STR_ARG(p->list.slug),
			STR_ARG(c->publication.list_domain))),
		.sender_id = c->publication.sender_id,
		.accent_label = c->publication.accent_label,
		.callout_label = c->publication.callout_label,
		.raw_html = c->publication.raw_html,
		.utm_source = c->utm.source,
		.utm_medium = c->utm.medium,
		.utm_hosts = c->utm.hosts,
	};
	if (choose_mailbox(p, "from", p->source.from, p->list.from, &c->publication.from,
		    &to->from_name, &to->from_email, e) < 0)
		return -1;
	return choose_mailbox(p, "reply_to", p->source.reply_to, p->list.reply_to,
		&c->publication.reply_to, &to->reply_to_name, &to->reply_to_email, e);
}

/* The words around an issue in its language, or in English where that has no file. */
static int read_words(struct site *s, struct publish *p, struct compile_input *in, struct err *e)
{
	struct str lang = p->sender.lang, code = str_slice(lang, 0, str_find(lang, '-'));
	struct compile_word *word;
	struct page_lang texts;
	struct err missing = {0};

	if (!template_is_name(code) || lang_read(s, &p->arena, code, &texts, &missing) < 0) {
		if (missing.code && missing.code != ERR_MISSING)
			return err_set(e, missing.code, "%s", missing.text);
		if (lang_read(s, &p->arena, STR("en"), &texts, e) < 0)
			return -1;
	}
	word = arena_array(&p->arena, texts.n, sizeof *word);
	for (size_t i = 0; i < texts.n; i++)
		if (str_has_prefix(texts.text[i].key, STR("issue_")))
			word[in->word_n++] = (struct compile_word){texts.text[i].name,
				texts.text[i].value, texts.file, texts.text[i].line};
	in->word = word;
	return 0;
}

int publish_build(
	struct site *s, struct publish *p, const struct theme *theme, unsigned how, struct err *e)
{
	struct media_finder finder = {.site = s, .publish = p};
	struct compile_input in = {.issue = &p->source,
		.theme = theme,
		.sender = &p->sender,
		.media = media_find,
		.media_user = &finder,
		.embed = how & PUBLISH_EMBED,
		.clicks = how & PUBLISH_TO_LEAVE && p->list.clicks};
	struct composed composed = {0};
	struct program program = {0};
	const char **fields;
	struct buf packed;

	if (fields_get(s->store, &p->arena, &fields, &in.fields_n, e) < 0)
		return -1;
	in.fields = fields;
	if (read_words(s, p, &in, e) < 0 || compose(&p->arena, &in, &composed, e) < 0 ||
		assemble(&p->arena, &in, &composed, &program, e) < 0)
		return -1;
	buf_init(&packed, PROGRAM_MAX);
	program_pack(&program, &packed);
	if (packed.over) {
		buf_free(&packed);
		return err_set(e, ERR_INPUT, "%s: the compiled issue is too large", p->source.file);
	}
	p->program = arena_str(&p->arena, buf_view(&packed));
	buf_free(&packed);
	p->bare = composed.bare;
	p->bare_n = composed.bare_n;
	p->remark = composed.remark;
	p->link = composed.link;
	return 0;
}

/* The text part of ready-made HTML: the file beside it whose name ends in .txt. */
static int read_text(struct publish *p, const char *file, struct err *e)
{
	const char *path = arena_printf(&p->arena, "%.*s.txt", (int)strlen(file) - 5, file);
	struct buf b;
	int rc = -1;

	buf_init(&b, ISSUE_SOURCE_MAX);
	if (file_read(path, &b, e) < 0) {
		if (e && e->code == ERR_MISSING)
			err_set(e, ERR_MISSING,
				"%s: an issue in HTML needs its text part in '%s' beside it", file,
				path);
		goto out;
	}
	rc = issue_text(&p->arena, path, buf_view(&b), &p->source, e);
out:
	buf_free(&b);
	return rc;
}

int publish_compile(
	struct site *s, const char *file, unsigned how, struct publish *out, struct err *e)
{
	struct theme theme = {0};
	struct buf b;
	int rc = -1;

	*out = (struct publish){0};
	buf_init(&b, ISSUE_SOURCE_MAX);
	if (file_read(file, &b, e) < 0)
		goto out;
	out->text = arena_str(&out->arena, buf_view(&b));
	if (issue_parse(&out->arena, file, out->text, &out->source, e) < 0 ||
		(str_has_suffix(str_of(file), STR(".html")) && read_text(out, file, e) < 0))
		goto out;
	if (list_get(s->store, out->source.list, &out->arena, &out->list, e) < 0) {
		err_prefix(e, "%s: ", file);
		goto out;
	}
	if (load_theme(s, out, &theme, e) < 0 || publish_sender(s, out, e) < 0)
		goto out;
	rc = publish_build(s, out, &theme, how, e);
out:
	buf_free(&b);
	return rc;
}

static void remark(struct publish *p, struct compile_remark what)
{
	struct compile_remark **link = &p->remark;

	what.file = p->source.file;
	while (*link)
		link = &(*link)->next;
	*link = arena_alloc(&p->arena, sizeof what);
	**link = what;
}

int publish_lint(struct site *s, struct publish *p, struct err *e)
{
	int64_t taken, lacking, of = p->list.subscribed;
	int found = issue_find(s->store, p->list.id, p->source.slug, &taken, e);

	if (found < 0)
		return -1;
	if (found)
		remark(p, (struct compile_remark){.line = 1,
				  .rule = "slug-taken",
				  .message = arena_printf(&p->arena,
					  "issue %lld of this list has the slug '%.*s' already, "
					  "add a line "
					  "'slug: …' with another one",
					  (long long)taken, STR_ARG(p->source.slug))});
	for (size_t i = 0; i < p->bare_n; i++) {
		if (list_lacking(s->store, p->list.id, p->bare[i], &lacking, e) < 0)
			return -1;
		if (lacking)
			remark(p, (struct compile_remark){.line = p->source.body_line,
					  .rule = "empty-value",
					  .message = arena_printf(&p->arena,
						  "'%.*s' is empty for %lld of %lld subscribers: "
						  "write "
						  "{{ %.*s | default: \"…\" }}",
						  STR_ARG(p->bare[i]), (long long)lacking,
						  (long long)of, STR_ARG(p->bare[i]))});
	}
	return 0;
}

size_t publish_errors(const struct publish *p, bool strict)
{
	size_t n = 0;

	for (const struct compile_remark *r = p->remark; r; r = r->next)
		n += strict || r->error;
	return n;
}

void publish_free(struct publish *p)
{
	arena_free(&p->arena);
}
