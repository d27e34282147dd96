/* SPDX-License-Identifier: MIT */
#include "app/pages.h"
#include "base/log.h"
#include "cmd.h"

#include <signal.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

enum {
	THREADS = 2,
	CONNECTIONS = 1000,
	REQUEST_S = 15,
	IDLE_S = 10,
	STEP_MS = 250,
	GRACE_MS = 8000
};

/* The socket that systemd holds for us, or one of our own. */
static int public_socket(const struct config *config, struct err *e)
{
	int n = sd_listen_fds(1);

	if (n > 1) {
		err_set(e, ERR_CONFIG, "systemd gives %d sockets: the unit needs one", n);
		return -1;
	}
	return n == 1 ? SD_LISTEN_FDS_START : http_listen(config->web.listen, e);
}

static void tell(struct cmd *c, int socket)
{
	unsigned port = http_port(socket);

	if (c->json)
		cmd_json(json_pack("{s:i}", "port", (int)port));
	else if (!c->quiet && port)
		printf("serving on port %u\n", port);
	fflush(stdout);
}

/* Until a signal comes. The watchdog of systemd is told that all is well as long as that is true. */
static void wait_for_signal(struct http_server *server)
{
	const struct timespec step = {0, STEP_MS * 1000000L};
	uint64_t watchdog_us = 0;
	int64_t told = 0;

	sd_watchdog_enabled(0, &watchdog_us);
	sd_notify(0, "READY=1");
	while (!cmd_stop) {
		if (watchdog_us && (told -= STEP_MS) <= 0 && http_alive(server)) {
			sd_notify(0, "WATCHDOG=1");
			told = (int64_t)(watchdog_us / 3000);
		}
		nanosleep(&step, NULL);
	}
	sd_notify(0, "STOPPING=1");
}

static int run(struct cmd *c, struct site *s, struct err *e)
{
	const struct http_limits limits = {THREADS, CONNECTIONS, REQUEST_S, IDLE_S};
	struct http_server *server = NULL;
	struct pages *pages = NULL;
	struct http_site site;
	int socket, rc = -1;

	if (pages_open(s, &pages, e) < 0)
		return -1;
	site = pages_public(pages);
	socket = public_socket(&s->config, e);
	if (socket < 0)
		goto out;
	cmd_catch_signals();
	signal(SIGPIPE, SIG_IGN);
	tell(c, socket);
	rc = http_start(socket, &site, &limits, &server, e);
	if (rc == 0)
		wait_for_signal(server);
	http_stop(server, GRACE_MS);
out:
	pages_close(pages);
	return rc;
}

int cmd_serve(struct cmd *c, struct err *e)
{
	struct site s;
	int rc;

	if (cmd_options(c, NULL, 0, 0, e) < 0 || cmd_site(c, &s, e) < 0)
		return -1;
	rc = run(c, &s, e);
	site_close(&s);
	return rc;
}
