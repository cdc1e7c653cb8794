#!/usr/bin/env bash
# pack.sh DIST OUT: makes the package from the built page in DIST, whose worker it shares, and packs it into OUT as
# dermake-VERSION.tgz, in place of earlier ones, so that `dermake-*.tgz` is one file. Prints the path of the tarball.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
source "$root/.setup/env.sh"
source "$root/.setup/step.sh"
source "$root/.setup/licenses.sh"
dist=$1 out=$2
compgen -G "$dist/worker-*-plain.js" >/dev/null || fail "there is no built page in $dist; \`just web\` builds it"

package=$(mktemp -d) packed=$(mktemp -d)
trap 'rm -rf "$package" "$packed"' EXIT
cp "$here"/*.js "$here"/*.d.ts "$here/package.json" "$here/README.md" "$package"
put_licenses "$package" "web:$WASM_TARGET"
mkdir "$package/worker"

# One script for each build: what wasm-bindgen made, and the page's own scripts for the worker and for its threads. The
# name of the worker is the address of the program, or says that it is a thread.
for build in plain relaxed threads threads_relaxed; do
  glue=("$dist"/worker-*-"$build".js)
  [ -e "${glue[0]}" ] || fail "the page in $dist has no worker named $build; \`just web\` builds all"
  {
    cat "${glue[0]}"
    echo 'if (self.name === "dermake-pool") {'
    sed '/importScripts/d' "$here/../worker_pool.js"
    echo '} else {'
    sed -e '/importScripts/d' -e 's/"worker_bg\.wasm"/self.name/' "$here/../worker_loader.js"
    echo '}'
  } >"$package/worker/$build.js"
  cp "${glue[0]%.js}_bg.wasm" "$package/worker/$build.wasm"
  grep -q 'fetch(self.name)' "$package/worker/$build.js" || fail "worker_loader.js does not fetch worker_bg.wasm"
done

sed "s/\"version\": \"0.0.0\"/\"version\": \"$DERMAKE_VERSION\"/" "$here/package.json" >"$package/package.json"
mkdir -p "$out"
out=$(cd "$out" && pwd)
tarball=$(cd "$package" && npm pack --silent --pack-destination "$packed")
rm -f "$out"/dermake-*.tgz
mv "$packed/$tarball" "$out"
echo "$out/$tarball"
