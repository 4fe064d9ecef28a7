#!/usr/bin/env bash
# Studies through a real Slurm on loopback: two nodes, started by `shared/slurm` beside this clone.
# First argument: where to run; second: a Python. Skips, and says so, where there is no Slurm.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(realpath -m "$1") python=${2:-python3}
ablate=$(realpath "${ABLATE:-target/release/ablate}")
cluster=../shared/slurm/slurm-one-node.sh
[ -e "$cluster" ] || { echo "left out: there is no shared/slurm beside this clone"; exit 0; }
mkdir -p "$scratch"

export SLURM1_DIR=${SLURM1_DIR:-/tmp/ablate-slurm-$$} SLURM1_NODES=2 SLURM1_CPUS=2
# Lost nodes are noticed, and tasks started again, sooner than on a real cluster.
export SLURM1_NODE_TIMEOUT=3 SLURM1_MSG_TIMEOUT=2 SLURM1_REQUEUE_DELAY=5 SLURM1_KILL_WAIT=10
# Jobs of `urgent` take the places of those of `low`, which have three seconds to leave.
export SLURM1_EXTRA='PreemptType=preempt/partition_prio;PreemptMode=REQUEUE
PartitionName=low Nodes=ALL PriorityTier=1 GraceTime=3 DefaultTime=10
PartitionName=urgent Nodes=ALL PriorityTier=10 DefaultTime=10'
SLURM1_EXTRA=${SLURM1_EXTRA//$'\n'/;}
slurm() { bash "$cluster" "$@"; }
trap 'slurm down >/dev/null 2>&1 || true; rm -rf "$SLURM1_DIR"' EXIT
if ! slurm up; then
    echo "left out: Slurm cannot be installed or started here"
    exit 0
fi
eval "$(slurm env)"

short=.ci/cluster.toml
fail() { echo "slurm: $*" >&2; exit 1; }
same() { "$python" .ci/same.py "$1" "$2" "$3"; }
# until_true SECONDS WORDS COMMAND...
until_true() {
    local limit=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        if ((SECONDS >= limit)); then
            squeue -a -r -t all || true
            fail "in vain: $what"
        fi
        sleep 0.2
    done
}
# expect CODE WORDS COMMAND...: the exit code, and words in what is said
expect() {
    local wanted=$1 words=$2 code=0
    shift 2
    "$@" >"$scratch/said" 2>&1 || code=$?
    [ "$code" = "$wanted" ] || { cat "$scratch/said" >&2; fail "exit $code instead of $wanted: $*"; }
    grep -q -- "$words" "$scratch/said" || { cat "$scratch/said" >&2; fail "no word of '$words': $*"; }
}
part() { printf -- '--- %s (%d s)\n' "$1" "$SECONDS"; }
idle() { [ -z "$(squeue -h)" ]; }

part 'undisturbed, by the local launcher'
"$ablate" run "$short" --root "$scratch/local" --quiet >/dev/null
# Trainings of two minutes, whatever this machine is: Slurm needs a while to notice a lost node.
speed=$("$ablate" bench "$short" --variant plain --threads 1 --steps 200 --json |
    "$python" -c 'import json, sys; print(int(json.load(sys.stdin)["variants"][0]["tokens_per_second"]))')
tokens=$((speed * 120))
echo "$tokens tokens each, at $speed a second"
"$ablate" run "$short" --profile long --set "train.tokens=$tokens" --root "$scratch/local-long" --quiet --jobs 1 --threads 1 >/dev/null &
reference=$!

part 'six trainings, two at a time'
mkdir -p "$scratch/by slurm"
"$ablate" run "$short" --root "$scratch/by slurm" --launcher slurm --array-limit 2 --wait &
run=$! most=0
while kill -0 "$run" 2>/dev/null; do
    running=$(squeue -h -r -t R -o '%j' | grep -c -- '-train$' || true)
    ((running > most)) && most=$running
    sleep 0.3
done
wait "$run"
[ "$most" -ge 1 ] && [ "$most" -le 2 ] || fail "$most trainings at a time"
same "$scratch/local" "$scratch/by slurm" cluster
grep -q -- '--array=0-5%2' "$scratch/by slurm"/data/runs/cluster/*/submit.sh || fail 'no array of six, two at a time'
# All is there: nothing is submitted again.
"$ablate" run "$short" --root "$scratch/by slurm" --launcher slurm --quiet >/dev/null
[ "$(find "$scratch/by slurm/data/runs/cluster" -name submission.json | wc -l)" = 1 ] || fail 'submitted again'

part 'a variant that fails'
{ cat "$short"; printf '\n[[design.list]]\nname = "broken"\nset.train.learning_rate = 1e6\n'; } |
    sed '/^\[profile.long\]/,/^design.list/d' >"$scratch/broken.toml"
expect 1 'diverged at step' "$ablate" run "$scratch/broken.toml" --root "$scratch/by slurm" --launcher slurm --wait
"$ablate" status "$scratch/broken.toml" --root "$scratch/by slurm" >"$scratch/said"
grep -q 'needs train' "$scratch/said" || { cat "$scratch/said"; fail 'no word of what the scores wait for'; }

part 'files only, submitted by hand, in arrays of four at most'
printf '[cluster]\nmax_array_size = 4\n' >"$scratch/small.toml"
expect 0 'nothing was submitted' "$ablate" run "$short" --root "$scratch/script" --launcher script --execution "$scratch/small.toml"
grep -q '^submit 05-train 4 2 ' "$scratch"/script/data/runs/cluster/*/submit.sh || fail 'six trainings are not an array of four and one of two'
[ -z "$(squeue -h)" ] || fail 'something was submitted'
sh "$scratch"/script/data/runs/cluster/*/submit.sh >/dev/null

part 'workers that take whatever is next'
"$ablate" run "$short" --root "$scratch/pull" --launcher slurm --pull 2 --wait --quiet >/dev/null
same "$scratch/local" "$scratch/pull" cluster
until_true 60 'the jobs that were submitted by hand end' idle
same "$scratch/local" "$scratch/script" cluster

part 'time is up, and everything cancelled'
long=(--profile long --set "train.tokens=$tokens" --root "$scratch/long")
train() { squeue -h -r -t "$1" -o '%i %N %j' | grep -- '-train$' || true; }
checkpoints() { [ "$(find "$scratch/long/data/store/train" -path '*.partial*/step-*' -name state.json 2>/dev/null | sed 's/.partial.*//' | sort -u | wc -l)" -ge 2 ]; }
running() { [ "$(train R | wc -l)" = 2 ]; }
status() { "$ablate" status "$short" "${long[@]}"; }
says() { status >"$scratch/said" 2>&1 && grep -q -- "$1" "$scratch/said"; }
# A limit of a minute is told of two minutes before: at the first look of Slurm's.
"$ablate" run "$short" "${long[@]}" --launcher slurm --cpus 2 --time 1 --quiet
until_true 60 'both trainings run' running
read -r first _ < <(train R)
until_true 60 'both trainings have checkpoints' checkpoints
until_true 60 'status says that it is started again' says "task $first requeued"
grep -q 'time is nearly up' "$scratch"/long/data/runs/cluster-long/*/*-train/logs/"$first".log || fail 'not by itself'
# Whoever asks again while tasks are live submits nothing twice.
expect 0 'on their way already' "$ablate" run "$short" "${long[@]}" --launcher slurm
"$ablate" cancel "$short" "${long[@]}"
until_true 30 'the queue is empty' idle
says 'interrupted' || { cat "$scratch/said"; fail 'no checkpoint was kept'; }

# log TASK: what all starts of a task have printed
log() { cat "$scratch"/long/data/runs/cluster-long/*/*-train/logs/"$1".log; }
logged() { grep -q -- "$2" <(log "$1"); }
# second_start TASK: the step at which it began again. Read to the end: a pipe that closes early is a failure here.
second_start() {
    log "$1" | awk '/start 2/ { again = 1 }
        again && !step && match($0, / [0-9]+\//) { step = substr($0, RSTART + 1, RLENGTH - 2) }
        END { print step + 0 }'
}
# stopped_at TASK: the last step that was told before it gave way
stopped_at() {
    log "$1" | awk '/stopped train/ && !step { step = last }
        match($0, / [0-9]+\//) { last = substr($0, RSTART + 1, RLENGTH - 2) }
        END { print step + 0 }'
}
began_again() {
    local step
    step=$(second_start "$1")
    [ "$step" -gt 0 ] && [ "$step" -ge "$(stopped_at "$1")" ]
}

# preempted WORDS: both trainings make room for an urgent job, saying so, and go on afterwards.
preempted() {
    "$ablate" run "$short" "${long[@]}" --launcher slurm --partition low --cpus 2 --quiet
    until_true 60 'both trainings run' running
    local tasks task
    tasks=$(train R | cut -d' ' -f1)
    for task in $tasks; do until_true 60 'it trains' logged "$task" 'train.*: [0-9]*/'; done
    sbatch --parsable --partition urgent --nodes 2 --cpus-per-task 2 --output /dev/null --wrap 'sleep 1' >/dev/null
    for task in $tasks; do
        until_true 60 'it gives way and keeps what it has' logged "$task" 'stopped train'
        logged "$task" "$1" || { log "$task"; fail "no word of '$1'"; }
        until_true 90 'it goes on from there' began_again "$task"
    done
    "$ablate" cancel "$short" "${long[@]}"
    until_true 30 'the queue is empty' idle
}
part 'an urgent job takes their places: TERM'
preempted 'stopped train'
part 'an urgent job takes their places: USR1 before'
printf 'SlurmctldParameters=preempt_send_user_signal\n' >>"$SLURM_CONF"
scontrol reconfigure
preempted 'asking Slurm to start task'

part 'one node crashes, the other is lost with its task alive'
"$ablate" run "$short" "${long[@]}" --launcher slurm --cpus 2 --quiet
until_true 60 'both trainings run' running
until_true 20 'they have begun' says 'running'
read -r orphan lost _ < <(train R | head -1)
read -r crashed node _ < <(train R | tail -1)
[ "$lost" != "$node" ] || fail 'both trainings are on one node'
# A checkpoint that was written on the way (every 500 steps), not by an interruption.
far() {
    [ "$(find "$scratch/long/data/store/train" -regex '.*\.partial.*/step-[0-9]*[1-9][0-9]*00' -printf '%h\n' | sort -u | wc -l)" = 2 ]
}
until_true 60 'both have a checkpoint of step 500 or later' far
slurm crash-node "$node" >/dev/null
slurm kill-node "$lost" >/dev/null
slurm start-node "$node" >/dev/null
until_true 90 'the lost one was started again' logged "$orphan" 'start 2'
# Its first copy was alive until then: it notices, and keeps its hands off.
until_true 10 'the first copy gives way' logged "$orphan" 'taken it over'
slurm start-node "$lost" >/dev/null
until_true 90 'the crashed one was started again' logged "$crashed" 'start 2'
wait "$reference"
until_true 600 'everything ends' idle
"$ablate" report "$short" "${long[@]}" >/dev/null
same "$scratch/local-long" "$scratch/long" cluster-long
"$ablate" verify --root "$scratch/long"
for task in "$orphan" "$crashed"; do
    [ "$(log "$task" | grep -c 'done train')" = 1 ] || fail "task $task was not published exactly once"
    step=$(second_start "$task")
    [ "$step" -gt 500 ] || fail "task $task began at step $step although there was a checkpoint of step 500"
done

part 'no controller, no munge, no Slurm'
slurm kill-ctld >/dev/null
expect 75 'controller does not answer' "$ablate" run "$short" --root "$scratch/none" --launcher slurm
expect 0 'the store alone' "$ablate" status "$short" "${long[@]}"
expect 75 'controller does not answer' "$ablate" cancel "$short" "${long[@]}"
slurm start-ctld >/dev/null
mv "$SLURM1_DIR/munge/munge.socket" "$SLURM1_DIR/munge/away"
expect 75 'munge does not answer' "$ablate" run "$short" --root "$scratch/none" --launcher slurm
mv "$SLURM1_DIR/munge/away" "$SLURM1_DIR/munge/munge.socket"
expect 75 '--launcher script' env PATH=/nowhere "$ablate" run "$short" --root "$scratch/none" --launcher slurm
[ ! -e "$scratch/none/data/runs" ] || fail 'files of a submission that never was'
printf 'slurm: all as it should be, %d s\n' "$SECONDS"
