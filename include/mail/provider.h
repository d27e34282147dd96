/* SPDX-License-Identifier: MIT */
#ifndef MAIL_PROVIDER_H
#define MAIL_PROVIDER_H

#include "base/str.h"

/*
 * Mailbox providers: which of them keeps the mailboxes of a domain, and how much mail at once it likes.
 * Readers of one provider make a lane of delivery. One data file, src/mail/providers.def, holds all of it.
 *
 * A provider's number stands in the database: it never changes and is never given again.
 */
enum {
	PROVIDER_OTHER, /* the lane of all domains that stand in no row */
	PROVIDER_N = 64, /* numbers are below this */
};

struct provider {
	const char *name; /* "gmail"; of letters and digits */
	int connections; /* messages in flight to it at once that it can be expected to bear; 0 = any */
	int per_minute; /* 0 = any */
};

/* The provider of a mail domain (in A-labels, any case of letters): its number, PROVIDER_OTHER for most
 * domains. About 30 ns. Any thread. */
int provider_of(struct str domain);

/* The provider of a number, or NULL where no provider has it. */
const struct provider *provider_get(int number);

/* The number of a name, or -1. */
int provider_find(struct str name);

#endif
