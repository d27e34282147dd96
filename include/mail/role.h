/* SPDX-License-Identifier: MIT */
#ifndef MAIL_ROLE_H
#define MAIL_ROLE_H

#include "base/str.h"

#include <stdbool.h>

/* Whether the local part of an address names an office and not a person: those of RFC 2142, and others as usual;
 * without regard to case and to what stands behind a '+'. Who reads such mail changes, and has not signed up. */
bool role_local(struct str local);

#endif
