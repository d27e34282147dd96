/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

#include "mail/compile.h"
#include "mail/render.h"

#include <string.h>

/* An issue from three templates, without Markdown and theme: the ground for tests of the wire. */
static const char *const sample_recipient[] = {
	"subscriber.first_name", "subscriber.city", "unsubscribe_url", "web_url", NULL};

static const struct issue_source sample_issue = {
	.file = "sample.md", .slug = {"sample-issue", 12}, .subject_line = 2};

static const struct compile_sender sample_sender = {
	.list_slug = {"daily", 5},
	.list_name = {"The Daily, Printed", 18},
	.list_id = {"daily.news.example.org", 22},
	.from_name = {"The Daily", 9},
	.from_email = {"daily@news.example.org", 22},
	.reply_to_name = {"Zo\xc3\xab", 4},
	.reply_to_email = {"desk@news.example.org", 21},
	.sender_id = {"dailynews", 9},
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
