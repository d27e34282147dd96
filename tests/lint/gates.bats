# SPDX-License-Identifier: MIT
# Each gate of tests/lint/lint, shown firing on a violation planted in a copy of the tree.

setup() {
	root=$BATS_TEST_DIRNAME/../..
	copy=$BATS_TEST_TMPDIR/copy
	mkdir -p "$copy/build"
	(cd "$root" && git ls-files -z | tar -c --null -T -) | tar -x -C "$copy"
}

# fires GATE TEXT: the gate fails on the copy, naming TEXT, and was content before.
fires() {
	B=build run "$root/tests/lint/lint" -C "$copy" "$1"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ "$output" == *"lint $1: "*"$2"* ]]
}

content() {
	B=build run "$root/tests/lint/lint" -C "$copy" "$1"
	echo "$output"
	[ "$status" -eq 0 ]
}

# archives LAYER CODE: empty archives, but for one object with CODE in that of LAYER.
archives() {
	local layer
	for layer in app net store mail base; do
		rm -f "$copy/build/lib$layer.a"
		ar rcs "$copy/build/lib$layer.a"
	done
	echo "$2" | gcc -D_GNU_SOURCE -w -O0 -x c -c -o "$copy/build/planted.o" -
	ar rcs "$copy/build/lib$1.a" "$copy/build/planted.o"
}

@test "layers: a header of a layer above" {
	content layers
	sed -i '1a #include "store/store.h"' "$copy/src/mail/$(ls "$copy/src/mail" | grep -m 1 '\.c$')"
	fires layers "mail includes a header of store"
}

@test "layers: net and store do not see each other, also through another header" {
	printf '#include "net/transport.h"\n' >>"$copy/include/store/people.h"
	mkdir -p "$copy/src/store"
	printf '#include "store/people.h"\n' >"$copy/src/store/planted.c"
	fires layers "src/store/planted.c: store includes a header of net"
}

@test "layers: a unit test that reaches upwards" {
	mkdir -p "$copy/tests/unit/mail"
	printf '#include "app/site.h"\n' >"$copy/tests/unit/mail/test_planted.c"
	fires layers "tests/unit/mail/test_planted.c: mail includes a header of app"
}

@test "layers: a folder that is none" {
	mkdir "$copy/src/misc"
	echo 'int planted;' >"$copy/src/misc/planted.c"
	fires layers "'misc' is no layer"
}

@test "pure: the mail layer asks for the time, a file, a socket, the environment or a random number" {
	archives mail 'int f(void) { return 0; }'
	content pure
	local call
	for call in 'time(0)' 'clock_gettime(0, 0)' 'fopen("a", "r")' 'open("a", 0)' 'socket(1, 1, 0)' \
		'getenv("A")' 'rand()' 'sqlite3_open("a", 0)' 'curl_easy_init()' 'clock_now()' \
		'file_read("a", 0, 0)' 'log_msg(1, "a", "b")' 'smtp_create_session()'; do
		archives mail "int f(void) { return (int)(long)$call; }"
		fires pure "${call%%(*} has no place in mail"
	done
}

@test "pure: fortified and 64-bit names of a call count as the call" {
	archives mail 'int __open64_2(const char *, int); int f(void) { return __open64_2("a", 0); }'
	fires pure "open has no place in mail"
}

@test "pure: the other layers keep to their libraries" {
	archives net 'int f(void) { return sqlite3_open("a", 0); }'
	fires pure "sqlite3_open has no place in net"
	archives store 'int f(void) { return curl_easy_init(); }'
	fires pure "curl_easy_init has no place in store"
	archives app 'int f(void) { return sqlite3_step(0); }'
	fires pure "sqlite3_step has no place in app"
	archives base 'int f(void) { return socket(1, 1, 0); }'
	fires pure "socket has no place in base"
}

@test "printing: a library that prints or exits" {
	archives store 'int f(void) { return 0; }'
	content printing
	archives store '#include <stdio.h>
		void f(int n) { printf("%d", n); }'
	fires printing "printf belongs to cmd"
	archives app '#include <stdlib.h>
		void f(void) { exit(1); }'
	fires printing "exit belongs to cmd"
	archives net '#include <stdio.h>
		void f(void) { fflush(stdout); }'
	fires printing "stdout belongs to cmd"
}

@test "headers: one that leans on another's includes" {
	content headers
	printf 'int planted(struct nobody *n, size_t size);\n' >"$copy/include/base/planted.h"
	fires headers "include/base/planted.h does not compile alone"
}

@test "comments: a prototype without one" {
	content comments
	printf '/* Known. */\nint known(void);\n\nint planted(void);\n' >"$copy/include/base/planted.h"
	fires comments "include/base/planted.h:4: planted has no comment"
	[[ "$output" != *"known has"* ]]
}

@test "sizes: a function of 71 lines, a file of 501" {
	content sizes
	{
		echo 'int planted(void)'
		echo '{'
		yes '' | head -n 67
		printf '\treturn 0;\n}\n'
	} >"$copy/src/base/planted.c"
	fires sizes "src/base/planted.c:1: planted is 71 lines long"
	{
		echo 'int planted;'
		yes '' | head -n 500
	} >"$copy/src/base/planted.c"
	fires sizes "src/base/planted.c: 501 lines"
}

@test "banned: each call" {
	content banned
	local call
	for call in strcpy strcat sprintf vsprintf gets system popen tmpnam strtok atoi; do
		printf 'int f(void) { return %s(0); }\n' $call >"$copy/src/base/planted.c"
		fires banned "$call(0)"
	done
}

@test "format: spaces instead of tabs" {
	content format
	printf 'int planted(void)\n{\n    return 0;\n}\n' >"$copy/src/base/planted.c"
	fires format "src/base/planted.c:2"
}

@test "foreign: a path of somebody's machine" {
	content foreign
	printf 'see /wo%s/notes\n' rk >"$copy/HACKING.md"
	fires foreign "HACKING.md:1"
}

@test "copied: a file of the corpus, a sentence of the real issue" {
	mkdir -p "$BATS_TEST_TMPDIR/shared/corpus" "$BATS_TEST_TMPDIR/shared/design"
	export LETTERMILL_CORPUS=$BATS_TEST_TMPDIR/shared/corpus
	echo "From: somebody" >"$LETTERMILL_CORPUS/one.eml"
	local sentence="The ferry was late again"
	sentence+=", and nobody on the quay had been told why"
	echo "$sentence." >"$BATS_TEST_TMPDIR/shared/design/issue.md"
	content copied
	cp "$LETTERMILL_CORPUS/one.eml" "$copy/tests/planted.eml"
	fires copied "tests/planted.eml is a copy"
	rm "$copy/tests/planted.eml"
	echo "# $sentence" >"$copy/tests/planted.md"
	fires copied "tests/planted.md:1"
}
