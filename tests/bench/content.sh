#!/bin/bash
# SPDX-License-Identifier: MIT
# Content: what it costs to compile an issue, and to render a copy of 33 KB with 16 slots, beside the same copy made
# with liquidjs and nodemailer's MIME builder (build/node, by make deps; left out where they are not). One core.
set -euo pipefail
cd "$(dirname "$0")/../.."
export NODE_PATH=$PWD/build/node/node_modules
ours=$(taskset -c 0 "${B:-build}/bench/render" "${TURNS:-100000}")
echo "$ours"
[ -d "$NODE_PATH/liquidjs" ] && command -v node >/dev/null || { echo "skipped: no liquidjs in build/node"; exit 0; }
theirs=$(taskset -c 0 node tests/bench/content.js 2000)
sed 's/^/liquidjs and nodemailer: /' <<<"$theirs"
render() { sed -nE 's/^render +([0-9.]+) us/\1/p'; }
/usr/bin/python3 -c 'import sys; print("ratio: %.0f" % (float(sys.argv[2]) / float(sys.argv[1])))' \
	"$(render <<<"$ours")" "$(render <<<"$theirs")"
