/* SPDX-License-Identifier: MIT */
#include "compose.h"

#include "base/enc.h"
#include "html.h"

#include <stdlib.h>
#include <string.h>

enum { PREHEADER_ROOM = 110, SHORT_NAME = 20 };

/* Names that differ by recipient, beside subscriber.FIELD. */
static const char *const recipient_names[] = {
	"subscriber.email", "subscriber.first_name", "subscriber.last_name", "subscriber.name",
	"unsubscribe_url", "preferences_url", "web_url",
	"view.web", /* "yes" on the web page of the issue, empty in a mail */
	"confirm_url", /* only where the sender is that of a confirmation */
};

/* ---- what the other parts share ---- */

struct liquid_scope compose_scope(const struct compose *c, size_t from)
{
	return (struct liquid_scope){
		.known = c->name + from,
		.known_n = c->name_n - from,
		.recipient = recipient_names,
		.recipient_n = sizeof(recipient_names) / sizeof(recipient_names[0]) -
			       !c->in->sender->confirmation,
		.fields = c->in->fields,
		.fields_n = c->in->fields_n,
	};
}

int compose_own(struct compose *c, const char *text, struct str *out)
{
	static const char *const names[] = {"view.web", "click_url"};
	const struct liquid_scope scope = {.recipient = names, .recipient_n = 2};
	const struct liquid_source in = {.file = c->in->issue->file, .text = str_of(text)};
	struct buf b;
	int rc;

	buf_init(&b, COMPOSE_MAX);
	rc = liquid_expand(c->a, &in, &scope, enc_html, &c->out->slots, &b, c->e);
	*out = arena_str(c->a, buf_view(&b));
	buf_free(&b);
	return rc;
}

struct str compose_word(const struct compose *c, const char *name)
{
	for (size_t i = 0; i < c->in->word_n; i++)
		if (strcmp(c->in->word[i].name, name) == 0)
			return c->in->word[i].text;
	return STR("");
}

void compose_remark(struct compose *c, struct compile_remark what)
{
	struct compile_remark **link = &c->out->remark;

	what.file = what.file ? what.file : c->in->issue->file;
	while (*link)
		link = &(*link)->next;
	*link = arena_alloc(c->a, sizeof(what));
	**link = what;
}

void compose_warn(struct compose *c, size_t line, const char *rule, const char *message)
{
	compose_remark(c, (struct compile_remark){.line = line, .rule = rule, .message = message});
}

void compose_error(struct compose *c, size_t line, const char *rule, const char *message)
{
	compose_remark(c, (struct compile_remark){
				  .line = line, .error = true, .rule = rule, .message = message});
}

bool compose_whole_url(struct str name)
{
	return str_has_suffix(name, STR("_url")) && !str_has_prefix(name, STR("subscriber."));
}

struct str compose_unmarked(struct arena *a, struct str s)
{
	enum liquid_context context;
	struct str before;
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0;
	int slot;

	do {
		slot = liquid_next_mark(&s, &before, &context);
		if (before.n)
			memcpy(out + n, before.p, before.n);
		n += before.n;
	} while (slot >= 0);
	return (struct str){out, n};
}

static void put_text_of(struct str text, bool marks, struct buf *out)
{
	enum liquid_context context;
	struct str before;
	int slot;

	do {
		slot = liquid_next_mark(&text, &before, &context);
		buf_str(out, before);
		if (slot >= 0 && marks)
			liquid_mark(out, context, slot);
	} while (slot >= 0);
}

void compose_words(const struct md_node *node, bool marks, struct buf *out)
{
	if (node->kind == MD_TEXT || node->kind == MD_CODE)
		put_text_of(node->text, marks, out);
	else if (node->kind == MD_SOFT_BREAK || node->kind == MD_HARD_BREAK)
		buf_char(out, ' ');
	for (const struct md_node *child = node->first; child; child = child->next)
		compose_words(child, marks, out);
}

/* ---- names ---- */

static void name(struct compose *c, const char *key, struct str value, bool raw)
{
	c->name[c->name_n++] = (struct liquid_name){.name = key, .value = value, .raw = raw};
}

/* "Mon, Nov 3" for English, else the date as it is. */
static struct str short_date(struct arena *a, struct str date, struct str lang)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	static const unsigned char shift[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
	int64_t y, m, d, before;

	if (!str_has_prefix_nocase(lang, STR("en")) || date.n != 10 ||
		!str_to_int(str_slice(date, 0, 4), 1, 9999, &y) ||
		!str_to_int(str_slice(date, 5, 7), 1, 12, &m) ||
		!str_to_int(str_slice(date, 8, 10), 1, 31, &d))
		return date;
	before = y - (m < 3); /* Sakamoto's rule: January and February count as the year before's */
	return str_of(arena_printf(a, "%s, %s %d",
		days[(before + before / 4 - before / 100 + before / 400 + shift[m - 1] + d) % 7],
		months[m - 1], (int)d));
}

/* The publication's name without its last word, and that word, so that a theme can colour it. A short
 * name does not break across lines: its spaces are no-break spaces. */
static void wordmark(struct compose *c, struct str whole)
{
	size_t at = whole.n;
	struct buf head;

	while (at > 0 && whole.p[at - 1] != ' ')
		at--;
	buf_init(&head, 2 * whole.n + 16);
	for (size_t i = 0; i < at; i++)
		if (whole.p[i] == ' ' && utf8_prefix(whole, SHORT_NAME) == whole.n)
			buf_cstr(&head, "\u00a0");
		else
			buf_char(&head, whole.p[i]);
	if (!at)
		buf_str(&head, whole);
	name(c, "publication.name_head", arena_str(c->a, buf_view(&head)), false);
	name(c, "publication.name_tail", at ? str_slice(whole, at, whole.n) : STR(""), false);
	buf_free(&head);
}

/* The host in a URL. */
static struct str host_of(struct str url)
{
	size_t at = str_search(url, STR("://"));

	url = at < url.n ? str_slice(url, at + 3, url.n) : url;
	return str_slice(url, 0, str_find(url, '/'));
}

/* Fill the table of names; issue.subject and issue.preheader follow in put_title(). */
static void put_names(struct compose *c)
{
	static const char *const block[BLOCK_NAMES] = {
		[BLOCK_CONTENT] = "block.content",
		[BLOCK_REST] = "block.rest",
		[BLOCK_HREF] = "block.href",
		[BLOCK_TITLE] = "block.title",
		[BLOCK_ALT] = "block.alt",
		[BLOCK_WIDTH] = "block.width",
		[BLOCK_START] = "block.start",
		[BLOCK_ALIGN] = "block.align",
		[BLOCK_FIRST] = "block.first",
		[BLOCK_LAST] = "block.last",
		[BLOCK_AFTER] = "block.after",
		[BLOCK_KICKER] = "block.kicker",
	};
	const struct issue_source *issue = c->in->issue;
	const struct compile_sender *sender = c->in->sender;
	const struct theme *theme = c->in->theme;
	struct str none = {NULL, 0}, lang = issue->lang.n ? issue->lang : sender->lang;
	bool rtl = str_eq(issue->dir, STR("rtl"));

	c->name = arena_array(
		c->a, BLOCK_NAMES + theme->token_n + c->in->word_n + 32, sizeof(*c->name));
	for (size_t i = 0; i < BLOCK_NAMES; i++)
		name(c, block[i], none, i == BLOCK_CONTENT || i == BLOCK_REST);
	c->layout_from = c->name_n;
	name(c, "content", none, true);
	for (size_t i = 0; i < theme->token_n; i++)
		name(c, arena_printf(c->a, "theme.%.*s", STR_ARG(theme->token[i].name)),
			theme->token[i].value, true);
	c->issue_from = c->name_n;
	name(c, "issue.slug", issue->slug, false);
	name(c, "issue.date", issue->date, false);
	name(c, "issue.date_short", short_date(c->a, issue->date, lang), false);
	name(c, "issue.lang", lang, false);
	name(c, "issue.dir", issue->dir, false);
	name(c, "issue.start", rtl ? STR("right") : STR("left"), false);
	name(c, "issue.end", rtl ? STR("left") : STR("right"), false);
	name(c, "publication.name", sender->name, false);
	wordmark(c, sender->name);
	name(c, "publication.tagline", sender->tagline, false);
	name(c, "publication.address", sender->address, false);
	name(c, "publication.url", sender->url, false);
	name(c, "publication.host", host_of(sender->url), false);
	name(c, "list.name", sender->list_name, false);
	name(c, "list.slug", sender->list_slug, false);
	c->word_from = c->name_n;
	for (size_t i = 0; i < c->in->word_n; i++)
		name(c, c->in->word[i].name, none, true);
}

/* ---- expansion ---- */

/* Expand `in` with the names from `from` on; the result lives in the arena. */
static int expand(struct compose *c, const struct liquid_source *in, size_t from,
	void (*escape)(struct buf *, struct str), struct str *result)
{
	struct liquid_scope scope = compose_scope(c, from);
	struct buf out;
	int rc;

	buf_init(&out, COMPOSE_MAX);
	rc = liquid_expand(c->a, in, &scope, escape, &c->out->slots, &out, c->e);
	if (rc == 0 && out.over)
		rc = err_set(c->e, ERR_INPUT, "%s:%zu: this becomes larger than %d octets",
			in->file, in->line, COMPOSE_MAX);
	*result = arena_str(c->a, buf_view(&out));
	buf_free(&out);
	return rc;
}

/* Give the words their values in HTML, or with buf_str in plain text. */
static int put_words(struct compose *c, void (*escape)(struct buf *, struct str))
{
	for (size_t i = 0; i < c->in->word_n; i++) {
		const struct compile_word *w = &c->in->word[i];
		struct liquid_source in = {.file = w->file, .line = w->line};
		struct buf text;

		buf_init(&text, COMPOSE_MAX);
		escape(&text, w->text);
		in.text = arena_str(c->a, buf_view(&text));
		buf_free(&text);
		if (expand(c, &in, c->issue_from, escape, &c->name[c->word_from + i].value) < 0)
			return -1;
	}
	return 0;
}

/* Subject and preheader, and the names that hold them. */
static int put_title(struct compose *c)
{
	const struct issue_source *issue = c->in->issue;
	struct str filler = theme_token(c->in->theme, "preheader_filler"), preheader;
	struct buf fill;
	size_t chars = 0;

	if (expand(c,
		    &(struct liquid_source){
			    issue->file, issue->subject_line, issue->subject, false},
		    c->issue_from, buf_str, &c->out->subject) < 0 ||
		expand(c,
			&(struct liquid_source){
				issue->file, issue->preheader_line, issue->preheader, false},
			c->issue_from, buf_str, &preheader) < 0)
		return -1;
	name(c, "issue.subject", c->out->subject, false);
	name(c, "issue.preheader", preheader, false);
	buf_init(&fill, COMPOSE_MAX);
	for (size_t i = 0; i < preheader.n; i++)
		chars += (preheader.p[i] & 0xc0) != 0x80;
	for (; chars < PREHEADER_ROOM; chars++)
		buf_str(&fill, filler);
	name(c, "issue.preheader_filler", arena_str(c->a, buf_view(&fill)), true);
	buf_free(&fill);
	return 0;
}

static int read_body(struct compose *c, struct md_node **document)
{
	const struct issue_source *issue = c->in->issue;
	const struct compile_sender *sender = c->in->sender;
	struct liquid_source in = {issue->file, issue->body_line, issue->body, true};
	struct str body;

	if (expand(c, &in, c->issue_from, markdown_literal, &body) < 0 ||
		markdown_parse(c->a, issue->file, issue->body_line, body, document, c->e) < 0)
		return -1;
	if (!(*document)->first)
		return err_set(c->e, ERR_INPUT, "%s:%zu: the issue has no text", issue->file,
			issue->body_line);
	if (compose_media(c, *document) < 0 || compose_shape(c, *document) < 0)
		return -1;
	compose_smart(c->a, *document, issue->lang.n ? issue->lang : sender->lang);
	return 0;
}

static struct str in_theme(struct compose *c, const char *file)
{
	return str_of(arena_printf(c->a, "%s/%s", c->in->theme->name, file));
}

static int put_html(struct compose *c, struct md_node *document)
{
	const struct theme *theme = c->in->theme;
	struct liquid_source layout = {
		in_theme(c, "layout.html").p, theme->layout_html_line, theme->layout_html, false};
	struct buf out;
	struct str page;
	int rc = -1;

	buf_init(&out, COMPOSE_MAX);
	if (compose_html(c, document, &out) < 0)
		goto out;
	c->name[c->layout_from].value = buf_view(&out);
	if (expand(c, &layout, c->layout_from, enc_html, &page) < 0)
		goto out;
	buf_reset(&out);
	rc = compose_place(c, page, &out);
	c->out->html = arena_str(c->a, buf_view(&out));
out:
	buf_free(&out);
	return rc;
}

static int put_text(struct compose *c, struct md_node *document)
{
	const struct theme *theme = c->in->theme;
	struct liquid_source layout = {
		in_theme(c, "layout.txt").p, theme->layout_txt_line, theme->layout_txt, false};
	struct buf out;
	int rc;

	if (put_words(c, buf_str) < 0)
		return -1;
	buf_init(&out, COMPOSE_MAX);
	compose_text(c, document, &out);
	c->name[c->layout_from].value = buf_view(&out);
	rc = expand(c, &layout, c->layout_from, buf_str, &c->out->text);
	buf_free(&out);
	return rc;
}

/* An issue that is ready-made HTML and text: only its names are filled in. */
static int read_page(struct compose *c)
{
	const struct issue_source *issue = c->in->issue;
	struct liquid_source html = {issue->file, issue->body_line, issue->body, true},
			     text = {issue->text_file, 1, issue->text, false};
	struct str page;
	struct buf out;
	int rc;

	if (expand(c, &html, c->issue_from, enc_html, &page) < 0 ||
		html_check(issue->file, issue->body_line, page, HTML_PAGE, c->e) < 0 ||
		put_words(c, buf_str) < 0 ||
		expand(c, &text, c->issue_from, buf_str, &c->out->text) < 0)
		return -1;
	buf_init(&out, COMPOSE_MAX);
	rc = compose_place(c, page, &out);
	c->out->html = arena_str(c->a, buf_view(&out));
	buf_free(&out);
	return rc;
}

int compose(struct arena *a, const struct compile_input *in, struct composed *out, struct err *e)
{
	struct composed result = {.remark = NULL};
	struct compose c = {.a = a, .in = in, .out = &result, .e = e};
	struct md_node *document = NULL;

	put_names(&c);
	if (put_title(&c) < 0 || put_words(&c, enc_html) < 0)
		return -1;
	if (in->issue->text_file ? read_page(&c) < 0
				 : read_body(&c, &document) < 0 || put_html(&c, document) < 0 ||
					   put_text(&c, document) < 0)
		return -1;
	compose_lint(&c, document);
	*out = result;
	return 0;
}
