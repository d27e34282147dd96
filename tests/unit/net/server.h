/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SERVER_H
#define TESTS_SERVER_H

#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* The scripted server (tests/smtpd) as a child of a test. */
struct server {
	pid_t pid;
	uint16_t port;
	int out;
	char log[64], transcript[64];
	int exit_code; /* after server_stop(): 3 = the client broke the protocol */
	long connections;
};

enum { SERVER_ARGS = 24 };

/* Start it with the options `args`, up to a NULL. */
static inline void server_start(struct server *s, const char *const *args)
{
	const char *program = getenv("SMTPD");
	const char *argv[SERVER_ARGS + 8] = {program ? program : "build/smtpd", "--max-seconds",
		"300", "--log", s->log, "--transcript", s->transcript};
	char line[64] = "";
	size_t n = 7, got = 0;
	int pipes[2], fd;

	memset(s, 0, sizeof(*s));
	snprintf(s->log, sizeof(s->log), "/tmp/lettermill-log.XXXXXX");
	snprintf(s->transcript, sizeof(s->transcript), "/tmp/lettermill-talk.XXXXXX");
	fd = mkstemp(s->log);
	assert_true(fd >= 0);
	close(fd);
	fd = mkstemp(s->transcript);
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; args && args[i]; i++)
		argv[n++] = args[i];
	assert_int_equal(pipe(pipes), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (!s->pid) {
		dup2(pipes[1], 1);
		close(pipes[0]);
		close(pipes[1]);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(pipes[1]);
	s->out = pipes[0];
	while (got < sizeof(line) - 1 && read(s->out, line + got, 1) == 1 && line[got] != '\n')
		got++;
	if (sscanf(line, "listening %hu", &s->port) != 1)
		fail_msg("%s does not start", argv[0]);
}

static inline void server_stop(struct server *s)
{
	char summary[512] = "", *p;
	size_t got = 0;
	ssize_t n;
	int status = 0;

	kill(s->pid, SIGTERM);
	while ((n = read(s->out, summary + got, sizeof(summary) - 1 - got)) > 0)
		got += (size_t)n;
	close(s->out);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	s->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	p = strstr(summary, "\"connections\":");
	s->connections = p ? strtol(p + 14, NULL, 10) : -1;
}

/* Its records, and how often `what` stands in one of them. */
static inline size_t file_count(const char *path, const char *what)
{
	struct buf all;
	struct str rest;
	size_t n = 0, at;

	buf_init(&all, 64 * 1024 * 1024);
	assert_int_equal(file_read(path, &all, NULL), 0);
	rest = buf_view(&all);
	while ((at = str_search(rest, str_of(what))) < rest.n) {
		n++;
		rest = str_slice(rest, at + 1, rest.n);
	}
	buf_free(&all);
	return n;
}

static inline void server_remove(struct server *s)
{
	unlink(s->log);
	unlink(s->transcript);
}

#endif
