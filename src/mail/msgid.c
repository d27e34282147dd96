/* SPDX-License-Identifier: MIT */
#include "mail/msgid.h"

#include <stdio.h>
#include <string.h>
#include <uuid/uuid.h>

void msgid_make(
	const unsigned char issue_uuid[16], int64_t subscriber, struct str domain, struct buf *out)
{
	char name[24], text[UUID_STR_LEN];
	uuid_t id;

	snprintf(name, sizeof name, "%lld", (long long)subscriber);
	uuid_generate_sha1(id, issue_uuid, name, strlen(name));
	uuid_unparse_lower(id, text);
	buf_char(out, '<');
	buf_cstr(out, text);
	buf_char(out, '@');
	buf_str(out, domain);
	buf_char(out, '>');
}
