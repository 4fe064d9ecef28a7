# `just` alone lists the recipes.
default:
    @just --list --unsorted

# The paper's Figure 1 at laptop scale, in some ten minutes
[group: 'studies']
quickstart:
    cargo run --release -- run experiments/quickstart.toml

# Every stage once, in under a minute
[group: 'studies']
smoke:
    cargo run --release -- run experiments/smoke.toml

# One study: `just study rounds`
[group: 'studies']
study name:
    cargo run --release -- run experiments/{{name}}.toml

# What a study would cost: `just plan rounds`
[group: 'studies']
plan name:
    cargo run --release -- plan experiments/{{name}}.toml

# ablate with libtorch on the CPU, as target/release/ablate-tch (`just setup-tch --cuda`: and CUDA)
[group: 'backends']
setup-tch *arguments:
    crates/ablate/setup/tch.sh {{arguments}}

# ablate with burn's CUDA backend, as target/release/ablate-cuda
[group: 'backends']
setup-cuda *arguments:
    crates/ablate/setup/cuda.sh {{arguments}}

# All tests
[group: 'check']
test:
    cargo test --release --workspace

# Formatting and lints, warnings denied
[group: 'check']
lint:
    cargo fmt --all --check
    cargo clippy --release --workspace --all-targets -- -D warnings

# Rewrite the code in the house style
[group: 'check']
fmt:
    cargo fmt --all

# What CI runs
[group: 'check']
ci:
    bash .ci/run

# The peers of the comparisons, in bench/.venv (or a link to one: `just bench-setup VENV`)
[group: 'bench']
bench-setup *venv:
    bench/setup.sh {{venv}}

# ablate beside PyTorch, transformers and tokenizers; writes bench/RESULTS.md
[group: 'bench']
bench *arguments:
    cargo build --release --workspace --bins --examples
    python3 bench/run.py {{arguments}}

# The kernels one by one: `just bench-kernels feed_forward`
[group: 'bench']
bench-kernels *filter:
    cargo bench --workspace --bench kernels -- {{filter}}

# The crates' documentation
[group: 'docs']
doc:
    cargo doc --release --workspace --no-deps

# The JSON Schema that editors use for study files
[group: 'docs']
schema:
    cargo run --release -- schema > docs/study.schema.json

# Everything that runs made; finished work is lost
[group: 'clean']
[confirm('Remove data/store and all reports that are not tracked?')]
clean-store:
    rm -rf data/store
    git clean -fdx reports
