# Who runs what, and where. Started by root, the services run as the system user "slipway" and var/
# belongs to it; started by anyone else, everything runs as that person. PostgreSQL refuses root,
# and slipwayd has no need of it.

SERVICE_USER=slipway
VAR=${SLIPWAY_VAR:-$ROOT/var}

i_am_root() {
    [ "$(id -u)" = 0 ]
}

# Runs a command as the services' user: root's environment stays behind.
as_service() {
    if i_am_root; then
        setpriv --reuid="$SERVICE_USER" --regid="$SERVICE_USER" --init-groups --inh-caps=-all \
            env -i -C / PATH="$PATH" LANG=C.UTF-8 HOME="$VAR" USER="$SERVICE_USER" "$@"
    else
        "$@"
    fi
}

# var_write FILE MODE: stdin becomes the file, atomically. The write is the service user's own: root
# never follows a name in a directory that a service could have changed.
var_write() {
    # shellcheck disable=SC2016
    as_service sh -c 'umask 077 && cat >"$1.new" && chmod "$2" "$1.new" && mv -f "$1.new" "$1"' sh \
        "$VAR/$1" "$2"
}

lock_launcher() {
    mkdir -p "$ROOT/build"
    exec 9>"$ROOT/build/launcher.lock"
    flock -n 9 || die "another ./slipway is at work in this checkout" "wait for it to end"
}

create_service_user() {
    getent passwd "$SERVICE_USER" >/dev/null && return
    step "Create the system user $SERVICE_USER"
    useradd --system --user-group --home-dir /var/lib/slipway --shell /usr/sbin/nologin \
        "$SERVICE_USER"
}

# A checkout the service user cannot enter (a clone under /root) keeps its state in /var/lib/slipway.
redirect_var() {
    local owner
    [ ! -e "$VAR" ] && [ ! -L "$VAR" ] || return 0
    setpriv --reuid="$SERVICE_USER" --regid="$SERVICE_USER" --init-groups \
        test -x "$(dirname "$VAR")" && return
    owner=$(cat /var/lib/slipway/checkout 2>/dev/null || true)
    [ -z "$owner" ] || [ "$owner" = "$ROOT" ] || [ ! -e "$owner/slipway" ] ||
        die "/var/lib/slipway belongs to the checkout $owner" \
            "stop that one and remove /var/lib/slipway, or set SLIPWAY_VAR to another directory"
    mkdir -p /var/lib/slipway
    ln -s /var/lib/slipway "$VAR"
}

# Sockets have addresses of at most 107 bytes: a deep checkout keeps them in /tmp.
find_run_dir() {
    RUN=$VAR/run
    [ ${#VAR} -le 50 ] || RUN=/tmp/slipway-$(printf '%s' "$VAR" | sha256sum | cut -c1-12)
}

var_find() {
    [ ! -L "$VAR" ] || VAR=$(readlink -f "$VAR")
    find_run_dir
}

var_create() {
    if i_am_root; then
        create_service_user
        redirect_var
    fi
    [ ! -L "$VAR" ] || VAR=$(readlink -f "$VAR")
    VAR=$(realpath -ms "$VAR")
    find_run_dir
    [ -d "$VAR" ] || step "Create $VAR"
    mkdir -p "$VAR" "$RUN"
    if i_am_root; then
        chown -h "$SERVICE_USER:" "$VAR" "$RUN"
    fi
    [ -O "$RUN" ] || i_am_root || die "$RUN belongs to somebody else" "set SLIPWAY_VAR to a shorter path"
    chmod 0700 "$VAR" "$RUN"
    as_service mkdir -p -m 0700 "$VAR"/{data,keys,log,tls,work} "$RUN/serve"
    printf '%s\n' "$ROOT" | var_write checkout 0600
}
