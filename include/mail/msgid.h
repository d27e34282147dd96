/* SPDX-License-Identifier: MIT */
#ifndef MAIL_MSGID_H
#define MAIL_MSGID_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

/* Append the Message-ID of a copy: "<UUID@domain>" (RFC 5322 section 3.6.4), the UUID being version
 * 5 (RFC 4122 section 4.3) of the subscriber's number in the namespace of the issue's own UUID (16
 * octets). The same on every attempt, so that a double can be recognised and removed. */
void msgid_make(
	const unsigned char issue_uuid[16], int64_t subscriber, struct str domain, struct buf *out);

#endif
