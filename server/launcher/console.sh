# What the launcher says: one line a step with the seconds since the start, and failures that name
# the missing piece and the fix.

SETUP_LOG=$ROOT/build/setup.log
STARTED_AT=$EPOCHREALTIME

seconds_since_start() {
    local now=$EPOCHREALTIME us
    us=$((${now/./} - ${STARTED_AT/./}))
    printf '%d.%d' $((us / 1000000)) $((us % 1000000 / 100000))
}

# step "Build the release": printed when the step begins.
step() {
    printf '%6s s  %s\n' "$(seconds_since_start)" "$*"
}

note() {
    printf '          %s\n' "$*"
}

# die "what is wrong" ["how to mend it"]
die() {
    printf '\nslipway: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf '         fix: %s\n' "$2" >&2
    exit 1
}

# A rewritten line for work of unknown length: seconds and the last line of its log.
watch_log() {
    local pid=$1 from=$2 began=$SECONDS columns line
    columns=$(tput cols 2>/dev/null || echo 80)
    while kill -0 "$pid" 2>/dev/null; do
        line=$(tail -c "+$((from + 1))" "$SETUP_LOG" | tail -n 1 | tr -d '\r\t\033')
        line=$(printf '          %3d s  %s' $((SECONDS - began)) "$line")
        printf '\r\033[K%s' "${line:0:columns-1}"
        sleep 0.3
    done
    printf '\r\033[K'
}

# logged COMMAND…: its output goes to build/setup.log; a failure shows the end of it.
logged() {
    local from pid status=0
    mkdir -p "$(dirname "$SETUP_LOG")"
    printf '\n$ %s\n' "$*" >>"$SETUP_LOG"
    from=$(stat -c %s "$SETUP_LOG")
    "$@" >>"$SETUP_LOG" 2>&1 </dev/null &
    pid=$!
    [ ! -t 1 ] || watch_log "$pid" "$from"
    wait "$pid" || status=$?
    [ "$status" = 0 ] || {
        tail -c "+$((from + 1))" "$SETUP_LOG" | tail -n 25 >&2
        note "all of it: $SETUP_LOG" >&2
    }
    return "$status"
}
