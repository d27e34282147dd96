/* SPDX-License-Identifier: MIT */
#ifndef NET_COMMAND_H
#define NET_COMMAND_H

#include "net/transport.h"

enum { COMMAND_MAX = 2048, ENVID_MAX = 100 /* as xtext */ };

/* "MAIL FROM:<…>" and "RCPT TO:<…>" with the parameters that the relay offers, CRLF behind it. */
struct str command_mail(
	char line[COMMAND_MAX], const struct submission *s, const struct smtp_caps *caps);
struct str command_rcpt(
	char line[COMMAND_MAX], const struct submission *s, const struct smtp_caps *caps);

/* Octets of `s` as xtext (RFC 3461 section 4). */
size_t xtext_len(struct str s);

#endif
