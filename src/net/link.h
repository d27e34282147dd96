/* SPDX-License-Identifier: MIT */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "net/transport.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <sys/uio.h>

/*
 * A session with a relay, opened by libcurl up to where mail can be sent: name, TCP, greeting, EHLO (or
 * HELO), STARTTLS, EHLO again, AUTH. From then on it is octets in, octets out.
 */
struct link {
	CURL *curl;
	int fd; /* for epoll */
	bool tls;
	struct smtp_caps caps;
	bool authenticated;
	char greeting[REPLY_TEXT_MAX], tls_version[32], tls_cipher[64];
};

/* Why there is no session. */
struct link_trouble {
	enum smtp_phase phase;
	struct reply reply; /* the relay's, or code 0 and our sentence */
};

/* Blocks; gives up within about a second once `*give_up` is set. With `certificate` libcurl keeps the
 * relay's chain for CURLINFO_CERTINFO. -1 with `*why`. */
int link_open(const struct relay *relay, const atomic_bool *give_up, bool certificate,
	struct link *out, struct link_trouble *why);

/* Close without QUIT. */
void link_close(struct link *l);

/* Send or receive what goes without blocking: the number of octets, or one of these. After LINK_AGAIN the
 * same octets must be offered to link_send() again. link_send_parts() is for links without TLS. */
enum { LINK_AGAIN = -1, LINK_LOST = -2 };
long link_send(struct link *l, const char *p, size_t n);
long link_send_parts(struct link *l, const struct iovec *part, size_t n);
long link_recv(struct link *l, char *p, size_t max);

/* Show a line of the dialogue to whoever wants to see it. */
void relay_show(const struct relay *relay, char direction, struct str line);

#endif
