# PostgreSQL: a cluster of our own under var/pg that listens on a Unix socket only, or the server
# that DATABASE_URL names. Two roles either way: slipway_owner owns the schema and migrates;
# slipway_app owns nothing, cannot bypass row-level security, and is all that slipwayd gets.
#
# On our socket the operating system vouches for the user (peer), so there is no password to keep.
# var/slipway.conf holds the application role's address, var/migrate.url the owner's.

database_is_embedded() {
    as_service test -d "$VAR/pg"
}

cluster_bin() {
    local version bin
    version=$(as_service cat "$VAR/pg/PG_VERSION" 2>/dev/null || true)
    bin=$(find /usr/lib/postgresql -maxdepth 2 -path "*/${version:-*}/bin" | sort -V | tail -n 1)
    [ -x "$bin/postgres" ] || die "PostgreSQL ${version:-15 or newer} is not installed" \
        "apt-get install postgresql-${version:-15}"
    printf '%s' "$bin"
}

cluster_settings() {
    cat <<CONF
listen_addresses = ''
unix_socket_directories = '$RUN'
unix_socket_permissions = 0700
max_connections = 60
shared_buffers = 128MB
synchronous_commit = on
wal_compression = on
max_wal_size = 1GB
random_page_cost = 1.1
# A new installation's first rows are counted soon: until then foreign keys are checked by scans.
autovacuum_naptime = 10s
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_min_duration_statement = 1000
log_line_prefix = '%m [%p] %u '
CONF
}

cluster_create() {
    local bin
    as_service test -d "$VAR/pg" && return
    step "Create the PostgreSQL cluster in $VAR/pg"
    bin=$(cluster_bin)
    as_service rm -rf "$VAR/pg.new"
    as_service "$bin/initdb" -D "$VAR/pg.new" -U postgres -A peer -E UTF8 --locale=C.UTF-8 \
        --data-checksums --no-instructions >>"$SETUP_LOG" 2>&1 ||
        die "initdb failed" "$(tail -n 3 "$SETUP_LOG")"
    cluster_settings | as_service tee -a "$VAR/pg.new/postgresql.conf" >/dev/null
    echo "local all all peer map=slipway" | var_write pg.new/pg_hba.conf 0600
    printf 'slipway %s %s\n' "$(as_service id -un)" postgres "$(as_service id -un)" slipway_owner \
        "$(as_service id -un)" slipway_app | var_write pg.new/pg_ident.conf 0600
    as_service mv "$VAR/pg.new" "$VAR/pg"
}

# Prints the postmaster's pid. pg_ctl would take a zombie, or another program that got the number,
# for a running server.
cluster_pid() {
    local pid
    pid=$(as_service head -n 1 "$VAR/pg/postmaster.pid" 2>/dev/null) || return 1
    [ -n "$(start_time_of "$pid")" ] && [ "$(cat "/proc/$pid/comm")" = postgres ] && printf '%s' "$pid"
}

cluster_is_running() {
    cluster_pid >/dev/null
}

# After a crash backends may outlive their postmaster for a moment; two clusters on one directory
# would destroy it. Only when no process stands in it any more are its lock files stale.
cluster_clear() {
    local deadline=$((SECONDS + 10))
    while [ -n "$(as_service find /proc -maxdepth 2 -name cwd -lname "$VAR/pg" 2>/dev/null)" ]; do
        [ $SECONDS -lt $deadline ] ||
            die "PostgreSQL's postmaster is gone, but processes of it still use $VAR/pg" \
                "end them, then run this again"
        sleep 0.2
    done
    as_service rm -f "$VAR/pg/postmaster.pid" "$RUN/.s.PGSQL.5432.lock"
}

cluster_start() {
    cluster_is_running && return
    step "Start PostgreSQL"
    cluster_clear
    as_service "$(cluster_bin)/pg_ctl" -D "$VAR/pg" -l "$VAR/log/postgresql.log" -w -t 120 start \
        >>"$SETUP_LOG" 2>&1 9>&- ||
        die "PostgreSQL did not start: $(as_service tail -n 3 "$VAR/log/postgresql.log")" \
            "./slipway logs postgresql"
}

database_stop() {
    database_is_embedded && cluster_is_running || return 0
    step "Stop PostgreSQL"
    as_service "$(cluster_bin)/pg_ctl" -D "$VAR/pg" -m fast -w -t 60 stop >/dev/null ||
        die "PostgreSQL did not stop within a minute" "./slipway logs postgresql"
}

# socket_url ROLE: an address on our own socket.
socket_url() {
    printf 'postgresql://%s@/slipway?host=%s' "$1" "$(jq -rn --arg path "$RUN" '$path | @uri')"
}

# url_as URL ROLE PASSWORD: the same server and database as somebody else.
url_as() {
    local rest=${1#*://}
    [[ ${rest%%[/?]*} != *@* ]] || rest=${rest#*@}
    printf 'postgresql://%s:%s@%s' "$2" "$3" "$rest"
}

roles_sql() {
    cat <<'SQL'
select format('create role %I login', name) from unnest(array['slipway_owner', 'slipway_app']) name
 where not exists (select from pg_roles where rolname = name) \gexec
SQL
}

roles_create_here() {
    {
        roles_sql
        echo "select 'create database slipway owner slipway_owner template template0' where not exists
              (select from pg_database where datname = 'slipway') \\gexec"
        echo "revoke all on database slipway from public;"
        echo "grant connect on database slipway to slipway_app;"
    } | as_service psql -X -q -v ON_ERROR_STOP=1 -h "$RUN" -U postgres postgres >>"$SETUP_LOG" 2>&1 ||
        die "the database roles could not be created" "$(tail -n 3 "$SETUP_LOG")"
    OWNER_URL=$(socket_url slipway_owner)
    APP_URL=$(socket_url slipway_app)
}

roles_create_there() {
    local owner app
    owner=$(openssl rand -hex 24)
    app=$(openssl rand -hex 24)
    {
        roles_sql
        echo "alter role slipway_owner password '$owner';"
        echo "alter role slipway_app password '$app';"
        echo "grant usage, create on schema public to slipway_owner;"
    } | psql -X -q -v ON_ERROR_STOP=1 "$DATABASE_URL" >>"$SETUP_LOG" 2>&1 ||
        die "DATABASE_URL: the roles slipway_owner and slipway_app could not be created: $(tail -n 1 "$SETUP_LOG")" \
            "give its user CREATEROLE and CREATE on schema public, or name a superuser for the first start"
    OWNER_URL=$(url_as "$DATABASE_URL" slipway_owner "$owner")
    APP_URL=$(url_as "$DATABASE_URL" slipway_app "$app")
}

# The first start decides which database this installation has; later ones read it from var/.
roles_create() {
    step "Create the database roles"
    if [ -n "${DATABASE_URL:-}" ]; then
        roles_create_there
    else
        roles_create_here
    fi
    as_service rm -f "$VAR/keys/worker.token" "$VAR/owner"
    printf '%s\n' "$OWNER_URL" | var_write migrate.url 0600
    configuration_create "$APP_URL"
}

database_start() {
    if [ -n "${DATABASE_URL:-}" ] && database_is_embedded; then
        die "DATABASE_URL is set, but $VAR already has its own PostgreSQL" \
            "unset DATABASE_URL, or set SLIPWAY_VAR to a new directory"
    fi
    if database_is_embedded || { [ -z "${DATABASE_URL:-}" ] && ! as_service test -e "$VAR/migrate.url"; }; then
        cluster_create
        cluster_start
    fi
    as_service test -e "$VAR/slipway.conf" && as_service test -e "$VAR/migrate.url" || roles_create
}

database_migrate() {
    step "Migrate the database"
    as_service env "SLIPWAY_MIGRATE_URL=$(as_service cat "$VAR/migrate.url")" \
        "$VAR/app/bin/slipwayd" migrate --config "$VAR/slipway.conf" >>"$SETUP_LOG" 2>&1 ||
        die "the migration failed: $(tail -n 2 "$SETUP_LOG")" "nothing was changed; see $SETUP_LOG"
}
