#!/bin/bash
# SPDX-License-Identifier: MIT
# What the ledger costs a delivery, in small and in large group commits: see ledger.c.
set -euo pipefail
cd "$(dirname "$0")/../.."
for group in 25 100 500; do
	"${B:-build}/bench/ledger" "${READERS:-200000}" "$group"
done
