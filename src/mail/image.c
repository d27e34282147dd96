/* SPDX-License-Identifier: MIT */
#include "mail/image.h"

#include <stdbool.h>
#include <stddef.h>

static int octet(struct str s, size_t at)
{
	return (unsigned char)s.p[at];
}

static int big_endian(struct str s, size_t at)
{
	return octet(s, at) << 8 | octet(s, at + 1);
}

/* Markers follow each other, with their lengths, up to the one of a frame, C0 to CF but for tables. */
static bool jpeg_size(struct str s, struct image *out)
{
	size_t at = 2;

	while (at + 9 <= s.n && octet(s, at) == 0xff) {
		int marker = octet(s, at + 1);

		if (marker == 0xff) {
			at++;
			continue;
		}
		if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
			marker != 0xcc) {
			out->height = big_endian(s, at + 5);
			out->width = big_endian(s, at + 7);
			return true;
		}
		at += 2 + (size_t)big_endian(s, at + 2);
	}
	return false;
}

int image_read(struct str s, struct image *out, struct err *e)
{
	*out = (struct image){NULL, 0, 0};
	if (str_has_prefix(s, STR("\x89PNG\r\n\x1a\n")) && s.n >= 24) {
		out->type = "image/png";
		out->width = big_endian(s, 18); /* of 32 bits the lower half: no mail has more */
		out->height = big_endian(s, 22);
	} else if ((str_has_prefix(s, STR("GIF87a")) || str_has_prefix(s, STR("GIF89a"))) &&
		   s.n >= 10) {
		out->type = "image/gif";
		out->width = octet(s, 6) | octet(s, 7) << 8;
		out->height = octet(s, 8) | octet(s, 9) << 8;
	} else if (str_has_prefix(s, STR("\xff\xd8")) && jpeg_size(s, out)) {
		out->type = "image/jpeg";
	}
	if (out->type && out->width > 0 && out->height > 0)
		return 0;
	return err_set(e, ERR_INPUT, "this is no whole PNG, JPEG or GIF");
}
