/* SPDX-License-Identifier: MIT */
#ifndef APP_PAGES_H
#define APP_PAGES_H

#include "app/site.h"
#include "net/http.h"

/*
 * The public pages. GET and HEAD never change anything; a POST to a page whose address holds a token does
 * what the page says. A token is all the right that it takes: there are no cookies.
 *
 *   /u/TOKEN              unsubscribe, also by RFC 8058's one-click POST
 *   /subscribe/LIST       a form; also a POST of JSON, and /subscribe/LIST/embed: the form for other sites
 *   /confirm/TOKEN        what the mail leads to that the form sends
 *   /m/TOKEN              preferences; /m/TOKEN/data: all that is known, as JSON; /m/TOKEN/erase
 *   /v/TOKEN              an issue as its reader got it
 *   /archive/LIST         the issues of a list, ?q= searches; /archive/LIST/SLUG; /archive/LIST/feed.xml
 *   /media/HASH/NAME      images of issues
 *   /style.css             the theme's colours
 *   /robots.txt  /healthz
 */
struct pages;

/* Read the token keys, the texts of every language, the templates. `s` must outlive it and have one
 * thread only from now on; each thread of the server opens the database for itself. ERR_CONFIG, ERR_DENIED,
 * ERR_INPUT, ERR_MISSING. */
int pages_open(struct site *s, struct pages **out, struct err *e);

/* Free; NULL is allowed. Only when no server uses them any more. */
void pages_close(struct pages *p);

/* Forget what nobody answered (store/pages.h); to be called every few minutes, in the site's own thread. */
int pages_tidy(struct pages *p, struct err *e);

/* What the public server is started with. */
struct http_site pages_public(struct pages *p);

/* The same for the server of /metrics, on its own address. */
struct http_site pages_metrics(struct pages *p);

#endif
