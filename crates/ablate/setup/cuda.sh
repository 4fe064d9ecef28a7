#!/usr/bin/env bash
# Builds ablate with burn's CUDA backend, as target/release/ablate-cuda:
#
#     crates/ablate/setup/cuda.sh               # or `just setup-cuda`
#     crates/ablate/setup/cuda.sh --debian      # with LLVM from Debian's packages
#
# No CUDA toolkit is needed: the driver's libraries are loaded when the program runs. But a build
# script of burn's fetches a build of LLVM from GitHub, and fails after minutes where GitHub cannot
# be reached. There, and with --debian, Debian's LLVM 22 (0.1 GB, kept in .llvm) stands in for it.
# What is given after the options goes to cargo instead.
set -euo pipefail
cd "$(dirname "$0")/../../.."

debian=
if [ "${1:-}" = --debian ]; then
    debian=yes
    shift
elif ! curl --silent --head --fail --max-time 10 --output /dev/null https://github.com; then
    debian=yes
fi

# The interface of CUDA that is asked of the driver: without this, nvcc would be asked.
export CUDARC_CUDA_VERSION=${CUDARC_CUDA_VERSION:-13000}
if [ -n "$debian" ]; then
    folder=$PWD/.llvm
    root=$folder/root
    # The name under which the build script looks before it fetches.
    bundle=$folder/tracel/tracel-llvm-23.1.0-4
    if [ ! -f "$bundle/.tracel-llvm-installed" ]; then
        rm -rf "$folder"
        mkdir -p "$folder/packages" "$root"
        (
            cd "$folder/packages"
            apt-get download llvm-22-dev llvm-22 libllvm22 llvm-22-tools llvm-22-linker-tools \
                llvm-22-runtime libz3-4 libz3-dev libxml2 libxml2-dev libffi-dev libffi8 \
                libncurses-dev libtinfo6 zlib1g-dev libzstd-dev libedit2
        )
        for package in "$folder"/packages/*.deb; do
            dpkg -x "$package" "$root"
        done
        libraries=$root/usr/lib/x86_64-linux-gnu
        # Names that the build script asks for and Debian does not have.
        ln -s libz3.so "$libraries/liblibz3.so"
        for name in Polly PollyISL; do
            [ -e "$root/usr/lib/llvm-22/lib/lib$name.a" ] ||
                ar cr "$root/usr/lib/llvm-22/lib/lib$name.a"
        done
        mkdir -p "$bundle"
        for part in bin lib include; do
            ln -s "$root/usr/lib/llvm-22/$part" "$bundle/$part"
        done
        touch "$bundle/.tracel-llvm-installed"
    fi
    export XDG_DATA_HOME=$folder
    export LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu
    export LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu
    export C_INCLUDE_PATH=$root/usr/include
fi

if [ $# -gt 0 ]; then
    exec cargo "$@"
fi
cargo build --release --features cuda
target=${CARGO_TARGET_DIR:-target}/release
# The next build without CUDA takes the other name.
cp "$target/ablate" "$target/ablate-cuda"
echo "built $target/ablate-cuda: give it --backend cuda"
