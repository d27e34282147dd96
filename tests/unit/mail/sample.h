/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

#include "mail/compile.h"
#include "mail/render.h"

#include <string.h>

/* A view of a literal where STR() would be no constant. */
#define TEXT(lit)                                                                                  \
	{                                                                                          \
		(lit), sizeof(lit) - 1                                                             \
	}

/* An issue from three templates, without Markdown and theme: the ground for tests of the wire. */
static const char sample_subject[] = "Hello {{ subscriber.first_name | default: \"friend\" }}";
static const char sample_text[] =
	"Dear {{ subscriber.first_name | default: \"friend\" }},\n"
	"{% if subscriber.city == \"Oslo\" %}.cold\n{% elsif subscriber.city contains \"ork\" %}"
	"From work\n{% elsif subscriber.city %}elsewhere: {{ subscriber.city }}\n{% else %}"
	"nowhere\n{% endif %}.end\n{{ unsubscribe_url }}";
static const char sample_html[] =
	"<p title=\"{{ subscriber.first_name }}\">{{ subscriber.first_name | default: \"friend\" }}"
	".</p>\n<a href=\"https://x.example/?n={{ subscriber.first_name }}&amp;z\">x</a>\n"
	"<a href={{ unsubscribe_url }}>leave</a>\n";

/* Hostile values, all of them one word or several that must stay inside their places. */
static const struct str sample_nasty[] = {
	TEXT("Ann"),
	TEXT(""),
	TEXT("x\r\nBcc: evil@evil.example\r\n\r\nbody"),
	TEXT("=?utf-8?q?x=0D=0ABcc:?="),
	TEXT("."),
	TEXT("..\r\n.\r\n"),
	TEXT("\n.\n"),
	TEXT("\r.\r"),
	TEXT("From the start"),
	TEXT("--=_mill_aaaaaaaaaaaaaaaa--"),
	TEXT("a\0b"),
	TEXT("\xff\xfe\xc3"),
	TEXT("\"'><script>alert(1)</script>&amp;"),
	TEXT("Zo\xc3\xab \xf0\x9f\x8e\x89 \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"),
	{"\xe2\x80\xae"
	 "evil\xe2\x81\xa6\xe2\x80\xa8",
		13},
	TEXT("{{ subscriber.city }}{% if %}"),
	TEXT("\xee\x80\x80h0\xee\x80\x81"),
	TEXT("   "),
	TEXT("a \t "),
	TEXT("=3D=\r\n"),
};
enum { SAMPLE_NASTY = sizeof sample_nasty / sizeof *sample_nasty };

static const char *const sample_recipient[] = {
	"subscriber.first_name", "subscriber.city", "unsubscribe_url", "web_url", NULL};

static const struct issue_source sample_issue = {
	.file = "sample.md", .slug = TEXT("sample-issue"), .subject_line = 2};

static const struct compile_sender sample_sender = {
	.list_slug = TEXT("daily"),
	.list_name = TEXT("The Daily, Printed"),
	.list_id = TEXT("daily.news.example.org"),
	.from_name = TEXT("The Daily"),
	.from_email = TEXT("daily@news.example.org"),
	.reply_to_name = TEXT("Zo\xc3\xab"),
	.reply_to_email = TEXT("desk@news.example.org"),
	.sender_id = TEXT("dailynews"),
};

/* Write the marks of values again for where they stand: behind '=' or '/' in a URL. */
static inline void sample_place(const struct liquid_slots *slots, struct str text, struct buf *out)
{
	enum liquid_context context;
	struct str before;
	int index;

	while ((index = liquid_next_mark(&text, &before, &context)) >= 0) {
		bool url = before.n && strchr("=/", before.p[before.n - 1]);

		buf_str(out, before);
		if (slots->slot[index].op == LIQUID_VALUE)
			context = url ? LIQUID_URL : LIQUID_HTML;
		liquid_mark(out, context, index);
	}
	buf_str(out, before);
}

static inline int sample_compose(struct arena *a, const char *subject, const char *text,
	const char *html, struct composed *out, struct err *e)
{
	const char *const source[] = {subject, text, html};
	struct str *const to[] = {&out->subject, &out->text, &out->html};
	struct liquid_scope scope = {.recipient = sample_recipient, .recipient_n = 4};
	struct buf marked, placed;
	int rc = 0;

	*out = (struct composed){0};
	buf_init(&marked, 1 << 20);
	buf_init(&placed, 1 << 20);
	for (size_t i = 0; i < 3 && rc == 0; i++) {
		struct liquid_source in = {
			.file = "sample.md", .line = 1, .text = str_of(source[i])};

		buf_reset(&marked);
		buf_reset(&placed);
		rc = liquid_expand(a, &in, &scope, buf_str, &out->slots, &marked, e);
		if (i == 2)
			sample_place(&out->slots, buf_view(&marked), &placed);
		else
			buf_str(&placed, buf_view(&marked));
		*to[i] = arena_str(a, buf_view(&placed));
	}
	buf_free(&marked);
	buf_free(&placed);
	return rc;
}

static inline int sample_program(struct arena *a, const char *subject, const char *text,
	const char *html, struct program *out, struct err *e)
{
	struct compile_input in = {.issue = &sample_issue, .sender = &sample_sender};
	struct composed c;

	if (sample_compose(a, subject, text, html, &c, e) < 0)
		return -1;
	return assemble(a, &in, &c, out, e);
}

/* A copy whose values are `first_name` and `city`, and a link of its own. */
static inline struct render_copy sample_copy(
	struct arena *a, const struct program *p, struct str first_name, struct str city)
{
	struct str *value = arena_array(a, p->var_n, sizeof *value);

	for (size_t i = 0; i < p->var_n; i++) {
		if (str_eq(p->var[i], STR("subscriber.first_name")))
			value[i] = first_name;
		else if (str_eq(p->var[i], STR("subscriber.city")))
			value[i] = city;
		else
			value[i] = STR("https://news.example.org/u/abc?x=1&y=2");
	}
	return (struct render_copy){
		.to = STR("ann@reader.example"),
		.message_id = STR("<7cf235ef-712f-5bd7-8ae4-a8862d8e40e9@news.example.org>"),
		.date = 1762149600,
		.unsubscribe_url = STR("https://news.example.org/u/abcdefghijklmnop"),
		.unsubscribe_mailto = STR("mailto:u+abcdefghijklmnop@bounces.example.org"),
		.value = value,
	};
}

#endif
