#!/usr/bin/env bash
# Builds ablate with libtorch on the CPU, as target/release/ablate-tch:
#
#     crates/ablate/setup/tch.sh                # or `just setup-tch`
#     crates/ablate/setup/tch.sh --cuda         # with libtorch's CUDA libraries: 4 GB more
#
# The `tch` crate is made for libtorch 2.9.0. PyPI has it, as the CUDA build of PyTorch: a download
# of 0.9 GB, of which the CPU needs 0.4 GB. It goes to .libtorch and is kept for the next build.
# What is given after the options goes to cargo instead: `tch.sh test --release --features tch`.
set -euo pipefail
cd "$(dirname "$0")/../../.."

version=2.9.0
cuda=
if [ "${1:-}" = --cuda ]; then
    cuda=-cuda
    shift
fi
case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) ;;
    *)
        echo "this fetches libtorch for Linux on x86-64 only; elsewhere set LIBTORCH to a libtorch" \
            "$version and build with: cargo build --release --features tch" >&2
        exit 2
        ;;
esac

folder=$PWD/.libtorch/$version$cuda
if [ ! -f "$folder/build-version" ]; then
    mkdir -p "$PWD/.libtorch"
    partial=$(mktemp -d "$PWD/.libtorch/partial.XXXXXX")
    trap 'rm -rf "$partial"' EXIT
    fetch=(python3 -m pip download --quiet --disable-pip-version-check --only-binary=:all:
        --python-version 3.12 --implementation cp --platform manylinux_2_28_x86_64
        --platform manylinux2014_x86_64 --platform manylinux1_x86_64 --dest "$partial/wheels")
    if [ -n "$cuda" ]; then
        "${fetch[@]}" "torch==$version"
    else
        # libtorch_cpu.so of the CUDA build asks for two small libraries of CUDA.
        "${fetch[@]}" --no-deps "torch==$version" \
            nvidia-cuda-runtime-cu12==12.8.90 nvidia-cuda-cupti-cu12==12.8.90
    fi
    python3 crates/ablate/setup/libtorch.py "$partial/wheels" "$partial/libtorch" ${cuda:+--cuda}
    if [ -z "$cuda" ]; then
        # The wheel's own libtorch.so, an empty shell, asks for the CUDA half.
        echo | "${CC:-cc}" -shared -fPIC -xc - -o "$partial/libtorch/lib/libtorch.so" \
            -Wl,-soname,libtorch.so
    fi
    echo "$version" > "$partial/libtorch/build-version"
    rm -rf "$folder"
    mv "$partial/libtorch" "$folder"
    rm -rf "$partial"
fi

export LIBTORCH=$folder
# For tests and examples; the program itself remembers where its libraries are.
export LD_LIBRARY_PATH=$folder/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
if [ $# -gt 0 ]; then
    exec cargo "$@"
fi
cargo build --release --features tch
target=${CARGO_TARGET_DIR:-target}/release
# The next build without libtorch takes the other name.
cp "$target/ablate" "$target/ablate-tch"
echo "built $target/ablate-tch: give it --backend tch${cuda:+ or --backend tch-cuda}"
