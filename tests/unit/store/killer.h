/* SPDX-License-Identifier: MIT */
#ifndef KILLER_H
#define KILLER_H

#include <signal.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * kill -9 of a child at its n-th write to the database: SQLite lets its system calls be replaced.
 */
static long writes_left;

static ssize_t write_or_die(int fd, const void *p, size_t n, off64_t at)
{
	if (writes_left > 0 && --writes_left == 0)
		kill(getpid(), SIGKILL);
	return syscall(SYS_pwrite64, fd, p, n, at);
}

/* In a child: die at the n-th write from here (0 = never). */
static inline void die_at_write(long n)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	writes_left = n;
	vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)write_or_die);
	vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)write_or_die);
}

/* Wait for a child: 0 when it came to its end, 1 when it was killed as told; anything else is a failure. */
static inline int ended(pid_t child)
{
	int status = 0;

	if (waitpid(child, &status, 0) != child)
		return -1;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return 1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

#endif
