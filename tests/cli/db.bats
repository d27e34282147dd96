# SPDX-License-Identifier: MIT

load ../lib

setup() {
	make_site
	mill subscriber add --list daily ana@example.org
}

@test "a good database" {
	unchanged expect 0 db check
	is "$output" "$SITE/lettermill.db: all right"
	unchanged expect 0 db check --quick --json
	is "$output" '{"ok":true,"findings":0}'
	unchanged expect 0 db migrate
	has "$output" "the database is up to date: schema "
	unchanged expect 0 db migrate --dry-run --json
	is "$(jq -c '[.from == .to, .copy, .dry_run]' <<<"$output")" '[true,null,true]'
}

@test "faults are told, exit code 1" {
	write_issue "$SITE/i.md"
	mill issue schedule -q i.md
	sql "delete from deliveries"
	unchanged expect 1 db check
	[ -n "$output" ]
	unchanged expect 1 db check --json
	is "$(tail -1 <<<"$output" | jq .ok)" false
	[ "$(head -1 <<<"$output" | jq -r .finding)" ]
}

@test "what is no database of ours" {
	mv "$SITE/lettermill.db" "$SITE/away.db"
	expect 66 db check
	has "$stderr" "lettermill.db"
	echo "this is a text" >"$SITE/lettermill.db"
	expect 65 db check
	rm "$SITE/lettermill.db"
	sqlite3 "$SITE/lettermill.db" 'create table x(y)'
	expect 65 db check
}

@test "a newer schema is refused" {
	sql "pragma user_version = 999"
	expect 78 db check
	has "$stderr" "newer"
	expect 78 db migrate
	expect 78 list ls
}
