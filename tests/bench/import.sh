#!/bin/bash
# SPDX-License-Identifier: MIT
# Import of ROWS rows (a million, unless set) beside sqlite3's .import of the same file into a table with
# a unique email: rows a second of both, and their ratio; three rounds, the median counts.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$PWD/${B:-build}/lettermill
rows=${ROWS:-1000000} rounds=${ROUNDS:-3}
folder=$(mktemp -d "${TMPDIR:-/var/tmp}/bench.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# Addresses in no order, as in a real file.
awk -v n="$rows" 'BEGIN {
	srand(7)
	split("Ada Grace Zoë Linus Mary Anna Paul", first, " ")
	split("Lovelace Hopper Smith Curie Müller", last, " ")
	split("Berlin Paris London Rome Köln", city, " ")
	print "email,first_name,last_name,city,date"
	for (i = 0; i < n; i++) {
		k = int(rand() * 1000000000)
		printf "u%x.%d@example%d.com,%s,%s,%s,2024-0%d-1%d\n", k, i, i % 997, first[k % 7 + 1], \
			last[k % 5 + 1], city[k % 5 + 1], k % 9 + 1, k % 10
	}
}' >people.csv

ms() { # COMMAND...: milliseconds that it takes
	local start end
	start=$(date +%s%N)
	"$@" >/dev/null
	end=$(date +%s%N)
	echo $(((end - start) / 1000000))
}

theirs() {
	rm -f theirs.db*
	sqlite3 theirs.db 'PRAGMA journal_mode=WAL' \
		'CREATE TABLE t (email TEXT NOT NULL UNIQUE, first_name, last_name, city, date)' \
		'.import --csv --skip 1 people.csv t'
}

ours() {
	"$program" -q -C site import "$folder/people.csv" --list daily
}

for ((round = 0; round < rounds; round++)); do
	ms theirs >>theirs.ms
	rm -rf site && "$program" -q init site >/dev/null
	ms ours >>ours.ms
	ms ours >>again.ms
done

for who in theirs ours again; do
	sort -n "$who.ms" | sed -n "$(((rounds + 1) / 2))p" >"$who.median"
done
awk -v n="$rows" -v theirs="$(cat theirs.median)" -v ours="$(cat ours.median)" \
	-v again="$(cat again.median)" 'BEGIN {
	printf "import of %d rows, unique email\n", n
	printf "  sqlite3 .import       %8.0f rows/s\n", n * 1000 / theirs
	printf "  lettermill import     %8.0f rows/s  %.2f times as fast\n", n * 1000 / ours, theirs / ours
	printf "  the same file again   %8.0f rows/s  %.2f times as fast\n", n * 1000 / again, theirs / again
}'
