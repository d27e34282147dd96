/* SPDX-License-Identifier: MIT */
#include "net/http.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 512, HOST_MAX = 256 };

/* "[::1]:80" and "127.0.0.1:80" into host and port. */
static bool split_address(const char *address, char host[HOST_MAX], const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t n = colon ? (size_t)(colon - address) : 0;
	bool bracketed = n >= 2 && address[0] == '[' && address[n - 1] == ']';

	if (!n || n >= HOST_MAX || (!bracketed && memchr(address, ':', n)))
		return false;
	*port = colon + 1;
	snprintf(host, HOST_MAX, "%.*s", (int)(bracketed ? n - 2 : n), address + bracketed);
	return true;
}

int http_listen(const char *address, struct err *e)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	const char *port;
	const int on = 1;
	char host[HOST_MAX];
	int fd = -1;

	if (!split_address(address, host, &port) || getaddrinfo(host, port, &hints, &found) != 0)
		return err_set(e, ERR_CONFIG,
			"'%s' is no address to listen on: write HOST:PORT, such as 127.0.0.1:8025",
			address);
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
		bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		if (errno == EADDRINUSE)
			err_set(e, ERR_EXISTS, "somebody listens on %s already", address);
		else
			err_sys(e, "cannot listen on %s", address);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

unsigned http_port(int socket)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof a;

	if (getsockname(socket, (struct sockaddr *)&a, &n) < 0)
		return 0;
	if (a.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&a)->sin_port);
	return a.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&a)->sin6_port) : 0;
}
