#!/usr/bin/env bash
# Makes DejaVuSans.ttf, the Latin and Greek letters and the signs of drawings, from the whole font (2.37):
#   make.sh /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
# It needs fonttools (python3 -m pip install fonttools).
set -euo pipefail
letters=U+0020-007E,U+00A0-017F,U+0370-03FF
signs=U+2010-2026,U+2030,U+2032,U+2033,U+2190-2193,U+2212,U+2248,U+2260-2265
pyftsubset "$1" --unicodes="$letters,$signs" --no-hinting --layout-features=kern --drop-tables+=FFTM \
  --output-file="$(dirname "$0")/DejaVuSans.ttf"
