/* SPDX-License-Identifier: MIT */
/* Tokens: nothing is taken for signed that is not; the key's own tokens are read back. */
#include "mail/token.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct token_key key = {.id = 1, .key = "a key of thirty-two octets in al"};
	struct str text = {(const char *)data, size};
	struct token made = {.purpose = TOKEN_VERP}, read;
	struct buf out;

	buf_init(&out, 1024);
	for (int p = TOKEN_VERP; p <= TOKEN_VIEW; p++)
		if (token_read(&key, (enum token_purpose)p, text, &read)) {
			token_make(&key, &read, &out); /* what is good, this key has made */
			if (!str_eq_nocase(buf_view(&out), text))
				abort();
			buf_reset(&out);
		}
	if (size >= 17) {
		made.purpose = (enum token_purpose)(TOKEN_VERP + data[0] % 4);
		memcpy(&made.a, data + 1, 8);
		memcpy(&made.b, data + 9, 8);
		token_make(&key, &made, &out);
		if (out.n > TOKEN_TEXT_MAX ||
			!token_read(&key, made.purpose, buf_view(&out), &read) ||
			read.a != made.a || read.b != made.b)
			abort();
	}
	buf_free(&out);
	return 0;
}
