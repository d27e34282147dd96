/* SPDX-License-Identifier: MIT */
#ifndef MAIL_LIQUID_H
#define MAIL_LIQUID_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

/*
 * The template language, a strict subset of Liquid:
 *
 *   {{ name [| default: "text"] }}
 *   {% if name [== "text" | != "text" | contains "text"] %} {% elsif … %} {% else %} {% endif %}
 *   {% unless … %} … {% endunless %}
 *   {% raw %} … {% endraw %}
 *
 * No loops, assignments, includes or arithmetic; depth at most 4; values are data and never parsed
 * again. The same language serves twice: names whose value is known at compile time (theme.*,
 * issue.*, publication.*, block.*) are resolved there, names that differ by recipient
 * (subscriber.*, unsubscribe_url, …) become slots.
 *
 * A slot travels through Markdown and templates as a mark: U+E000, a letter for the context, the decimal
 * index of a slot, U+E001. Sources that hold private-use characters are refused, so a mark is always
 * ours. liquid_expand() writes the marks of values with the context LIQUID_TEXT; whoever knows where
 * such a mark ends up (compose) writes it again with the one that is right there.
 */
enum liquid_op { LIQUID_VALUE, LIQUID_IF, LIQUID_ELSIF, LIQUID_ELSE, LIQUID_ENDIF };
enum liquid_test { LIQUID_PRESENT, LIQUID_EQUAL, LIQUID_NOT_EQUAL, LIQUID_CONTAINS };

struct liquid_slot {
	enum liquid_op op;
	enum liquid_test test; /* of IF and ELSIF */
	bool negate; /* `unless` */
	int var; /* index in liquid_slots.vars; -1 for ELSE and ENDIF */
	struct str text; /* the default of VALUE, or the text compared with */
	size_t line; /* where it stands, for messages */
	const char *file;
};

/* How the value is to be written where the mark stands: in HTML text or an attribute; inside a URL in
 * HTML, where a name that ends in `_url` is a whole URL and any other one component of it; in plain
 * text. The marks of IF, ELSIF, ELSE and ENDIF write nothing. */
enum liquid_context {
	LIQUID_HTML = 'h',
	LIQUID_URL = 'u',
	LIQUID_TEXT = 't',
	LIQUID_CONTROL = 'c',
};

/* All slots of one issue, in the order of their indexes, and the names they use, each once. */
struct liquid_slots {
	struct liquid_slot *slot;
	size_t n, cap;
	struct str *vars;
	size_t vars_n, vars_cap;
};

/* A name known at compile time and its value. */
struct liquid_name {
	const char *name;
	struct str value;
	bool raw; /* goes in as it is, not through `escape`: finished HTML, theme tokens */
};

/* What names there are. */
struct liquid_scope {
	const struct liquid_name *known; /* resolved now */
	size_t known_n;
	const char *const *recipient; /* become slots: complete names */
	size_t recipient_n;
	const char *const *fields; /* become slots as subscriber.NAME */
	size_t fields_n;
};

/* A text to expand and where it begins. */
struct liquid_source {
	const char *file;
	size_t line;
	struct str text;
	bool keep_lines; /* the result has line N where the source has it; otherwise a line that holds
	                    nothing but a control tag leaves no line behind */
};

/* Expand `in` into `out`: known names by their values through `escape` (enc_html, buf_str, …), recipient
 * names by marks, whose slots are added to `slots` (memory from `a`). ERR_INPUT, starting "FILE:LINE: ",
 * for an unknown name (with the nearest known one), filter or tag, for a tag that does not end on its
 * line, for tags that do not match and for depth over 4. */
int liquid_expand(struct arena *a, const struct liquid_source *in, const struct liquid_scope *scope,
	void (*escape)(struct buf *, struct str), struct liquid_slots *slots, struct buf *out,
	struct err *e);

/* Find the next mark in `*rest`: `*before` is the text in front of it, `*rest` moves behind it.
 * Returns the slot's index with its context, or -1 when no mark is left (`*before` is then all of
 * it). */
int liquid_next_mark(struct str *rest, struct str *before, enum liquid_context *context);

/* Append the mark for slot `index` in `context`. */
void liquid_mark(struct buf *out, enum liquid_context context, int index);

#endif
