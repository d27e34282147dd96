#!/bin/bash
# SPDX-License-Identifier: MIT
# Reading of bounces: the corpus through lettermill, Sisimai, flufl.bounce and Mail::DeliveryStatus::BounceParser
# (Debian's libsisimai-perl, python3-flufl.bounce, libmail-deliverystatus-bounceparser-perl; each is left
# out where it is not installed), one process and one core each. Printed: what is right of what the corpus
# asserts, and messages a second of CPU, start of the program included.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=$PWD/${B:-build}/lettermill drivers=$PWD/tests/bench/bounces
corpus=$(cd "${LETTERMILL_CORPUS:-../shared/corpus}" 2>/dev/null && pwd) ||
	{ echo "skipped: no corpus" && exit 0; }
folder=$(mktemp -d "${TMPDIR:-/var/tmp}/bench.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$corpus"
tail -n +2 expected.tsv | cut -f 1 >"$folder/files"
files=$(wc -l <"$folder/files")

# NAME ROUNDS COMMAND…: run it with the corpus, once for its answers and then for the time of ROUNDS.
run() {
	local name=$1 rounds=$2 times TIMEFORMAT='%U %S' i
	shift 2
	for ((i = 0; i < rounds; i++)); do cat "$folder/files"; done >"$folder/all"
	xargs -a "$folder/files" -x -s 2000000 "$@" >"$folder/$name.json" 2>"$folder/errors" || true
	times=$({ time xargs -a "$folder/all" -x -s 2000000 "$@" >"$folder/out" 2>"$folder/errors" || true; } 2>&1)
	/usr/bin/python3 "$drivers/judge" "$name" expected.tsv "$folder/$name.json" \
		"$((files * rounds))" $times
}

echo "$files messages"
run lettermill "${ROUNDS:-20}" taskset -c 0 "$program" bounce classify --json
! perl -MSisimai -e 1 2>/dev/null || run sisimai 1 taskset -c 0 "$drivers/sisimai"
! /usr/bin/python3 -c 'import flufl.bounce' 2>/dev/null || run flufl.bounce 1 taskset -c 0 "$drivers/flufl"
! perl -MMail::DeliveryStatus::BounceParser -e 1 2>/dev/null ||
	run bounceparser 1 taskset -c 0 "$drivers/bounceparser"
