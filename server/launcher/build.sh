# From sources to var/app: third-party artefacts, the web UI, the programs. Each part is skipped
# when its inputs are those of the last build, so that a second start costs a fraction of a second.

THIRD_PARTY=${XDG_CACHE_HOME:-$HOME/.cache}/slipway/third_party
RELEASE=$ROOT/build/release
PROGRAMS=(slipwayd slipway-worker slipway-import slipway-run-data slipway-run-train slipway-run-predict)

third_party_fetch() {
    "$ROOT/server/third_party/fetch" >>"$SETUP_LOG" 2>&1 && return
    die "$(grep -a '^fetch:' -A 9 "$SETUP_LOG" | tail -n 10)" \
        "check that this machine reaches its apt, npm and pip mirrors, then run this again"
}

# Hash of every source file's content under the given paths of the checkout.
content_key() {
    (cd "$ROOT" && find "$@" \( -name node_modules -o -path web/dist -o -path server/launcher \) -prune -o \
        -type f ! -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)
}

programs_key() {
    printf '%s %s\n' "$(content_key CMakeLists.txt CMakePresets.json server shim migrations)" \
        "${SLIPWAY_TORCH:-Debian}"
}

web_key() {
    content_key web static
}

# Both builds get the key of what they were started on: a file edited meanwhile builds again.
web_build() {
    (cd "$ROOT/web" && npm ci --no-audit --no-fund && npm run build &&
        echo "$1" >"$ROOT/web/dist/.key")
}

programs_build() {
    (cd "$ROOT" && cmake --preset release -DSLIPWAY_TESTS=OFF "-DSLIPWAY_TORCH=${SLIPWAY_TORCH:-}" \
        -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON "-DCMAKE_INSTALL_RPATH=\$ORIGIN/../lib" &&
        cmake --build --preset release --target "${PROGRAMS[@]}" &&
        echo "$1" >"$RELEASE/.key")
}

key_in() {
    cat "$1/.key" 2>/dev/null || true
}

build_web_if_changed() {
    local key
    key=$(web_key)
    [ "$(key_in "$ROOT/web/dist")" != "$key" ] || return 0
    step "Build the web UI"
    use_node
    logged web_build "$key" || die "the web UI did not build" "see the lines above"
}

build_programs_if_changed() {
    local key
    key=$(programs_key)
    [ "$(key_in "$RELEASE")" != "$key" ] || return 0
    step "Build slipwayd, slipway-worker and the runners (release)"
    logged programs_build "$key" || die "the build failed" "see the lines above"
}

build_release() {
    mkdir -p "$ROOT/build"
    [ -L "$THIRD_PARTY/civetweb" ] || step "Fetch third-party artefacts (server/third_party/manifest.txt)"
    third_party_fetch
    build_web_if_changed
    build_programs_if_changed
}

# Leaves the tree of an installed Slipway in $1: bin, lib, static.
app_stage() {
    local program
    mkdir -p "$1/bin" "$1/lib" "$1/static"
    for program in "${PROGRAMS[@]}"; do
        cp "$RELEASE/bin/$program" "$1/bin/"
    done
    [ ! -d "$RELEASE/lib" ] || find "$RELEASE/lib" -name '*.so*' -exec cp -P {} "$1/lib/" \;
    cp -L "$THIRD_PARTY/duckdb/libduckdb.so" "$1/lib/"
    cp -R "$ROOT/web/dist/." "$1/static/"
    rm -f "$1/static/.key"
    cp "$ROOT/LICENSE" "$1/"
}

# Puts a new build into var/app by renaming, so that running programs keep the files they have open.
app_install() {
    local key stage
    key=$(key_in "$RELEASE")-$(key_in "$ROOT/web/dist")
    APP_CHANGED=no
    [ "$(as_service cat "$VAR/app/.key" 2>/dev/null || true)" != "$key" ] || return 0
    step "Install into $VAR/app"
    stage=$(mktemp -d "$ROOT/build/stage.XXXXXX")
    app_stage "$stage"
    printf '%s\n' "$key" >"$stage/.key"
    tar -C "$stage" -c . | as_service sh -c 'rm -rf "$1" && mkdir "$1" && tar -C "$1" -x --no-same-owner -f - &&
        chmod -R u+rwX,go-rwx "$1"' sh "$VAR/app.next"
    rm -rf "$stage"
    as_service sh -c 'rm -rf "$1.previous"; [ ! -e "$1" ] || mv "$1" "$1.previous"; mv "$1.next" "$1"' \
        sh "$VAR/app"
    APP_CHANGED=yes
}
