#!/usr/bin/env bash
# The batch files of docs/clusters.md under a Slurm of one node, which this script starts and stops: a training of two ranks that is
# stopped before its time is over, requeued, and comes to the weights of one process; arrays of `compare --share` and
# `judge --share`. Takes some minutes. Needs root:
#
#     apt-get install slurm-wlm munge libpmix-dev openmpi-bin mpich
#     scripts/slurm.sh target/release/faussaire
#
# Skipped where Slurm is missing. Debian's plugin for PMIx opens a file of libpmix-dev.
#
# STEPS=60, PLUGINS="pmix pmi2"; KEEP=1 keeps the folder
set -euo pipefail

program=$(realpath "${1:?usage: scripts/slurm.sh PROGRAM}")
page=$(realpath "$(dirname "$0")/../docs/clusters.md")
for name in slurmctld slurmd munged mpirun; do
    if ! command -v "$name" >/dev/null && [ ! -x "/usr/sbin/$name" ]; then
        echo "skipped: there is no $name (apt-get install slurm-wlm munge libpmix-dev openmpi-bin mpich)"
        exit 0
    fi
done
if [ "$(id -u)" != 0 ]; then
    echo "skipped: a Slurm is started by root only"
    exit 0
fi

PATH=$PATH:/usr/sbin
folder=$(mktemp -d)
chmod 755 "$folder"
export SLURM_CONF=$folder/slurm.conf WORK=$folder/work XDG_CACHE_HOME=$folder/cache
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
mkdir -p "$folder/bin" "$folder/state" "$folder/spool" "$folder/munge" "$WORK/runs"
ln -s "$program" "$folder/bin/faussaire"
PATH=$folder/bin:$PATH
# Batch files load the module of an MPI; here it is installed.
module() { true; }
export -f module

started=()
finish() {
    scancel --user="$(id -un)" 2>/dev/null || true
    for _ in $(seq 100); do
        if ! squeue --noheader 2>/dev/null | grep -q .; then break; fi
        sleep 0.2
    done
    for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
    wait 2>/dev/null || true
    if [ -z "${KEEP:-}" ]; then rm -rf "$folder"; fi
}
trap finish EXIT

head -c 1024 /dev/urandom >"$folder/munge/key"
chmod 700 "$folder/munge"
chmod 600 "$folder/munge/key"
munged --foreground --force --key-file="$folder/munge/key" --socket="$folder/munge.socket" --pid-file="$folder/munge/pid" \
    --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" 2>/dev/null &
started+=($!)
host=$(hostname -s)
cat >"$SLURM_CONF" <<END
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmctldTimeout=30
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=YES
END
slurmctld -D >"$folder/slurmctld.log" 2>&1 &
started+=($!)
slurmd -D -N "$host" >"$folder/slurmd.log" 2>&1 &
started+=($!)
for _ in $(seq 100); do
    if sinfo --noheader --format %t 2>/dev/null | grep -q idle; then break; fi
    sleep 0.2
done
sinfo --noheader --format %t | grep -q idle || {
    tail -n 5 "$folder"/slurm*.log
    exit 1
}
srun --version
srun --mpi=list 2>&1

# The batch file of docs/clusters.md that has the words $1.
file() {
    awk -v words="$1" '
        /^```sh$/ { inside = 1; text = ""; next }
        /^```$/ { if (inside && text ~ /^#!/ && index(text, words)) printf "%s", text; inside = 0; next }
        inside { text = text $0 "\n" }' "$page"
}

failed=0
expect() {
    if "${@:2}"; then echo "  good       $1"; else
        echo "  WRONG      $1"
        failed=1
    fi
}
digest() { cat "$1"/checkpoints/latest/*.safetensors | sha256sum | cut -c 1-16; }
same() { [ "$(digest "$1")" = "$2" ]; }
finished() { while squeue --noheader --jobs "$1" 2>/dev/null | grep -q .; do sleep 0.5; done; }
# submit FILE OPTIONS...: the job's number
submit() { sbatch --parsable --chdir="$WORK" --output="$WORK/%j.log" "${@:2}" "$1"; }

cd "$WORK"
small=(strokes --preset tp --batch 8 --precision f32 --set data.count=256 --set train.slices=8 --set train.sheet_every=0)
faussaire train "${small[@]}" --steps "${STEPS:-60}" --quiet --threads 2 --run one >/dev/null
expected=$(digest one)

srun --mpi=none --ntasks=2 faussaire train "${small[@]}" --steps 1 --run none >none.log 2>&1 || true
expect "srun without MPI is refused, once" [ "$(grep -c "error: srun started 2 processes, but without MPI" none.log)" = 1 ]

file "srun --mpi=pmix" >training.sh
[ -s training.sh ] || { echo "the batch file of a training wasn't found in $page"; exit 1; }
for plugin in ${PLUGINS:-pmix pmi2}; do
    # The file as it is on the page, but for the data, the length and the plugin of the MPI here.
    sed -e "s|celeba --preset dcgan-64 --set train.slices=8|${small[*]} --steps ${STEPS:-60}|" -e "s|runs/faces|runs/$plugin|" \
        -e "s|--mpi=pmix|--mpi=$plugin|" training.sh >"training-$plugin.sh"
    one_node=(--nodes=1 --ntasks-per-node=2 --cpus-per-task=1)
    job=$(submit "training-$plugin.sh" "${one_node[@]}")
    while squeue --noheader --jobs "$job" | grep -q .; do
        if grep -q '"event":"step","step":10,' "runs/$plugin/events.jsonl" 2>/dev/null; then break; fi
        sleep 0.2
    done
    # What Slurm does 120 seconds before the end (--signal=B:TERM@120).
    scancel --signal=TERM --batch "$job" || cat "$WORK/$job.log"
    finished "$job"
    steps=$(grep -o '"step": *[0-9]*' "runs/$plugin/checkpoints/latest/state.json" | head -n 1)
    expect "$plugin, stopped by the signal before the end at $steps" [ ! -e "runs/$plugin/stop" ]
    job=$(submit "training-$plugin.sh" "${one_node[@]}" --ntasks-per-node=4)
    until grep -q "4 ranks on 1 machine" "$job.log" 2>/dev/null; do sleep 0.2; done
    sleep 2
    scontrol requeue "$job"
    # Slurm lets it wait for some minutes otherwise.
    while [ "$(grep -c "4 ranks on 1 machine" "$job.log")" -lt 2 ] && squeue --noheader --jobs "$job" | grep -q .; do
        scontrol update "JobId=$job" StartTime=now 2>/dev/null || true
        sleep 1
    done
    finished "$job"
    expect "$plugin, requeued" [ "$(grep -c "4 ranks on 1 machine" "$job.log")" -ge 2 ]
    expect "$plugin, then with 4 ranks: the weights of one process" same "runs/$plugin" "$expected"
done

compared=(compare ring --preset ring --vary loss=gan,hinge --seeds 4 --steps 400 -n 100 --quiet)
faussaire "${compared[@]}" --run alone >/dev/null
faussaire "${compared[@]}" --run sweep --plan-only >/dev/null
file "compare --run" >sweep.sh
finished "$(submit sweep.sh --array=0-3 --cpus-per-task=2)"
faussaire compare --run sweep --quiet >/dev/null
# All but what depends on the clock and on the machine.
scores() { grep -v -e train_s -e '"jobs"' -e '"threads"' "$1/table.json"; }
expect "the table of an array of 4 shares" [ "$(scores sweep)" = "$(scores alone)" ]

# Against images without labels, for which no classifier is trained.
faussaire sample one -n 600 --seed 1 -o real >/dev/null
faussaire judge one -n 1000 --against real --json >alone.json
file "faussaire judge" | sed "s|judge [^ ]* -n [0-9]*|judge one -n 1000 --against real|" >judge.sh
finished "$(submit judge.sh --array=0-3 --cpus-per-task=2)"
faussaire judge one -n 1000 --against real --parts "$WORK/parts" --json >parts.json 2>parts.log
expect "the scores of an array of 4 shares" cmp alone.json parts.json
expect "which had all features" grep -q ", 0 computed here" parts.log
exit $failed
