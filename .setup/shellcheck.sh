#!/usr/bin/env bash
# Checks every shell script in git with shellcheck.
set -euo pipefail
source "$(dirname "$0")/env.sh"

cd "$DERMAKE_ROOT"
mapfile -t scripts < <(git grep -lE '^#!.*\b(ba)?sh$|^# shellcheck shell=' -- ':!*.md')
shellcheck --external-sources --source-path=SCRIPTDIR "${scripts[@]}"
