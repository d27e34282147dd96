/* SPDX-License-Identifier: MIT */
#ifndef APP_PREVIEW_H
#define APP_PREVIEW_H

#include "app/site.h"
#include "net/http.h"

/*
 * A preview in the browser, on this machine only: the faces of an issue side by side, compiled anew whenever
 * one of its files has changed. What is wrong with it stands above them.
 */
struct preview {
	const char *config; /* file of the site */
	const char *file; /* of the issue */
	const char *as; /* address of the reader to be shown; NULL = the publication's own */
	bool embed;
};

/* To serve `p`, which must live as long, with http_start(). */
struct http_site preview_site(struct preview *p);

#endif
