/* SPDX-License-Identifier: MIT */
#include "base/embed.h"
#include "mail/compile.h"
#include "mail/render.h"

#include "../../src/mail/html.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct str template(const char *name)
{
	return embedded_get(embedded_templates, name);
}

/* Every mark must lead to a slot, and conditions must match, from start to end. */
static void check_marks(const struct composed *c, struct str s)
{
	enum liquid_context context;
	struct str before;
	int index, depth = 0;

	while ((index = liquid_next_mark(&s, &before, &context)) >= 0) {
		const struct liquid_slot *slot;

		if ((size_t)index >= c->slots.n)
			abort();
		slot = &c->slots.slot[index];
		if ((slot->op == LIQUID_VALUE) != (context != LIQUID_CONTROL))
			abort();
		if ((slot->op == LIQUID_VALUE || slot->op == LIQUID_IF ||
			    slot->op == LIQUID_ELSIF) &&
			(slot->var < 0 || (size_t)slot->var >= c->slots.vars_n))
			abort();
		depth += slot->op == LIQUID_IF;
		if (slot->op != LIQUID_VALUE && depth == 0)
			abort();
		depth -= slot->op == LIQUID_ENDIF;
	}
	if (depth)
		abort();
}

/* The lines of a whole message: printable ASCII, short, none a dot alone; the fields and nothing else before
 * the body. */
static void check_wire(struct str wire)
{
	bool body = false;

	while (wire.n) {
		size_t n = str_search(wire, STR("\r\n"));
		struct str line = str_slice(wire, 0, n);

		if (n == wire.n || n > 998 || (n && line.p[0] == '.'))
			abort();
		for (size_t i = 0; i < n; i++)
			if ((line.p[i] < ' ' && line.p[i] != '\t') || line.p[i] > '~')
				abort();
		body = body || !n;
		if (!body && str_has_prefix(line, STR("X-Evil")))
			abort();
		wire = str_slice(wire, n + 2, wire.n);
	}
	if (!body)
		abort();
}

/* A copy for a reader all of whose values are hostile: they stay in their places. */
static void check_copy(struct arena *a, const struct program *p)
{
	static const char evil[] = "\"'><script>x</script><b \r\nX-Evil: 1\r\n.\r\n\xff {{ x }}&";
	struct str *value = arena_array(a, p->var_n, sizeof(*value));
	struct render_copy copy = {.to = STR("ann@reader.example"),
		.message_id = STR("<1@press.example.org>"),
		.value = value};
	struct buf out;

	for (size_t i = 0; i < p->var_n; i++)
		value[i] = str_has_suffix(p->var[i], STR("_url"))
				   ? STR("https://press.example.org/u/abc")
				   : STR(evil);
	buf_init(&out, 1 << 24);
	if (render(p, &copy, &out, NULL) == 0)
		check_wire(buf_view(&out));
	buf_reset(&out);
	if (render_part(p, &copy, "text/html", &out, NULL) == 0 &&
		(str_search(buf_view(&out), STR("<script")) < out.n ||
			html_check("x", 1, buf_view(&out), HTML_PAGE, NULL) < 0))
		abort();
	buf_free(&out);
}

/* The whole way from an issue's text to a copy, with the theme "sheet". */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const fields[] = {"plan", "city"};
	static const struct compile_sender sender = {
		.name = {"The Daily Press", 15},
		.url = {"https://press.example.org", 25},
		.lang = {"en", 2},
		.accent_label = {"In brief", 8},
		.callout_label = {"Why it matters|Bottom line", 26},
		.list_slug = {"daily", 5},
		.list_name = {"Daily", 5},
		.list_id = {"daily.press.example.org", 23},
		.from_email = {"daily@press.example.org", 23},
		.sender_id = {"press", 5},
	};
	static const struct compile_word word[] = {
#define WORD(key) {.name = "t.issue_" key, .text = {"a <word>", 8}, .file = "en.conf"}
		WORD("online"), WORD("reason"), WORD("leave"), WORD("preferences"), WORD("browser"),
		WORD("join"), WORD("sponsor"), WORD("image"), WORD("video")};
	struct theme_files files = {"sheet", template("sheet/theme.conf"),
		template("sheet/layout.html"), template("sheet/blocks.html"),
		template("sheet/layout.txt")};
	struct theme theme;
	struct issue_source issue;
	struct compile_input in = {.issue = &issue,
		.theme = &theme,
		.sender = &sender,
		.word = word,
		.word_n = sizeof(word) / sizeof(word[0]),
		.clicks = n % 2,
		.fields = fields,
		.fields_n = 2};
	struct composed out;
	struct program program;
	struct arena a = {0};

	if (theme_parse(&a, &files, &theme, NULL) < 0)
		abort();
	if (issue_parse(&a, "x", (struct str){(const char *)data, n}, &issue, NULL) == 0 &&
		compose(&a, &in, &out, NULL) == 0) {
		check_marks(&out, out.subject);
		check_marks(&out, out.html);
		check_marks(&out, out.text);
		if (html_check("x", 1, out.html, HTML_PAGE, NULL) < 0)
			abort();
		if (utf8_invalid_at(out.html) < out.html.n ||
			utf8_invalid_at(out.text) < out.text.n)
			abort();
		if (assemble(&a, &in, &out, &program, NULL) == 0)
			check_copy(&a, &program);
	}
	arena_free(&a);
	return 0;
}
