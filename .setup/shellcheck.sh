#!/usr/bin/env bash
# Checks every shell script in git with shellcheck.
set -euo pipefail
source "$(dirname "$0")/env.sh"

cd "$DERMAKE_ROOT"
git grep -lzE '^#!.*[/ ](ba)?sh$|^# shellcheck shell=' -- ':!*.md' |
  xargs -0 shellcheck --external-sources --source-path=SCRIPTDIR
