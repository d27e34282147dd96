# SPDX-License-Identifier: MIT

load ../lib

setup() {
	make_site
	CSV=$BATS_TEST_TMPDIR/people.csv
}

@test "an import adds, updates, leaves alone, rejects" {
	printf 'Email,First name,Last name,city\nana@example.org,Ana,"O""Neill, A.",Lisboa\nbob@example.org,Bob,,\n' >"$CSV"
	expect 0 import "$CSV" --list daily
	has "$output" "import 1 into 'daily': 2 rows"
	expect 0 subscriber show --json ana@example.org
	is "$(jq -c '[.first_name,.last_name,.attributes.city,.subscriptions[0].status,.subscriptions[0].source]' <<<"$output")" \
		'["Ana","O\"Neill, A.","Lisboa","subscribed","import 1 line 2"]'

	printf 'email,first_name\nana@example.org,Ana\nbob@example.org,Robert\nnobody\ncy@example.org,Cy\n' >"$CSV"
	expect 0 import "$CSV" --list daily
	has "$stderr" "$CSV:4: rejected: "
	expect 0 import ls --json
	is "$(jq -c '[.import,.rows,.added,.updated,.unchanged,.rejected,.suppressed,.list]' <<<"$output")" \
		'[1,2,2,0,0,0,0,"daily"]
[2,4,1,1,1,1,0,"daily"]'
	expect 0 import ls
	has "$output" "people.csv"
	expect 0 subscriber show --json bob@example.org
	is "$(jq -r .first_name <<<"$output")" Robert
}

@test "--json: a line a reject, the sum last" {
	printf 'email\nana@example.org\nx y@example.org\n@\n' >"$CSV"
	expect 0 import "$CSV" --list daily --json
	is "$(jq -c '[.line, (.reason | type)]' <<<"$(head -2 <<<"$output")")" $'[3,"string"]\n[4,"string"]'
	is "$(tail -1 <<<"$output")" '{"import":1,"rows":3,"added":1,"updated":0,"unchanged":0,"rejected":2,"suppressed":0}'
	is "$stderr" ""
}

@test "--dry-run tells the same and changes nothing" {
	printf 'email\nana@example.org\nnobody\n' >"$CSV"
	unchanged expect 0 import "$CSV" --list daily --dry-run --json
	is "$(tail -1 <<<"$output")" '{"import":0,"rows":2,"added":1,"updated":0,"unchanged":0,"rejected":1,"suppressed":0}'
	unchanged expect 0 import "$CSV" --list daily --dry-run
	has "$output" "would import 2 rows into 'daily' (dry run, nothing has changed)"
}

@test "--map takes a column for something else, or drops it" {
	printf 'Kontakt,Notiz,Ort\nana@example.org,secret,Graz\n' >"$CSV"
	unchanged expect 65 import "$CSV" --list daily
	expect 0 import "$CSV" --list daily --map kontakt=email --map Notiz=- --map Ort=city
	expect 0 subscriber show --json ana@example.org
	is "$(jq -c .attributes <<<"$output")" '{"city":"Graz"}'
	unchanged expect 65 import "$CSV" --list daily --map Kontakt=email --map Gibtsnicht=city
	unchanged expect 64 import "$CSV" --list daily --map Kontakt
}

@test "standard input" {
	printf 'email\r\nana@example.org\r\n' | mill import - --list daily -q
	expect 0 subscriber show ana@example.org
}

@test "nobody is brought back" {
	for name in left suppressed erased active; do
		mill subscriber add --list daily "$name@example.org"
	done
	mill subscriber unsubscribe -q left@example.org
	mill subscriber suppress suppressed@example.org
	mill subscriber erase erased@example.org
	mill subscriber suppress never-seen@example.org
	printf 'email\nleft@example.org\nsuppressed@example.org\nerased@EXAMPLE.org\nactive@example.org\nnever-seen@example.org\n' >"$CSV"
	expect 0 import "$CSV" --list daily --json
	is "$(tail -1 <<<"$output" | jq -c '[.added, .suppressed]')" '[0,4]'
	is "$(mill subscriber show --json left@example.org | jq -r '.subscriptions[0].status')" unsubscribed
	expect 77 subscriber add --list daily left@example.org
	is "$(mill subscriber show --json suppressed@example.org | jq -r .suppression.reason)" hand
	is "$(mill subscriber show --json erased@example.org | jq -r .subscriber)" null
	write_issue "$SITE/i.md"
	is "$(mill issue schedule i.md --dry-run --json | jq .copies)" 1
}

# broken LINE: the file is refused with that line, and nothing has changed.
broken() {
	unchanged expect 65 import "$CSV" --list daily
	has "$stderr" "$CSV:$1: "
	is "$output" ""
	is "$(wc -l <<<"$stderr")" 1
}

@test "a broken file changes nothing, and the sentence has the line" {
	printf 'email,name\nana@example.org,Ana\nbob@example.org,"Bob\ncy@example.org,Cy\n' >"$CSV"
	broken 3
	printf 'email,name\nana@example.org,Ana\nbob@example.org,"Bob"by\n' >"$CSV"
	broken 3
	printf 'email,name\nana@example.org,An"a\n' >"$CSV"
	broken 2
	printf 'email,name\nana@example.org,A\0na\n' >"$CSV"
	broken 2
	printf 'name,city\nAna,Lisboa\n' >"$CSV"
	broken 1
	printf 'email,email\na@example.org,b@example.org\n' >"$CSV"
	broken 1
	: >"$CSV"
	broken 1
	{ printf 'email,name\nana@example.org,"' && head -c 2000000 /dev/zero | tr '\0' x && printf '"\nbob@example.org,Bob\n'; } >"$CSV"
	broken 2
}

@test "what is not there" {
	unchanged expect 66 import /nonexistent.csv --list daily
	has "$stderr" "/nonexistent.csv"
	printf 'email\nana@example.org\n' >"$CSV"
	unchanged expect 66 import "$CSV" --list daili
	has "$stderr" "'daily'"
	unchanged expect 65 import "$SITE" --list daily
}

@test "hostile names of files and rows cannot drive the terminal" {
	CSV=$BATS_TEST_TMPDIR/$'a\e[31m.csv'
	printf 'email\n\e[31mred@example.org\n' >"$CSV"
	expect 0 import "$CSV" --list daily
	run ! grep -q $'\e' <<<"$output$stderr"
	expect 0 import ls
	run ! grep -q $'\e' <<<"$output"
}

@test "Ctrl-C stops an import, and nothing has changed" {
	{ echo email && seq -f 'reader%.0f@example.org' 200000; } >"$CSV"
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	before=$(database)
	"$LETTERMILL" -C "$SITE" import "$BATS_TEST_TMPDIR/pipe" --list daily 2>"$BATS_TEST_TMPDIR/err" &
	pid=$!
	exec {out}>"$BATS_TEST_TMPDIR/pipe"
	cat "$CSV" >&$out
	kill -TERM "$pid"
	cat "$CSV" >&$out || :
	exec {out}>&-
	code=0
	wait "$pid" || code=$?
	is "$code" 143
	has "$(cat "$BATS_TEST_TMPDIR/err")" "stopped, nothing was imported"
	is "$(database)" "$before"
}
