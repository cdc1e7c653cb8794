#!/usr/bin/env bash
# install.sh [MODEL...]: installs what `./justw build` has built, and the systemd unit. Run it as root. MODELs are folders
# from `dermake quantize`; without one, the demo model is installed. An existing /etc/dermake.env is kept.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
target=${CARGO_TARGET_DIR:-target}

[ -x "$target/release/dermake" ] && [ -e web/dist/index.html ] ||
  { echo "error: nothing is built here; run ./justw build first" >&2 && exit 2; }
if [ $# -eq 0 ]; then set -- shared-model/data/demo; fi

install -D -m 755 "$target/release/dermake" /usr/local/bin/dermake
rm -rf /usr/local/share/dermake/app
install -d /usr/local/share/dermake /var/lib/dermake/models
cp -r web/dist /usr/local/share/dermake/app
for model in "$@"; do
  [ -e "$model/manifest.json" ] || { echo "error: no manifest.json in $model" >&2 && exit 2; }
  cp -r "$model" /var/lib/dermake/models/
done
chmod -R a+rX /usr/local/share/dermake /var/lib/dermake
if [ ! -e /etc/dermake.env ]; then install -m 644 native-trainer/deploy/dermake.env /etc/dermake.env; fi
install -m 644 native-trainer/deploy/dermake.service /etc/systemd/system/dermake.service
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
