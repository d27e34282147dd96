/* SPDX-License-Identifier: MIT */
#include "html.h"

#include <stdbool.h>
#include <string.h>

enum { DEPTH_MAX = 100 };

struct checking {
	const char *file;
	struct str html;
	size_t at, line;
	enum html_extent extent;
	struct str open[DEPTH_MAX];
	size_t open_line[DEPTH_MAX];
	size_t depth;
	struct err *e;
};

/* Elements that no mail program shows, or that would act. */
static const char *const refused[] = {"script", "iframe", "frame", "frameset", "object", "embed",
	"applet", "video", "audio", "source", "form", "input", "button", "textarea", "select",
	"base", "svg", "math", "template", "dialog", "canvas", "marquee", "plaintext", "xmp",
	"listing", "noembed", "noframes"};
/* Those that only a page has. */
static const char *const of_page[] = {
	"html", "head", "body", "title", "meta", "link", "style", "noscript"};
/* Those without content. */
static const char *const empty[] = {"area", "br", "col", "hr", "img", "link", "meta", "wbr"};

static bool is_in(struct str name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_nocase(name, str_of(names[i])))
			return true;
	return false;
}
#define IS_IN(name, names) is_in(name, names, sizeof(names) / sizeof(names[0]))

static int fail(struct checking *k, const char *what, struct str name)
{
	return err_set(k->e, ERR_INPUT, "%s:%zu: %s '%.*s'", k->file, k->line, what,
		STR_ARG(str_slice(name, 0, utf8_prefix(name, 40))));
}

static struct str rest_of(const struct checking *k)
{
	return str_slice(k->html, k->at, k->html.n);
}

static void skip(struct checking *k, size_t n)
{
	for (; n && k->at < k->html.n; n--)
		k->line += k->html.p[k->at++] == '\n';
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == ':' || c == '_';
}

static struct str take_name(struct checking *k)
{
	struct str rest = rest_of(k);
	size_t n = 0;

	while (n < rest.n && is_name_char(rest.p[n]))
		n++;
	skip(k, n);
	return str_slice(rest, 0, n);
}

static void skip_blanks(struct checking *k)
{
	while (k->at < k->html.n && strchr(" \t\n", k->html.p[k->at]))
		skip(k, 1);
}

/* ---- attributes ---- */

/* An address may start with one of these, or with a mark. */
static int check_address(struct checking *k, struct str value)
{
	static const char *const schemes[] = {
		"https://", "http://", "mailto:", "tel:", "cid:", "#"};

	value = str_trim(value);
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (str_has_prefix_nocase(value, str_of(schemes[i])))
			return 0;
	if (!value.n ||
		str_has_prefix(value, STR("\xee\x80\x80"))) /* a mark has a check of its own */
		return 0;
	return fail(k,
		"an address in a mail starts with https://, http://, mailto: or tel:, unlike",
		value);
}

static int check_attribute(struct checking *k, struct str name, struct str value)
{
	static const char *const addresses[] = {"href", "src", "background", "action", "poster",
		"cite", "longdesc", "formaction", "xlink:href"};

	if (str_has_prefix_nocase(name, STR("on")))
		return fail(k, "a mail cannot act, take out the attribute", name);
	if (str_eq_nocase(name, STR("srcset")) || str_eq_nocase(name, STR("srcdoc")))
		return fail(k, "mail programs know no attribute", name);
	if (str_eq_nocase(name, STR("style")) &&
		(str_search(value, STR("expression(")) < value.n ||
			str_search(value, STR("javascript:")) < value.n))
		return fail(k, "a style cannot act:", value);
	return IS_IN(name, addresses) ? check_address(k, value) : 0;
}

/* The value behind `=`, with quotes; the checks above want to see all of it. */
static int take_value(struct checking *k, struct str *value)
{
	struct str rest = rest_of(k);
	char quote = rest.n ? rest.p[0] : 0;
	size_t n = 0;

	if (quote == '"' || quote == '\'') {
		*value = str_slice(rest, 1, 1 + str_find(str_slice(rest, 1, rest.n), quote));
		if (value->n + 2 > rest.n)
			return fail(k, "this quote is not closed:", rest);
		return 0;
	}
	while (n < rest.n && !strchr(" \t\n>\"'<=`", rest.p[n]))
		n++;
	*value = str_slice(rest, 0, n);
	return n ? 0 : fail(k, "a value is missing before", rest);
}

/* The attributes up to the `>` of a tag. */
static int take_attributes(struct checking *k)
{
	for (;;) {
		struct str name, value = {NULL, 0};
		bool quoted;

		skip_blanks(k);
		if (str_has_prefix(rest_of(k), STR("/>"))) {
			skip(k, 2);
			return 0;
		}
		if (str_has_prefix(rest_of(k), STR(">"))) {
			skip(k, 1);
			return 0;
		}
		name = take_name(k);
		if (!name.n)
			return fail(k, "this is no attribute of a tag:", rest_of(k));
		skip_blanks(k);
		if (str_has_prefix(rest_of(k), STR("="))) {
			skip(k, 1);
			skip_blanks(k);
			if (take_value(k, &value) < 0)
				return -1;
		}
		if (check_attribute(k, name, value) < 0)
			return -1;
		quoted = value.p && k->at < k->html.n && value.p > k->html.p + k->at;
		skip(k, value.n + 2 * (size_t)quoted);
	}
}

/* ---- elements ---- */

static int open_element(struct checking *k)
{
	struct str name;

	skip(k, 1);
	name = take_name(k);
	if (IS_IN(name, refused))
		return fail(k, "a mail cannot have the element", name);
	if (k->extent == HTML_PIECE && IS_IN(name, of_page))
		return fail(k, "only a whole page has the element", name);
	if (!IS_IN(name, empty)) {
		if (k->depth == DEPTH_MAX)
			return fail(k, "elements are nested too deep at", name);
		k->open_line[k->depth] = k->line;
		k->open[k->depth++] = name;
	}
	return take_attributes(k);
}

static int close_element(struct checking *k)
{
	struct str name;

	skip(k, 2);
	name = take_name(k);
	if (!k->depth)
		return fail(k, "nothing before closes with", name);
	if (!str_eq_nocase(k->open[k->depth - 1], name))
		return err_set(k->e, ERR_INPUT,
			"%s:%zu: '</%.*s>' stands where '<%.*s>' of line %zu must be closed first",
			k->file, k->line, STR_ARG(name), STR_ARG(k->open[k->depth - 1]),
			k->open_line[k->depth - 1]);
	k->depth--;
	skip_blanks(k);
	if (!str_has_prefix(rest_of(k), STR(">")))
		return fail(k, "a '>' is missing before", rest_of(k));
	skip(k, 1);
	return 0;
}

/* The text of a style is no HTML. */
static int skip_style(struct checking *k)
{
	struct str rest = rest_of(k);
	size_t n = 0;

	while (n < rest.n && !str_has_prefix_nocase(str_slice(rest, n, rest.n), STR("</style")))
		n++;
	if (n == rest.n)
		return fail(k, "'</style>' is missing behind", rest);
	skip(k, n);
	return 0;
}

static int take_markup(struct checking *k)
{
	struct str rest = rest_of(k);
	size_t comment = str_search(rest, STR("-->"));

	if (str_has_prefix(rest, STR("<!--"))) {
		if (comment == rest.n)
			return fail(k, "this comment is not closed:", rest);
		skip(k, comment + 3);
		return 0;
	}
	if (str_has_prefix_nocase(rest, STR("<!doctype")) && k->extent == HTML_PAGE) {
		skip(k, str_find(rest, '>') + 1);
		return 0;
	}
	if (str_has_prefix(rest, STR("</")))
		return close_element(k);
	if (rest.n < 2 || !is_name_char(rest.p[1]))
		return fail(k, "write '&lt;' for a '<' that is meant as one:", rest);
	if (open_element(k) < 0)
		return -1;
	return k->depth && str_eq_nocase(k->open[k->depth - 1], STR("style")) ? skip_style(k) : 0;
}

int html_check(
	const char *file, size_t line, struct str html, enum html_extent extent, struct err *e)
{
	struct checking k = {.file = file, .html = html, .line = line, .extent = extent, .e = e};

	while (k.at < html.n) {
		struct str rest = rest_of(&k);

		skip(&k, str_find(rest, '<'));
		if (k.at < html.n && take_markup(&k) < 0)
			return -1;
	}
	if (k.depth) {
		k.line = k.open_line[k.depth - 1];
		return fail(&k, "this element is not closed:", k.open[k.depth - 1]);
	}
	return 0;
}
