#!/bin/bash
# SPDX-License-Identifier: MIT
# Import of ROWS rows (a million, unless set) beside sqlite3's .import of the same file into a table with
# a unique email (256 MB cache): rows a second of both, and their ratio; three rounds, the median counts. Then the
# memory of the import, what undoing it takes, and how long a writer waits while 100,000 rows come in beside it.
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
	sqlite3 theirs.db 'PRAGMA journal_mode=WAL' 'PRAGMA cache_size=-262144' \
		'CREATE TABLE t (email TEXT NOT NULL UNIQUE, first_name, last_name, city, date)' \
		'.import --csv --skip 1 people.csv t'
}

ours() {
	"$program" -q -C site import "$folder/people.csv" --list daily
}

undo() {
	"$program" -q -C site import undo 2 && "$program" -q -C site import undo 1
}

for ((round = 0; round < rounds; round++)); do
	ms theirs >>theirs.ms
	rm -rf site && "$program" -q init site >/dev/null
	ms ours >>ours.ms
	ms ours >>again.ms
	ms undo >>undo.ms
done

for who in theirs ours again undo; do
	sort -n "$who.ms" | sed -n "$(((rounds + 1) / 2))p" >"$who.median"
done
awk -v n="$rows" -v theirs="$(cat theirs.median)" -v ours="$(cat ours.median)" \
	-v again="$(cat again.median)" -v undo="$(cat undo.median)" 'BEGIN {
	printf "import of %d rows, unique email\n", n
	printf "  sqlite3 .import       %8.0f rows/s\n", n * 1000 / theirs
	printf "  lettermill import     %8.0f rows/s  %.2f times as fast\n", n * 1000 / ours, theirs / ours
	printf "  the same file again   %8.0f rows/s  %.2f times as fast\n", n * 1000 / again, theirs / again
	printf "  undoing both          %8.0f rows/s\n", n * 1000 / undo
}'

# Peak memory, and the longest wait of somebody who writes all the time, as delivery does.
rm -rf site && "$program" -q init site >/dev/null
sed 100001q people.csv >beside.csv
/usr/bin/python3 - "$program" "$folder" <<'END'
import resource, sqlite3, subprocess, sys, time
run = [sys.argv[1], "-q", "-C", "site", "import", "--list", "daily"]
subprocess.run(run + [sys.argv[2] + "/people.csv"], check=True)
print("  peak memory           %8.0f MB" % (resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024))
subprocess.run([sys.argv[1], "-q", "-C", "site", "import", "undo", "1"], check=True)
db = sqlite3.connect("site/lettermill.db", timeout=0, isolation_level=None)
importing, longest, n = subprocess.Popen(run + [sys.argv[2] + "/beside.csv"]), 0, 0
while importing.poll() is None:
    start = time.monotonic()
    while True: # every half millisecond, as delivery asks
        try:
            db.execute("BEGIN IMMEDIATE")
            break
        except sqlite3.OperationalError:
            time.sleep(0.0005)
    longest, n = max(longest, time.monotonic() - start), n + 1
    db.execute("COMMIT")
    time.sleep(0.001)
print("  100,000 rows beside a writer: its longest wait of %d was %.0f ms" % (n, longest * 1000))
END
