/* SPDX-License-Identifier: MIT */
#ifndef NET_MAILBOX_H
#define NET_MAILBOX_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A mailbox on a server, read through libcurl: IMAP (RFC 3501) or POP3 (RFC 1939), always inside TLS. One
 * connection, used by one thread. The server is hostile: sizes are capped before anything is fetched.
 */
struct mailbox_account {
	const char
		*url; /* imaps://host/folder, imap:// (STARTTLS), pop3s://host/, pop3:// (STLS) */
	const char *username, *password;
	const char *ca_file; /* NULL = the system's */
	const char *filed; /* IMAP: the folder for what is filed */
};

/* A message there. */
struct mailbox_message {
	int64_t id; /* IMAP UID, POP3 number of this connection */
	int64_t size; /* octets, as the server says */
};

struct mailbox_link;

/* Connect and log in. ERR_RELAY when the server is out of reach or refuses. */
int mailbox_open(const struct mailbox_account *account, struct mailbox_link **out, struct err *e);

/* End the connection (POP3 removes now what was to be removed); NULL is allowed. */
void mailbox_close(struct mailbox_link *m);

/* "imap" or "pop3". */
const char *mailbox_protocol(const struct mailbox_link *m);

/* What is there and not marked as deleted: an array of *n, valid until mailbox_close(). ERR_RELAY. */
int mailbox_list(struct mailbox_link *m, struct mailbox_message **out, size_t *n, struct err *e);

/* Append a message to `out`. ERR_INPUT when it is larger than the buffer's ceiling; ERR_RELAY. */
int mailbox_fetch(struct mailbox_link *m, int64_t id, struct buf *out, struct err *e);

/* Remove a message. IMAP without UIDPLUS (RFC 4315): it is only marked as deleted, so that nobody else's
 * marked ones are removed with it. ERR_RELAY. */
int mailbox_remove(struct mailbox_link *m, int64_t id, struct err *e);

/* Move a message to the folder for what is filed, which is made when it is missing; POP3 leaves it where it
 * is. ERR_RELAY. */
int mailbox_file(struct mailbox_link *m, int64_t id, struct err *e);

#endif
