# SPDX-License-Identifier: MIT

load ../lib

setup() {
	make_site
	CSV=$BATS_TEST_TMPDIR/people.csv
}

# people N FILE: a file of N people.
people() {
	{ echo email,city && seq "$1" | awk '{ printf "reader%07d@example.org,Lisboa\n", $1 * 7919 % 1000003 }'; } >"$2"
}

# site: all that an import may change, but for the evidence of consents and the numbers that are given out.
site() {
	sql "SELECT email_key, email, first_name, last_name, attributes, suppressed FROM subscribers ORDER BY email_key;
		SELECT email_key, list_id, status FROM subscriptions JOIN subscribers ON subscribers.id = subscriber_id
		ORDER BY 1, 2; SELECT hex(hash), reason FROM suppressions ORDER BY 1" | sha256sum
}

@test "undo takes an import back, and the file can come again" {
	mill subscriber add --list daily --first-name Ana ana@example.org
	printf 'email,first_name,city,status\nana@example.org,Anna,Porto,active\nbob@example.org,Bob,Faro,active\ncy@example.org,Cy,Faro,bounced\n' >"$CSV"
	before=$(site)
	expect 0 import "$CSV" --list daily
	after=$(site)
	expect 0 import undo 1
	has "$output" "import 1 is undone"
	is "$(site)" "$before"
	expect 77 import undo 1
	has "$stderr" "was undone before"
	expect 0 import ls --json
	is "$(jq -c '[.import, .undone]' <<<"$output")" '[1,true]'
	expect 0 import "$CSV" --list daily
	is "$(site)" "$after"
	expect 0 db check
	expect 66 import undo 7
	expect 64 import undo seven
}

@test "undo keeps what happened since, and shows it" {
	printf 'email\nana@example.org\nbob@example.org\ncy@example.org\ndi@example.org\n' >"$CSV"
	expect 0 import "$CSV" --list daily
	mill subscriber unsubscribe -q ana@example.org
	mill subscriber set --first-name Robert bob@example.org
	expect 0 import undo 1
	has "$output" "ana@example.org  added as subscribed; kept: the subscription has changed since"
	has "$output" "bob@example.org  added as subscribed; kept: something has happened to the reader since"
	is "$(mill subscriber show --json ana@example.org | jq -r '.subscriptions[0].status')" unsubscribed
	is "$(mill subscriber show --json bob@example.org | jq -c '[.first_name, .subscriptions]')" '["Robert",[]]'
	expect 66 subscriber show cy@example.org
	expect 0 consent prove bob@example.org
	has "$output" "undo of import 1"
	expect 0 db check
}

@test "undo says which later imports may have listed the same people" {
	printf 'email\nana@example.org\nbob@example.org\n' >"$CSV"
	mill -q import "$CSV" --list daily
	mill -q list add weekly
	mill -q import "$CSV" --list weekly
	printf 'email\nbob@example.org\ncy@example.org\n' >"$BATS_TEST_TMPDIR/later.csv"
	mill -q import "$BATS_TEST_TMPDIR/later.csv" --list daily
	expect 0 import undo 1
	has "$output" "may have listed some of them, too, and found them there: 3"
	is "$(mill subscriber show --json bob@example.org | jq -c '[.subscriptions[].list]')" '["weekly"]'
	expect 0 import "$BATS_TEST_TMPDIR/later.csv" --list daily
	is "$(mill subscriber show --json bob@example.org | jq -c '[.subscriptions[].list]')" '["daily","weekly"]'
	expect 0 import undo 2
	[[ $output != *"later imports"* ]]
}

@test "undo shows the first of many rows of which something was kept" {
	{
		echo email
		seq -f 'u%02.0f@example.org' 12
	} >"$CSV"
	mill -q import "$CSV" --list daily
	for n in $(seq -w 12); do mill subscriber set --first-name Ana "u$n@example.org"; done
	expect 0 import undo 1
	has "$output" "       12  in part left as they are"
	has "$output" "u10@example.org"
	[[ $output != *u11@example.org* ]]
	has "$output" "and 2 more: 'lettermill import show --rows 1' has them all"
	expect 0 import show --rows 1
	has "$output" "u12@example.org"
}

@test "an import says how many get mail by it" {
	printf 'email,status\nana@example.org,active\nbob@example.org,unsubscribed\ncy@example.org,bounced\n' >"$CSV"
	expect 0 import "$CSV" --list daily --dry-run
	has "$output" "        1  would get mail from then on"
	expect 0 import "$CSV" --list daily
	has "$output" "        3  added"
	has "$output" "        1  get mail from now on"
	expect 0 import "$CSV" --list daily
	has "$output" "        0  get mail from now on"
}

@test "who comes with a suppression of their own does not count as getting mail" {
	printf 'email,first_name,last_name,status,suppressed,created_at,escaped\n%s,,,subscribed,%s,,\n%s,,,subscribed,%s,,\n' ana@example.org "" bob@example.org hand >"$CSV"
	for what in "would get mail from then on" "get mail from now on"; do
		expect 0 import "$CSV" --list daily ${dry---dry-run}
		dry=
		has "$output" "        2  added"
		has "$output" "        1  $what"
	done
}

@test "show tells what an import was and did" {
	printf 'email\nana@example.org\nnobody\n' >"$CSV"
	expect 0 import "$CSV" --list daily -q
	expect 0 import show 1
	has "$output" "import 1 into 'daily'"
	expect 0 import show 1 --rows --json
	is "$(tail -n +2 <<<"$output" | jq -c '[.line, .email, .effect[:9]]')" \
		'[2,"ana@example.org","added as "]
[3,"","rejected:"]'
	mill subscriber unsubscribe -q ana@example.org
	expect 0 import "$CSV" --list daily -q
	expect 0 import show 2 --rows
	has "$output" "       2  left alone: unsubscribed"
	expect 66 import show 3
}

@test "ls fits a terminal and tells files by their names" {
	local folder=$BATS_TEST_TMPDIR/a/very/long/way/to/the/files/that/were/downloaded/last/week
	mkdir -p "$folder"
	people 9 "$CSV"
	cp "$CSV" "$folder/audience.csv"
	mill -q import "$folder/audience.csv" --list daily
	mill -q import undo 1
	run script -qec "stty cols 80; '$LETTERMILL' -C '$SITE' import ls" /dev/null
	has "${lines[1]%$'\r'}|" "undone           audience.csv|"
}

@test "who had left comes back with a proof alone" {
	for name in left dead erased; do
		mill subscriber add --list daily "$name@example.org"
	done
	mill subscriber unsubscribe -q left@example.org
	mill subscriber suppress dead@example.org
	mill subscriber erase erased@example.org
	printf 'email\nleft@example.org\ndead@example.org\nerased@example.org\n' >"$CSV"
	expect 0 import "$CSV" --list daily --json
	is "$(tail -1 <<<"$output" | jq -c '[.updated, .suppressed]')" '[0,3]'
	unchanged expect 64 import "$CSV" --list daily --resubscribe-with-proof " "
	expect 0 import "$CSV" --list daily --json --resubscribe-with-proof "forms of the fair, binder 3"
	is "$(tail -1 <<<"$output" | jq -c '[.updated, .unchanged, .suppressed]')" '[2,0,1]'
	is "$(mill subscriber show --json left@example.org | jq -r '.subscriptions[0].status')" subscribed
	is "$(mill subscriber show --json erased@example.org | jq -r .subscriber)" null
	expect 0 import show 2
	has "$output" "forms of the fair, binder 3"
	expect 0 db check
}

@test "the proof stands in the consents that it brought" {
	for name in left dead; do
		mill -q subscriber add --list daily "$name@example.org"
	done
	mill -q subscriber unsubscribe left@example.org
	mill -q subscriber suppress dead@example.org
	mill -q subscriber add new@example.org
	mill -q subscriber suppress new@example.org
	printf 'never@example.org\n' >"$BATS_TEST_TMPDIR/never"
	mill -q suppression import "$BATS_TEST_TMPDIR/never"
	printf 'email,created_at\nleft@example.org,2020-01-02\ndead@example.org,\nnew@example.org,\nnever@example.org,\nfresh@example.org,\n' >"$CSV"
	expect 0 import "$CSV" --list daily --json --resubscribe-with-proof "forms of the fair, binder 3"
	is "$(tail -1 <<<"$output" | jq -c '[.added, .updated, .unchanged, .suppressed]')" '[3,2,0,0]'
	detail() { mill consent prove --json "$1@example.org" | jq -r '.consents | map(select(.source == "import 1")) | .[].detail'; }
	is "$(detail left)" "proof: forms of the fair, binder 3; created 2020-01-02T00:00:00Z (created_at)"
	for name in dead new never; do
		is "$(detail $name)" "proof: forms of the fair, binder 3; no time given"
	done
	is "$(detail fresh)" "no time given"
	expect 0 import undo 1
	has "$(detail left)" "proof: forms of the fair, binder 3"
	has "$(mill consent prove dead@example.org)" "proof: forms of the fair, binder 3"
	is "$(mill subscriber show --json dead@example.org | jq -c '[.subscriptions[].status, .suppression.reason]')" '["subscribed","hand"]'
	expect 0 db check
}

@test "kill -9 in the middle of an import, 20 times: all or nothing" {
	people 60000 "$CSV"
	printf 'email,city\nreader0007919@example.org,Porto\n' >"$BATS_TEST_TMPDIR/one.csv"
	mill import -q "$BATS_TEST_TMPDIR/one.csv" --list daily
	nothing=$(site)
	# From the beginning of what they do to behind its end, however fast this machine is.
	killed() { # MILLISECONDS COMMAND...
		"$LETTERMILL" -q -C "$SITE" "${@:2}" &
		pid=$!
		sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
		kill -KILL $pid 2>/dev/null || :
		wait $pid 2>/dev/null || :
	}
	begun=${EPOCHREALTIME/./}
	mill import -q "$CSV" --list daily
	took=$(((${EPOCHREALTIME/./} - begun) / 1000))
	all=$(site)
	begun=${EPOCHREALTIME/./}
	mill import undo -q 2
	back=$(((${EPOCHREALTIME/./} - begun) / 1000))
	is "$(site)" "$nothing"
	whole=0
	for ((round = 0; round < 20; round++)); do
		killed $((took * round / 16)) import "$CSV" --list daily
		last=$(mill import ls --json 2>/dev/null | jq -s 'map(select(.undone | not)) | last | .import')
		if ((last > 1)); then
			is "$(site)" "$all"
			killed $((back * (whole % 8) / 6)) import undo "$last"
			if mill import ls --json 2>/dev/null | jq -se "map(select(.import == $last and (.undone | not))) | length > 0" >/dev/null; then
				is "$(site)" "$all"
				mill import undo -q "$last"
			fi
			whole=$((whole + 1))
		fi
		is "$(site)" "$nothing"
	done
	echo "# $whole of 20 were whole" >&3
	expect 0 db check
}

@test "one import at a time" {
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	people 120000 "$CSV"
	"$LETTERMILL" -q -C "$SITE" import "$BATS_TEST_TMPDIR/pipe" --list daily &
	pid=$!
	exec {out}>"$BATS_TEST_TMPDIR/pipe"
	cat "$CSV" >&$out
	until [[ $(sql 'SELECT count(*) FROM imports') == 1 ]]; do
		kill -0 $pid
		sleep 0.05
	done
	expect 75 import "$CSV" --list daily
	has "$stderr" "another import is under way"
	# What lives is not taken back by others, and the list has nobody of it yet.
	expect 0 status
	is "$(sql 'SELECT count(*) FROM subscriptions')" 0
	exec {out}>&-
	wait $pid
	is "$(sql 'SELECT count(*) FROM subscriptions')" 120000
}
@test "the same file twice changes nothing, and says so" {
	printf 'email\nana@example.org\nbob@example.org\n' >"$CSV"
	expect 0 import "$CSV" --list daily
	before=$(site)
	consents=$(sql 'SELECT count(*) FROM consents')
	expect 0 import "$CSV" --list daily
	has "$output" "the same file came in as import 1"
	is "$(site)" "$before"
	is "$(sql 'SELECT count(*) FROM consents')" "$consents"
}
