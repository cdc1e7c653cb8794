#!/usr/bin/env bash
# test_api.sh DERMAKE [OPTION...]: serves the demo model and tests it with schemathesis: hundreds of requests per address,
# valid and invalid by the server's OpenAPI document. OPTIONs go to schemathesis.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"
source "$here/schemathesis.sh"
source "$here/background_server.sh"

dermake=$1
shift
find_schemathesis || cannot_test "the API's conformance test"

make_work

mkdir "$work/app"
echo '<!DOCTYPE html>' >"$work/app/index.html"
echo token >"$work/tokens"
# 431 is allowed: a head that is too large is refused before it is parsed.
cat >"$work/schemathesis.toml" <<'TOML'
[checks.negative_data_rejection]
expected-statuses = [400, 401, 404, 405, 413, 414, 415, 422, 431]
TOML
# No rate limit, since all requests come from one address. Few labels, so that a list fits into a query.
serve "$dermake" serve --app "$work/app" --models "$DERMAKE_ROOT/shared-model/data/demo" --port 0 --infer cpu \
  --tokens "$work/tokens" --rate-per-sec 0 --max-labels 20

cd "$work"
# A schema cannot describe a photo, so whether valid requests are accepted is tested elsewhere.
"$SCHEMATHESIS_HOME/bin/st" run "${url}v1/openapi.json" --checks all --exclude-checks positive_data_acceptance \
  --header "Authorization: Bearer token" --phases examples,coverage,fuzzing --max-examples 40 --seed 1 \
  --request-timeout 40 --warnings off --no-color "$@"
if grep -E 'panicked|ERROR' "$work/log"; then fail "the server's log has errors"; fi
