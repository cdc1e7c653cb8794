#!/usr/bin/env bash
# Installs Mesa's Vulkan drivers with apt for the tests of `--device wgpu`, unless lavapipe, the one that runs on the CPU, is
# there.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"

install_vulkan() {
  say "a Vulkan driver: installing Mesa's with apt"
  apt_install mesa-vulkan-drivers libvulkan1
}

once has_vulkan install_vulkan
