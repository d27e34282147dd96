# SPDX-License-Identifier: MIT

load ../lib

setup() {
	make_site
	mill list add week
}

@test "add, show, set, find" {
	expect 0 subscriber add ana@Example.org --first-name Ana --last-name "O'Neill" --set city=Lisboa \
		--set "note=a=b" --list daily --list week
	is "$output" ""
	expect 0 subscriber show --json ana@example.ORG
	is "$(jq -c 'del(.created_at, .subscriptions[].since)' <<<"$output")" '{"subscriber":1,"email":"ana@example.org","first_name":"Ana","last_name":"O'"'"'Neill","attributes":{"city":"Lisboa","note":"a=b"},"subscriptions":[{"list":"daily","status":"subscribed","source":"by hand"},{"list":"week","status":"subscribed","source":"by hand"}],"suppression":null}'
	expect 0 subscriber set --last-name Silva --set city=Porto ana@example.org
	expect 0 subscriber show ana@example.org
	has "$output" "Ana Silva <ana@example.org>, subscriber 1 since 2"
	has "$output" "city = Porto"
	has "$output" "note = a=b"
	mill subscriber add bob@example.org
	expect 0 subscriber find silva
	has "$output" "ana@example.org"
	expect 0 subscriber find --json example
	is "$(jq -r .email <<<"$output")" $'ana@example.org\nbob@example.org'
	expect 0 subscriber find --limit 1 example
	has "$stderr" "more than 1"
	is "$(wc -l <<<"$output")" 2
	expect 1 subscriber find nobody
	is "$output$stderr" ""
}

@test "adding again brings up to date" {
	mill subscriber add --first-name Ana --set a=1 ana@example.org
	expect 0 subscriber add --json --last-name Silva --set b=2 ana@example.org
	is "$(jq -c '[.subscriber,.first_name,.last_name,.attributes]' <<<"$output")" '[1,"Ana","Silva",{"a":"1","b":"2"}]'
}

@test "an empty name or value takes away what was there, but not when somebody is added" {
	mill subscriber add --first-name Ana --last-name Silva --set a=1 --set b=2 --set c= ana@example.org
	mill subscriber add --first-name "" --set a= ana@example.org # as a script does that knows no name
	expect 0 subscriber show --json ana@example.org
	is "$(jq -c '[.first_name,.last_name,.attributes]' <<<"$output")" '["Ana","Silva",{"a":"1","b":"2"}]'
	expect 0 subscriber set --last-name "" --set a= --set never= ana@example.org
	expect 0 subscriber show --json ana@example.org
	is "$(jq -c '[.first_name,.last_name,.attributes]' <<<"$output")" '["Ana","",{"b":"2"}]'
	expect 0 subscriber set --set b= ana@example.org
	expect 0 subscriber show ana@example.org
	[[ $output != *"b ="* ]]
	is "$(sql "SELECT attributes IS NULL FROM subscribers")" 1
	is "$(sql "SELECT count(*) FROM fields WHERE name IN ('c', 'never')")" 0
}

@test "all or nothing" {
	unchanged expect 66 subscriber add --list daily --list nothing ana@example.org
	has "$stderr" "'nothing'"
	unchanged expect 64 subscriber add --set x ana@example.org
	has "$stderr" "--set is 'x': write NAME=VALUE"
	unchanged expect 65 subscriber add 'a b@example.org'
	unchanged expect 65 subscriber add $'a@example.org\nBcc: b@example.org'
	unchanged expect 64 subscriber add --first-name $'\xff' ana@example.org
}

@test "unknown addresses" {
	for command in show set unsubscribe erase; do
		unchanged expect 66 subscriber "$command" nobody@example.org
		has "$stderr" "nobody with the address 'nobody@example.org' is known"
		unchanged expect 65 subscriber "$command" nobody
	done
}

@test "who has left does not come back by being added" {
	mill subscriber add --list daily --list week ana@example.org
	expect 0 subscriber unsubscribe --list week ana@example.org
	is "$output" "ana@example.org: unsubscribed from 1 list"
	unchanged expect 77 subscriber add --list week ana@example.org
	has "$stderr" "--consent"
	expect 0 subscriber add --list week --consent "wrote a letter" --json ana@example.org
	is "$(jq -c '.subscriptions[1] | [.status, .source]' <<<"$output")" '["subscribed","by hand: wrote a letter"]'
	expect 0 subscriber unsubscribe --json ana@example.org
	is "$output" '{"email":"ana@example.org","unsubscribed":2}'
	expect 0 subscriber show --json ana@example.org
	is "$(jq -r '.subscriptions[].status' <<<"$output")" $'unsubscribed\nunsubscribed'
}

@test "a suppression holds until it is lifted" {
	expect 0 subscriber suppress ana@example.org
	unchanged expect 77 subscriber add ana@example.org
	has "$stderr" "--lift"
	unchanged expect 77 subscriber add --consent "yes" --list daily ana@example.org
	expect 0 subscriber show ana@example.org
	has "$output" "suppressed since"
	expect 0 subscriber suppress --lift --json ana@example.org
	is "$output" '{"email":"ana@example.org","suppressed":false}'
	unchanged expect 66 subscriber suppress --lift ana@example.org
	expect 0 subscriber add ana@example.org
}

@test "erase forgets all but the suppression" {
	mill subscriber add --first-name Anastasia --set city=Lisboa --list daily anastasia@example.org
	unchanged expect 0 subscriber erase --dry-run anastasia@example.org
	has "$output" "would erase subscriber 1, anastasia@example.org (dry run, nothing has changed)"
	expect 0 subscriber erase anastasia@example.org
	is "$output" ""
	run ! grep -qi -e anastasia -e lisboa <(sqlite3 "$SITE/lettermill.db" .dump)
	unchanged expect 77 subscriber add --list daily anastasia@example.org
	expect 0 subscriber show --json anastasia@example.org
	is "$(jq -c '[.subscriber, .suppression.reason]' <<<"$output")" '[null,"erased"]'
}

@test "text from outside cannot drive the terminal" {
	mill subscriber add --first-name $'\e[31mred\a' --set $'x=\u202egnp.exe' evil@example.org
	for command in "subscriber show" "subscriber find" why; do
		expect 0 $command evil@example.org
		has "$output" "?[31mred?"
		run ! grep -q $'[\x01-\x09\x0b-\x1f]' <<<"$output"
		run ! grep -q $'\u202e' <<<"$output"
	done
	is "$(mill subscriber show --json evil@example.org | jq -r .first_name)" $'\e[31mred\a'
}

@test "the case of letters makes nobody else of a reader" {
	mill subscriber add --list daily Ana@example.org
	expect 0 subscriber add --json --last-name Silva ana@EXAMPLE.org
	is "$(jq -r '[.subscriber, .email, .last_name] | @csv' <<<"$output")" '1,"Ana@example.org","Silva"'
	mill subscriber set --first-name Ana ANA@example.org
	mill subscriber tag aNa@example.org vip
	expect 0 subscriber show ana@example.org
	has "$output" "Ana Silva <Ana@example.org>, subscriber 1 since 2"
	has "$output" 'tags = ["vip"]'
	expect 0 why ana@example.org
	has "$output" "subscriber 1 since 2"
	mill subscriber erase ana@example.org
	expect 1 subscriber find ana
	unchanged expect 77 subscriber add ANA@example.org
}

@test "quoted local parts: refused unless allowed, one spelling each, and always found" {
	local odd='"a,b@ok.example"@spam.example' key='"ann lee"@example.org' csv=$BATS_TEST_TMPDIR/people.csv
	unchanged expect 65 subscriber add "$key"
	has "$stderr" quoted_local_parts
	sed -i '1i quoted_local_parts = yes' "$SITE/lettermill.conf"
	expect 0 subscriber add --list daily '"ann\ lee"@EXAMPLE.org'
	expect 0 subscriber add --list daily '"bob"@example.org'
	expect 0 subscriber add --list daily "$odd"
	for address in ann@example.org '"ann"lee@example.org' '"ann lee"@[192.0.2.1]' '"ann lee"' '@example.net:"a"@example.org'; do
		[ "$address" = ann@example.org ] || unchanged expect 65 subscriber add "$address"
	done
	is "$(sql 'SELECT email_key FROM subscribers ORDER BY id')" "$key"$'\nbob@example.org\n'"$odd"
	is "$(mill subscriber find --json --segment 'domain = "spam.example"' | jq -r .email)" "$odd"

	# What export wrote goes into another site.
	mill export --list daily >"$csv"
	mill -q subscriber suppress "$odd"
	mill suppression export >"$BATS_TEST_TMPDIR/suppressed"
	SITE=$BATS_TEST_TMPDIR/other
	"$LETTERMILL" -q init "$SITE"
	sed -i '1i quoted_local_parts = yes' "$SITE/lettermill.conf"
	mill -q import "$csv" --list daily
	is "$(mill export --list daily | sort)" "$(sort "$csv")"
	is "$(mill suppression import --json "$BATS_TEST_TMPDIR/suppressed" | jq -c '[.rows, .rejected]')" '[1,0]'
	is "$(mill subscriber show --json "$odd" | jq -r .suppression.reason)" hand
	mill -q subscriber suppress --lift "$odd"

	# Of the two signs, the last begins the domain.
	is "$(mill subscriber suppress --json @spam.example | jq .subscribers)" 1
	expect 77 subscriber add --list daily '"new@ok.example"@spam.example'
	is "$(mill subscriber suppress --json @ok.example | jq .subscribers)" 0
	mill -q db check

	# Who is there can be found and can go when the setting is off again.
	sed -i 1d "$SITE/lettermill.conf"
	unchanged expect 65 subscriber add '"c d"@example.org'
	expect 0 why '"ann lee"@example.org'
	expect 0 consent prove '"ann\ lee"@example.org'
	expect 0 subscriber unsubscribe "$key"
	expect 0 subscriber erase "$key"
	mill -q db check
}
