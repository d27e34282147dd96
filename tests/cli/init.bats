# SPDX-License-Identifier: MIT

load ../lib

@test "init makes a whole site and names the next steps" {
	cd "$BATS_TEST_TMPDIR"
	run --separate-stderr "$LETTERMILL" init deep/news
	is "$stderr" ""
	has "$output" "a new site stands in 'deep/news'"
	has "$output" "in that folder:"
	has "$output" "lettermill import subscribers.csv --list daily"
	has "$output" "lettermill issue preview issues/sample.md"
	for file in lettermill.conf lettermill.db secrets/token.key issues/sample.md; do
		[ -s "deep/news/$file" ]
	done
	for file in "$ROOT"/mail-templates/sheet/*; do
		cmp "$file" "deep/news/mail-templates/sheet/${file##*/}"
	done
	is "$(stat -c %a deep/news/secrets/token.key deep/news/secrets)" $'600\n700'
	[[ $(cat deep/news/secrets/token.key) =~ ^[0-9a-f]{64}$ ]]
	is "$("$LETTERMILL" -C deep/news --json list ls | jq -r .list)" daily
}

@test "what init makes is used as it stands" {
	cd "$BATS_TEST_TMPDIR"
	run --separate-stderr "$LETTERMILL" init
	is "$status" 0
	has "$output" "lettermill import subscribers.csv --list daily"
	run --separate-stderr "$LETTERMILL" issue check issues/sample.md
	is "$status:$stderr" 0:
}

@test "two sites have different keys" {
	"$LETTERMILL" -q init "$BATS_TEST_TMPDIR/a"
	"$LETTERMILL" -q init "$BATS_TEST_TMPDIR/b"
	! cmp -s "$BATS_TEST_TMPDIR"/{a,b}/secrets/token.key
}

@test "-q is quiet, --json one object" {
	is "$("$LETTERMILL" -q init "$BATS_TEST_TMPDIR/a")" ""
	is "$("$LETTERMILL" --json init "$BATS_TEST_TMPDIR/b" | jq -r .folder)" "$BATS_TEST_TMPDIR/b"
}

# Nothing of what is there changes, and nothing is added to it.
@test "init overwrites nothing and leaves nothing half made" {
	for file in lettermill.conf lettermill.db secrets/token.key issues/sample.md \
		mail-templates/sheet/layout.html; do
		site=$BATS_TEST_TMPDIR/$RANDOM$RANDOM
		mkdir -p "$site/$(dirname "$file")"
		echo mine >"$site/$file"
		before=$(find "$site" | sort)
		run --separate-stderr -73 "$LETTERMILL" init "$site"
		has "$stderr" "already"
		is "$(find "$site" | sort)" "$before"
		is "$(cat "$site/$file")" mine
	done
}

@test "a folder that cannot be made is an error" {
	run --separate-stderr -74 "$LETTERMILL" init /dev/null/site
	has "$stderr" "cannot make the folder '/dev/null/site'"
}
