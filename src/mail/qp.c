/* SPDX-License-Identifier: MIT */
#include "mail/qp.h"

#include <string.h>

/* Columns of a line but for the "=" of a soft break. */
enum { WIDTH = 75 };

static const char hex[] = "0123456789ABCDEF";

/* Octets that stand for themselves wherever they are on a line; '.' and 'F' do but at its start. */
static const bool plain[256] = {['!' ... '<'] = true, ['>' ... '~'] = true};

/* Output on its way to the buffer: a slot is a few octets, a buffer call for each would cost more than
 * their encoding. */
struct pen {
	struct qp *q;
	size_t n;
	char text[256];
};

/* Not zeroed: the text would cost more than a short slot. */
static void pen_init(struct pen *w, struct qp *q)
{
	w->q = q;
	w->n = 0;
}

static void flush(struct pen *w)
{
	buf_add(w->q->out, w->text, w->n);
	w->n = 0;
}

/* Write one octet, as it is or as =XX, on this line or the next. */
static void put(struct pen *w, unsigned char c, bool bare)
{
	if (w->n > sizeof w->text - 6)
		flush(w);
	if (w->q->column + (bare ? 1 : 3) > WIDTH) {
		memcpy(w->text + w->n, "=\r\n", 3);
		w->n += 3;
		w->q->column = 0;
	}
	if (w->q->column == 0 && (c == '.' || c == 'F'))
		bare = false;
	if (bare) {
		w->text[w->n++] = (char)c;
		w->q->column++;
	} else {
		w->text[w->n++] = '=';
		w->text[w->n++] = hex[c >> 4];
		w->text[w->n++] = hex[c & 15];
		w->q->column += 3;
	}
	w->q->spaced = bare && c == ' ';
}

/* Write the space that was held back; at a line's end it may not stand bare. */
static void release(struct pen *w, bool line_ends)
{
	if (w->q->space)
		put(w, ' ', !line_ends && !w->q->spaced);
	w->q->space = false;
}

static void newline(struct pen *w)
{
	release(w, true);
	flush(w);
	buf_add(w->q->out, "\r\n", 2);
	w->q->column = 0;
	w->q->spaced = false;
}

/* How many octets may go on this line just as they are. */
static size_t plain_run(const struct qp *q, struct str s)
{
	size_t n = 0, room = q->column && !q->space ? WIDTH - q->column : 0;

	if (s.n > room)
		s.n = room;
	while (n < s.n && plain[(unsigned char)s.p[n]])
		n++;
	return n;
}

static void put_run(struct pen *w, struct str run)
{
	if (w->n > sizeof w->text - run.n)
		flush(w);
	memcpy(w->text + w->n, run.p, run.n);
	w->n += run.n;
	w->q->column += run.n;
	w->q->spaced = false;
}

void qp_init(struct qp *q, struct buf *out)
{
	*q = (struct qp){.out = out};
}

void qp_add(struct qp *q, struct str text)
{
	struct pen w;

	pen_init(&w, q);
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		size_t n = plain_run(q, str_slice(text, i, text.n));

		if (n) {
			put_run(&w, str_slice(text, i, i + n));
			i += n - 1;
			continue;
		}
		if (c == '\n') {
			newline(&w);
			continue;
		}
		release(&w, false);
		if (c == ' ')
			q->space = true;
		else
			put(&w, c, plain[c]);
	}
	flush(&w);
}

void qp_break(struct qp *q)
{
	struct pen w;

	pen_init(&w, q);
	release(&w, false);
	flush(&w);
	if (q->column)
		buf_add(q->out, "=\r\n", 3);
	q->column = 0;
	q->spaced = false;
}

void qp_end(struct qp *q)
{
	struct pen w;

	pen_init(&w, q);
	if (q->column || q->space)
		newline(&w);
}

/* The value of a digit that this encoder wrote. */
static unsigned digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'A') + 10;
}

void qp_decode(struct str encoded, struct buf *out)
{
	size_t from = 0;

	for (size_t i = 0; i < encoded.n; i++) {
		char c = encoded.p[i];

		if (c == '\r') {
			buf_str(out, str_slice(encoded, from, i));
			from = i + 1; /* the LF stays */
		} else if (c == '=' && i + 2 < encoded.n) {
			buf_str(out, str_slice(encoded, from, i));
			if (encoded.p[i + 1] != '\r')
				buf_char(out, (char)(digit(encoded.p[i + 1]) << 4 |
						      digit(encoded.p[i + 2])));
			i += 2;
			from = i + 1;
		}
	}
	buf_str(out, str_slice(encoded, from, encoded.n));
}
