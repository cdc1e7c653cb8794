#!/usr/bin/env bash
# Trunk's last step, in its staging folder: gives the worker's files a hash in their names, as Trunk gives the page's,
# and tells the service worker which files make up this version of the page.
set -euo pipefail
cd "$TRUNK_STAGING_DIR"

hash() { cat "$@" | sha256sum | cut -c1-16; }
# rewrite FILE PROGRAM...: through sed, whose -i is not the same everywhere.
rewrite() {
  local file=$1
  shift
  sed "$@" "$file" >"$file.new"
  mv "$file.new" "$file"
}

worker=worker-$(hash worker_loader.js worker.js worker_bg.wasm)
rewrite worker_loader.js -e "s/worker\.js/$worker.js/" -e "s/worker_bg\.wasm/${worker}_bg.wasm/"
rewrite index.html -e "s/worker_loader\.js/${worker}_loader.js/"
for file in _loader.js .js _bg.wasm; do mv "worker$file" "$worker$file"; done

files=$(find . -type f ! -name sw.js ! -name index.html | LC_ALL=C sort | sed 's|^\./||')
# shellcheck disable=SC2086 # no name of ours has a space
{
  version=$(hash index.html $files)
  list=$(printf '"%s",' $files)
}
rewrite sw.js -e "s/\"VERSION\"/\"$version\"/" -e "s#\"FILES\"#${list%,}#"
