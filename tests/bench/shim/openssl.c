/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into `lettermill deliver`: how much of its processor time goes by inside OpenSSL. At its end the process
 * writes the two, in microseconds, to the file that OPENSSL_TIME names. Counted is what signing and tokens call, with
 * what OpenSSL calls in turn; the time that counting takes is outside.
 */
#include <dlfcn.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { MICROSECOND = 1000 };

static atomic_ullong inside; /* nanoseconds */
static uint64_t clock_takes;

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *next(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		abort();
	return f;
}

/* The thread's own clock costs a call of the kernel. For what is short the common one does; what lasted longer than
 * that ever does was interrupted, and is left out. */
static void add_long(uint64_t begun)
{
	inside += now(CLOCK_THREAD_CPUTIME_ID) - begun;
}

static void add_short(uint64_t begun)
{
	uint64_t took = now(CLOCK_MONOTONIC) - begun;

	if (took > clock_takes && took < 100 * MICROSECOND)
		inside += took - clock_takes;
}

#define COUNTED(clock, add, name, params, args)                                                    \
	int name params                                                                            \
	{                                                                                          \
		static int(*real) params;                                                          \
		uint64_t begun;                                                                    \
		int rc;                                                                            \
                                                                                                   \
		if (!real)                                                                         \
			*(void **)&real = next(#name);                                             \
		begun = now(clock);                                                                \
		rc = real args;                                                                    \
		add(begun);                                                                        \
		return rc;                                                                         \
	}
#define LONG(name, params, args)  COUNTED(CLOCK_THREAD_CPUTIME_ID, add_long, name, params, args)
#define SHORT(name, params, args) COUNTED(CLOCK_MONOTONIC, add_short, name, params, args)

LONG(EVP_PKEY_sign,
	(EVP_PKEY_CTX * c, unsigned char *sig, size_t *sig_n, const unsigned char *text, size_t n),
	(c, sig, sig_n, text, n))
LONG(EVP_DigestSign,
	(EVP_MD_CTX * c, unsigned char *sig, size_t *sig_n, const unsigned char *text, size_t n),
	(c, sig, sig_n, text, n))
SHORT(EVP_DigestSignInit,
	(EVP_MD_CTX * c, EVP_PKEY_CTX **pc, const EVP_MD *md, ENGINE *e, EVP_PKEY *key),
	(c, pc, md, e, key))
SHORT(EVP_MD_CTX_reset, (EVP_MD_CTX * c), (c))
SHORT(EVP_DigestInit_ex2, (EVP_MD_CTX * c, const EVP_MD *md, const OSSL_PARAM params[]),
	(c, md, params))
SHORT(EVP_DigestUpdate, (EVP_MD_CTX * c, const void *text, size_t n), (c, text, n))
SHORT(EVP_DigestFinal_ex, (EVP_MD_CTX * c, unsigned char *md, unsigned *n), (c, md, n))
SHORT(EVP_MAC_init,
	(EVP_MAC_CTX * c, const unsigned char *key, size_t n, const OSSL_PARAM params[]),
	(c, key, n, params))
SHORT(EVP_MAC_update, (EVP_MAC_CTX * c, const unsigned char *text, size_t n), (c, text, n))
SHORT(EVP_MAC_final, (EVP_MAC_CTX * c, unsigned char *mac, size_t *mac_n, size_t size),
	(c, mac, mac_n, size))

__attribute__((constructor)) static void begin(void)
{
	enum { TURNS = 10000 };
	uint64_t begun = now(CLOCK_MONOTONIC);

	for (int i = 1; i < TURNS; i++)
		now(CLOCK_MONOTONIC);
	clock_takes = (now(CLOCK_MONOTONIC) - begun) / TURNS;
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("OPENSSL_TIME");
	FILE *f = path ? fopen(path, "w") : NULL;
	struct rusage used;

	if (!f)
		return;
	getrusage(RUSAGE_SELF, &used);
	fprintf(f, "%llu %lld\n", inside / MICROSECOND,
		(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL + used.ru_utime.tv_usec +
			used.ru_stime.tv_usec);
	fclose(f);
}
