#!/usr/bin/env bash
# Deploys template.yaml on this machine and shows that it works: the functions' own binaries, each with its variables, its
# role, its queue and its limits, on the embedded DynamoDB and SQS, with the vendors' stand-ins. Needs no account, no Docker
# and no network but for crates and Python packages.
#   bash infra/proof.sh                    the whole proof
#   bash infra/proof.sh --template FILE    the same of another template
#   bash infra/proof.sh --planted          that a missing variable, permission or ReportBatchItemFailures is found
#   bash infra/proof.sh --built DIR …      with functions and tools that cargo left in DIR, nothing is compiled
# Needs Rust, a C compiler and Python 3.11. Functions are built with cargo-lambda for this machine where it works, else with
# cargo; PROOF_BUILD=cargo chooses cargo.
set -euo pipefail
called_from="$PWD"
cd "$(dirname "$0")/.."
exec </dev/null
top="$PWD"
export AWS_DEFAULT_REGION=eu-central-1 PYTHONDONTWRITEBYTECODE=1
tools="$top/target/infra"
functions=(receive triage deliver pull sweep)
section() { printf '\n== %s (after %d s)\n' "$1" "$SECONDS"; }

built=''
if [ "${1:-}" = --built ]; then
  built="$(cd "$called_from" && cd "$2" && pwd)"
  shift 2
fi

. infra/checks/tools.sh
mapfile -t own < <(cat infra/checks/requirements.txt)
python_tool own "${own[@]}"

bootstraps="$tools/bootstraps"
rm -rf "$bootstraps"
collect() { # a folder with a binary, or a folder with a bootstrap, for each function
  for function in "${functions[@]}"; do
    mkdir -p "$bootstraps/$function"
    if [ -f "$1/$function/bootstrap" ]; then ln -s "$1/$function/bootstrap" "$bootstraps/$function/bootstrap"; else
      ln -s "$1/$function" "$bootstraps/$function/bootstrap"; fi
  done
}
packages=()
for function in "${functions[@]}"; do packages+=(--package "$function"); done
if [ -n "$built" ]; then
  section "functions that cargo built in $built"
  collect "$built"
else
  if [ "${PROOF_BUILD:-lambda}" = lambda ] && python_tool lambda cargo-lambda==1.9.2 &&
    PATH="$tools/lambda/bin:$PATH" cargo lambda build --locked "${packages[@]}"; then
    section 'functions were built with cargo-lambda for this machine'
    collect "$top/target/lambda"
  else
    cargo build --locked "${packages[@]}"
    section 'functions were built with cargo for this machine'
    collect "$top/target/debug"
  fi
  section 'tools'
  cargo build --locked --package tocsin --package tocsin-stand-ins
  built="$top/target/debug"
fi

section 'proof'
cd "$called_from"
PYTHONPATH="$top/infra" "$tools/own/bin/python" -m proof --binaries "$bootstraps" --tools "$built" "$@"
