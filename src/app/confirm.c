/* SPDX-License-Identifier: MIT */
#include "build.h"
#include "pages.h"
#include "template.h"

#include <arpa/inet.h>
#include <string.h>

/* The mail that asks to confirm: an issue like any other, whose text is that of the visitor's language and whose
 * layout is pages/mail.html and mail.txt, in the theme of the list. */

static struct str source_of(struct arena *a, const struct page_lang *lang, const struct list *list)
{
	return str_of(arena_printf(a,
		"---\nsubject: %.*s\npreheader: %.*s\nlist: %.*s\nslug: confirm\nlang: %.*s\ndir: "
		"%.*s\n"
		"---\n\n%.*s\n\n[%.*s]({{ confirm_url }}){.button}\n\n%.*s\n",
		STR_ARG(page_text(lang, "mail_subject")),
		STR_ARG(page_text(lang, "mail_preheader")), STR_ARG(list->slug),
		STR_ARG(lang->code), STR_ARG(page_text(lang, "dir")),
		STR_ARG(page_text(lang, "mail_text")), STR_ARG(page_text(lang, "mail_button")),
		STR_ARG(page_text(lang, "mail_ignore"))));
}

int confirmation_compile(struct site *s, const struct page_lang *lang, const struct list *list,
	struct publish *out, struct err *e)
{
	struct theme of_list, theme;
	struct theme_files files = {.name = "mail-templates/pages", .base = &of_list};
	struct arena *a;

	*out = (struct publish){.list = *list};
	a = &out->arena;
	out->text = source_of(a, lang, list);
	if (issue_parse(a, "pages/lang", out->text, &out->source, e) < 0 ||
		publish_sender(s, out, e) < 0 ||
		template_theme(s, a, list->theme, &of_list, e) < 0 ||
		template_read(s, a, "pages", "mail.html", &files.layout_html, e) < 0 ||
		template_read(s, a, "pages", "mail.txt", &files.layout_txt, e) < 0 ||
		theme_parse(a, &files, &theme, e) < 0)
		return -1;
	out->sender.confirmation = true;
	return publish_build(s, out, &theme, 0, e);
}

struct str page_network(struct arena *a, struct str client)
{
	unsigned char v6[16];
	char *text;

	if (inet_pton(AF_INET6, arena_cstr(a, client), v6) != 1)
		return client;
	memset(v6 + 8, 0, 8);
	text = arena_alloc(a, INET6_ADDRSTRLEN);
	inet_ntop(AF_INET6, v6, text, INET6_ADDRSTRLEN);
	return str_of(text);
}
