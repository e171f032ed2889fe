#!/usr/bin/env bash
# One CI run of fares-api, step by step, with the opsboard command alone: bash ci_run.sh STEP.
#
# Wants OPSBOARD_URL, OPSBOARD_TOKEN, OPSBOARD_CONFIG_KEY, OPSBOARD_SERVICE, OPSBOARD_RELEASE and OPSBOARD_COMMIT, as a CI
# sets them once for all its jobs, the files production.env and staging.env, and runs in a directory it may write in.
set -euo pipefail

suite() { # suite PASSED FAILED SKIPPED: what a test tool leaves.
    {
        echo '<testsuites><testsuite name="fares">'
        for _ in $(seq "$1"); do echo '<testcase name="prices a crossing"/>'; done
        for _ in $(seq "$2"); do echo '<testcase name="refuses a crossing"><failure/></testcase>'; done
        for _ in $(seq "$3"); do echo '<testcase name="sails tomorrow"><skipped/></testcase>'; done
        echo '</testsuite></testsuites>'
    } >junit.xml
}

case $1 in
create) opsboard release create --summary "Load fare rules in one query" ;;
create-with-another-commit) opsboard release create --commit 0123456789abcdef0123456789abcdef01234567 ;;
lint) opsboard run --gate lint -- echo "0 problems in 41 files" ;;
unit-without-counts) opsboard run --gate unit -- echo "12 passed, it says" ;;
unit-all-skipped) opsboard run --gate unit --junit junit.xml -- bash "$0" leave-skipped ;;
unit-failing) opsboard run --gate unit --junit junit.xml -- bash "$0" leave-failing ;;
unit) opsboard run --gate unit --junit junit.xml -- bash "$0" leave-passed ;;
leave-skipped) suite 0 0 12 ;;
leave-failing) suite 11 1 0 && false ;;
leave-passed) suite 41 0 3 ;;
integration) opsboard check fares-api --environment staging --release "$OPSBOARD_RELEASE" ;;
config)
    opsboard config --environment production --env-file production.env
    opsboard config --environment staging --env-file staging.env
    ;;
config-debug)
    sed 's/^DEBUG=.*/DEBUG=true/' staging.env >debug.env
    opsboard config --environment staging --env-file debug.env
    ;;
tag) opsboard tag --tag "v$OPSBOARD_RELEASE" --object "$OPSBOARD_COMMIT" ;;
tag-moved) opsboard tag --tag "v$OPSBOARD_RELEASE" --object 0123456789abcdef0123456789abcdef01234567 ;;
gate) opsboard gate --json "${@:2}" ;;
released) opsboard released --environment production ;;
*)
    echo "There is no step called $1." >&2
    exit 64
    ;;
esac
