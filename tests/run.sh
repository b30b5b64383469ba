#!/usr/bin/env bash
# tests/run.sh -- the whole suite, or some parts of it:  ./paceline-up test [PART...]
#
#   source    formatting, includes of the cores, sizes of files; clang-tidy over the cores of ledger and funnel
#   tidy      clang-tidy over everything (several minutes; not part of the whole suite)
#   release   unit, golden, property, simulator and integration tests on the release build
#   e2e       the programs on a folder log and on a real Kafka, with a real Redis
#   bugs      each seeded bug, built in on purpose, must turn the suite red
#   asan      the suite under AddressSanitizer and UndefinedBehaviorSanitizer, with fewer simulator seeds and schedules
#   tsan      the threaded tests under ThreadSanitizer
#   compilers gcc and clang, -O0 and -O2: the same digests
#   fuzz      every fuzz target for 20 s on its corpus (not part of the whole suite, which replays the corpora)
#
# Called by paceline-up, which builds first and sets PACELINE_BIN and PACELINE_STATE. The last line counts the tests.
set -uo pipefail
cd "$(dirname "$0")/.."
: "${PACELINE_STATE:?start me through ./paceline-up test}"
logs=$PACELINE_STATE/test-logs
python=${PACELINE_PYTHON:-/usr/bin/python3}
mkdir -p "$logs"
passed=0 failed=0 skipped=0

count() { # count NAME PASSED FAILED SKIPPED
    passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
    printf '%-10s %4d passed, %d failed, %d skipped (%d s)\n' "$1" "$2" "$3" "$4" $((SECONDS - started))
}

# Adds up a ctest log; every failed or skipped test is named with its reason.
count_ctest() { # count_ctest PART LOG
    local ok bad skip
    ok=$(grep -cE '^ *[0-9]+/[0-9]+ Test .* Passed ' "$2")
    bad=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*\*\*\*(Failed|Timeout|Not Run|Exception)' "$2")
    skip=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*\*\*\*Skipped' "$2")
    [ "$bad" = 0 ] || { grep -E '\*\*\*(Failed|Timeout|Not Run|Exception)' "$2"; grep -E 'ERROR|FAILED|Error:|Assert|SUMMARY' "$2" | head -n 60; }
    [ "$skip" = 0 ] || grep -E 'SKIP' "$2"
    if [ $((ok + bad + skip)) = 0 ]; then
        tail -n 5 "$2"
        bad=1
    fi
    count "$1" "$ok" "$bad" "$skip"
}

run_ctest() { # run_ctest PART PRESET [ctest arguments]
    local part=$1 preset=$2
    shift 2
    ctest --test-dir "build/$preset" --output-on-failure -j2 "$@" </dev/null >"$logs/$part.log" 2>&1
    count_ctest "$part" "$logs/$part.log"
}

configure_build() { # configure_build PART PRESET FOLDER [cmake arguments]; $targets: what to build, if not all
    local part=$1 preset=$2 folder=$3
    shift 3
    cmake --preset "$preset" -B "$folder" "$@" >"$logs/$part-build.log" 2>&1 && ninja -C "$folder" "${targets:-all}" >>"$logs/$part-build.log" 2>&1 || {
        tail -n 30 "$logs/$part-build.log"
        count "$part" 0 1 0
        return 1
    }
}

part_source() {
    "$python" tests/source_check.py >"$logs/source.log" 2>&1
    local status=$? lines
    lines=$(grep -c '^ok' "$logs/source.log")
    grep -v '^ok' "$logs/source.log"
    if [ $status = 0 ]; then count source "$lines" 0 0; else count source "$lines" "$(grep -vc '^ok' "$logs/source.log")" 0; fi
    tidy "$TIDY_SHORT"
}

# clang-tidy reads the commands of a build by clang; nothing but what is generated is built for it.
TIDY_SHORT='/(common/(ledger|model)|services/(funnel|ledger))/[a-z_0-9]*\.c$'
tidy() { # tidy REGEX
    local files findings
    started=$SECONDS
    if ! cmake --preset dev -DCMAKE_C_COMPILER=clang -B build/tidy >"$logs/tidy-build.log" 2>&1; then
        tail -n 20 "$logs/tidy-build.log"
        count tidy 0 1 0
        return
    fi
    run-clang-tidy -quiet -j2 -p build/tidy "$1" >"$logs/tidy.log" 2>&1
    sed -i 's/\x1b\[[0-9;]*m//g' "$logs/tidy.log"
    files=$(grep -c '^clang-tidy.* -p=build/tidy' "$logs/tidy.log")
    findings=$(grep -cE ' (error|warning): |^error: ' "$logs/tidy.log")
    grep -E ' (error|warning): |^error: ' "$logs/tidy.log" | sort -u | head -n 30
    [ "$files" -gt 0 ] || findings=1
    count tidy $((findings == 0)) "$findings" 0
}

part_tidy() { tidy '/(common|services|bench)/[a-z_0-9/]*\.c$'; }

part_fuzz() {
    configure_build fuzz fuzz build/fuzz || return
    local target name ok=0 bad=0
    for target in build/fuzz/tests/fuzz/fuzz_*; do
        [ -x "$target" ] && [ -f "$target" ] || continue
        name=${target##*/fuzz_}
        mkdir -p "$logs/fuzz-$name"
        # New inputs go beside the log; the corpus in the tree grows by hand.
        if "$target" -max_total_time=20 -artifact_prefix="$logs/fuzz-$name/" "$logs/fuzz-$name" "tests/fuzz/corpus/$name" >"$logs/fuzz-$name.log" 2>&1; then
            ok=$((ok + 1))
            printf 'fuzz %-8s %s\n' "$name" "$(grep -E '^Done ' "$logs/fuzz-$name.log")"
        else
            bad=$((bad + 1))
            tail -n 30 "$logs/fuzz-$name.log"
        fi
    done
    [ $((ok + bad)) -gt 0 ] || bad=1
    count fuzz "$ok" "$bad" 0
}

part_release() { run_ctest release release -LE 'e2e'; }

part_e2e() {
    "$python" -m pytest -q -rs --junit-xml="$logs/e2e.xml" tests/e2e >"$logs/e2e.log" 2>&1
    grep -E '^(SKIPPED|FAILED|ERROR)' "$logs/e2e.log"
    read -r ok bad skip < <("$python" - "$logs/e2e.xml" <<'P'
import sys, xml.etree.ElementTree as E
try:
    s = E.parse(sys.argv[1]).getroot().find('testsuite').attrib
    bad = int(s['failures']) + int(s['errors'])
    print(int(s['tests']) - bad - int(s['skipped']), bad, s['skipped'])
except Exception:
    print(0, 1, 0)
P
    )
    [ "$bad" = 0 ] || tail -n 60 "$logs/e2e.log"
    count e2e "$ok" "$bad" "$skip"
}

part_asan() {
    configure_build asan asan-ubsan build/asan-ubsan || return
    PACELINE_SIM_SEEDS=40 ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 run_ctest asan asan-ubsan -LE 'e2e'
}

# What has threads: the rest would only cost time.
TSAN_TESTS='unit\.(base\.test_(logger|metrics|http|fault|health|clock)|log|store|view|elect|machine|ledger\.test_service)|integration\.services'
part_tsan() {
    configure_build tsan tsan build/tsan || return
    TSAN_OPTIONS=die_after_fork=0:suppressions=$PWD/tests/tsan.supp run_ctest tsan tsan -R "$TSAN_TESTS"
}

part_bugs() {
    local bug ok=0 bad=0
    while read -r bug area; do
        if targets=tests/all configure_build bugs release build/bugs -DPACELINE_SEEDED_BUG="$bug" >"$logs/bug-$bug.txt"; then
            if ctest --test-dir build/bugs -j2 --stop-on-failure -R "$area" </dev/null >"$logs/bug-$bug.log" 2>&1; then
                printf 'NOT FOUND: the suite stays green with the seeded bug %s\n' "$bug"
                bad=$((bad + 1))
            elif grep -qE '\*\*\*(Failed|Exception)' "$logs/bug-$bug.log"; then
                printf 'seeded bug %-15s found by %s\n' "$bug" "$(grep -oE 'Test +#[0-9]+: [^ ]+ .*\*\*\*(Failed|Exception)' "$logs/bug-$bug.log" | sed -E 's/.*: ([^ ]+) .*/\1/' | tr '\n' ' ')"
                ok=$((ok + 1))
            else
                printf 'no verdict on the seeded bug %s, see %s\n' "$bug" "$logs/bug-$bug.log"
                bad=$((bad + 1))
            fi
        else
            cat "$logs/bug-$bug.txt"
            bad=$((bad + 1))
        fi
    done <tests/seeded_bugs.txt
    count bugs "$ok" "$bad" 0
}

part_compilers() {
    "$python" tests/compilers.py >"$logs/compilers.log" 2>&1
    local status=$?
    cat "$logs/compilers.log"
    if [ $status = 0 ]; then count compilers 1 0 0; else count compilers 0 1 0; fi
}

parts=("$@")
[ $# -gt 0 ] || parts=(source release e2e asan tsan bugs compilers)
for part in "${parts[@]}"; do
    started=$SECONDS
    if declare -F "part_$part" >/dev/null; then "part_$part"; else printf 'no part called %s\n' "$part"; failed=$((failed + 1)); fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
