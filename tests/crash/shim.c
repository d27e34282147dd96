/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * Preloaded into the program by tests/crash/crash: stops it at the n-th call of a named step, or writes
 * down what it does to its files. The program itself knows nothing of it.
 *
 *   CRASH_AT="STEP N WAY SIGNAL"   before, after, or half way through that call: the signal
 *   CRASH_COUNTS=FILE              at the end, how often each step was made
 *   CRASH_TRACE=FILE               each write, sync and cut of a database file, and each message whose
 *                                  final dot leaves: in the order in which they happened
 */
enum step {
	WAL_WRITE,
	WAL_SYNC,
	DB_WRITE,
	DB_SYNC,
	JOURNAL_WRITE,
	CONNECT,
	SEND,
	DOT,
	RECV,
	STEP_N,
	NO_STEP = STEP_N,
};
static const char *const step_name[STEP_N] = {"wal-write", "wal-sync", "db-write", "db-sync",
	"journal-write", "connect", "send", "dot", "recv"};

enum { NAME_MAX_HERE = 256, FDS = 1024, RCPT_SIZE = 320 };

static struct {
	enum step step;
	unsigned long n;
	char way[8];
	int signal;
} at = {.step = NO_STEP};

static unsigned long made[STEP_N];
static const char *counts_file;
static int trace = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void start(void)
{
	const char *text = getenv("CRASH_AT"), *file = getenv("CRASH_TRACE");
	char step[32];

	counts_file = getenv("CRASH_COUNTS");
	if (text && sscanf(text, "%31s %lu %7s %d", step, &at.n, at.way, &at.signal) == 4)
		for (int i = 0; i < STEP_N; i++)
			if (!strcmp(step, step_name[i]))
				at.step = (enum step)i;
	if (text && at.step == NO_STEP) {
		fprintf(stderr, "CRASH_AT='%s' names no step\n", text);
		_exit(70);
	}
	if (file)
		trace = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	unsetenv("LD_PRELOAD");
}

__attribute__((destructor)) static void stop(void)
{
	FILE *f = counts_file ? fopen(counts_file, "we") : NULL;

	for (int i = 0; f && i < STEP_N; i++)
		fprintf(f, "%s %lu\n", step_name[i], made[i]);
	if (f)
		fclose(f);
}

/* Whether this call is the one, by its way; counted by the first question of each call. */
static bool is_the_call(enum step step)
{
	return step != NO_STEP && __atomic_add_fetch(&made[step], 1, __ATOMIC_SEQ_CST) == at.n &&
	       step == at.step;
}

static void now(bool is, const char *way)
{
	if (is && !strcmp(at.way, way)) {
		int kept = errno;

		kill(getpid(), at.signal);
		errno = kept;
	}
}

static bool half(bool is)
{
	return is && !strcmp(at.way, "half");
}

/* ---- files ---- */

static bool ends(const char *name, const char *with)
{
	size_t n = strlen(name), m = strlen(with);

	return n >= m && !strcmp(name + n - m, with);
}

static bool is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* What a file is by its name: 'd' the database, 'w' its WAL, 'j' a send journal, 0 another. */
static char file_of(int fd)
{
	char link[64], name[NAME_MAX_HERE];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof name - 1);
	if (n <= 0)
		return 0;
	name[n] = '\0';
	if (strstr(name, ".journal/"))
		return 'j';
	return ends(name, ".db") ? 'd' : ends(name, ".db-wal") ? 'w' : 0;
}

static enum step step_of(char file, bool sync)
{
	return file == 'd'   ? (sync ? DB_SYNC : DB_WRITE)
	       : file == 'w' ? (sync ? WAL_SYNC : WAL_WRITE)
	       : file == 'j' ? (sync ? NO_STEP : JOURNAL_WRITE)
			     : NO_STEP;
}

/* A record of the trace: kind, file, offset, length, octets. The caller holds the lock. */
static void note(char kind, char file, int64_t offset, const void *p, size_t n)
{
	struct {
		char kind, file, pad[6];
		int64_t offset, n;
	} head = {kind, file, {0}, offset, (int64_t)n};
	const struct iovec part[] = {{&head, sizeof head}, {(void *)(uintptr_t)p, n}};

	if (trace >= 0 && REAL(writev)(trace, part, p ? 2 : 1) < 0)
		_exit(74);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t offset)
{
	char file = file_of(fd);
	bool is = is_the_call(step_of(file, false));
	ssize_t did;

	now(is, "before");
	if (half(is))
		n = (n + 1) / 2;
	if (trace >= 0)
		pthread_mutex_lock(&lock);
	did = REAL(pwrite64)(fd, p, n, offset);
	if (trace >= 0) {
		if (file && did > 0)
			note('W', file, offset, p, (size_t)did);
		pthread_mutex_unlock(&lock);
	}
	now(is, "half");
	now(is, "after");
	return did;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t offset)
{
	return pwrite64(fd, p, n, offset);
}

/* The journal is only appended to: where, is known afterwards. */
static ssize_t append(int fd, const void *p, size_t n)
{
	bool is = is_the_call(JOURNAL_WRITE);
	ssize_t did;

	now(is, "before");
	if (half(is))
		n = (n + 1) / 2;
	if (trace >= 0)
		pthread_mutex_lock(&lock);
	did = REAL(write)(fd, p, n);
	if (trace >= 0) {
		if (did > 0)
			note('W', 'j', lseek(fd, 0, SEEK_CUR) - did, p, (size_t)did);
		pthread_mutex_unlock(&lock);
	}
	now(is, "half");
	now(is, "after");
	return did;
}

int ftruncate64(int fd, off64_t size)
{
	char file = file_of(fd);
	int rc;

	if (trace >= 0)
		pthread_mutex_lock(&lock);
	rc = REAL(ftruncate64)(fd, size);
	if (trace >= 0) {
		if (file && rc == 0)
			note('T', file, size, NULL, 0);
		pthread_mutex_unlock(&lock);
	}
	return rc;
}

int ftruncate(int fd, off_t size)
{
	return ftruncate64(fd, size);
}

static int sync_file(int fd, bool data)
{
	char file = file_of(fd);
	bool is = is_the_call(step_of(file, true));
	int rc;

	now(is, "before");
	if (trace >= 0)
		pthread_mutex_lock(&lock);
	rc = data ? REAL(fdatasync)(fd) : REAL(fsync)(fd);
	if (trace >= 0) {
		if (file && rc == 0)
			note('S', file, 0, NULL, 0);
		pthread_mutex_unlock(&lock);
	}
	now(is, "after");
	return rc;
}

int fdatasync(int fd)
{
	return sync_file(fd, true);
}

int fsync(int fd)
{
	return sync_file(fd, false);
}

/* ---- sockets ---- */

struct talk {
	char rcpt[RCPT_SIZE];
	char tail[4];
};

/* Follow the dialogue: "RCPT TO:<…>" names the recipient whose final dot comes next. True when one
 * passes; `tell` notes it. */
static bool follow(struct talk *t, const char *p, size_t n, bool tell)
{
	static const char rcpt[] = "RCPT TO:<";
	bool dot = false;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n' && !memcmp(t->tail, "\r\n.\r", 4)) {
			dot = true;
			if (tell)
				note('D', 0, 0, t->rcpt, strlen(t->rcpt));
		}
		memmove(t->tail, t->tail + 1, 3);
		t->tail[3] = p[i];
		if (n - i > sizeof rcpt - 1 && !memcmp(p + i, rcpt, sizeof rcpt - 1)) {
			const char *from = p + i + sizeof rcpt - 1;
			const char *to = memchr(from, '>', n - i - sizeof rcpt + 1);

			if (to && to - from < RCPT_SIZE) {
				memcpy(t->rcpt, from, (size_t)(to - from));
				t->rcpt[to - from] = '\0';
			}
		}
	}
	return dot;
}

static struct talk conn[FDS];

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	struct talk ahead = conn[fd % FDS];
	bool dot = follow(&ahead, p, n, false);
	bool is = is_the_call(SEND) | (dot && is_the_call(DOT));
	ssize_t did;

	now(is, "before");
	if (half(is))
		n = (n + 1) / 2;
	if (trace >= 0)
		pthread_mutex_lock(&lock);
	did = REAL(send)(fd, p, n, flags);
	if (did > 0)
		follow(&conn[fd % FDS], p, (size_t)did, trace >= 0);
	if (trace >= 0)
		pthread_mutex_unlock(&lock);
	now(is, "half");
	now(is, "after");
	return did;
}

ssize_t sendto(
	int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t size)
{
	return to ? REAL(sendto)(fd, p, n, flags, to, size) : send(fd, p, n, flags);
}

ssize_t write(int fd, const void *p, size_t n)
{
	char file;
	off64_t offset;
	ssize_t did;

	if (is_socket(fd))
		return send(fd, p, n, MSG_NOSIGNAL);
	file = file_of(fd);
	if (!file)
		return REAL(write)(fd, p, n);
	if (file == 'j')
		return append(fd, p, n);
	offset = lseek64(fd, 0, SEEK_CUR);
	did = pwrite64(fd, p, n, offset);
	if (did > 0)
		lseek64(fd, offset + did, SEEK_SET);
	return did;
}

static ssize_t gather(int fd, const struct iovec *v, size_t count, int flags)
{
	static __thread char all[1 << 20];
	size_t n = 0;

	for (size_t i = 0; i < count && n + v[i].iov_len <= sizeof all; i++) {
		memcpy(all + n, v[i].iov_base, v[i].iov_len);
		n += v[i].iov_len;
	}
	return send(fd, all, n, flags);
}

ssize_t writev(int fd, const struct iovec *v, int count)
{
	return is_socket(fd) ? gather(fd, v, (size_t)count, MSG_NOSIGNAL)
			     : REAL(writev)(fd, v, count);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	return m->msg_name || m->msg_controllen ? REAL(sendmsg)(fd, m, flags)
						: gather(fd, m->msg_iov, m->msg_iovlen, flags);
}

/* Only what brought something counts: the call that finds nothing is no step. */
static ssize_t received(ssize_t did)
{
	if (did > 0) {
		bool is = is_the_call(RECV);

		now(is, "before");
		now(is, "after");
	}
	return did;
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
	return received(REAL(recv)(fd, p, n, flags));
}

ssize_t recvfrom(int fd, void *restrict p, size_t n, int flags, struct sockaddr *restrict from,
	socklen_t *restrict size)
{
	ssize_t did = REAL(recvfrom)(fd, p, n, flags, from, size);

	return from ? did : received(did);
}

ssize_t read(int fd, void *p, size_t n)
{
	ssize_t did = REAL(read)(fd, p, n);

	return is_socket(fd) ? received(did) : did;
}

int connect(int fd, const struct sockaddr *to, socklen_t size)
{
	bool is = to->sa_family != AF_UNIX && is_the_call(CONNECT);
	int rc;

	now(is, "before");
	rc = REAL(connect)(fd, to, size);
	now(is, "after");
	if (fd >= 0)
		memset(&conn[fd % FDS], 0, sizeof conn[0]);
	return rc;
}
