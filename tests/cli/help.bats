# SPDX-License-Identifier: MIT
# How the program explains itself: help, manual, unknown words.

load ../lib

# The names of all commands.
all_commands() {
	"$LETTERMILL" help | sed -nE 's/^  ([a-z]+) .*/\1/p'
}

# The usage lines of --help, each on one line, without "usage:".
usage_of() {
	"$LETTERMILL" "$@" --help | sed '/^$/,$d; s/^usage://; s/^ *//'
}

# The forms in the SYNOPSIS of a page, each on one line.
synopsis_of() {
	mandoc -T ascii -O width=1000 "$1" | sed 's/.\x08//g' |
		sed -n '/^SYNOPSIS/,/^DESCRIPTION/{/^ /p}' | sed 's/^ *//'
}

@test "every command has a page whose SYNOPSIS is its --help" {
	[ "$(all_commands | wc -l)" -ge 12 ]
	for command in $(all_commands); do
		page=$ROOT/man/lettermill-$command.1
		[ -f "$page" ]
		is "$(usage_of "$command")" "$(synopsis_of "$page")"
	done
	is "$(usage_of)" "$(synopsis_of "$ROOT/man/lettermill.1")"
}

@test "every page belongs to a command, and the first page names them all" {
	for page in "$ROOT"/man/lettermill-*.1; do
		name=${page##*/lettermill-}
		all_commands | grep -qx "${name%.1}"
		grep -q "^.It Xr lettermill-${name%.1} 1" "$ROOT/man/lettermill.1"
	done
}

@test "-h, --help and help say the same of every form, and exit 0" {
	for command in $(all_commands); do
		while read -r form; do
			words=()
			for word in ${form#lettermill }; do
				[[ $word =~ ^[a-z]+$ ]] || break
				words+=("$word")
			done
			is "$(usage_of "${words[@]}" | head -1)" "$form"
			is "$("$LETTERMILL" "${words[@]}" -h)" "$("$LETTERMILL" "${words[@]}" --help)"
			is "$("$LETTERMILL" help "${words[@]}" | head -1)" "usage: $form"
		done < <(usage_of "$command")
	done
}

@test "the manual is clean for mandoc" {
	run mandoc -T lint -W warning "$ROOT"/man/*.[1-8]
	is "$output" ""
}

@test "every page tells its exit codes" {
	for page in "$ROOT"/man/*.1; do
		grep -q '^\.Sh EXIT STATUS' "$page" || { echo "$page" && false; }
	done
}

@test "every option of --help stands in the command's page" {
	for command in $(all_commands); do
		for option in $(usage_of "$command" | grep -oE -- '--[a-z-]+' | sort -u); do
			grep -qE "Fl -${option#--}( |\$)" "$ROOT/man/lettermill-$command.1"
		done
	done
}

@test "version" {
	run --separate-stderr "$LETTERMILL" version
	[[ $output =~ ^lettermill\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	is "$("$LETTERMILL" --json version | jq -r .version)" "${output#lettermill }"
	is "$("$LETTERMILL" --version)" "$output"
	is "$("$LETTERMILL" version --json)" "$("$LETTERMILL" --json version)"
}

# wrong TEXT ARGUMENT...: exit code 64, nothing on standard output, TEXT in the sentence.
wrong() {
	local text=$1
	shift
	run --separate-stderr -64 "$LETTERMILL" "$@"
	is "$output" ""
	has "$stderr" "$text"
	has "$stderr" "try 'lettermill "
}

@test "a wrong command line is one sentence and exit code 64" {
	wrong "a command is missing"
	wrong "there is no command 'staus': did you mean 'status'?" staus
	wrong "there is no command 'issue chek': did you mean 'check'?" issue chek
	wrong "issue: a command is missing" issue
	wrong "there is no command 'xyzzy'" help xyzzy
	wrong "status: there is no option '--jason': did you mean '--json'?" status --jason
	wrong "status: there is no option '-x'" status -x
	wrong "there is no option '-x'" -x status
	wrong "status: option '--json' takes no value" status --json=1
	wrong "import: option '--list' needs a value" import --list
	wrong "'lettermill list ls' shows them" import file.csv
	wrong "issue check: an argument is missing" issue check
	wrong "version: there is no place for the argument 'now'" version now
	wrong "issue test: --to ADDRESS is missing" issue test file.md
}

@test "-C changes the folder for the site and for other files" {
	SITE=
	make_site
	cd /
	"$LETTERMILL" -C "$SITE" list ls
	"$LETTERMILL" list ls -C "$SITE"
	cp "$SITE/lettermill.conf" "$SITE/other.conf"
	"$LETTERMILL" -C "$SITE" --config other.conf list ls
	run --separate-stderr -66 "$LETTERMILL" -C /nonexistent list ls
	has "$stderr" "cannot change to '/nonexistent'"
}

@test "what cannot be printed is an error" {
	[ -c /dev/full ] || skip "there is no /dev/full"
	run --separate-stderr -74 bash -c "'$LETTERMILL' help >/dev/full"
	has "$stderr" "cannot write to standard output"
}
