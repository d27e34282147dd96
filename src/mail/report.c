/* SPDX-License-Identifier: MIT */
#include "mail/report.h"

#include "inbound_text.h"
#include "mail/addr.h"
#include "report_parts.h"

#include <string.h>

enum { MAILBOXES_MAX = 32 }; /* of one message */

/* ---- what the readers share ---- */

struct str report_address(struct str text, size_t n)
{
	static const char ends[] = " \t\n<>()[]{}\",;:'";

	for (size_t i = 0; i < text.n; i++) {
		size_t from = i;
		struct str piece;

		while (i < text.n && text.p[i] && !strchr(ends, text.p[i]))
			i++;
		piece = str_slice(text, from, i);
		if (lines_is_address(piece) && n-- == 0)
			return piece;
	}
	return (struct str){0};
}

struct str report_field(struct arena *a, struct str header, const char *name)
{
	struct str field, value;

	while (header.n && header.p[0] == '\n')
		header = str_slice(header, 1, header.n);
	while (inbound_next_field(a, &header, &field, &value))
		if (str_eq_nocase(field, str_of(name)))
			return value;
	return (struct str){0};
}

bool report_is_address(struct str s)
{
	size_t quoted = addr_quoted(s);
	size_t at = quoted ? quoted : str_find(s, '@');

	if (at == 0 || at + 1 >= s.n || s.p[at] != '@' || s.n > 320)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ||
			(i >= quoted && strchr(" <>()[]\",;", s.p[i])))
			return false;
	return true;
}

struct report_recipient *report_add(struct reading *r, struct str address)
{
	struct report *out = r->out;
	size_t at = address.n - addr_domain(address).n;
	char *p;

	if (!report_is_address(address))
		return NULL;
	for (size_t i = 0; i < out->recipient_n; i++)
		if (str_eq_nocase(out->recipient[i].address, address))
			return &out->recipient[i];
	if (out->recipient_n == REPORT_RECIPIENTS_MAX)
		return NULL;
	/* Room for one more, doubled when it is used up. */
	if (!(out->recipient_n & (out->recipient_n - 1))) {
		struct report_recipient *more = arena_array(
			r->a, out->recipient_n ? 2 * out->recipient_n : 1, sizeof *more);

		if (out->recipient_n)
			memcpy(more, out->recipient, out->recipient_n * sizeof *more);
		out->recipient = more;
	}
	p = arena_cstr(r->a, address);
	for (size_t i = at; i < address.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + ('a' - 'A'));
	out->recipient[out->recipient_n] =
		(struct report_recipient){.address = {p, address.n}, .finding = FINDING_NONE};
	return &out->recipient[out->recipient_n++];
}

static bool is_daemon(struct str address)
{
	static const char *const locals[] = {"mailer-daemon", "postmaster", "mail-daemon",
		"maildaemon", "mailerdaemon", "mail.delivery.system", "mail-delivery-system",
		"postoffice", "mdaemon", "mailadmin", "mailservice"};
	struct str local = str_slice(address, 0, str_find(address, '@'));

	for (size_t i = 0; i < sizeof locals / sizeof locals[0]; i++)
		if (str_eq_nocase(local, str_of(locals[i])))
			return true;
	return false;
}

bool report_is_own(const struct reading *r, struct str address)
{
	static const char *const fields[] = {"to", "from"};

	if (is_daemon(address) || r->allow_own)
		return is_daemon(address);
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		struct str value = inbound_field(r->in, fields[i]), one;

		for (size_t k = 0; (one = report_address(value, k)).n; k++)
			if (str_eq_nocase(one, address))
				return true;
	}
	return false;
}

/* ---- the message ---- */

static void find_text(struct reading *r)
{
	const struct inbound *in = r->in;
	size_t n = 0, k = 0;
	char *p;

	for (size_t i = 0; i < in->part_n; i++)
		if (in->part[i].what == INBOUND_TEXT)
			n += in->part[i].text.n + 1;
	p = arena_alloc(r->a, n + 1);
	for (size_t i = 0; i < in->part_n; i++) {
		struct str s = in->part[i].text;

		if (in->part[i].what != INBOUND_TEXT || !s.n)
			continue;
		memcpy(p + k, s.p, s.n);
		k += s.n;
		p[k++] = '\n';
	}
	r->text = (struct str){p, k};
	lines_read(r->a, r->text, &r->lines);
}

/* The returned message's header, and the recipient it names if it names one. */
static void find_copy(struct reading *r)
{
	static const char *const names[] = {"to", "x-original-to", "delivered-to", "envelope-to"};
	struct str id;

	r->copy = r->lines.copy;
	for (size_t i = 0; i < r->in->part_n; i++)
		if (r->in->part[i].what == INBOUND_RETURNED) {
			r->copy = r->in->part[i].text;
			break;
		}
	for (size_t i = 0; i < sizeof names / sizeof names[0] && !r->to.n; i++) {
		struct str value = report_field(r->a, r->copy, names[i]);

		if (!report_address(value, 1).n)
			r->to = report_address(value, 0);
	}
	id = report_field(r->a, r->copy, "message-id");
	if (str_find(id, '<') < id.n)
		id = str_slice(id, str_find(id, '<') + 1, str_find(id, '>'));
	r->out->message_id = id;
}

static void find_sender(struct reading *r)
{
	struct str from = inbound_field(r->in, "from");
	struct str path = inbound_field(r->in, "return-path");
	struct str address = report_address(from, 0);

	r->null_sender = str_eq(path, STR("<>"));
	r->daemon = is_daemon(address) || is_daemon(report_address(path, 0)) ||
		    lines_say(from) & SAYS_DAEMON || (str_search(from, STR("<>")) < from.n);
	r->subject = inbound_field(r->in, "subject");
	r->subject_says = lines_say(r->subject);
}

/* Add the local parts of the addresses in `value`, each once. */
static void add_mailboxes(struct str *local, size_t *n, struct str value)
{
	struct str one;

	for (size_t k = 0; *n < MAILBOXES_MAX && (one = report_address(value, k)).n; k++) {
		size_t i = 0;

		one = str_slice(one, 0, str_find(one, '@'));
		while (i < *n && !str_eq(local[i], one))
			i++;
		if (i == *n)
			local[(*n)++] = one;
	}
}

static void find_mailboxes(struct reading *r)
{
	static const char *const names[] = {"delivered-to", "x-original-to", "envelope-to",
		"x-envelope-to", "to", "apparently-to", "cc"};
	struct str *local = arena_array(r->a, MAILBOXES_MAX, sizeof *local);
	size_t n = 0;

	add_mailboxes(local, &n, report_field(r->a, r->copy, "return-path"));
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		for (size_t k = 0; k < r->in->field_n; k++)
			if (str_eq_nocase(r->in->field[k].name, str_of(names[i])))
				add_mailboxes(local, &n, r->in->field[k].value);
	r->out->mailbox = local;
	r->out->mailbox_n = n;
}

/* A report found within the one of `outer`: it came to both their mailboxes. */
static struct report within(struct arena *a, const struct report *outer, struct report inner)
{
	size_t n = inner.mailbox_n + outer->mailbox_n;
	struct str *local = arena_array(a, n + 1, sizeof *local);

	for (size_t i = 0; i < n; i++)
		local[i] = i < inner.mailbox_n ? inner.mailbox[i]
					       : outer->mailbox[i - inner.mailbox_n];
	inner.mailbox = local;
	inner.mailbox_n = n;
	return inner;
}

/* ---- automatic replies ---- */

static bool is_automatic(const struct reading *r)
{
	static const char *const fields[] = {"x-autoreply", "x-autorespond", "x-autogenerated",
		"x-ms-exchange-inbox-rules-loop"};
	struct str submitted = inbound_field(r->in, "auto-submitted");
	struct str precedence = inbound_field(r->in, "precedence");

	if (submitted.n && !str_has_prefix_nocase(submitted, STR("no")))
		return true;
	if (str_has_prefix_nocase(precedence, STR("auto")) || r->subject_says & SAYS_AWAY)
		return true;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (inbound_field(r->in, fields[i]).n)
			return true;
	return false;
}

/* A person's absence: such a reply comes from the person, and nothing failed. */
static bool report_away(struct reading *r)
{
	if ((r->daemon && !(r->subject_says & SAYS_AWAY)) || !is_automatic(r) ||
		(!(r->subject_says & SAYS_AWAY) &&
			r->subject_says & (SAYS_NAMES | SAYS_NAME | SAYS_FINAL | SAYS_LATER)))
		return false;
	r->out->kind = REPORT_AUTO_REPLY;
	r->out->rule = "automatic-reply";
	return true;
}

/* Asks the sender to prove something; some of them look like delivery reports. */
static bool report_challenge(struct reading *r)
{
	if (r->daemon || !((r->lines.says | r->subject_says) & SAYS_CHALLENGE))
		return false;
	r->out->kind = REPORT_AUTO_REPLY;
	r->out->rule = "challenge";
	return true;
}

/* ---- the order of the tests ---- */

static bool read_level(struct arena *a, const struct inbound *in, struct report *out);

/* A report handed on within another one, whose words only announce it. */
static bool report_inner(struct reading *r)
{
	struct report inner = {0};

	for (size_t i = 0; i < r->in->part_n; i++) {
		const struct inbound *message = r->in->part[i].message;

		for (size_t k = 0; message && k < message->part_n; k++)
			if (message->part[k].what == INBOUND_STATUS &&
				read_level(r->a, message, &inner) && inner.recipient_n) {
				*r->out = within(r->a, r->out, inner);
				return true;
			}
	}
	return false;
}

static bool read_level(struct arena *a, const struct inbound *in, struct report *out)
{
	static bool (*const kinds[])(struct reading *) = {report_feedback, report_challenge,
		report_status, report_json, report_away, report_inner, report_words};
	struct reading r = {.a = a, .in = in, .out = out};
	bool found = false;

	find_text(&r);
	find_copy(&r);
	find_sender(&r);
	find_mailboxes(&r);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !found; i++)
		found = kinds[i](&r);
	if (!found && is_automatic(&r)) {
		out->kind = REPORT_AUTO_REPLY;
		out->rule = "automatic-reply";
		found = true;
	}
	return found;
}

/* What was forwarded as an attachment is looked into where the letter around it is no report. */
static bool read_nested(struct arena *a, const struct inbound *in, struct report *out)
{
	struct report inner = {0};

	for (size_t i = 0; i < in->part_n; i++) {
		const struct inbound *message = in->part[i].message;

		if (!message ||
			!(read_level(a, message, &inner) || read_nested(a, message, &inner)) ||
			inner.kind == REPORT_AUTO_REPLY) {
			inner = (struct report){0};
			continue;
		}
		*out = within(a, out, inner);
		return true;
	}
	return false;
}

int report_read(struct arena *a, struct str message, struct report *out, struct err *e)
{
	struct inbound *in;

	*out = (struct report){0};
	if (inbound_read(a, message, &in, e) < 0)
		return -1;
	if (!read_level(a, in, out) && !read_nested(a, in, out))
		out->rule = "none";
	return 0;
}

const char *report_kind_name(enum report_kind kind)
{
	static const char *const names[REPORT_KIND_N] = {
		[REPORT_NONE] = "none",
		[REPORT_BOUNCE] = "bounce",
		[REPORT_DELAYED] = "delayed",
		[REPORT_COMPLAINT] = "complaint",
		[REPORT_AUTO_REPLY] = "auto-reply",
	};

	return kind < REPORT_KIND_N ? names[kind] : "none";
}
