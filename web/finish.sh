#!/usr/bin/env bash
# Trunk's last step, in its staging folder: builds the worker, writes the texts of each language, adds a hash to the names
# of these files, as Trunk does for the page's, writes the list of the files of this version into the service worker, and
# writes the licenses of the page.
set -euo pipefail
here=$PWD
source "$here/../.setup/env.sh"
source "$here/../.setup/step.sh"
source "$here/../.setup/licenses.sh"
cd "$TRUNK_STAGING_DIR"
"$here/workers.sh" "$PWD"

hash() { cat "$@" | sha256sum | cut -c1-16; }
# rewrite FILE PROGRAM...: edits a file with sed, whose option -i differs between systems.
rewrite() {
  local file=$1
  shift
  sed "$@" "$file" >"$file.new"
  mv "$file.new" "$file"
}

# One hash for all builds of the worker: index.html has it.
version=$(hash worker_loader.js worker_pool.js worker-*)
builds=()
for program in worker-*.js; do
  build=${program#worker-} build=${build%.js}
  name=worker-$version-$build
  builds+=("$build")
  mv "$program" "$name.js"
  mv "worker-${build}_bg.wasm" "${name}_bg.wasm"
  for script in loader pool; do
    sed -e "s/worker\.js/$name.js/" -e "s/worker_bg\.wasm/${name}_bg.wasm/" "worker_$script.js" >"${name}_$script.js"
  done
done
rm worker_loader.js worker_pool.js
rewrite index.html -e "s/worker-VERSION/worker-$version/" -e "s/content=\"BUILDS\"/content=\"${builds[*]}\"/"

# The texts of each language but English, which is part of the program: one file, without comments. Text files have a type
# on every host.
for folder in "$here"/languages/*; do
  code=${folder##*/}
  if [ "$code" != en ]; then grep -hv '^#' "$folder"/*.ftl >"language-$code.txt"; fi
done
version=$(hash language-*)
for file in language-*; do mv "$file" "${file/language-/language-$version-}"; done
rewrite index.html -e "s/language-VERSION/language-$version/"

files=$(find . -type f ! -name sw.js ! -name index.html | LC_ALL=C sort | sed 's|^\./||')
# A change of sw.js makes a new version, too: it does not use the files that an older one stored.
# shellcheck disable=SC2086 # the names have no spaces
{
  version=$(hash index.html sw.js $files)
  list=$(sha256sum $files | sed -E 's/^([0-9a-f]+) .(.*)$/"\2":"\1",/' | tr -d '\n')
}
rewrite index.html -e "s/content=\"VERSION\"/content=\"$version\"/"
rewrite sw.js -e "s/\"VERSION\"/\"$version\"/" -e "s#\"FILE\": \"SHA-256\"#${list%,}#"
grep -q "content=\"$version\"" index.html # sw.js recognizes the page by it

# After the list: a visit fetches the licenses only when the visitor opens them.
licenses=$(mktemp -d)
trap 'rm -rf "$licenses"' EXIT
put_licenses "$licenses" "web:$WASM_TARGET"
{
  printf 'Dermake may be used under this license or under the Apache License 2.0.\n\n'
  cat "$licenses/LICENSE-MIT"
  printf '\n%s\n\n' "$(printf '=%.0s' {1..80})"
  cat "$licenses/LICENSE-THIRD-PARTY"
} >licenses.txt
