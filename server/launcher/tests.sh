# ./slipway test: everything that can be tested here, and one closing line with the counts. Later
# kinds of tests still run when an earlier kind failed.

PASSED=0
FAILED=0
SKIPPED=0

# count PASSED FAILED SKIPPED
count() {
    PASSED=$((PASSED + $1))
    FAILED=$((FAILED + $2))
    SKIPPED=$((SKIPPED + $3))
}

# ctest counts programs; people count cases. Reads ctest's log of the last run: the cases where a
# program lists them (cmocka), else the program as one. A program that ended badly without a failed
# case (a crash, a leak, a deadline) counts as one failure.
count_ctest() {
    awk '
        / Testing: / { pass = fail = skip = 0; fixture = / Testing: db\.(cluster|template|stop)$/ }
        /^\[  PASSED  \] [0-9]+ test/ { pass += $4 }
        /^\[  FAILED  \] [0-9]+ test/ { fail += $4 }
        /^\[  SKIPPED \] [0-9]+ test/ { skip += $4 }
        /^Test (Passed|Failed|Skipped|Not Run|Timeout)|^Test .*Exception/ {
            if ($2 ~ /^Passed/ && pass + fail + skip == 0) pass = !fixture
            if ($2 ~ /^Skipped/ && pass + fail + skip == 0) skip = 1
            if ($2 !~ /^(Passed|Skipped)/ && fail == 0) fail = 1
            p += pass; f += fail; s += skip
        }
        END { print p + 0, f + 0, s + 0 }' "$1/Testing/Temporary/LastTest.log"
}

# test_programs PRESET [CTEST ARGUMENTS]
test_programs() {
    local preset=$1 fixed=()
    shift
    step "Build the programs and their tests ($preset)"
    logged programs_and_tests_build "$preset" "$@" || die "the build failed" "see the lines above"
    step "Test the programs ($preset)"
    # ThreadSanitizer of gcc 12 does not start where addresses are randomised by 32 bits.
    [ "$preset" = tsan ] && setarch -R true 2>/dev/null && fixed=(setarch -R)
    "${fixed[@]}" ctest --test-dir "$ROOT/build/$preset" -j2 --output-on-failure --no-tests=error --timeout 300 \
        --test-output-size-passed 65536 "$@" </dev/null || TROUBLE=yes
    # shellcheck disable=SC2046
    count $(count_ctest "$ROOT/build/$preset")
}

# ThreadSanitizer is for a few tests: only those are built. Their targets are named like them.
programs_and_tests_build() {
    local preset=$1 targets=(all)
    shift
    cd "$ROOT" && cmake --preset "$preset" || return
    [ "$preset" != tsan ] || mapfile -t targets < <(echo test_template
        ctest --test-dir build/tsan -N "$@" | sed -n 's/^ *Test *#[0-9]*: \(test_.*\)/\1/p')
    cmake --build --preset "$preset" --target "${targets[@]}"
}

# What gcc lets pass, clang may not: warnings are errors with both.
test_second_compiler() {
    step "Build everything with clang"
    if logged programs_and_tests_build clang; then
        count 1 0 0
    else
        count 0 1 0
    fi
}

test_web() {
    local report=$ROOT/build/web-tests.json
    step "Test the web UI's functions"
    rm -f "$report"
    logged web_tests_run "$report" || TROUBLE=yes
    [ -s "$report" ] || {
        count 0 1 0
        return
    }
    # shellcheck disable=SC2046
    count $(jq -r '"\(.numPassedTests) \(.numFailedTests) \(.numPendingTests)"' "$report")
}

web_tests_run() {
    cd "$ROOT/web" && npm ci --no-audit --no-fund && npm run check &&
        SLIPWAYD=$ROOT/build/dev/bin/slipwayd npx vitest run --reporter=default \
            --reporter=json --outputFile.json="$1"
}

# The end-to-end tests drive a real Slipway in a real browser: an installation of its own, made by
# the launcher itself in a temporary directory.
test_end_to_end() {
    local place report=$ROOT/build/e2e.txt
    step "Test the whole path in a browser"
    place=$(mktemp -d)
    chmod 0711 "$place"
    export SLIPWAY_VAR=$place/var SLIPWAY_PASSWORD
    SLIPWAY_PASSWORD=$(random_password)
    echo "0 passed, 1 failed, 0 skipped" >"$report"
    if logged "$ROOT/slipway" up --no-demo; then
        browser_run "$report" || TROUBLE=yes
    else
        TROUBLE=yes
    fi
    logged "$ROOT/slipway" down || TROUBLE=yes
    unset SLIPWAY_VAR SLIPWAY_PASSWORD
    rm -rf "$place"
    # shellcheck disable=SC2046
    count $(sed -nE '$s/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped.*/\1 \2 \3/p' "$report" |
        grep . || echo 0 1 0)
}

# tests/e2e/run signs in at SLIPWAY_URL and ends with "N passed, N failed, N skipped".
browser_run() (
    VAR=$SLIPWAY_VAR
    var_find
    SLIPWAY_URL=$(server_url) SLIPWAY_EMAIL=$(owner_email) "$ROOT/tests/e2e/run" </dev/null 2>&1 |
        tee "$1"
    exit "${PIPESTATUS[0]}"
)

cmd_test() {
    local sanitizers=no
    [ "${1:-}" != --sanitizers ] || {
        sanitizers=yes
        shift
    }
    TROUBLE=no
    packages_require build run test
    mkdir -p "$ROOT/build"
    step "Fetch third-party artefacts"
    third_party_fetch
    use_node
    test_programs dev "$@"
    test_web
    test_end_to_end
    if [ "$sanitizers" = yes ]; then
        test_second_compiler
        test_programs asan -LE 'lint|launcher|bench|e2e' "$@"
        test_programs tsan -L tsan "$@"
    fi
    [ "$FAILED" = 0 ] || TROUBLE=yes
    printf '\n%s passed, %s failed, %s skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
    [ "$TROUBLE" = no ]
}
