/* SPDX-License-Identifier: MIT */
#include "compose.h"

#include "base/enc.h"
#include "compose_tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	SUBJECT_LONG = 70,
	PREHEADER_SHORT = 40,
	PREHEADER_LONG = 130,
	HTML_LARGE = 90000, /* Gmail clips at 102,400 octets */
	LINKS_MANY = 60,
	WORDS_FEW = 200, /* octets of words beside images that look like an advertisement */
	TYPE_SMALL = 12,
};

/* What one walk over the tree finds. */
struct lint {
	struct compose *c;
	const struct md_node **link;
	size_t links, links_cap;
	size_t images, words;
	int heading; /* level of the last one */
	size_t sections;
};

static size_t length(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

static bool holds(struct str s, const char *what)
{
	return str_search(s, str_of(what)) < s.n;
}

static struct str words_of(struct compose *c, const struct md_node *n)
{
	struct buf words;
	struct str text;

	buf_init(&words, COMPOSE_MAX);
	compose_words(n, false, &words);
	text = arena_str(c->a, str_trim(buf_view(&words)));
	buf_free(&words);
	return text;
}

/* ---- subject and preheader ---- */

static bool all_capitals(struct str s)
{
	size_t capitals = 0;

	for (size_t i = 0; i < s.n; i++) {
		if ((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] & 0x80))
			return false;
		capitals += s.p[i] >= 'A' && s.p[i] <= 'Z';
	}
	return capitals > 5;
}

static void lint_subject(struct compose *c, struct str s, size_t line)
{
	if (length(s) > SUBJECT_LONG)
		compose_warn(c, line, "long-subject",
			"many mail programs cut a subject after 70 characters, shorten it");
	if (all_capitals(s))
		compose_warn(c, line, "subject-capitals",
			"spam filters dislike a subject in capitals, write it in small letters");
	if (holds(s, "!!") || holds(s, "!?") || holds(s, "?!"))
		compose_warn(c, line, "subject-marks",
			"spam filters dislike '!!' and '!?' in a subject, one mark is enough");
	if (str_has_prefix(s, STR("$")) || holds(s, "$") || holds(s, "€") || holds(s, "£"))
		compose_warn(c, line, "subject-currency",
			"spam filters count a currency sign in a subject, write the currency's "
			"name");
	if (str_has_prefix_nocase(s, STR("re:")) || str_has_prefix_nocase(s, STR("fwd:")) ||
		str_has_prefix_nocase(s, STR("fw:")))
		compose_warn(c, line, "subject-reply",
			"a subject that pretends to be an answer deceives, take 'RE:' or 'FWD:' "
			"away");
}

static void lint_title(struct compose *c)
{
	const struct issue_source *issue = c->in->issue;
	struct str subject = compose_unmarked(c->a, c->out->subject);
	size_t n = length(issue->preheader);

	lint_subject(c, subject, issue->subject_line);
	if (!n)
		compose_warn(c, 1, "no-preheader",
			"add 'preheader: …', the line that inboxes show behind the subject");
	else if (str_eq(issue->preheader, issue->subject))
		compose_warn(c, issue->preheader_line, "preheader-repeats",
			"the preheader repeats the subject, let it say something more");
	else if (n < PREHEADER_SHORT)
		compose_warn(c, issue->preheader_line, "short-preheader",
			"inboxes have room for 40 to 130 characters here, say more");
	else if (n > PREHEADER_LONG)
		compose_warn(c, issue->preheader_line, "long-preheader",
			"inboxes show 130 characters of the preheader at most, shorten it");
}

/* ---- links ---- */

static struct str host_of(struct str href)
{
	size_t at = str_search(href, STR("://"));
	size_t n = 0;

	href = at < href.n ? str_slice(href, at + 3, href.n) : STR("");
	while (n < href.n && !strchr("/?#:", href.p[n]))
		n++;
	return str_slice(href, 0, n);
}

/* Whether `host` is `domain` or below it. */
static bool is_below(struct str host, const char *domain)
{
	struct str d = str_of(domain);

	return str_eq_nocase(host, d) ||
	       (host.n > d.n && host.p[host.n - d.n - 1] == '.' &&
		       str_eq_nocase(str_slice(host, host.n - d.n, host.n), d));
}

static bool is_in(struct str host, const char *const *domains, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_below(host, domains[i]))
			return true;
	return false;
}

static bool is_number(struct str host)
{
	for (size_t i = 0; i < host.n; i++)
		if (!strchr("0123456789.", host.p[i]))
			return host.p[0] == '[';
	return host.n > 0;
}

static void lint_host(struct lint *l, size_t line, struct str host)
{
	static const char *const nowhere[] = {"localhost", "test", "invalid", "local", "internal",
		"example", "example.com", "example.net", "example.org"};
	static const char *const shorteners[] = {"bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly",
		"is.gd", "buff.ly", "rebrand.ly", "lnkd.in", "cutt.ly", "rb.gy", "shorturl.at"};
	const struct compile_sender *sender = l->c->in->sender;

	if (str_eq_nocase(host, host_of(sender->url)))
		return;
	if (is_in(host, nowhere, sizeof(nowhere) / sizeof(nowhere[0])) ||
		str_has_prefix_nocase(host, STR("staging.")))
		compose_warn(l->c, line, "unreachable-host",
			"readers cannot reach this host, give the address of the public one");
	if (is_number(host))
		compose_warn(l->c, line, "numeric-host",
			"spam filters distrust a number for a host, give its name");
	if (is_in(host, shorteners, sizeof(shorteners) / sizeof(shorteners[0])))
		compose_warn(l->c, line, "shortened-link",
			"spam filters distrust shortened links, give the address itself");
}

/* The host in words that look like an address; empty where they do not. */
static struct str shown_host(struct str words)
{
	if (holds(words, " "))
		return STR("");
	if (str_has_prefix_nocase(words, STR("http://")) ||
		str_has_prefix_nocase(words, STR("https://")))
		return host_of(words);
	return str_has_prefix_nocase(words, STR("www.")) ? str_slice(words, 0, str_find(words, '/'))
							 : STR("");
}

static void lint_link(struct lint *l, const struct md_node *n)
{
	static const char *const vague[] = {"click here", "here", "this link", "link", "click"};
	struct str words = words_of(l->c, n), host = host_of(n->href), shown = shown_host(words);

	for (size_t i = 0; i < sizeof(vague) / sizeof(vague[0]); i++)
		if (str_eq_nocase(words, str_of(vague[i])))
			compose_warn(l->c, n->line, "vague-link",
				"say where this link leads: some readers hear the links alone");
	if (shown.n && host.n && !is_below(shown, arena_cstr(l->c->a, host)) &&
		!is_below(host, arena_cstr(l->c->a, shown)))
		compose_warn(l->c, n->line, "deceiving-link",
			"the words show another host than the link leads to, which filters take "
			"for "
			"phishing");
	if (!words.n && !n->first)
		compose_warn(l->c, n->line, "empty-link",
			"this link has no words, write some in its square brackets");
	if (host.n)
		lint_host(l, n->line, host);
	for (size_t i = 0; i < l->links; i++)
		if (words.n && str_eq(l->link[i]->href, n->href) &&
			str_eq(words_of(l->c, l->link[i]), words)) {
			compose_warn(l->c, n->line, "repeated-link",
				"the same words lead to the same place already, one of the links "
				"is "
				"enough");
			break;
		}
	if (l->links < l->links_cap)
		l->link[l->links++] = n;
}

/* ---- the tree ---- */

static void lint_image(struct lint *l, const struct md_node *n)
{
	struct str path = str_slice(n->href, 0, str_find(n->href, '?'));

	l->images++;
	if (str_has_suffix(path, STR(".webp")) || str_has_suffix(path, STR(".avif")))
		compose_warn(l->c, n->line, "image-format",
			"some mail programs show neither WebP nor AVIF, give PNG, JPEG or GIF");
	if (str_has_suffix(path, STR(".svg")))
		compose_error(l->c, n->line, "image-format",
			"mail programs do not show SVG, give PNG, JPEG or GIF");
}

static void lint_heading(struct lint *l, const struct md_node *n)
{
	if (n->level > 2 && n->level > (l->heading ? l->heading : 2) + 1)
		compose_warn(l->c, n->line, "heading-level",
			"this heading skips a level, use '###' below '##'");
	l->heading = n->level;
	l->sections += n->level <= 2 && !n->unlisted;
}

static void lint_text(struct lint *l, const struct md_node *n)
{
	static const char *const left_over[] = {
		"TODO", "FIXME", "XXX", "lorem ipsum", "Lorem ipsum"};
	struct str text = compose_unmarked(l->c->a, n->text);

	l->words += text.n;
	for (size_t i = 0; i < sizeof(left_over) / sizeof(left_over[0]); i++)
		if (holds(text, left_over[i])) {
			compose_warn(l->c, n->line, "left-over",
				"this looks like something that was still to be written");
			break;
		}
}

/* Other systems' merge tags, looked for in the source: Markdown takes their asterisks for emphasis. */
static void lint_source(struct compose *c)
{
	struct str rest = c->in->issue->body, line;

	for (size_t n = c->in->issue->body_line; str_next(&rest, '\n', &line); n++)
		if (holds(line, "*|") || holds(line, "|*") || holds(line, "%%"))
			compose_warn(c, n, "foreign-tag",
				"this looks like another system's merge tag: here it is "
				"{{ subscriber.first_name }}");
}

static void lint_tree(struct lint *l, const struct md_node *n)
{
	if (n->kind == MD_TEXT)
		lint_text(l, n);
	else if (n->kind == MD_HEADING)
		lint_heading(l, n);
	else if (n->kind == MD_IMAGE)
		lint_image(l, n);
	else if (n->kind == MD_LINK)
		lint_link(l, n);
	for (const struct md_node *child = n->first; child; child = child->next)
		lint_tree(l, child);
}

/* Contents written by hand may leave one section out, such as the odds and ends at the end. */
static void lint_contents(struct lint *l, const struct md_node *n)
{
	size_t entries = 0;

	for (const struct md_node *list = tree_is_box(n, "toc") ? n->first : NULL; list;
		list = list->next)
		for (const struct md_node *item = list->first; item; item = item->next)
			entries += item->kind == MD_ITEM;
	if (entries && (entries > l->sections || entries + 1 < l->sections))
		compose_warn(l->c, n->line, "contents-differ",
			"the contents have not as many entries as there are '##' sections, see "
			"which "
			"is missing");
	for (const struct md_node *child = n->first; child; child = child->next)
		lint_contents(l, child);
}

/* ---- the result ---- */

/* Whether the value of `name` stands somewhere in `part`. */
static bool has_slot(const struct compose *c, struct str part, const char *name)
{
	const struct liquid_slots *slots = &c->out->slots;
	enum liquid_context context;
	struct str before;
	int index;

	while ((index = liquid_next_mark(&part, &before, &context)) >= 0)
		if (slots->slot[index].op == LIQUID_VALUE &&
			str_eq(slots->vars[slots->slot[index].var], str_of(name)))
			return true;
	return false;
}

/* Values without a default, outside a condition that asks for them. */
static void find_bare(struct compose *c, struct str part)
{
	enum { GUARDS_MAX = 32 };
	const struct liquid_slots *slots = &c->out->slots;
	struct composed *out = c->out;
	enum liquid_context context;
	struct str before;
	int index, guard[GUARDS_MAX], depth = 0;

	while ((index = liquid_next_mark(&part, &before, &context)) >= 0) {
		const struct liquid_slot *slot = &slots->slot[index];
		bool known = slot->op != LIQUID_VALUE || slot->text.n ||
			     !str_has_prefix(slots->vars[slot->var], STR("subscriber.")) ||
			     str_eq(slots->vars[slot->var], STR("subscriber.email"));

		if (slot->op == LIQUID_IF && depth < GUARDS_MAX)
			guard[depth++] = slot->negate ? -1 : slot->var;
		else if (slot->op == LIQUID_ENDIF && depth)
			depth--;
		else if (slot->op == LIQUID_ELSIF || slot->op == LIQUID_ELSE)
			guard[depth - 1] = slot->op == LIQUID_ELSIF ? slot->var : -1;
		for (int i = 0; i < depth && !known; i++)
			known = guard[i] == slot->var;
		for (size_t i = 0; i < out->bare_n && !known; i++)
			known = str_eq(out->bare[i], slots->vars[slot->var]);
		if (!known)
			out->bare[out->bare_n++] = slots->vars[slot->var];
	}
}

static void lint_law(struct compose *c)
{
	struct str address = c->in->sender->address;
	struct buf escaped;

	buf_init(&escaped, COMPOSE_MAX);
	enc_html(&escaped, address);
	if (!has_slot(c, c->out->html, "unsubscribe_url"))
		compose_error(c, 1, "no-unsubscribe",
			"the HTML has no link to {{ unsubscribe_url }}, put one into it");
	if (!has_slot(c, c->out->text, "unsubscribe_url"))
		compose_error(c, 1, "no-unsubscribe",
			"the text part has no {{ unsubscribe_url }}, put one into it");
	if (str_search(c->out->html, buf_view(&escaped)) == c->out->html.n ||
		str_search(c->out->text, address) == c->out->text.n)
		compose_error(c, 1, "no-postal-address",
			"both parts must show {{ publication.address }}, as the law wants");
	buf_free(&escaped);
}

static void lint_size(struct compose *c)
{
	struct str rest = c->out->html, name = STR("font-size:");

	if (rest.n > HTML_LARGE)
		compose_warn(c, 1, "large-html",
			"Gmail cuts a message at 102,400 octets of HTML, and this one is near it");
	for (;;) {
		size_t at = str_search(rest, name), n = 0;
		int64_t size;

		if (at == rest.n)
			return;
		rest = str_slice(rest, at + name.n, rest.n);
		while (n < rest.n && rest.p[n] >= '0' && rest.p[n] <= '9')
			n++;
		if (str_to_int(str_slice(rest, 0, n), 0, 1000, &size) && size < TYPE_SMALL &&
			str_has_prefix(str_slice(rest, n, rest.n), STR("px"))) {
			compose_warn(c, 1, "small-type",
				"there is type smaller than 12 px, which is hard to read, and "
				"filters "
				"distrust it");
			return;
		}
	}
}

/* ---- colours ---- */

/* Relative luminance of "#rrggbb" (WCAG 2.2), or -1. */
static double luminance(struct str s)
{
	static const double weight[3] = {0.2126, 0.7152, 0.0722};
	double sum = 0;

	if (s.n != 7 || s.p[0] != '#')
		return -1;
	for (size_t i = 0; i < 3; i++) {
		char digits[3] = {s.p[1 + 2 * i], s.p[2 + 2 * i], 0}, *end;
		double v = (double)strtol(digits, &end, 16) / 255;

		if (*end)
			return -1;
		sum += weight[i] * (v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
	}
	return sum;
}

static void lint_colours(struct compose *c)
{
	static const char *const pairs[][2] = {
		{"ink", "bg"},
		{"ink", "tint"},
		{"head", "bg"},
		{"muted", "bg"},
		{"accent", "bg"},
		{"accent", "tint"},
		{"button_ink", "button"},
		{"dark_ink", "dark_bg"},
		{"dark_ink", "dark_tint"},
		{"dark_head", "dark_bg"},
		{"dark_muted", "dark_bg"},
		{"dark_accent", "dark_bg"},
		{"dark_accent", "dark_tint"},
		{"button_ink", "dark_button"},
	};
	const struct theme *theme = c->in->theme;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		double a = luminance(theme_token(theme, pairs[i][0]));
		double b = luminance(theme_token(theme, pairs[i][1]));
		double ratio = ((a > b ? a : b) + 0.05) / ((a > b ? b : a) + 0.05);
		size_t line = 1;

		if (a < 0 || b < 0 || ratio >= 4.45)
			continue;
		for (size_t t = 0; t < theme->token_n; t++)
			if (str_eq(theme->token[t].name, str_of(pairs[i][0])))
				line = theme->token[t].line;
		compose_remark(c, (struct compile_remark){
					  .file = arena_printf(c->a, "%s/theme.conf", theme->name),
					  .line = line,
					  .rule = "contrast",
					  .message = arena_printf(c->a,
						  "%s on %s has a contrast of %.1f, it takes 4.5 "
						  "to read well",
						  pairs[i][0], pairs[i][1], ratio)});
	}
}

void compose_lint(struct compose *c, const struct md_node *document)
{
	struct lint l = {.c = c, .links_cap = 1000};

	l.link = arena_array(c->a, l.links_cap, sizeof(struct md_node *));
	lint_title(c);
	if (document) {
		lint_tree(&l, document);
		lint_contents(&l, document);
	}
	lint_source(c);
	if (l.links > LINKS_MANY)
		compose_warn(c, 1, "many-links", "filters distrust a mail of more than 60 links");
	if (l.images && l.words < WORDS_FEW)
		compose_warn(c, 1, "image-only",
			"filters distrust images with few words: say what matters in words, too");
	c->out->bare = arena_array(c->a, c->out->slots.vars_n + 1, sizeof(*c->out->bare));
	find_bare(c, c->out->subject);
	find_bare(c, c->out->html);
	find_bare(c, c->out->text);
	lint_law(c);
	lint_size(c);
	if (document)
		lint_colours(c);
}
