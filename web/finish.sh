#!/usr/bin/env bash
# Trunk's last step, in its staging folder: adds the builds of the worker, gives their files a hash in their names, as
# Trunk gives the page's, and tells the service worker which files make up this version of the page.
set -euo pipefail
here=$PWD
cd "$TRUNK_STAGING_DIR"
"$here/workers.sh" "$PWD"

hash() { cat "$@" | sha256sum | cut -c1-16; }
# rewrite FILE PROGRAM...: through sed, whose -i is not the same everywhere.
rewrite() {
  local file=$1
  shift
  sed "$@" "$file" >"$file.new"
  mv "$file.new" "$file"
}

# One hash for all builds of the worker: the page knows their names by it.
version=$(hash worker_loader.js worker_pool.js worker-*)
for program in worker-*.js; do
  build=${program#worker-} build=${build%.js}
  name=worker-$version-$build
  mv "$program" "$name.js"
  mv "worker-${build}_bg.wasm" "${name}_bg.wasm"
  for script in loader pool; do
    sed -e "s/worker\.js/$name.js/" -e "s/worker_bg\.wasm/${name}_bg.wasm/" "worker_$script.js" >"${name}_$script.js"
  done
done
rm worker_loader.js worker_pool.js
rewrite index.html -e "s/worker-VERSION/worker-$version/"

files=$(find . -type f ! -name sw.js ! -name index.html | LC_ALL=C sort | sed 's|^\./||')
# A change of sw.js is a version too: what an older one kept is not taken over.
# shellcheck disable=SC2086 # no name of ours has a space
{
  version=$(hash index.html sw.js $files)
  list=$(sha256sum $files | sed -E 's/^([0-9a-f]+) .(.*)$/"\2":"\1",/' | tr -d '\n')
}
rewrite index.html -e "s/content=\"VERSION\"/content=\"$version\"/"
rewrite sw.js -e "s/\"VERSION\"/\"$version\"/" -e "s#\"FILE\": \"SHA-256\"#${list%,}#"
grep -q "content=\"$version\"" index.html # the page and sw.js know each other by it
