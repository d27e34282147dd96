/* SPDX-License-Identifier: MIT */
#ifndef KILLER_H
#define KILLER_H

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Trouble at the n-th write to the database: kill -9, or a full disk. SQLite lets its system calls be
 * replaced.
 */
static long writes_left; /* until a kill; 0 = never */
static long full_after, full_for; /* writes until the disk is full, and for how many it stays so */

static ssize_t write_or_die(int fd, const void *p, size_t n, off64_t at)
{
	if (writes_left > 0 && --writes_left == 0)
		kill(getpid(), SIGKILL);
	if (full_for > 0 && (full_after <= 0 || --full_after == 0)) {
		full_for--;
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, p, n, at);
}

static inline void replace_writes(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)write_or_die);
	vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)write_or_die);
}

/* In a child: die at the n-th write from here (0 = never). */
static inline void die_at_write(long n)
{
	replace_writes();
	writes_left = n;
}

/* In a child: from the n-th write on (0 = never) the disk is full, for so many writes. */
static inline void fill_at_write(long n, long writes)
{
	replace_writes();
	full_after = n;
	full_for = n ? writes : 0;
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
