/* SPDX-License-Identifier: MIT */
#include "app/preview.h"
#include "issue.h"

#include <stdio.h>
#include <time.h>

enum { GRACE_MS = 1000 };

int issue_open_preview(struct cmd *c, struct site *s, const char *as, bool embed, struct err *e)
{
	const struct http_limits limits = {
		.threads = 2, .connections = 50, .request_s = 10, .idle_s = 30};
	const struct timespec step = {0, 100000000};
	struct preview preview = {s->config.file, c->argv[0], as, embed};
	struct http_site site = preview_site(&preview);
	struct http_server *server = NULL;
	int socket = http_listen("127.0.0.1:0", e);

	if (socket < 0)
		return -1;
	cmd_catch_signals();
	printf("http://127.0.0.1:%u/ shows it and follows your changes; Ctrl-C ends it\n",
		http_port(socket));
	fflush(stdout);
	if (http_start(socket, &site, &limits, &server, e) < 0)
		return -1;
	while (!cmd_stop)
		nanosleep(&step, NULL);
	http_stop(server, GRACE_MS);
	return 0;
}
