/* SPDX-License-Identifier: MIT */
#include "mail/report.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The octets are the fields of a feedback report, which makes the message a complaint whatever they are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char head[] = "Content-Type: multipart/report; boundary=b-0-b\n\n"
				   "--b-0-b\nContent-Type: message/feedback-report\n\n";
	static const char tail[] = "\n--b-0-b--\n";
	char *p = malloc(sizeof head + n + sizeof tail);
	size_t k = sizeof head - 1;
	struct arena a = {0};
	struct report report;

	memcpy(p, head, k);
	memcpy(p + k, data, n);
	k += n;
	memcpy(p + k, tail, sizeof tail - 1);
	k += sizeof tail - 1;
	if (report_read(&a, (struct str){p, k}, &report, NULL) == 0 &&
		(!report.rule || report.recipient_n > REPORT_RECIPIENTS_MAX))
		abort();
	arena_free(&a);
	free(p);
	return 0;
}
