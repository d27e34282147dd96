/* SPDX-License-Identifier: MIT */
#include "mail/reply.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void caps_line(void *user, struct str line)
{
	smtp_caps_line(user, line);
}

/* The first octet says how large the pieces are that the network hands over: the outcome must not
 * depend on it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct smtp_caps caps = {0};
	struct reply_reader piecewise, whole;
	size_t step;

	if (!n)
		return 0;
	step = data[0] ? data[0] : 256;
	reply_init(&piecewise);
	reply_init(&whole);
	piecewise.on_line = caps_line;
	piecewise.user = &caps;
	for (size_t i = 1; i < n;) {
		struct str rest = {(const char *)data + i, n - i};
		enum reply_result expected = reply_read(&whole, &rest), got = REPLY_MORE;
		size_t end = expected == REPLY_BAD ? n : n - rest.n;

		while (i < end && got == REPLY_MORE) {
			struct str piece = {
				(const char *)data + i, end - i < step ? end - i : step};
			size_t had = piece.n;

			got = reply_read(&piecewise, &piece);
			i += had - piece.n;
		}
		if (got != expected)
			abort();
		if (got == REPLY_BAD)
			return 0;
		if (got == REPLY_DONE &&
			(i != end || memcmp(&piecewise.reply, &whole.reply, sizeof(int)) ||
				strcmp(piecewise.reply.status, whole.reply.status) ||
				strcmp(piecewise.reply.text, whole.reply.text) ||
				utf8_invalid_at(str_of(whole.reply.text)) !=
					strlen(whole.reply.text) ||
				whole.reply.code < 200 || whole.reply.code > 599))
			abort();
	}
	return 0;
}
