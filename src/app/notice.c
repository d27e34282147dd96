/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "build.h"
#include "pages.h"
#include "template.h"

/* Mails that the pages send: issues like any other, whose texts are those of the visitor's language, in the
 * theme of the list. To people who are not on it, in the layout pages/mail.html and mail.txt. */
static const struct kind {
	const char *slug; /* and the beginning of its texts' keys */
	const char *path; /* where its button leads; NULL = to the page that confirms */
} kinds[] = {
	[NOTICE_CONFIRM] = {"confirm", NULL},
	[NOTICE_WELCOME] = {"welcome", "archive"},
	[NOTICE_GOODBYE] = {"goodbye", "subscribe"},
};

static struct str text_of(
	struct arena *a, const struct page_lang *lang, const struct kind *kind, const char *what)
{
	return page_text(lang, arena_printf(a, "mail_%s_%s", kind->slug, what));
}

static struct str source_of(struct visit *v, const struct kind *kind, const struct list *list)
{
	const struct page_lang *lang = v->lang;
	struct str button = str_of(""), last = text_of(v->a, lang, kind, "last");
	const char *target = "{{ confirm_url }}";

	if (kind->path)
		target = arena_printf(v->a, "%.*s/%s/%.*s", STR_ARG(v->site->config.web.url),
			kind->path, STR_ARG(list->slug));
	if (!kind->path || list->public)
		button = str_of(arena_printf(v->a, "[%.*s](%s){.button}\n\n",
			STR_ARG(text_of(v->a, lang, kind, "button")), target));
	return str_of(arena_printf(v->a,
		"---\nsubject: %.*s\npreheader: %.*s\nlist: %.*s\nslug: %s\nlang: %.*s\ndir: %.*s\n"
		"---\n\n%.*s\n\n%.*s%.*s\n",
		STR_ARG(text_of(v->a, lang, kind, "subject")),
		STR_ARG(text_of(v->a, lang, kind, "preheader")), STR_ARG(list->slug), kind->slug,
		STR_ARG(lang->code), STR_ARG(page_text(lang, "dir")),
		STR_ARG(text_of(v->a, lang, kind, "text")), STR_ARG(button), STR_ARG(last)));
}

static int compile(struct visit *v, enum notice_kind kind, const struct list *list,
	struct publish *out, struct err *e)
{
	struct theme of_list, theme;
	struct theme_files files = {.name = "mail-templates/pages", .base = &of_list};
	bool stranger = kind != NOTICE_WELCOME;
	struct arena *a = &out->arena;
	struct site *s = v->site;

	out->list = *list;
	out->text = source_of(v, &kinds[kind], list);
	if (issue_parse(a, "pages/lang", out->text, &out->source, e) < 0 ||
		publish_sender(s, out, e) < 0 || template_theme(s, a, list->theme, &of_list, e) < 0)
		return -1;
	if (!stranger)
		return publish_build(s, out, &of_list, 0, e);
	if (template_read(s, a, "pages", "mail.html", &files.layout_html, e) < 0 ||
		template_read(s, a, "pages", "mail.txt", &files.layout_txt, e) < 0 ||
		theme_parse(a, &files, &theme, e) < 0)
		return -1;
	out->sender.confirmation = true;
	return publish_build(s, out, &theme, 0, e);
}

int notice_issue(struct visit *v, enum notice_kind kind, const struct list *list, int n,
	int64_t *issue, struct err *e)
{
	const struct notice what = {.kind = kind,
		.list = list->id,
		.lang = v->lang->code,
		.day = v->now / 86400,
		.n = n};
	char at[CLOCK_ISO_SIZE];
	struct publish p = {0};
	struct issue i;
	int rc = notice_find(v->store, &what, issue, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	rc = compile(v, kind, list, &p, e);
	if (rc == 0) {
		i = (struct issue){.subject = p.source.subject,
			.source = p.text,
			.program = p.program,
			.hash = STR(""),
			.slug = str_of(arena_printf(v->a, "%s-%.*s-%.10s-%d", kinds[kind].slug,
				STR_ARG(v->lang->code), clock_iso(v->now, at), n))};
		rc = notice_open(v->store, &i, &what, v->now, e);
		*issue = i.id;
	}
	publish_free(&p);
	return rc;
}

int notice_send(struct visit *v, enum notice_kind kind, const struct list *list, int64_t subscriber,
	struct err *e)
{
	int64_t issue;

	if (notice_issue(v, kind, list, 1, &issue, e) < 0)
		return -1;
	return notice_queue(v->store, issue, subscriber, v->now, e);
}
