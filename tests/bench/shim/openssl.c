/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into `lettermill deliver`: how much of its processor time goes by inside OpenSSL. At its end the process
 * writes the two, in microseconds, to the file that OPENSSL_TIME names. Counted is what signing and tokens call, with
 * what that calls in turn. What reading the clock takes is taken off; what else counting takes is outside.
 */
#include <dlfcn.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

/*
 * The thread's own clock costs a call of the kernel; for what is short the common one does. By that, a thread that had
 * to wait for the processor would seem to be inside: what took several times as long as hashing a whole copy does is
 * left out.
 */
enum { LONG, SHORT, SHORT_MAX = 100000 /* nanoseconds */ };
static const clockid_t clock_of[] = {[LONG] = CLOCK_THREAD_CPUTIME_ID, [SHORT] = CLOCK_MONOTONIC};
static uint64_t reading[2]; /* takes so long */

static atomic_ullong inside; /* nanoseconds */
static _Thread_local bool within; /* OpenSSL calls itself */

static uint64_t now(int kind)
{
	struct timespec t;

	clock_gettime(clock_of[kind], &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void add(int kind, uint64_t begun)
{
	uint64_t took = now(kind) - begun;

	if (took > reading[kind] && (kind == LONG || took < SHORT_MAX))
		inside += took - reading[kind];
}

static void *next(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		abort();
	return f;
}

#define COUNTED(kind, name, params, args)                                                          \
	int name params                                                                            \
	{                                                                                          \
		static _Thread_local int(*real) params;                                            \
		uint64_t begun;                                                                    \
		int rc;                                                                            \
                                                                                                   \
		if (!real)                                                                         \
			*(void **)&real = next(#name);                                             \
		if (within)                                                                        \
			return real args;                                                          \
		within = true;                                                                     \
		begun = now(kind);                                                                 \
		rc = real args;                                                                    \
		add(kind, begun);                                                                  \
		within = false;                                                                    \
		return rc;                                                                         \
	}

COUNTED(LONG, EVP_PKEY_sign,
	(EVP_PKEY_CTX * c, unsigned char *sig, size_t *sig_n, const unsigned char *text, size_t n),
	(c, sig, sig_n, text, n))
COUNTED(LONG, EVP_DigestSign,
	(EVP_MD_CTX * c, unsigned char *sig, size_t *sig_n, const unsigned char *text, size_t n),
	(c, sig, sig_n, text, n))
COUNTED(SHORT, EVP_DigestSignInit,
	(EVP_MD_CTX * c, EVP_PKEY_CTX **pc, const EVP_MD *md, ENGINE *e, EVP_PKEY *key),
	(c, pc, md, e, key))
COUNTED(SHORT, EVP_MD_CTX_reset, (EVP_MD_CTX * c), (c))
COUNTED(SHORT, EVP_DigestInit_ex2, (EVP_MD_CTX * c, const EVP_MD *md, const OSSL_PARAM params[]),
	(c, md, params))
COUNTED(SHORT, EVP_DigestUpdate, (EVP_MD_CTX * c, const void *text, size_t n), (c, text, n))
COUNTED(SHORT, EVP_DigestFinal_ex, (EVP_MD_CTX * c, unsigned char *md, unsigned *n), (c, md, n))
COUNTED(SHORT, EVP_MAC_init,
	(EVP_MAC_CTX * c, const unsigned char *key, size_t n, const OSSL_PARAM params[]),
	(c, key, n, params))
COUNTED(SHORT, EVP_MAC_update, (EVP_MAC_CTX * c, const unsigned char *text, size_t n), (c, text, n))
COUNTED(SHORT, EVP_MAC_final, (EVP_MAC_CTX * c, unsigned char *mac, size_t *mac_n, size_t size),
	(c, mac, mac_n, size))

__attribute__((constructor)) static void begin(void)
{
	enum { TURNS = 10000 };

	for (int kind = LONG; kind <= SHORT; kind++) {
		uint64_t begun = now(kind);

		for (int i = 0; i < TURNS; i++)
			now(kind);
		reading[kind] = (now(kind) - begun) / TURNS;
	}
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("OPENSSL_TIME");
	FILE *f = path ? fopen(path, "w") : NULL;
	struct rusage used;

	if (!f)
		return;
	getrusage(RUSAGE_SELF, &used);
	fprintf(f, "%llu %lld\n", inside / 1000,
		(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL + used.ru_utime.tv_usec +
			used.ru_stime.tv_usec);
	fclose(f);
}
