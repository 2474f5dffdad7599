#!/usr/bin/env bash
# Everything that can be said of the deployment without an account: linters, our own rules, and that SAM and CDK agree.
# `--own` runs the rules and the comparison's own tests alone, which need two Python packages and no Node.
# Needs Python 3.11 and Node 20 or newer; installs its tools into target/infra.
set -euo pipefail
cd "$(dirname "$0")"
exec </dev/null
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-central-1 PYTHONDONTWRITEBYTECODE=1
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION=1 CDK_DISABLE_VERSION_CHECK=1

tools="$(cd .. && pwd)/target/infra"
section() { printf '\n== %s (after %d s)\n' "$1" "$SECONDS"; }
. checks/tools.sh

section 'own rules'
mapfile -t own < <(cat checks/requirements.txt)
python_tool own "${own[@]}"
"$tools/own/bin/python" -m unittest --quiet checks.test_rules proof.test_parts
"$tools/own/bin/python" -m checks
[ "${1:-}" = --own ] && exit

section 'tools'
python_tool sam aws-sam-cli==1.170.0 &
sam=$!
python_tool cfn-lint cfn-lint==1.58.0
python_tool checkov checkov==3.3.30
wait "$sam"
(cd cdk && npm ci --silent --no-audit --no-fund)

section 'template.yaml'
"$tools/sam/bin/sam" validate --lint --template template.yaml
"$tools/cfn-lint/bin/cfn-lint" template.yaml
"$tools/checkov/bin/checkov" --config-file checks/checkov.yaml --file template.yaml

section 'sam build, without compiling'
scratch="$tools/build"
rm -rf "$scratch"
mkdir -p "$scratch/bin"
ln -s "$PWD/checks/cargo" "$scratch/bin/cargo"
ln -s "$(type -P true)" "$scratch/bin/cargo-lambda"
REAL_CARGO="$(type -P cargo)" PATH="$scratch/bin:$PATH" CARGO_TARGET_DIR="$scratch/target" \
  "$tools/sam/bin/sam" build --template template.yaml --build-dir "$scratch/built" >"$scratch/log" 2>&1 ||
  { cat "$scratch/log"; exit 1; }
"$tools/sam/bin/python" -m checks.archives "$scratch/built"

section 'construct'
cd cdk
npx tsc --noEmit
npm test --silent
scratch="$tools/synth"
rm -rf "$scratch"
for function in receive triage pull deliver sweep; do
  mkdir -p "$scratch/binaries/$function"
  : >"$scratch/binaries/$function/bootstrap"
done
synth() { # name, context…
  local name="$1" context=()
  shift
  for one in "$@" alarmEmail=on-call@example.com binaries="$scratch/binaries"; do context+=(--context "$one"); done
  npx cdk synth --quiet --output "$scratch/$name" "${context[@]}" 2>"$scratch/log" || { cat "$scratch/log"; exit 1; }
}
synth plain
# Every option, as checks/__main__.py has them for the template.
mkdir -p "$scratch/layer"
cp --recursive --dereference ../layer/tocsin "$scratch/layer/"
printf 'cloudwatch:\n  region: eu-central-1\n' >>"$scratch/layer/tocsin/tocsin.yaml"
synth full layer="$scratch/layer" secretName=team/tocsin secretVersion=0b7e52a5-1d0d-4a3c-9a32-6f2f3f2a9c11 \
  logLevel=debug logRetention=90 receiveConcurrency=0 \
  keyArn=arn:aws:kms:eu-central-1:111122223333:key/6b1d0f1c-0000-4000-8000-000000000000
cd ..
# W3005: CDK writes down that a function comes after its role, which the reference says already.
"$tools/cfn-lint/bin/cfn-lint" --ignore-checks W3005 -- "$scratch"/*/tocsin.template.json
cat checks/checkov.yaml checks/checkov-without-key.yaml >"$scratch/checkov-plain.yaml"
"$tools/checkov/bin/checkov" --config-file "$scratch/checkov-plain.yaml" --file "$scratch/plain/tocsin.template.json"
"$tools/checkov/bin/checkov" --config-file checks/checkov.yaml --file "$scratch/full/tocsin.template.json"

section 'SAM and CDK agree'
"$tools/own/bin/python" -m checks --cdk "$scratch/plain/tocsin.template.json" "$scratch/full/tocsin.template.json"

section 'done'
