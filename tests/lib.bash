# SPDX-License-Identifier: MIT
# For all bats files: load ../lib

bats_require_minimum_version 1.5.0
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LETTERMILL=${LETTERMILL:-$ROOT/build/lettermill}

# make_site [PORT]: a new site in $SITE whose relay "main" is that port of this machine, in the clear.
# Without a port it is one where nobody listens.
make_site() {
	SITE=$BATS_TEST_TMPDIR/site
	"$LETTERMILL" -q init "$SITE"
	cat >"$SITE/lettermill.conf" <<-END
		publication {
			name = "The Daily Press"
			address = "1 Example Street, 10000 Example City"
			url = "https://news.example.org"
			from = "The Daily Press <editor@news.example.org>"
		}
		relay "main" {
			host = 127.0.0.1
			port = ${1:-9}
			tls = none
			connections = 4
		}
		bounce {
			unsubscribe = "unsubscribe"
		}
	END
}

# use_relay PORT: from now on the relay of the site is on that port.
use_relay() {
	sed -i "s/port = .*/port = $1/" "$SITE/lettermill.conf"
}

# mill ARGUMENT...: the program on $SITE.
mill() {
	"$LETTERMILL" -C "$SITE" "$@"
}

# expect CODE ARGUMENT...: run mill, demand that exit code; sets output and stderr.
expect() {
	local code=$1
	shift
	run --separate-stderr mill "$@"
	if [ "$status" -ne "$code" ]; then
		echo "lettermill $*: exit code $status, not $code"
		echo "$output"
		echo "$stderr"
		return 1
	fi
}

# is ACTUAL EXPECTED: equality that tells both when it fails.
is() {
	[ "$1" = "$2" ] || {
		printf 'is:       %s\nought to: %s\n' "$1" "$2"
		return 1
	}
}

# has TEXT PART: the first contains the second.
has() {
	[[ $1 == *"$2"* ]] || {
		printf 'text: %s\nlacks: %s\n' "$1" "$2"
		return 1
	}
}

# database: a word that differs when the content of the database does.
database() {
	# Numbers that were given out are never given again, whatever became of them.
	sqlite3 "$SITE/lettermill.db" .dump | grep -v '^INSERT INTO sqlite_sequence' | sha256sum
}

# unchanged COMMAND...: run it and see that it left the database as it was.
unchanged() {
	local before
	before=$(database)
	"$@"
	is "$(database)" "$before"
}

# sql STATEMENT: ask the database.
sql() {
	sqlite3 "$SITE/lettermill.db" "$1"
}

# write_issue FILE [SUBJECT]: a small issue for the list daily.
write_issue() {
	cat >"$1" <<-END
		---
		subject: ${2:-First light}
		preheader: What the day brings, in forty characters or more
		list: daily
		---
		Good morning{% if subscriber.first_name %}, {{ subscriber.first_name }}{% endif %}!

		## A heading

		Some *words* and a [way to more](https://news.example.org/).
	END
}
