#!/usr/bin/env bash
# Trainings under MPI come to the bytes of one process: four presets in four slices, with each mpirun of this machine, 1, 2 and 4
# ranks with 1 and 2 threads, and stopped and resumed with other ranks. Takes some minutes.
#
#     apt-get install openmpi-bin mpich
#     scripts/ranks.sh target/release/faussaire
#
# STEPS=20, PRESETS="tp dcgan-64 r3gan-small cgan-mnist", RANKS="1 2 4", THREADS="1 2", BATCH=8;
# MPIRUN=/opt/intel/bin/mpirun:/opt/mpich5/bin/mpirun
set -euo pipefail

program=$(realpath "${1:?usage: scripts/ranks.sh PROGRAM}")
steps=${STEPS:-20}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 FAUSSAIRE_CACHE=off

IFS=: read -r -a launchers <<<"${MPIRUN:-}"
if [ ${#launchers[@]} = 0 ]; then
    for name in mpirun.openmpi mpirun.mpich; do
        if command -v "$name" >/dev/null; then launchers+=("$name"); fi
    done
fi
if [ ${#launchers[@]} = 0 ] && command -v mpirun >/dev/null; then launchers=(mpirun); fi
if [ ${#launchers[@]} = 0 ]; then
    echo "skipped: there is no mpirun (apt-get install openmpi-bin mpich)"
    exit 0
fi

# under LAUNCHER RANKS ARGUMENTS...
under() {
    local launcher=$1 ranks=$2
    shift 2
    if [ "$launcher" = none ]; then
        "$program" "$@"
    elif "$launcher" --version | grep -q -i -e "open mpi" -e openrte; then
        "$launcher" --oversubscribe -n "$ranks" "$program" "$@"
    else
        "$launcher" -n "$ranks" "$program" "$@"
    fi >/dev/null
}

recipe() {
    case $1 in
    dcgan-64) echo --size 64 --set data.channels=3 ;;
    r3gan-small) echo --size 32 --set data.channels=3 ;;
    esac
}

# digest RUN
digest() {
    cat "$1"/checkpoints/latest/*.safetensors | sha256sum | cut -c 1-16
}

failed=0
# same EXPECTED RUN WORDS...
same() {
    local found
    found=$(digest "$2")
    if [ "$found" = "$1" ]; then
        echo "  same       ${*:3}"
    else
        echo "  DIFFERENT  ${*:3}: $found"
        failed=1
    fi
    rm -rf "$2"
}

for preset in ${PRESETS:-tp dcgan-64 r3gan-small cgan-mnist}; do
    # shellcheck disable=SC2046 # several words
    set -- train strokes --preset "$preset" $(recipe "$preset") --batch "${BATCH:-8}" --precision f32 --quiet \
        --set data.count=256 --set train.slices=4 --set train.sheet_every=0
    under none 1 "$@" --steps "$steps" --threads 1 --run one
    expected=$(digest one)
    rm -rf one
    echo "$preset, $steps steps in four slices: $expected"
    for launcher in none "${launchers[@]}"; do
        for ranks in ${RANKS:-1 2 4}; do
            for threads in ${THREADS:-1 2}; do
                if [ "$launcher" = none ] && [ "$ranks" != 1 ]; then continue; fi
                under "$launcher" "$ranks" "$@" --steps "$steps" --threads "$threads" --run other
                same "$expected" other "$launcher, $ranks ranks with $threads threads"
            done
        done
    done
    under "${launchers[0]}" 4 "$@" --steps $(((steps * 7 + 19) / 20)) --threads 1 --run other
    under "${launchers[-1]}" 2 train --resume other --steps "$steps" --threads 1 --quiet
    same "$expected" other "$(((steps * 7 + 19) / 20)) steps with 4 ranks of ${launchers[0]}, the rest with 2 of ${launchers[-1]}"
done
exit $failed
