# SPDX-License-Identifier: MIT

load ../lib

setup() {
	make_site
	OTHER=$BATS_TEST_TMPDIR/other
}

# What the site in $1 knows of people.
people() {
	sqlite3 "$1/lettermill.db" "SELECT email_key, email, first_name, last_name, suppressed, created_at, status,
		(SELECT group_concat(fullkey || type || atom) FROM (SELECT * FROM json_tree(coalesce(attributes, '{}'))
		WHERE atom IS NOT NULL ORDER BY fullkey))
		FROM subscribers JOIN subscriptions ON subscriber_id = subscribers.id ORDER BY email_key;
		SELECT name FROM fields ORDER BY name"
}

# People with all that hurts.
add_people() {
	mill -q subscriber add ana@example.org --list daily --first-name 'Ana "A", B' --last-name "O'Neill" --set city=Lisbon
	mill -q subscriber add Bob+x@Example.com --list daily --set 'city=  ' --set 'Two Words=x' --set email=other --set note=$'a\r\nb\n"c"'
	mill -q subscriber add =1+1@example.net --list daily --first-name "=cmd|' /C calc'!A0" --set "a=@SUM(1+1)" --set "b='=quoted" --set '+x=y'
	mill -q subscriber add eve@bücher.example --list daily --first-name $'\uff1d1+1' --last-name $'\uff20x' --set phone=+351123 --set c=-2
	mill -q subscriber add größe@example.org --list daily --set "d=''=x" --set "e='plain"
	mill -q subscriber tag ana@example.org vip '=old'
	for who in ben joe lia; do mill -q subscriber add $who@example.org --list daily; done
	mill -q subscriber unsubscribe ben@example.org
	mill -q subscriber suppress joe@example.org
	sqlite3 "$SITE/lettermill.db" "UPDATE subscribers SET created_at = 1600000000 + id,
		attributes = CASE WHEN id = 8 THEN '{\"n\":12,\"f\":0.5,\"t\":true,\"o\":{\"x\":[1]},\"city\":\"Rome\"}' ELSE attributes END;
		INSERT OR IGNORE INTO fields VALUES ('n'), ('f'), ('t'), ('o')"
}

# import_elsewhere FILE: into an empty site, $OTHER.
import_elsewhere() {
	rm -rf "$OTHER"
	"$LETTERMILL" -q init "$OTHER"
	"$LETTERMILL" -C "$OTHER" import --json --list daily "$1" | tail -1
}

@test "export and import into an empty site lose nothing, escaped or raw" {
	add_people
	before=$(people "$SITE")
	for how in '' --raw; do
		mill export --list daily $how >"$BATS_TEST_TMPDIR/out.csv"
		result=$(import_elsewhere "$BATS_TEST_TMPDIR/out.csv")
		is "$(jq -c '[.added, .rejected]' <<<"$result")" '[8,0]'
		is "$(people "$OTHER")" "$before"
		is "$("$LETTERMILL" -C "$OTHER" export --list daily $how | sort)" "$(sort "$BATS_TEST_TMPDIR/out.csv")"
		is "$("$LETTERMILL" -C "$OTHER" subscriber show --json joe@example.org | jq -r .suppression.reason)" hand
		is "$("$LETTERMILL" -C "$OTHER" subscriber show --json ben@example.org | jq -r '.subscriptions[0].status')" unsubscribed
		"$LETTERMILL" -q -C "$OTHER" db check
	done
}

@test "no cell is a formula for a spreadsheet, and it is RFC 4180 for another reader" {
	add_people
	mill export --list daily >"$BATS_TEST_TMPDIR/out.csv"
	/usr/bin/python3 - "$BATS_TEST_TMPDIR/out.csv" <<-'END'
		import csv, sys
		raw = open(sys.argv[1], newline="").read()
		assert raw.count("\r\n") >= 9 and raw.endswith("\r\n")
		rows = list(csv.reader(open(sys.argv[1], newline=""), strict=True))
		assert len({len(r) for r in rows}) == 1, rows
		bad = [c for r in rows for c in r if c[:1] in tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20") and c]
		assert not bad, bad
		assert any(c.startswith("'=cmd") for r in rows for c in r)
	END
	mill export --list daily --raw | grep -q '^=1+1@example.net'
}

@test "some of them: by status, by segment; as JSON" {
	add_people
	is "$(mill export --list daily --status unsubscribed | tail -n +2 | cut -d, -f1)" ben@example.org
	is "$(mill export --list daily --segment 'tag = "vip"' | tail -n +2 | cut -d, -f1)" ana@example.org
	is "$(mill export --json --list daily --segment 'n = 12' | jq -c '[.email, .status, .suppressed, .created_at, .attributes.o]')" \
		'["lia@example.org","subscribed","","2020-09-13T12:26:48Z",{"x":[1]}]'
	is "$(mill export --json --list daily | jq -s length)" 8
	expect 1 export --list daily --status complained
	expect 64 export --list daily --status subscribd
	has "$stderr" "'subscribed'"
	expect 64 export
	expect 66 export --list weekly
}
