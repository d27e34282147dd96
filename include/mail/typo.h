/* SPDX-License-Identifier: MIT */
#ifndef MAIL_TYPO_H
#define MAIL_TYPO_H

#include "base/str.h"

/* The mail provider that somebody who typed `domain` may have meant: "gmail.com" for "gmial.com"; NULL for
 * one that is well known, or not near any that is. A guess by spelling alone: ask, never correct. */
const char *typo_domain(struct str domain);

#endif
