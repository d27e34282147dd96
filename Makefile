# SPDX-License-Identifier: MIT
#
# make             the program, build/lettermill
# make deps        install what building and testing need (deps-build, deps-test)
# make demo        install what is missing, build, deliver the sample issue (or ISSUE=FILE) on loopback
# make test        everything, quick first
# make check       lint, and the quick tests under ASan and UBSan
# make lint        the gates alone
# make bench       figures beside other programs', as ratios of one run
# make crash       kill delivery a thousand times and count the copies
# make fuzz        every fuzzer for FUZZ_SECONDS, or as FUZZ_LIMIT says
# make install     DESTDIR= PREFIX=
# SANITIZE=1 builds into build/asan, with the sanitizers, whatever is made.
# V=1 shows the commands.

PREFIX ?= /usr/local
VERSION := 0.1.0
FUZZ_SECONDS ?= 60
FUZZ_LIMIT ?= -max_total_time=$(FUZZ_SECONDS)
CC := gcc
AR := gcc-ar
CLANG := $(firstword $(shell command -v clang clang-14) clang)
B := build
OPT := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
ifdef SANITIZE
B := build/asan
OPT := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

# Outermost first. A layer sees itself and those behind it; net and store do not see each other.
LAYERS := app net store mail base
HEADERS := csv.h libesmtp.h
PACKAGES := sqlite3 libcurl openssl uuid md4c libconfuse jansson libidn2 libmicrohttpd libsystemd gmime-3.0 libarchive
# As system headers: the warnings are for our own.
PACKAGE_INCLUDES := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags-only-I gmime-3.0 2>/dev/null))

CPPFLAGS += -Iinclude -D_GNU_SOURCE -DVERSION='"$(VERSION)"' $(PACKAGE_INCLUDES)
CFLAGS += -std=c11 $(OPT) -g -fstack-protector-strong -fPIE -pthread -Wall -Wextra -Wshadow \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Werror
LDFLAGS += -pie -pthread -Wl,-z,relro,-z,now
LDLIBS = $(shell pkg-config --libs $(PACKAGES)) -lcsv -lesmtp -lunistring -lm

say = $(if $(V),,@echo '  $1 $@';)
sources = $(sort $(wildcard src/$1/*.c))
objects = $(patsubst src/%.c,$B/%.o,$(call sources,$1))
archive = $B/lib$1.a
archives = $(foreach l,$1,$(call archive,$l))
# The archives that code of layer $1 may link, in link order.
behind_app := app net store mail base
behind_net := net mail base
behind_store := store mail base
behind_mail := mail base
behind_base := base

all: $B/lettermill

$B/lettermill: $(call objects,cmd) $(call archives,$(LAYERS)) $B/cmd.list
	$(call say,LINK)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter-out %.list,$^) $(LDLIBS)

# NAME.list holds a list of files and changes with it, so that what is made of them is made again when
# one is added or removed.
define list
$B/$1.list: FORCE | $B/.libraries
	@mkdir -p $$(@D)
	@echo '$2' | cmp -s - $$@ || echo '$2' > $$@
endef

define layer
$(call archive,$1): $(call objects,$1) $2 $B/$1.list
	@rm -f $$@
	$$(call say,AR)$(AR) rcs $$@ $$(filter %.o,$$^)
endef
$(eval $(call layer,app,$B/embed/templates.o))
$(eval $(call layer,net,))
$(eval $(call layer,store,$B/embed/sql.o))
$(eval $(call layer,mail,))
$(eval $(call layer,base,))
$(foreach l,cmd $(LAYERS),$(eval $(call list,$l,$(call sources,$l))))

$B/%.o: src/%.c Makefile | $B/.libraries
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$B/.libraries: Makefile
	@mkdir -p $(@D)
	@missing=; for tool in $(CC) pkg-config; do \
	  command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	for p in $(PACKAGES); do pkg-config --exists $$p 2>/dev/null || missing="$$missing $$p"; done; \
	for h in $(HEADERS); do \
	  echo "#include <$$h>" | $(CC) -E -x c - >/dev/null 2>&1 || missing="$$missing $$h"; done; \
	if [ -n "$$missing" ]; then \
	  echo "cannot build without$$missing: run 'make deps-build' to install what is missing" >&2; exit 1; fi
	@touch $@

# Files that live inside the program: a table of names, .incbin for the bytes.
EMBED_SQL := $(sort $(wildcard sql/[0-9]*.sql))
EMBED_TEMPLATES := $(sort $(shell find mail-templates -type f))
define embed
$B/embed/$1.S: $3 Makefile $B/embed/$1.list
	@{ i=0; for f in $3; do echo ".section .rodata"; echo "n$$$$i: .asciz \"$$$${f#$2/}\""; \
	  echo "d$$$$i: .incbin \"$$$$f\""; echo "e$$$$i: .byte 0"; i=$$$$((i+1)); done; \
	  echo ".section .data.rel.ro,\"aw\""; echo ".balign 8"; echo ".globl embedded_$1"; \
	  echo "embedded_$1:"; i=0; \
	  for f in $3; do echo ".quad n$$$$i, d$$$$i, e$$$$i - d$$$$i"; i=$$$$((i+1)); done; \
	  echo ".quad 0, 0, 0"; echo ".section .note.GNU-stack,\"\",@progbits"; } > $$@
$B/embed/$1.o: $B/embed/$1.S
	$$(call say,CC)$(CC) -c -o $$@ $$<
$(call list,embed/$1,$3)
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
	$$(call say,LINK)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -o $$@ $$(filter %.c %.a,$$^) -lcmocka $$(LDLIBS)
endef
$(foreach l,$(LAYERS),$(eval $(call unit,$l)))

SMTPD := $(sort $(wildcard tests/smtpd/*.c))
$B/smtpd: $(SMTPD) $(wildcard tests/smtpd/*.h) $(call archives,$(behind_mail))
	$(call say,LINK)$(CC) $(CPPFLAGS) -Itests/smtpd $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.c %.a,$^) $(LDLIBS)

# Copies with hostile values, for the readers of mail in tests/e2e/wire.bats.
$B/wire: tests/wire/wire.c $(wildcard tests/unit/mail/*.h) $(call archives,$(behind_mail))
	$(call say,LINK)$(CC) $(CPPFLAGS) -Itests/unit/mail $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.c %.a,$^) $(LDLIBS)

# Preloaded by tests/crash, and by tests/bench/deliver.sh.
$B/crash.so: tests/crash/shim.c
$B/openssl.so: tests/bench/shim/openssl.c
$B/crash.so $B/openssl.so:
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS) $(filter-out -fPIE -fsanitize%,$(CFLAGS)) -fPIC -shared -o $@ $< -ldl

BENCH_BIN := $(patsubst tests/%.c,$B/%,$(sort $(wildcard tests/bench/*.c)))
$B/bench/%: tests/bench/%.c $(call archives,$(LAYERS))
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $(filter %.c %.a,$^) $(LDLIBS)

FUZZ_BIN := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_OBJECTS := $(foreach l,$(LAYERS),$(patsubst src/%.c,build/fuzz/obj/%.o,$(call sources,$l)))
FUZZ_FLAGS := -std=c11 -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all
build/fuzz/obj/%.o: src/%.c Makefile | $B/.libraries
	@mkdir -p $(@D)
	$(call say,CLANG)clang $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<
build/fuzz/all.a: $(FUZZ_OBJECTS) $B/embed/sql.o $B/embed/templates.o
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^
build/fuzz/%: tests/fuzz/%.c build/fuzz/all.a
	$(call say,CLANG)clang $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

test-programs: $B/lettermill $(UNIT_BIN) $B/smtpd $B/wire $B/crash.so

test: deps
	@$(MAKE) --no-print-directory test-programs
	@B=$B tests/run all

check: lint
	@$(MAKE) --no-print-directory SANITIZE=1 test-quick

test-quick: test-programs
	@B=$B tests/run quick

lint: $(call archives,$(LAYERS))
	@B=$B tests/lint/lint

crash: $B/lettermill $B/smtpd $B/crash.so
	@B=$B tests/crash/crash

bench: $B/lettermill $B/smtpd $B/openssl.so $(BENCH_BIN)
	@set -e; for f in $(sort $(wildcard tests/bench/*.sh)); do echo "$$f"; B=$B $$f; done

# A fuzzer starts from tests/fuzz/NAME/, where there is such a folder, and keeps what it finds in
# build/fuzz/corpus/NAME/.
fuzz: $(FUZZ_BIN)
	@set -e; for f in $(notdir $^); do echo "$$f $(FUZZ_LIMIT)"; \
	  mkdir -p build/fuzz/corpus/$$f; seeds=; [ ! -d tests/fuzz/$$f ] || seeds=tests/fuzz/$$f; \
	  build/fuzz/$$f $(FUZZ_LIMIT) -timeout=10 -rss_limit_mb=2048 \
	    -artifact_prefix=build/fuzz/$$f. -print_final_stats=1 -verbosity=0 \
	    build/fuzz/corpus/$$f $$seeds; done

demo: deps-build
	@$(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j2) $B/lettermill $B/smtpd
	@B=$B ISSUE='$(ISSUE)' tests/demo

# ---- packages of Debian ----
DEPS_BUILD := gcc libc6-dev make pkg-config libsqlite3-dev libcurl4-openssl-dev libssl-dev uuid-dev \
	libmd4c-dev libconfuse-dev libjansson-dev libidn2-dev libunistring-dev libcsv-dev libesmtp-dev \
	libmicrohttpd-dev libsystemd-dev libgmime-3.0-dev libarchive-dev
DEPS_TEST := libcmocka-dev bats perl clang libclang-rt-14-dev clang-format universal-ctags mandoc sqlite3 jq \
	openssl debootstrap systemd systemd-container chromium fonts-roboto-unhinted postfix sasl2-bin \
	libsasl2-modules dovecot-imapd dovecot-lmtpd dovecot-pop3d spamassassin rspamd opendkim swaks \
	python3 python3-dkim strace curl iproute2 nginx-light wrk slowhttptest libsisimai-perl \
	python3-flufl.bounce libmail-deliverystatus-bounceparser-perl

deps: build/node/package.json
	@tests/install-packages $(DEPS_BUILD) $(DEPS_TEST)
deps-build:
	@tests/install-packages $(DEPS_BUILD)
deps-test: build/node/package.json
	@tests/install-packages $(DEPS_TEST)

# Tools of tests that only npm has. Tests skip what is not there.
build/node/package.json: tests/node/package.json
	@mkdir -p $(@D)
	@! command -v npm >/dev/null || { cp $< $@ && npm install --prefix $(@D) --no-audit --no-fund \
	  --ignore-scripts --loglevel=error; } || { rm -f $@; echo "no packages of npm: some tests are skipped"; }

# ---- the rest ----
install: $B/lettermill
	install -D -m 755 $B/lettermill $(DESTDIR)$(PREFIX)/bin/lettermill
	set -e; for f in $(sort $(wildcard man/*.[1-8])); do \
	  install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man$${f##*.} $$f; done
	set -e; for f in $(sort $(wildcard systemd/*)); do \
	  mkdir -p $(DESTDIR)$(PREFIX)/lib/systemd/system; \
	  sed 's|/usr/local/bin|$(PREFIX)/bin|' $$f >$(DESTDIR)$(PREFIX)/lib/systemd/system/$${f##*/}; \
	  chmod 644 $(DESTDIR)$(PREFIX)/lib/systemd/system/$${f##*/}; done

compile_commands.json: Makefile
	@{ echo '['; sep=; for f in $(foreach l,cmd $(LAYERS),$(call sources,$l)); do \
	  printf '%s{"directory":"%s","file":"%s","arguments":["$(CC)","-Iinclude","-D_GNU_SOURCE","-DVERSION=\\"$(VERSION)\\"","-std=c11","-c","%s"]}\n' \
	  "$$sep" "$(CURDIR)" "$$f" "$$f"; sep=,; done; echo ']'; } > $@

clean:
	rm -rf build compile_commands.json

-include $(wildcard $(foreach d,cmd $(LAYERS) unit/* bench,$B/$d/*.d) build/fuzz/obj/*/*.d)

FORCE:
.DELETE_ON_ERROR:
.PHONY: all bench check clean crash demo deps deps-build deps-test fuzz install lint test test-programs \
	test-quick FORCE
