#!/usr/bin/env bash
# One CI run of fares-api, step by step, by the opsboard command alone: bash ci_run.sh STEP.
# Wants OPSBOARD_URL, OPSBOARD_TOKEN, OPSBOARD_CONFIG_KEY, VERSION, COMMIT, and a directory WORK to write in.
set -euo pipefail

of_release=(--service fares-api --release "$VERSION")

suite() { # suite FILE TESTS FAILURES SKIPPED: what a test tool writes.
    printf '<testsuites><testsuite name="fares" tests="%s" failures="%s" errors="0" skipped="%s"/></testsuites>' \
        "$2" "$3" "$4" >"$1"
}

case $1 in
create)
    opsboard release create "${of_release[@]}" --commit "$COMMIT" --summary "Load fare rules in one query"
    ;;
create-with-another-commit)
    opsboard release create "${of_release[@]}" --commit 0000000000000000000000000000000000000000
    ;;
lint)
    opsboard run "${of_release[@]}" --gate lint -- bash -c 'echo "0 problems in 41 files"'
    ;;
unit-without-counts)
    opsboard run "${of_release[@]}" --gate unit -- bash -c 'echo "it said nothing of its tests"'
    ;;
unit-all-skipped)
    opsboard run "${of_release[@]}" --gate unit --junit "$WORK/skipped.xml" -- bash "$0" write-skipped
    ;;
unit-failing)
    opsboard run "${of_release[@]}" --gate unit --junit "$WORK/failing.xml" -- bash "$0" write-failing
    ;;
unit)
    opsboard run "${of_release[@]}" --gate unit --junit "$WORK/unit.xml" -- bash "$0" write-unit
    ;;
write-skipped) suite "$WORK/skipped.xml" 12 0 12 ;;
write-failing)
    suite "$WORK/failing.xml" 12 1 0
    exit 1
    ;;
write-unit) suite "$WORK/unit.xml" 412 0 3 ;;
integration)
    opsboard check fares-api --environment staging --release "$VERSION"
    ;;
config)
    FARE_BATCH_SIZE=200 DATABASE_URL=postgres://staging.example/fares opsboard config "${of_release[@]}" --environment staging
    ;;
tag)
    opsboard tag "${of_release[@]}" --tag "v$VERSION" --object 5f1c0f2b9c1d4d3e8a7b6c5d4e3f2a1b0c9d8e7f
    ;;
tag-moved)
    opsboard tag "${of_release[@]}" --tag "v$VERSION" --object 1111111111111111111111111111111111111111
    ;;
gate)
    opsboard gate "${of_release[@]}" "${@:2}"
    ;;
released)
    opsboard released "${of_release[@]}" --environment production
    ;;
*)
    echo "There is no step called $1." >&2
    exit 64
    ;;
esac
