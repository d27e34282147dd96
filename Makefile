# SPDX-License-Identifier: MIT
#
# make             the program, build/lettermill
# make demo        install what is missing, build, deliver the sample issue to a local SMTP server
# make test        everything, quick first
# make check       the quick tests under ASan and UBSan, and lint
# make bench       figures beside other programs', as ratios of one run
# make fuzz        every fuzzer for FUZZ_SECONDS
# make install     DESTDIR= PREFIX=
# SANITIZE=1 with any of them builds into build/asan instead.

PREFIX ?= /usr/local
VERSION := 0.1.0
FUZZ_SECONDS ?= 60
CC := gcc
AR := gcc-ar
B := build
OPT := -O2
ifdef SANITIZE
B := build/asan
OPT := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

# Outermost first. A layer sees itself and those behind it; net and store do not see each other.
LAYERS := app net store mail base
PACKAGES := sqlite3 libcurl openssl uuid md4c libconfuse jansson libidn2

CPPFLAGS += -Iinclude -D_GNU_SOURCE -DVERSION='"$(VERSION)"'
CFLAGS += -std=c11 $(OPT) -g -fstack-protector-strong -fPIE -pthread -Wall -Wextra -Wshadow \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Werror
LDFLAGS += -pie -pthread -Wl,-z,relro,-z,now
LDLIBS = $(shell pkg-config --libs $(PACKAGES)) -lcsv -lesmtp

sources = $(sort $(wildcard src/$1/*.c))
objects = $(patsubst src/%.c,$B/%.o,$(call sources,$1))
archive = $B/lib$1.a
# The archives that code of layer $1 may link, in link order.
behind_app := app net store mail base
behind_net := net mail base
behind_store := store mail base
behind_mail := mail base
behind_base := base

all: $B/lettermill

$B/lettermill: $(call objects,cmd) $(foreach l,$(LAYERS),$(call archive,$l))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

define layer
$(call archive,$1): $(call objects,$1) $2
	@rm -f $$@
	$(AR) rcs $$@ $$^
endef
$(eval $(call layer,app,$B/embed/templates.o))
$(eval $(call layer,net,))
$(eval $(call layer,store,$B/embed/sql.o))
$(eval $(call layer,mail,))
$(eval $(call layer,base,))

$B/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Files that live inside the program: a table of names, .incbin for the bytes.
EMBED_SQL := $(sort $(wildcard sql/[0-9]*.sql))
EMBED_TEMPLATES := $(sort $(shell find mail-templates -type f))
define embed
$B/embed/$1.S: $3 Makefile
	@mkdir -p $$(@D)
	@{ i=0; for f in $3; do echo ".section .rodata"; echo "n$$$$i: .asciz \"$$$${f#$2/}\""; \
	  echo "d$$$$i: .incbin \"$$$$f\""; echo "e$$$$i: .byte 0"; i=$$$$((i+1)); done; \
	  echo ".section .data.rel.ro,\"aw\""; echo ".balign 8"; echo ".globl embedded_$1"; \
	  echo "embedded_$1:"; i=0; \
	  for f in $3; do echo ".quad n$$$$i, d$$$$i, e$$$$i - d$$$$i"; i=$$$$((i+1)); done; \
	  echo ".quad 0, 0, 0"; echo ".section .note.GNU-stack,\"\",@progbits"; } > $$@
$B/embed/$1.o: $B/embed/$1.S
	$(CC) -c -o $$@ $$<
endef
$(eval $(call embed,sql,sql,$(EMBED_SQL)))
$(eval $(call embed,templates,mail-templates,$(EMBED_TEMPLATES)))

# ---- tests ----
# A unit test links only its layer and those behind it: a call upwards does not link.
UNIT := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT_BIN := $(patsubst tests/unit/%.c,$B/unit/%,$(UNIT))
define unit
$B/unit/$1/%: tests/unit/$1/%.c $(foreach l,$(behind_$1),$(call archive,$l))
	@mkdir -p $$(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -o $$@ $$(filter %.c %.a,$$^) -lcmocka $$(LDLIBS)
endef
$(foreach l,$(LAYERS),$(eval $(call unit,$l)))

SMTPD_SOURCES := $(sort $(wildcard tests/smtpd/*.c))
$B/smtpd: $(SMTPD_SOURCES) $(wildcard tests/smtpd/*.h) $(foreach l,$(behind_mail),$(call archive,$l))
	$(CC) $(CPPFLAGS) -Itests/smtpd $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.c %.a,$^) $(LDLIBS)

test-programs: $B/lettermill $(UNIT_BIN) $B/smtpd

-include $(shell find $B -name '*.d' 2>/dev/null)

compile_commands.json: Makefile
	@{ echo '['; sep=; for f in $(foreach l,cmd $(LAYERS),$(call sources,$l)); do \
	  printf '%s{"directory":"%s","file":"%s","arguments":["$(CC)","-Iinclude","-D_GNU_SOURCE","-DVERSION=\\"$(VERSION)\\"","-std=c11","-c","%s"]}\n' \
	  "$$sep" "$(CURDIR)" "$$f" "$$f"; sep=,; done; echo ']'; } > $@

clean:
	rm -rf build compile_commands.json

.PHONY: all clean test-programs
