#!/bin/sh
# The wheel for Linux on AArch64, made by a cross compiler and tried under an emulator, away from the checkout:
#
#   sh release/aarch64.sh FOLDER [PYTEST'S ARGUMENTS]
#
# README's example and the self-test run, then the tests that are named. Needs, on Debian and as root,
#   apt install debootstrap qemu-user g++-aarch64-linux-gnu
# and as PYTHON (default: python3.11) a Python 3.11, which is Debian 12's, with the extra `build` and wheel.
# FOLDER takes about 500 MB, and keeps what a second run would fetch again.
set -eu
here=$(realpath "$(dirname "$0")/..") folder=$(realpath -m "$1") python=${PYTHON:-python3.11}
debian=$folder/debian include=$folder/debian/usr/include site=$folder/debian/usr/local/lib/python3.11/dist-packages
emulated="qemu-aarch64 -L $debian $debian/usr/bin/python3.11 -B"
shift

[ -e "$include/python3.11" ] || {
  debootstrap --foreign --variant=minbase --arch=arm64 --include=python3,libpython3-dev bookworm "$debian"
  for package in "$debian"/var/cache/apt/archives/*.deb; do dpkg -x "$package" "$debian"; done
}

# Python's own record of how it was built, for the machine that is built for.
mkdir -p "$folder/sysconfig" "$folder/run"
cp "$debian"/usr/lib/python3.11/_sysconfigdata__aarch64-linux-gnu.py "$folder/sysconfig"
rm -rf "$folder"/fhe-*.whl "$folder/source" && mkdir "$folder/source"
cd "$here" && cp -r csrc fhe setup.py pyproject.toml MANIFEST.in README.md LICENSE "$folder/source"
cd "$folder/source"
(
  export _PYTHON_HOST_PLATFORM=linux-aarch64 _PYTHON_SYSCONFIGDATA_NAME=_sysconfigdata__aarch64-linux-gnu
  export CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++ CFLAGS="-I$include/python3.11 -idirafter $include"
  export CXXFLAGS="$CFLAGS" LDSHARED="$CC -shared" LDCXXSHARED="$CXX -shared" PYTHONPATH="$folder/sysconfig"
  "$python" setup.py --quiet bdist_wheel --plat-name manylinux_2_36_aarch64 --dist-dir "$folder"
)

platforms=$(printf -- '--platform manylinux_2_%s_aarch64 ' 17 27 28 34 36)
"$python" -m pip install --quiet --upgrade --only-binary :all: --target "$site" --python-version 3.11 $platforms \
  "$folder"/fhe-*.whl pytest hypothesis

cd "$here" && cp -r README.md pyproject.toml tests "$folder/run"
cd "$folder/run"
$emulated -W error "$here/release/smoke.py" README.md
[ $# -eq 0 ] || $emulated -m pytest -q -p no:cacheprovider "$@"
