/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, const char *path, struct buf *out, struct err *e)
{
	char chunk[64 * 1024];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof chunk)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "cannot read '%s'", path);
		buf_add(out, chunk, (size_t)n);
		if (out->over)
			return err_set(
				e, ERR_INPUT, "'%s' is larger than %zu octets", path, out->max);
	}
	return 0;
}

int file_read(const char *path, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		rc = err_set(e, ERR_INPUT, "'%s' is a directory, not a file", path);
	else
		rc = read_all(fd, path, out, e);
	close(fd);
	return rc;
}

static int write_all(int fd, struct str content)
{
	while (content.n) {
		ssize_t n = write(fd, content.p, content.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		content = str_slice(content, (size_t)n, content.n);
	}
	return fsync(fd);
}

static int sync_folder(const char *path)
{
	char copy[PATH_MAX];
	int fd, rc;

	snprintf(copy, sizeof copy, "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

/* Write beside `path`, then make it appear there: by link(), which refuses to replace, or rename().
 */
static int write_beside(
	const char *path, struct str content, mode_t mode, bool replace, struct err *e)
{
	char temporary[PATH_MAX];
	int fd, rc = -1;

	if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
		return err_set(e, ERR_INPUT, "the path '%.100s…' is too long", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot create a file beside '%s'", path);
	if (fchmod(fd, mode) < 0 || write_all(fd, content) < 0) {
		err_sys(e, "cannot write '%s'", path);
		goto out;
	}
	if (replace ? rename(temporary, path) : link(temporary, path)) {
		err_sys(e, "cannot create '%s'", path);
		goto out;
	}
	if (sync_folder(path) < 0) {
		err_sys(e, "cannot sync the folder of '%s'", path);
		goto out;
	}
	rc = 0;
out:
	close(fd);
	if (rc < 0 || !replace)
		unlink(temporary);
	return rc;
}

int file_write(const char *path, struct str content, mode_t mode, struct err *e)
{
	return write_beside(path, content, mode, true, e);
}

int file_create(const char *path, struct str content, mode_t mode, struct err *e)
{
	return write_beside(path, content, mode, false, e);
}

int file_read_secret(const char *path, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0)
		return err_sys(e, "cannot open the secret '%s'", path);
	if (fstat(fd, &st) < 0)
		rc = err_sys(e, "cannot look at the secret '%s'", path);
	else if (!S_ISREG(st.st_mode))
		rc = err_set(e, ERR_CONFIG, "the secret '%s' is not a regular file", path);
	else if (st.st_mode & S_IRWXO)
		rc = err_set(e, ERR_DENIED,
			"the secret '%s' is open to every user of this machine: chmod 600 it",
			path);
	else
		rc = read_all(fd, path, out, e);
	close(fd);
	if (rc < 0)
		return -1;
	while (out->n && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r'))
		out->n--;
	if (out->n == 0)
		return err_set(e, ERR_CONFIG, "the secret '%s' is empty", path);
	return 0;
}
