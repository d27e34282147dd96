/* SPDX-License-Identifier: MIT */
#ifndef APP_METRICS_H
#define APP_METRICS_H

#include "app/site.h"
#include "base/buf.h"

/* The state of delivery in the text format of Prometheus: copies by issue and state for what is not over or
 * was done within a day, relays and their quotas, lanes and their throttles. Appended to `out`; costs no
 * scan. */
int metrics_format(struct site *s, int64_t now, struct buf *out, struct err *e);

/* Write that to the configuration's metrics_file, whole or not at all; nothing where none is named. */
int metrics_write(struct site *s, int64_t now, struct err *e);

#endif
