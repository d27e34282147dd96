/* SPDX-License-Identifier: MIT */
#include "app/pages.h"
#include "base/clock.h"
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
	GRACE_MS = 8000,
	TIDY_S = 600
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

static void tell(struct cmd *c, int socket, int metrics)
{
	unsigned port = http_port(socket);

	if (c->json)
		cmd_json(json_pack("{s:i, s:o}", "port", (int)port, "metrics_port",
			metrics < 0 ? json_null() : json_integer(http_port(metrics))));
	else if (!c->quiet && port)
		printf("serving on port %u\n", port);
	fflush(stdout);
}

/* Now and then; what cannot be done now is done then. */
static void tidy(struct pages *pages, int64_t *next)
{
	struct err e = {0};

	if (clock_now() < *next)
		return;
	*next = clock_now() + TIDY_S;
	if (pages_tidy(pages, &e) < 0)
		log_msg(LOG_LEVEL_WARNING, "tidy", "%s", e.text);
}

/* Until a signal comes. The watchdog of systemd is told that all is well as long as that is true. */
static void wait_for_signal(struct pages *pages, struct http_server *server)
{
	const struct timespec step = {0, STEP_MS * 1000000L};
	uint64_t watchdog_us = 0;
	int64_t told = 0, tidy_at = 0;

	sd_watchdog_enabled(0, &watchdog_us);
	sd_notify(0, "READY=1");
	while (!cmd_stop) {
		tidy(pages, &tidy_at);
		if (watchdog_us && (told -= STEP_MS) <= 0 && http_alive(server)) {
			sd_notify(0, "WATCHDOG=1");
			told = (int64_t)(watchdog_us / 3000);
		}
		nanosleep(&step, NULL);
	}
	sd_notify(0, "STOPPING=1");
}

/* The sockets become the servers'. */
static int run_servers(struct pages *pages, int socket, int metrics, struct err *e)
{
	const struct http_limits many = {THREADS, CONNECTIONS, REQUEST_S, IDLE_S};
	const struct http_limits few = {1, 20, REQUEST_S, IDLE_S};
	const struct http_site site = pages_public(pages), numbers = pages_metrics(pages);
	struct http_server *server = NULL, *second = NULL;
	int rc = http_start(socket, &site, &many, &server, e);

	if (rc == 0 && metrics >= 0)
		rc = http_start(metrics, &numbers, &few, &second, e);
	if (rc == 0)
		wait_for_signal(pages, server);
	http_stop(second, 0);
	http_stop(server, GRACE_MS);
	return rc;
}

static int run(struct cmd *c, struct site *s, struct err *e)
{
	struct pages *pages = NULL;
	int socket = -1, metrics = -1, rc = -1;

	if (pages_open(s, &pages, e) < 0)
		return -1;
	socket = public_socket(&s->config, e);
	if (socket >= 0 && s->config.web.metrics)
		metrics = http_listen(s->config.web.metrics, e);
	if (socket >= 0 && (metrics >= 0 || !s->config.web.metrics)) {
		cmd_catch_signals();
		signal(SIGPIPE, SIG_IGN);
		tell(c, socket, metrics);
		rc = run_servers(pages, socket, metrics, e);
	}
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
