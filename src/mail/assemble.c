/* SPDX-License-Identifier: MIT */
#include "mail/compile.h"
#include "mail/header.h"
#include "mail/qp.h"

#include "base/enc.h"

#include <openssl/sha.h>
#include <string.h>

enum {
	HTML_MAX = 102000, /* decoded octets; Gmail clips there */
	FIELDS_MAX = 16 * 1024,
	ENCODED_MAX = 4 * 1024 * 1024,
	BRANCH_DEPTH = 16,
};

enum part { PART_SUBJECT, PART_TEXT, PART_HTML };

/* An `if` that is open: the test that a false one leaves by, and the jumps to its end, each of whose
 * targets is the index of the one before until the end is known. */
struct branch {
	uint32_t test; /* index of its JUMP_UNLESS, NONE behind an `else` */
	uint32_t jump; /* index of the last JUMP, NONE for none */
};
enum { NONE = UINT32_MAX };

struct assembly {
	struct arena *arena;
	const struct compile_input *in;
	const struct liquid_slots *slots;
	enum part part;
	struct program_ops ops;
	size_t cap;
	struct buf segment; /* constant text of the operation to come */
	bool over; /* it was too much once */
	struct qp qp;
	struct branch branch[BRANCH_DEPTH];
	size_t depth;
};

static struct program_op *add_op(struct assembly *s, enum program_opcode code)
{
	struct program_op *op;

	if (s->ops.n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 32;
		op = arena_array(s->arena, s->cap, sizeof *op);
		if (s->ops.n)
			memcpy(op, s->ops.op, s->ops.n * sizeof *op);
		s->ops.op = op;
	}
	op = &s->ops.op[s->ops.n++];
	op->code = code;
	return op;
}

static void add_text(struct assembly *s, struct str text)
{
	if (s->part == PART_SUBJECT)
		buf_str(&s->segment, text);
	else
		qp_add(&s->qp, text);
}

/* Make an operation of the constant text so far; what follows starts at column 0. */
static void close_segment(struct assembly *s)
{
	if (s->part != PART_SUBJECT)
		qp_break(&s->qp);
	if (s->segment.n)
		add_op(s, OP_TEXT)->text = arena_str(s->arena, buf_view(&s->segment));
	s->over |= s->segment.over;
	buf_reset(&s->segment);
}

/* A link that the program makes for each copy, not a component of one (mail/liquid.h). */
static bool is_whole_url(struct str name)
{
	return str_has_suffix(name, STR("_url")) && !str_has_prefix(name, STR("subscriber."));
}

static enum program_context context_of(
	const struct assembly *s, enum liquid_context mark, struct str name)
{
	if (mark == LIQUID_URL && !is_whole_url(name))
		return CONTEXT_URL;
	return s->part == PART_HTML ? CONTEXT_HTML : CONTEXT_TEXT;
}

static void add_value(struct assembly *s, const struct liquid_slot *slot, enum liquid_context mark)
{
	struct program_op *op = add_op(s, OP_SLOT);

	op->context = context_of(s, mark, s->slots->vars[slot->var]);
	op->var = (uint32_t)slot->var;
	op->text = slot->text;
}

static void add_test(struct assembly *s, const struct liquid_slot *slot, struct branch *b)
{
	struct program_op *op = add_op(s, OP_JUMP_UNLESS);

	op->test = (uint8_t)(slot->test | (slot->negate ? PROGRAM_NEGATED : 0));
	op->var = (uint32_t)slot->var;
	op->text = slot->text;
	b->test = (uint32_t)(s->ops.n - 1);
}

/* A false test goes on here. */
static void land_test(struct assembly *s, struct branch *b)
{
	if (b->test != NONE)
		s->ops.op[b->test].target = (uint32_t)s->ops.n;
	b->test = NONE;
}

/* The branch that was taken ends here: leave for the end. */
static void leave(struct assembly *s, struct branch *b)
{
	add_op(s, OP_JUMP)->target = b->jump;
	b->jump = (uint32_t)(s->ops.n - 1);
	land_test(s, b);
}

static void land_jumps(struct assembly *s, struct branch *b)
{
	while (b->jump != NONE) {
		struct program_op *op = &s->ops.op[b->jump];

		b->jump = op->target;
		op->target = (uint32_t)s->ops.n;
	}
}

static int unbalanced(const struct assembly *s, const struct liquid_slot *slot, struct err *e)
{
	if (!slot)
		return err_set(e, ERR_INPUT, "%s: an 'if' does not end in the same part",
			s->in->issue->file);
	return err_set(e, ERR_INPUT,
		"%s:%zu: 'if', 'else' and 'endif' do not match once the parts are put together",
		slot->file, slot->line);
}

static int add_slot(struct assembly *s, int index, enum liquid_context mark, struct err *e)
{
	const struct liquid_slot *slot = &s->slots->slot[index];
	struct branch *b = s->depth ? &s->branch[s->depth - 1] : NULL;

	switch (slot->op) {
	case LIQUID_VALUE:
		add_value(s, slot, mark);
		return 0;
	case LIQUID_IF:
		if (s->depth == BRANCH_DEPTH)
			return unbalanced(s, slot, e);
		b = &s->branch[s->depth++];
		b->jump = NONE;
		add_test(s, slot, b);
		return 0;
	case LIQUID_ELSIF:
	case LIQUID_ELSE:
		if (!b || b->test == NONE)
			return unbalanced(s, slot, e);
		leave(s, b);
		if (slot->op == LIQUID_ELSIF)
			add_test(s, slot, b);
		return 0;
	case LIQUID_ENDIF:
		if (!b)
			return unbalanced(s, slot, e);
		land_test(s, b);
		land_jumps(s, b);
		s->depth--;
		return 0;
	}
	return err_set(e, ERR_BUG, "a mark of an unknown kind");
}

/* Make the operations of one marked string. */
static int assemble_part(
	struct assembly *s, enum part part, struct str text, struct program_ops *out, struct err *e)
{
	struct str rest = text, before;
	enum liquid_context mark;
	int index;

	s->part = part;
	s->ops = (struct program_ops){0};
	s->cap = s->depth = 0;
	buf_reset(&s->segment);
	qp_init(&s->qp, &s->segment);
	while ((index = liquid_next_mark(&rest, &before, &mark)) >= 0) {
		add_text(s, before);
		close_segment(s);
		if ((size_t)index >= s->slots->n)
			return err_set(e, ERR_BUG, "a mark without its slot");
		if (add_slot(s, index, mark, e) < 0)
			return -1;
	}
	add_text(s, before);
	if (part != PART_SUBJECT && !str_has_suffix(before, STR("\n")))
		add_text(s, STR("\n"));
	close_segment(s);
	if (s->depth)
		return unbalanced(s, NULL, e);
	if (s->over)
		return err_set(e, ERR_INPUT, "%s: the issue is too large", s->in->issue->file);
	*out = s->ops;
	return 0;
}

/* A boundary that belongs to the content: letters that are not only hexadecimal digits (filters count
 * those against a message), behind "=_", which quoted-printable never writes. */
static void make_boundary(struct str html, struct buf *out)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)html.p, html.n, digest);
	buf_cstr(out, "=_mill_");
	enc_base32(out, (struct str){(const char *)digest, 10});
}

static void write_sender(const struct compile_sender *from, struct buf *out)
{
	header_mailbox(out, "From", from->from_name, from->from_email);
	if (from->reply_to_email.n)
		header_mailbox(out, "Reply-To", from->reply_to_name, from->reply_to_email);
}

/* What opens the multipart/related around the HTML, where it has images in it. */
static void open_related(struct str boundary, struct buf *out)
{
	buf_printf(out,
		"--%.*s\r\n"
		"Content-Type: multipart/related; type=\"text/html\"; boundary=\"%.*s-r\"\r\n"
		"\r\n",
		STR_ARG(boundary), STR_ARG(boundary));
}

/* The embedded images, in lines of 76 characters (RFC 2045 section 6.8), and the end of the related. */
static void write_images(const struct compile_input *in, const struct composed *c,
	struct str boundary, struct buf *out)
{
	enum { LINE = 57 };
	int number = 1;

	for (const struct composed_media *m = c->embedded; m; m = m->next) {
		buf_printf(out,
			"\r\n--%.*s-r\r\n"
			"Content-Type: %s\r\n"
			"Content-Transfer-Encoding: base64\r\n"
			"Content-ID: <image%d@%.*s>\r\n"
			"Content-Disposition: inline\r\n\r\n",
			STR_ARG(boundary), m->media->image.type, number++,
			STR_ARG(in->sender->list_id));
		for (size_t at = 0; at < m->media->data.n; at += LINE) {
			enc_base64(out, str_slice(m->media->data, at, at + LINE));
			buf_cstr(out, "\r\n");
		}
	}
	buf_printf(out, "--%.*s-r--\r\n", STR_ARG(boundary));
}

static void write_part_fields(const char *type, struct str boundary, struct buf *out)
{
	buf_printf(out,
		"--%.*s\r\n"
		"Content-Type: text/%s; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n"
		"\r\n",
		STR_ARG(boundary), type);
}

static void write_list(const struct compile_input *in, struct str boundary, struct buf *out)
{
	const struct compile_sender *from = in->sender;
	struct buf id;

	if (from->confirmation) {
		header_token(out, "Auto-Submitted", STR("auto-generated"));
	} else {
		header_mailbox(out, "List-Id", from->list_name, from->list_id);
		header_token(out, "Precedence", STR("bulk"));
	}
	if (from->sender_id.n) {
		buf_init(&id, FIELDS_MAX);
		buf_printf(&id, "%.*s:%.*s:%.*s", STR_ARG(in->issue->slug),
			STR_ARG(from->list_slug), STR_ARG(from->sender_id));
		header_token(out, "Feedback-ID", buf_view(&id));
		buf_free(&id);
	}
	header_token(out, "MIME-Version", STR("1.0"));
	buf_printf(out, "Content-Type: multipart/alternative; boundary=\"%.*s\"\r\n\r\n",
		STR_ARG(boundary));
	write_part_fields("plain", boundary, out);
}

/* Whether a sequence is the same for everybody. */
static bool is_constant(const struct program_ops *ops)
{
	for (size_t i = 0; i < ops->n; i++)
		if (ops->op[i].code != OP_TEXT)
			return false;
	return true;
}

/* All that is neither slot nor content: the fields and what stands around the parts. */
static int frame(struct assembly *s, const struct composed *c, struct program *p, struct err *e)
{
	struct buf boundary, fields[5];
	struct str *const out[5] = {
		&p->sender_fields, &p->subject_field, &p->list_fields, &p->between, &p->closing};
	bool over = false;

	buf_init(&boundary, FIELDS_MAX);
	make_boundary(c->html, &boundary);
	for (size_t i = 0; i < 5; i++)
		buf_init(&fields[i], i < 4 ? FIELDS_MAX : ENCODED_MAX);
	write_sender(s->in->sender, &fields[0]);
	if (is_constant(&p->subject))
		header_text(&fields[1], "Subject", c->subject);
	write_list(s->in, buf_view(&boundary), &fields[2]);
	buf_cstr(&fields[3], "\r\n");
	if (c->embedded) {
		open_related(buf_view(&boundary), &fields[3]);
		buf_cstr(&boundary, "-r");
	}
	write_part_fields("html", buf_view(&boundary), &fields[3]);
	boundary.n -= c->embedded ? 2 : 0;
	if (c->embedded)
		write_images(s->in, c, buf_view(&boundary), &fields[4]);
	buf_printf(&fields[4], "\r\n--%.*s--\r\n", STR_ARG(buf_view(&boundary)));
	for (size_t i = 0; i < 5; i++) {
		over |= fields[i].over;
		*out[i] = arena_str(s->arena, buf_view(&fields[i]));
		buf_free(&fields[i]);
	}
	buf_free(&boundary);
	if (over)
		return err_set(e, ERR_INPUT,
			"%s: the subject or the names in the header are too long",
			s->in->issue->file);
	return 0;
}

int assemble(struct arena *a, const struct compile_input *in, const struct composed *c,
	struct program *out, struct err *e)
{
	struct assembly s = {.arena = a, .in = in, .slots = &c->slots};
	struct program p = {.var = c->slots.vars, .var_n = c->slots.vars_n};
	int rc = -1;

	if (c->html.n > HTML_MAX)
		return err_set(e, ERR_INPUT,
			"%s: the HTML is %zu octets long, and Gmail clips a message at %d: shorten "
			"the "
			"issue",
			in->issue->file, c->html.n, HTML_MAX);
	buf_init(&s.segment, ENCODED_MAX);
	if (assemble_part(&s, PART_SUBJECT, c->subject, &p.subject, e) < 0 ||
		assemble_part(&s, PART_TEXT, c->text, &p.text, e) < 0 ||
		assemble_part(&s, PART_HTML, c->html, &p.html, e) < 0 || frame(&s, c, &p, e) < 0)
		goto out;
	*out = p;
	rc = 0;
out:
	buf_free(&s.segment);
	return rc;
}
