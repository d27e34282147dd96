/* SPDX-License-Identifier: MIT */
#ifndef APP_MEDIA_H
#define APP_MEDIA_H

#include "app/publish.h"

/*
 * Local images of an issue: files below its folder. Readers find them at WEB-URL/media/HASH/NAME, where HASH
 * is that of their octets, so that an address always means the same picture. They are put into the site's
 * media folder when the issue is scheduled or a proof is sent.
 */
struct media_finder {
	struct site *site;
	struct publish *publish; /* its media list grows */
};

/* struct compile_input.media, with a struct media_finder. ERR_MISSING; ERR_INPUT for a path that leads out of
 * the folder, for more than 5 MB, and for what is no image. */
const struct compile_media *media_find(void *finder, struct str path, struct err *e);

/* Put the files into the site's media folder, where they are not there yet. */
int media_put(struct site *s, const struct publish_media *first, struct err *e);

/* For a preview on this machine: let the addresses in `html` be `before` HASH/NAME, or those of the files
 * themselves (NULL). */
void media_show(const struct publish_media *first, struct str list_id, const char *before,
	struct buf *html);

#endif
