#!/usr/bin/env bash
# Shows that the cases bite: applies each patch of tests/faults/mutations to a scratch clone, runs every case, and prints
# which cases fail. A mutation that no case notices is an error.
#   bash tests/faults/mutate.sh [--seeds N] [MUTATION…]
# A mutation that leaves worlds without rest is looked at for ten minutes. CARGO may name another command than cargo;
# CARGO_TARGET_DIR, a target directory to build in.
set -euo pipefail
root="$(cd "$(dirname "$0")/../.." && pwd)"
cargo="${CARGO:-cargo}"
seeds=30
if [ "${1:-}" = --seeds ]; then
  seeds="$2"
  shift 2
fi
mutations=("$@")
if [ ${#mutations[@]} -eq 0 ]; then
  for patch in "$root"/tests/faults/mutations/*.patch; do
    mutations+=("$(basename "$patch" .patch)")
  done
fi

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
git clone --quiet --shared "$root" "$scratch/clone"
cd "$scratch/clone"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target/mutations}"

unnoticed=0
for mutation in "${mutations[@]}"; do
  patch="$root/tests/faults/mutations/$mutation.patch"
  printf '== %s: %s\n' "$mutation" "$(head -1 "$patch")"
  git apply "$patch"
  $cargo build --quiet --locked -p tocsin-faults
  if "$CARGO_TARGET_DIR/debug/tocsin-faults" --seeds "$seeds" --within-secs 600 >"$scratch/report"; then
    echo "   noticed by no case in $seeds seeds"
    unnoticed=$((unnoticed + 1))
  else
    # A case's line ends with its violations; the first of them says what was found.
    awk '/ violations$/ { count = $(NF - 1); first = 1; if (count > 0) printf "   %-34s %s violations in %d seeds\n", $1, count, $3; next }
      /^    [A-G]: / && first { print "      " substr($0, 5); first = 0 }' "$scratch/report"
  fi
  git checkout --quiet -- .
done
[ "$unnoticed" -eq 0 ]
