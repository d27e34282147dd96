/* SPDX-License-Identifier: MIT */
#ifndef SRC_APP_STAMP_H
#define SRC_APP_STAMP_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Times as services write them: RFC 3339 with or without fraction and zone, "2023-03-24 10:23:10 UTC", Go's
 * "2023-01-02 15:04:05.123 +0530 IST m=+1.5", a date alone; with `day_first` also "12-04-2022 09:30" (or with
 * slashes or dots). `*t` is 0 for a placeholder that means none (0000-00-00, 0001-01-01). `*zoned` tells whether a
 * zone was given; UTC is taken where not. False for anything else: nothing is guessed.
 */
bool stamp_read(struct str text, bool day_first, int64_t *t, bool *zoned);

#endif
