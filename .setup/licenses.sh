# shellcheck shell=bash
# The license files of what is released. Source it after env.sh and step.sh.

# put_licenses FOLDER PACKAGE[:TARGET]...: copies our licenses into a folder, and writes those of everything that is compiled
# into the packages beside them, as LICENSE-THIRD-PARTY.
put_licenses() {
  local folder=$1
  shift
  cp "$DERMAKE_ROOT"/LICENSE-* "$folder"
  python3 "$DERMAKE_ROOT/.setup/third_party.py" "$folder/LICENSE-THIRD-PARTY" "$@" ||
    fail "the licenses of the dependencies cannot be listed"
}

# check_licenses FOLDER WORDS...: fails unless a folder has our licenses, and those of others with each of these words.
check_licenses() {
  local folder=$1 words
  shift
  for words in MIT APACHE THIRD-PARTY; do
    [ -s "$folder/LICENSE-$words" ] || fail "there is no LICENSE-$words in $folder"
  done
  for words in "$@"; do
    grep -qF "$words" "$folder/LICENSE-THIRD-PARTY" || fail "$folder/LICENSE-THIRD-PARTY says nothing of $words"
  done
}
