/* SPDX-License-Identifier: MIT */
/*
 * Two halves of the input, a compiled issue and a value: what can be unpacked renders in bounds and ends.
 * The value in the fixed program of tests/unit/mail/sample.h keeps to its place.
 */
#include "../unit/mail/sample.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The lines of a whole message: see qp.h and header.h. */
static void check_wire(struct str wire)
{
	size_t boundaries = 0;

	while (wire.n) {
		size_t n = str_search(wire, STR("\r\n"));
		struct str line = str_slice(wire, 0, n);

		if (n == wire.n || n > 78 || (n && (line.p[0] == '.' || line.p[n - 1] == ' ')))
			abort();
		for (size_t i = 0; i < n; i++)
			if (line.p[i] < ' ' || line.p[i] > '~')
				abort();
		boundaries += str_has_prefix(line, STR("--=_"));
		wire = str_slice(wire, n + 2, wire.n);
	}
	if (boundaries != 3)
		abort();
}

static void render_sample(struct str value)
{
	struct arena a = {0};
	struct render_copy copy;
	struct program p;
	struct buf out;

	buf_init(&out, 1 << 20);
	if (sample_program(&a, sample_subject, sample_text, sample_html, &p, NULL) < 0)
		abort();
	copy = sample_copy(&a, &p, value, value);
	if (render(&p, &copy, &out, NULL) < 0)
		abort();
	check_wire(buf_view(&out));
	buf_free(&out);
	arena_free(&a);
}

static void render_packed(struct str packed, struct str value)
{
	static const char *const parts[] = {"subject", "text/plain", "text/html"};
	struct arena a = {0};
	struct program p;
	struct buf out;

	buf_init(&out, 1 << 16);
	if (program_unpack(&a, packed, &p, NULL) == 0) {
		struct render_copy copy = sample_copy(&a, &p, value, value);

		render(&p, &copy, &out, NULL);
		for (size_t i = 0; i < 3; i++) {
			buf_reset(&out);
			render_part(&p, &copy, parts[i], &out, NULL);
		}
	}
	buf_free(&out);
	arena_free(&a);
}

/* The packed sample with octets changed: three of the input say which one becomes what. */
static void render_changed(struct str changes, struct str value)
{
	struct arena a = {0};
	struct program p;
	struct buf packed;

	buf_init(&packed, 1 << 20);
	if (sample_program(&a, sample_subject, sample_text, sample_html, &p, NULL) < 0)
		abort();
	program_pack(&p, &packed);
	for (size_t i = 0; i + 3 <= changes.n; i += 3) {
		unsigned char high = (unsigned char)changes.p[i];
		unsigned char low = (unsigned char)changes.p[i + 1];

		packed.p[((unsigned)high << 8 | low) % packed.n] = changes.p[i + 2];
	}
	render_packed(buf_view(&packed), value);
	buf_free(&packed);
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str input = {(const char *)data, size}, first, value;
	size_t half = size ? (size_t)data[0] * size / 256 : 0;

	if (size < 2)
		return 0;
	first = str_slice(input, 1, 1 + half);
	value = str_slice(input, 1 + half, size);
	render_packed(first, value);
	render_changed(first, value);
	render_sample(value);
	return 0;
}
