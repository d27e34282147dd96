#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/bench/deliver.sh: what a delivered message costs, beside Postfix's smtp-source: the same message,
# the same sink (build/smtpd, nothing written), as many connections, both on one core, in turns.
#
# lettermill's figure is all that `deliver` does: claim, render, intent, transaction, settle, on a
# database with synchronous=FULL. smtp-source repeats one message from memory and keeps no books.
# MESSAGES, CONNECTIONS and ROUNDS may be set; the figures are medians of the rounds.
set -euo pipefail
cd "$(dirname "$0")/../.."
B=$(realpath "${B:-build}")
MESSAGES=${MESSAGES:-20000} CONNECTIONS=${CONNECTIONS:-20} ROUNDS=${ROUNDS:-3}
export LC_ALL=C TIMEFORMAT='%U %S %R'

work=$(mktemp -d "${TMPDIR:-/var/tmp}/bench.XXXXXX")
sink=
trap '[ -z "$sink" ] || kill "$sink"; rm -rf "$work"' EXIT
mill=("$B/lettermill" -q -C "$work/site")
on_client_core=() on_sink_core=()
if [ "$(nproc)" -gt 1 ]; then
	on_client_core=(taskset -c 0) on_sink_core=(taskset -c 1)
fi

# sink_start OPTION...: on a port of its own, the same for all rounds. Sets port and sink.
sink_start() {
	rm -f "$work/port"
	"${on_sink_core[@]}" "$B/smtpd" --port "${port:-0}" --port-file "$work/port" "$@" >"$work/sink" &
	sink=$!
	until [ -s "$work/port" ]; do
		kill -0 "$sink"
		sleep 0.05
	done
	port=$(cat "$work/port")
}

sink_stop() {
	kill "$sink"
	wait "$sink"
	sink=
}

# site READERS: a new site with the sample issue scheduled for so many.
site() {
	rm -rf "$work/site"
	"$B/lettermill" -q init "$work/site"
	sed -i -e 's/host = "smtp.example.org"/host = "127.0.0.1"/' -e "s/# port = 587 .*/port = $port/" \
		-e 's/# tls = starttls .*/tls = none/' \
		-e "s|# canary = .*|canary = \"\"|" -e "s/# connections = 10 .*/connections = $CONNECTIONS/" "$work/site/lettermill.conf"
	{
		echo email,first_name
		seq "$1" | sed 's/.*/reader&@example.org,Reader &/'
	} >"$work/readers.csv"
	"${mill[@]}" import "$work/readers.csv" --list daily
	"${mill[@]}" issue schedule "$work/site/issues/sample.md"
}

# measure NAME COMMAND...: notes "CPU-seconds seconds sink-CPU-seconds" of the command in NAME.
measure() {
	local name=$1 spent
	shift
	sink_start
	{ time "${on_client_core[@]}" "$@" >/dev/null 2>"$work/errors"; } 2>"$work/time" || {
		cat "$work/errors"
		exit 1
	}
	sink_stop
	spent=$(awk '{ print $1 + $2, $3 }' "$work/time")
	[[ $(cat "$work/sink") =~ \"messages\":$MESSAGES,.*\"violations\":0,.*\"cpu_us\":([0-9]+) ]] || {
		echo "the sink did not get $MESSAGES sound messages: $(cat "$work/sink")" >&2
		exit 1
	}
	echo "$spent ${BASH_REMATCH[1]}e-6" >>"$work/$name"
}

# figures NAME: µs a message, messages a second, the sink's µs a message: each the median of the rounds.
figures() {
	local column
	for column in 1 2 3; do
		awk -v c=$column '{ print $c }' "$work/$1" | sort -g | sed -n "$(((ROUNDS + 1) / 2))p"
	done | awk -v n="$MESSAGES" '{ v[NR] = $1 } END { printf "%.1f %.0f %.1f\n", v[1] * 1e6 / n, n / v[2], v[3] * 1e6 / n }'
}

sink_start --maildir "$work/mail"
site 1
"${mill[@]}" deliver
sink_stop
tail -n +3 "$work"/mail/new/* >"$work/message"

for ((round = 0; round < ROUNDS; round++)); do
	site "$MESSAGES"
	measure lettermill "${mill[@]}" deliver
	measure smtp-source smtp-source -d -s "$CONNECTIONS" -m "$MESSAGES" -F "$work/message" \
		-f sender@example.org -t reader@example.org "127.0.0.1:$port"
done

read -r cpu_a rate_a sink_a <<<"$(figures lettermill)"
read -r cpu_b rate_b sink_b <<<"$(figures smtp-source)"
printf '%s messages of %s octets, %s connections, median of %s rounds\n' "$MESSAGES" \
	"$(wc -c <"$work/message")" "$CONNECTIONS" "$ROUNDS"
printf "%-22s %15s %12s %12s\n" sender "us CPU/message" messages/s "us CPU, sink" \
	"lettermill deliver" "$cpu_a" "$rate_a" "$sink_a" \
	"smtp-source (Postfix)" "$cpu_b" "$rate_b" "$sink_b"
awk -v a="$cpu_a" -v b="$cpu_b" -v ra="$rate_a" -v rb="$rate_b" \
	'BEGIN { printf "lettermill / smtp-source: CPU x %.2f, messages/s x %.2f\n", a / b, ra / rb }'
