#!/usr/bin/env bash
# Installs Mesa's Vulkan drivers with apt for the tests of `--device wgpu`, unless the system has a driver. One of them,
# lavapipe, runs on the CPU.
set -euo pipefail
here=$(dirname "$0")
source "$here/env.sh"
source "$here/step.sh"

vulkan_ready() {
  case $(uname -s) in Linux) ;; *) return 0 ;; esac # Metal and DirectX come with the system
  has_vulkan
}
install_vulkan() {
  say "a Vulkan driver: installing Mesa's with apt"
  apt_install mesa-vulkan-drivers libvulkan1
}

once vulkan_ready install_vulkan
