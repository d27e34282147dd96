/* SPDX-License-Identifier: MIT */
#include "mail/classify.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The first octet is the phase, the rest the words. Whatever they are: a rule is found for every refusal,
 * and nobody is suppressed but for what is said of the address. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct finding f;
	struct reply reply;

	if (n == 0)
		return 0;
	classify_words(
		data[0] % (PHASE_N + 1), (struct str){(const char *)data + 1, n - 1}, &reply, &f);
	if (reply.code >= 400 && !f.rule)
		abort();
	if (f.wait_s < 0 || f.wait_s > 24 * 3600)
		abort();
	if (f.action == REACT_SUPPRESS && (!f.hard || f.reason > REASON_DISABLED))
		abort();
	return 0;
}
