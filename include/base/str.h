/* SPDX-License-Identifier: MIT */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A view of bytes somebody else owns: not NUL-terminated, may hold any byte. {NULL, 0} is the empty
 * view. Parsers hand out views into their input; whoever keeps one past the input's life copies it
 * into an arena.
 */
struct str {
	const char *p;
	size_t n;
};

/* A view of a string literal. */
#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})

/* For printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

/* The view of a NUL-terminated string; NULL gives the empty view. */
struct str str_of(const char *s);

/* The view from `from` up to but without `to`, clamped to the length of `s`. */
struct str str_slice(struct str s, size_t from, size_t to);

/* Byte-wise equality. */
bool str_eq(struct str a, struct str b);

/* Equality where A-Z and a-z count as the same; other bytes must match exactly. */
bool str_eq_nocase(struct str a, struct str b);

/* Order by bytes as memcmp(), a prefix before the longer: <0, 0, >0. The second ignores ASCII case. */
int str_cmp(struct str a, struct str b);
int str_cmp_nocase(struct str a, struct str b);

/* Whether `s` starts with `prefix`; the second ignores ASCII case. */
bool str_has_prefix(struct str s, struct str prefix);
bool str_has_prefix_nocase(struct str s, struct str prefix);

/* Whether `s` ends with `suffix`. */
bool str_has_suffix(struct str s, struct str suffix);

/* `s` without the spaces, tabs, CR and LF at both ends. */
struct str str_trim(struct str s);

/* Index of the first byte `c` in `s`, or s.n when there is none. */
size_t str_find(struct str s, char c);

/* Index of the first occurrence of `needle` in `s`, or s.n when there is none. */
size_t str_search(struct str s, struct str needle);

/* Take the text up to the next `sep` out of `*rest` (which moves behind it) into `*head`. False,
 * with nothing changed, when `*rest` is NULL; after the last piece `*rest` becomes {NULL, 0}. */
bool str_next(struct str *rest, char sep, struct str *head);

/* Parse all of `s` as a decimal integer without sign prefix '+', within [min, max]. False
 * otherwise. */
bool str_to_int(struct str s, int64_t min, int64_t max, int64_t *value);

/* Length in octets of the valid UTF-8 sequence at the start of `s` (RFC 3629), 0 where there is
 * none. */
size_t utf8_len(struct str s);

/* Offset of the first octet that is not valid UTF-8 (RFC 3629: no surrogates, no overlong forms),
 * or s.n when all of it is valid. */
size_t utf8_invalid_at(struct str s);

/* The code point that starts `s`, which must begin with a valid sequence (see utf8_len). */
uint32_t utf8_code_point(struct str s);

/* Octets of `s` that hold its first `chars` code points (all of it when it has fewer). */
size_t utf8_prefix(struct str s, size_t chars);

/* The entry of `names` (count `n`) nearest to `s` by edit distance, for "did you mean"; NULL where
 * none is near (distance over 2, or over a third of the length). */
const char *str_nearest(struct str s, const char *const *names, size_t n);

#endif
