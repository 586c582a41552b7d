# slipwayd and slipway-worker as background processes. A pid file holds the process's number and its
# start time, so that a number which another process inherited is recognised as stale.

# configuration_create APPLICATION_URL: var/slipway.conf, once; afterwards it is the operator's.
configuration_create() {
    var_write slipway.conf 0600 <<CONF
# Options of slipwayd; "slipwayd config" prints all of them with their meaning.
# ./slipway up restarts the server when this file changed. To be reached from other machines listen
# on 0.0.0.0; allowed_hosts names what browsers may call this machine, when its own name is not enough.
listen = ${SLIPWAY_LISTEN:-127.0.0.1:$(free_port 8443)}
database_url = $1
data_dir = $VAR/data
serve_dir = $RUN/serve
key_dir = $VAR/keys/signing
tls_cert = $VAR/tls/server.crt
tls_key = $VAR/tls/server.key
static_dir = $VAR/app/static
CONF
}

worker_configuration() {
    cat <<CONF
# Options of slipway-worker, written anew by every ./slipway up.
server = https://127.0.0.1:$(server_port)
ca_file = $VAR/tls/server.crt
token_file = $VAR/keys/worker.token
work_dir = $VAR/work
serve_dir = $RUN/serve
runner_dir = $VAR/app/bin
CONF
}

port_is_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

free_port() {
    local port=$1
    while port_is_taken "$port"; do
        port=$((port + 1))
    done
    printf '%s' "$port"
}

server_port() {
    as_service sed -n 's/^listen *= *.*:\([0-9]*\) *$/\1/p' "$VAR/slipway.conf" | tail -n 1
}

server_url() {
    printf 'https://localhost:%s' "$(server_port)"
}

# --- processes -----------------------------------------------------------------------------------

# Nothing for a process that is gone or a zombie.
start_time_of() {
    sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'
}

# Prints the pid of a running service; fails when it does not run.
service_pid() {
    local pid began
    read -r pid began < <(as_service cat "$VAR/$1.pid" 2>/dev/null) || return 1
    [ -n "$began" ] && [ "$(start_time_of "$pid")" = "$began" ] && printf '%s' "$pid"
}

# service_launch NAME COMMAND…: detached, its output appended to var/log/NAME.log.
service_launch() {
    local name=$1 deadline=$((SECONDS + 5))
    shift
    # shellcheck disable=SC2016
    as_service setsid -f sh -c '
        umask 077
        ulimit -c 0
        name=$1 var=$2
        shift 2
        echo "$$ $(sed "s/.*) //" /proc/$$/stat | cut -d" " -f20)" >"$var/$name.pid"
        exec "$@" >>"$var/log/$name.log" 2>&1 </dev/null' sh "$name" "$VAR" "$@" 9>&-
    until as_service test -s "$VAR/$name.pid" || [ $SECONDS -ge $deadline ]; do
        sleep 0.02
    done
}

# service_halt NAME SECONDS: asks, waits, and only then forces.
service_halt() {
    local name=$1 pid deadline=$((SECONDS + $2))
    pid=$(service_pid "$name") || {
        as_service rm -f "$VAR/$name.pid"
        return 0
    }
    step "Stop $name"
    kill -TERM "$pid"
    while service_pid "$name" >/dev/null; do
        [ $SECONDS -lt $deadline ] || {
            note "$name did not end within $2 seconds and is killed"
            kill -KILL "$pid"
        }
        sleep 0.1
    done
    as_service rm -f "$VAR/$name.pid"
}

# A running service is left alone unless its programs or its configuration are newer than it is.
service_is_current() {
    service_pid "$1" >/dev/null && [ "$APP_CHANGED" = no ] &&
        ! as_service test "$VAR/$2" -nt "$VAR/$1.pid"
}

service_failed() {
    local name=$1
    as_service tail -n 8 "$VAR/log/$name.log" >&2
    die "$name $2" "./slipway logs $name"
}

# --- slipwayd ------------------------------------------------------------------------------------

server_is_ready() {
    as_service curl -s -o /dev/null -f -m 2 --cacert "$VAR/tls/server.crt" "$(server_url)/readyz"
}

server_wait() {
    local deadline=$((SECONDS + 60))
    until server_is_ready; do
        sleep 0.1
        service_pid slipwayd >/dev/null || service_failed slipwayd "ended right after its start"
        [ $SECONDS -lt $deadline ] || service_failed slipwayd "is not ready after 60 seconds"
    done
}

server_start() {
    if ! service_is_current slipwayd slipway.conf; then
        service_halt slipwayd 30
        ! port_is_taken "$(server_port)" ||
            die "port $(server_port) is taken by another program" \
                "change \"listen\" in $VAR/slipway.conf"
        step "Start slipwayd on port $(server_port)"
        service_launch slipwayd "$VAR/app/bin/slipwayd" serve --config "$VAR/slipway.conf"
    fi
    server_wait
}

# --- slipway-worker ------------------------------------------------------------------------------

worker_token_create() {
    as_service test -s "$VAR/keys/worker.token" && return
    step "Create the worker's token"
    as_service "$VAR/app/bin/slipwayd" worker-token create --name local --json \
        --config "$VAR/slipway.conf" 2>>"$SETUP_LOG" | jq -er .token | var_write keys/worker.token 0600 ||
        die "the worker's token could not be created: $(tail -n 1 "$SETUP_LOG")" "see $SETUP_LOG"
}

worker_start() {
    worker_token_create
    [ "$(worker_configuration)" = "$(as_service cat "$VAR/worker.conf" 2>/dev/null || true)" ] ||
        worker_configuration | var_write worker.conf 0600
    service_is_current worker worker.conf && return
    service_halt worker 30
    step "Start slipway-worker"
    service_launch worker "$VAR/app/bin/slipway-worker" --config "$VAR/worker.conf"
    sleep 0.4
    service_pid worker >/dev/null || service_failed worker "ended right after its start"
}

services_start() {
    server_start
    worker_start
}

services_stop() {
    service_halt worker 30
    service_halt slipwayd 30
}

# --- the first person ----------------------------------------------------------------------------

owner_email() {
    printf '%s' "${SLIPWAY_EMAIL:-owner@slipway.local}"
}

# Creates the first team and its owner. The password is shown by greet and kept nowhere.
owner_create() {
    OWNER_PASSWORD=
    as_service test -e "$VAR/owner" && return
    step "Create the first team and its owner"
    OWNER_PASSWORD=${SLIPWAY_PASSWORD:-$(random_password)}
    printf '%s\n' "$OWNER_PASSWORD" | as_service "$VAR/app/bin/slipwayd" user create \
        --email "$(owner_email)" --name Owner --team main --team-name Main --role owner \
        --password-stdin --config "$VAR/slipway.conf" >>"$SETUP_LOG" 2>&1 ||
        die "the first user could not be created: $(tail -n 1 "$SETUP_LOG")" "see $SETUP_LOG"
    owner_email | var_write owner 0600
}

greet() {
    printf '\n%6s s  Slipway runs at %s\n' "$(seconds_since_start)" "$(server_url)"
    note "sign in as  $(as_service cat "$VAR/owner")"
    [ -z "$OWNER_PASSWORD" ] || note "password    $OWNER_PASSWORD   (shown once: keep it)"
    note "the certificate is self-signed ($VAR/tls/server.crt): the browser asks once"
}

# --- status and logs -----------------------------------------------------------------------------

# Seconds since a process began, as 3d04h, 2h15m or 4m02s.
age_of() {
    local seconds ticks
    ticks=$(start_time_of "$1")
    seconds=$(($(cut -d. -f1 /proc/uptime) - ticks / $(getconf CLK_TCK)))
    if [ $seconds -ge 86400 ]; then
        printf '%dd%02dh' $((seconds / 86400)) $((seconds % 86400 / 3600))
    elif [ $seconds -ge 3600 ]; then
        printf '%dh%02dm' $((seconds / 3600)) $((seconds % 3600 / 60))
    else
        printf '%dm%02ds' $((seconds / 60)) $((seconds % 60))
    fi
}

status_line() {
    local name=$1 pid=$2
    if [ -z "$pid" ]; then
        printf '%-12s stopped\n' "$name"
        return
    fi
    printf '%-12s running  pid %-8s up %-8s %s MiB\n' "$name" "$pid" "$(age_of "$pid")" \
        "$(awk '/^VmRSS/ { printf "%d", $2 / 1024 }' "/proc/$pid/status")"
}

cmd_status() {
    local all=0 pid
    var_find
    as_service test -e "$VAR/slipway.conf" 2>/dev/null || die "nothing is set up yet" "./slipway up"
    for name in slipwayd worker; do
        pid=$(service_pid "$name") || all=3
        status_line "$name" "$pid"
    done
    if database_is_embedded; then
        pid=$(cluster_pid) || all=3
        status_line postgresql "$pid"
    else
        echo "postgresql   yours (DATABASE_URL)"
    fi
    if server_is_ready; then
        echo "ready        $(server_url)"
    else
        echo "not ready    $(server_url)"
        all=3
    fi
    return "$all"
}

cmd_logs() {
    local follow=() name=slipwayd file
    var_find
    [ "${1:-}" != -f ] || {
        follow=(-f)
        shift
    }
    name=${1:-slipwayd}
    file=$VAR/log/$name.log
    [ "$name" != setup ] || file=$SETUP_LOG
    case $name in
    slipwayd | worker | postgresql | setup) ;;
    *) die "there is no log \"$name\"" "./slipway logs [-f] slipwayd|worker|postgresql|setup" ;;
    esac
    exec tail -n 200 "${follow[@]}" "$file"
}
