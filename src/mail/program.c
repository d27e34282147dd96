/* SPDX-License-Identifier: MIT */
#include "mail/program.h"

#include "mail/liquid.h"

/*
 * Packed: MAGIC, then numbers as varints and texts with their length in front, in the order of the
 * struct. An operation takes OP_SIZE_MIN octets at least, a text one, so that a number of them that
 * cannot be true is refused before memory is asked for.
 */
#define MAGIC STR("LMP1")
enum { OP_SIZE_MIN = 6 };

static void pack_text(struct buf *out, struct str s)
{
	buf_varint(out, s.n);
	buf_str(out, s);
}

static void pack_ops(struct buf *out, const struct program_ops *ops)
{
	buf_varint(out, ops->n);
	for (size_t i = 0; i < ops->n; i++) {
		const struct program_op *op = &ops->op[i];

		buf_char(out, (char)op->code);
		buf_char(out, (char)op->context);
		buf_char(out, (char)op->test);
		buf_varint(out, op->var);
		buf_varint(out, op->target);
		pack_text(out, op->text);
	}
}

void program_pack(const struct program *p, struct buf *out)
{
	buf_str(out, MAGIC);
	buf_varint(out, p->var_n);
	for (size_t i = 0; i < p->var_n; i++)
		pack_text(out, p->var[i]);
	pack_text(out, p->sender_fields);
	pack_text(out, p->subject_field);
	pack_ops(out, &p->subject);
	pack_text(out, p->list_fields);
	pack_ops(out, &p->text);
	pack_text(out, p->between);
	pack_ops(out, &p->html);
	pack_text(out, p->closing);
}

static bool unpack_text(struct str *s, struct str *text)
{
	uint64_t n;

	if (!varint_next(s, &n) || n > s->n)
		return false;
	*text = str_slice(*s, 0, (size_t)n);
	*s = str_slice(*s, (size_t)n, s->n);
	return true;
}

static bool unpack_octet(struct str *s, unsigned char *c)
{
	if (s->n == 0)
		return false;
	*c = (unsigned char)s->p[0];
	*s = str_slice(*s, 1, s->n);
	return true;
}

/* Whether the operation, the `i`th of `n`, stays inside, and goes forward so that a program ends. */
static bool is_sound(const struct program_op *op, size_t i, size_t n, size_t var_n)
{
	bool jumps = op->code == OP_JUMP || op->code == OP_JUMP_UNLESS;
	bool asks = op->code == OP_SLOT || op->code == OP_JUMP_UNLESS;

	return op->code <= OP_JUMP && op->context <= CONTEXT_TEXT &&
	       (op->test & ~PROGRAM_NEGATED) <= LIQUID_CONTAINS &&
	       (!jumps || (op->target > i && op->target <= n)) && (!asks || op->var < var_n);
}

static bool unpack_ops(struct arena *a, struct str *s, size_t var_n, struct program_ops *ops)
{
	uint64_t n;

	if (!varint_next(s, &n) || n > s->n / OP_SIZE_MIN)
		return false;
	ops->n = (size_t)n;
	ops->op = arena_array(a, ops->n, sizeof *ops->op);
	for (size_t i = 0; i < ops->n; i++) {
		struct program_op *op = &ops->op[i];
		unsigned char code, context, test;
		uint64_t var, target;

		if (!unpack_octet(s, &code) || !unpack_octet(s, &context) ||
			!unpack_octet(s, &test) || !varint_next(s, &var) || var > UINT32_MAX ||
			!varint_next(s, &target) || target > UINT32_MAX ||
			!unpack_text(s, &op->text))
			return false;
		op->code = (enum program_opcode)code;
		op->context = (enum program_context)context;
		op->test = test;
		op->var = (uint32_t)var;
		op->target = (uint32_t)target;
		if (!is_sound(op, i, ops->n, var_n))
			return false;
	}
	return true;
}

static bool unpack_vars(struct arena *a, struct str *s, struct program *p)
{
	uint64_t n;

	if (!varint_next(s, &n) || n > s->n)
		return false;
	p->var_n = (size_t)n;
	p->var = arena_array(a, p->var_n, sizeof *p->var);
	for (size_t i = 0; i < p->var_n; i++)
		if (!unpack_text(s, &p->var[i]))
			return false;
	return true;
}

int program_unpack(struct arena *a, struct str packed, struct program *out, struct err *e)
{
	struct program p = {0};
	struct str s = packed;

	if (!str_has_prefix(s, MAGIC))
		return err_set(e, ERR_INPUT,
			"a compiled issue is of an unknown kind: schedule the issue again");
	s = str_slice(s, MAGIC.n, s.n);
	if (!unpack_vars(a, &s, &p) || !unpack_text(&s, &p.sender_fields) ||
		!unpack_text(&s, &p.subject_field) || !unpack_ops(a, &s, p.var_n, &p.subject) ||
		!unpack_text(&s, &p.list_fields) || !unpack_ops(a, &s, p.var_n, &p.text) ||
		!unpack_text(&s, &p.between) || !unpack_ops(a, &s, p.var_n, &p.html) ||
		!unpack_text(&s, &p.closing) || s.n != 0)
		return err_set(
			e, ERR_INPUT, "a compiled issue is damaged: schedule the issue again");
	*out = p;
	return 0;
}
