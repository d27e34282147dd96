# SPDX-License-Identifier: MIT

load ../lib

setup() {
	make_site
}

@test "add, show, set, ls" {
	expect 0 list add week
	is "$output" ""
	expect 0 list add --name 'Das Wöchentliche' --from 'Ed <ed@example.org>' --reply-to re@example.org \
		--theme paper --opt-in double --json evening
	is "$(jq -c . <<<"$output")" '{"list":"evening","name":"Das Wöchentliche","from":"Ed <ed@example.org>","reply_to":"re@example.org","theme":"paper","opt_in":"double","public":true,"welcome":false,"goodbye":false,"clicks":false,"subscribed":0}'
	expect 0 list set --name "" --opt-in single evening
	expect 0 list show --json evening
	is "$(jq -c '[.name, .from, .opt_in]' <<<"$output")" '["","Ed <ed@example.org>","single"]'
	expect 0 list show evening
	has "$output" "list evening, 0 subscribers"
	has "$output" "Ed <ed@example.org>"
	expect 0 list ls
	is "$(sed 's/ .*//' <<<"$output")" $'LIST\ndaily\nevening\nweek'
	expect 0 list ls --json
	is "$(jq -r .list <<<"$output")" $'daily\nevening\nweek'
}

@test "columns stand below each other, also with wide and combining characters" {
	mill list add --name 'x' a
	mill list add --name '日本' b
	mill subscriber add --first-name 日本語 wide@example.org
	mill subscriber add --first-name 'é' combining@example.org
	expect 0 list ls
	is "$output" "LIST   SUBSCRIBED  OPT-IN  NAME
a               0  double  x
b               0  double  日本
daily           0  double  Daily"
}

@test "a list that is there, or is not" {
	unchanged expect 73 list add daily
	has "$stderr" "'daily'"
	unchanged expect 66 list show daili
	has "$stderr" "'daily'"
	unchanged expect 66 list set --name x nothing
}

@test "what cannot be a list" {
	for slug in "" A a_b -- -a a- "a b" ä ../x "$(printf 'a%.0s' {1..41})"; do
		unchanged expect 64 list add -- "$slug"
		has "$stderr" "cannot be the slug of a list"
	done
	unchanged expect 65 list add --from nobody week
	has "$stderr" "--from: "
	unchanged expect 65 list set --reply-to 'a@example.org, b@example.org' daily
	unchanged expect 64 list set --clicks maybe daily
	has "$stderr" "--clicks is 'maybe': it can be no or yes"
	unchanged expect 64 list add --opt-in triple week
	has "$stderr" "--opt-in is 'triple': it can be single or double"
}
