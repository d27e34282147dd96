/* SPDX-License-Identifier: MIT */
#ifndef MAIL_IMAGE_H
#define MAIL_IMAGE_H

#include "base/err.h"
#include "base/str.h"

/* What a mail program shows of an image file. */
struct image {
	const char *type; /* "image/png", "image/jpeg", "image/gif" */
	int width, height; /* in pixels */
};

/* Look at the first octets of an image: PNG (RFC 2083 section 11.2.1), JPEG (ITU T.81 annex B: the frame
 * header), GIF (its logical screen). ERR_INPUT for anything else, and for one that is cut. */
int image_read(struct str data, struct image *out, struct err *e);

#endif
