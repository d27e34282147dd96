/* SPDX-License-Identifier: MIT */
#include "script.h"

#include "base/buf.h"
#include "base/file.h"

#include <fnmatch.h>

enum { RULES_MAX = 1000, SCRIPT_MAX = 1 << 20 };

static const char *const step_names[STEP_COUNT] = {"connect", "helo", "ehlo", "starttls", "tls",
	"auth", "mail", "rcpt", "data", "body", "dot", "after-dot", "rset", "quit"};

static const struct {
	const char *name;
	enum end end;
} ends[] = {
	{"close", END_CLOSE}, {"reset", END_RESET}, {"stall", END_STALL}, {"endless", END_ENDLESS}};

/* "=3", "=2..4", ">=5", "<=2". */
static bool span_parse(struct str s, struct span *out)
{
	int64_t from = 0, to = INT64_MAX;
	bool ok;

	if (str_has_prefix(s, STR(">="))) {
		ok = str_to_int(str_slice(s, 2, s.n), 0, INT64_MAX, &from);
	} else if (str_has_prefix(s, STR("<="))) {
		ok = str_to_int(str_slice(s, 2, s.n), 0, INT64_MAX, &to);
	} else {
		size_t dots = str_search(s, STR(".."));
		struct str low = str_slice(s, 1, dots);
		struct str high = dots < s.n ? str_slice(s, dots + 2, s.n) : low;

		ok = s.n && s.p[0] == '=' && str_to_int(low, 0, INT64_MAX, &from) &&
		     str_to_int(high, from, INT64_MAX, &to);
	}
	*out = (struct span){(uint64_t)from, (uint64_t)to};
	return ok;
}

static bool span_has(struct span s, uint64_t v)
{
	return v >= s.from && v <= s.to;
}

/* "200ms", "2s", "3m". */
static bool duration_parse(struct str s, int64_t *ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct str unit = str_of(units[i].name);
		int64_t v;

		if (str_has_suffix(s, unit) &&
			str_to_int(str_slice(s, 0, s.n - unit.n), 0, 86400000, &v)) {
			*ms = v * units[i].ms;
			return true;
		}
	}
	return false;
}

/* Whether `word` is a condition with a fitting value; it is then in `*r`. */
static bool condition_parse(struct rule *r, struct str word)
{
	struct {
		struct str name;
		struct span *span;
	} spans[] = {{STR("n"), &r->n}, {STR("conn"), &r->conn}, {STR("msg"), &r->msg}};
	struct {
		struct str name;
		uint64_t *value;
	} numbers[] = {{STR("every="), &r->every}, {STR("bytes="), &r->bytes}};
	int64_t v;

	if (str_eq(word, STR("once"))) {
		r->once = true;
		return true;
	}
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		if (str_has_prefix(word, spans[i].name) &&
			span_parse(str_slice(word, spans[i].name.n, word.n), spans[i].span))
			return true;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (str_has_prefix(word, numbers[i].name) &&
			str_to_int(str_slice(word, numbers[i].name.n, word.n), 1, INT64_MAX, &v)) {
			*numbers[i].value = (uint64_t)v;
			return true;
		}
	return false;
}

/* TEXT of "reply TEXT": "\n" in it starts the next line. */
static const char *reply_parse(struct script *s, struct str text)
{
	struct buf b;
	const char *out;

	buf_init(&b, SCRIPT_MAX);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\\' && i + 1 < text.n && text.p[i + 1] == 'n') {
			buf_cstr(&b, "\r\n");
			i++;
		} else {
			buf_char(&b, text.p[i]);
		}
	}
	buf_cstr(&b, "\r\n");
	out = arena_cstr(&s->arena, buf_view(&b));
	buf_free(&b);
	return out;
}

static bool action_parse(struct rule *r, struct str word, struct str *rest)
{
	struct str duration;

	if (str_eq(word, STR("garbage"))) {
		r->garbage = true;
		return true;
	}
	if (str_eq(word, STR("delay")))
		return str_next(rest, ' ', &duration) && duration_parse(duration, &r->delay_ms);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (str_eq(word, str_of(ends[i].name))) {
			r->end = ends[i].end;
			return true;
		}
	return false;
}

static int rule_parse(struct script *s, struct str line, struct rule *r, struct err *e)
{
	static const struct span any = {0, UINT64_MAX};
	struct str rest = line, word;

	*r = (struct rule){.step = STEP_COUNT, .n = any, .conn = any, .msg = any};
	str_next(&rest, ' ', &word);
	for (int i = 0; i < STEP_COUNT; i++)
		if (str_eq(word, str_of(step_names[i])))
			r->step = (enum step)i;
	if (r->step == STEP_COUNT)
		return err_set(
			e, ERR_INPUT, "'%.*s' is no step of SMTP (see --help)", STR_ARG(word));
	while (str_next(&rest, ' ', &word)) {
		if (!word.n)
			continue;
		if (str_eq(word, STR("reply"))) {
			r->reply = reply_parse(s, rest);
			break;
		}
		if (condition_parse(r, word) || action_parse(r, word, &rest))
			continue;
		if (r->address || str_find(word, '=') < word.n)
			return err_set(e, ERR_INPUT,
				"'%.*s' is no condition or action with a proper value (see --help)",
				STR_ARG(word));
		r->address = arena_cstr(&s->arena, word);
	}
	if (!r->reply && !r->garbage && !r->delay_ms && r->end == END_NONE)
		return err_set(e, ERR_INPUT, "the rule '%.*s' has no action", STR_ARG(line));
	return 0;
}

int script_add(struct script *s, struct str line, struct err *e)
{
	struct rule r;

	line = str_trim(line);
	if (!line.n || line.p[0] == '#')
		return 0;
	if (rule_parse(s, line, &r, e) < 0)
		return -1;
	if (!s->rule)
		s->rule = arena_array(&s->arena, RULES_MAX, sizeof(r));
	if (s->rule_n == RULES_MAX)
		return err_set(e, ERR_INPUT, "more than %d rules", RULES_MAX);
	s->rule[s->rule_n++] = r;
	s->has[r.step] = true;
	return 0;
}

int script_read(struct script *s, const char *path, struct err *e)
{
	struct buf text;
	struct str rest, line;
	int number = 0, rc;

	buf_init(&text, SCRIPT_MAX);
	rc = file_read(path, &text, e);
	rest = buf_view(&text);
	while (rc == 0 && str_next(&rest, '\n', &line)) {
		number++;
		if (script_add(s, line, e) < 0)
			rc = err_prefix(e, "%s:%d: ", path, number);
	}
	buf_free(&text);
	return rc;
}

static bool rule_fits(const struct rule *r, const struct moment *m)
{
	if (r->step == STEP_BODY && !(r->bytes >= m->bytes_before && r->bytes < m->bytes_now))
		return false;
	if (!r->address)
		return true;
	for (size_t i = 0; i < m->address_n; i++)
		if (fnmatch(r->address, m->address[i], FNM_CASEFOLD) == 0)
			return true;
	return false;
}

static bool rule_fires(struct rule *r, const struct moment *m)
{
	return span_has(r->n, r->seen) && span_has(r->conn, m->conn) && span_has(r->msg, m->msg) &&
	       !(r->every && r->seen % r->every) && !(r->once && r->fired);
}

const struct rule *script_match(struct script *s, enum step step, const struct moment *m)
{
	const struct rule *found = NULL;

	if (!s->has[step])
		return NULL;
	for (size_t i = 0; i < s->rule_n; i++) {
		struct rule *r = &s->rule[i];

		if (r->step != step || !rule_fits(r, m))
			continue;
		r->seen++;
		if (!found && rule_fires(r, m)) {
			r->fired++;
			found = r;
		}
	}
	return found;
}

void script_free(struct script *s)
{
	arena_free(&s->arena);
}
