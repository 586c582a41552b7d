# What only this installation knows: signing keys, the TLS key and its certificate. All 0600, made
# once; the certificate is renewed when it is about to expire or the host's name changed.

host_name() {
    local name
    name=$(hostname 2>/dev/null || cat /etc/hostname)
    [[ $name =~ ^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$ ]] || name=localhost
    printf '%s' "$name"
}

# Eighteen random bytes as text that is easy to copy.
random_password() {
    openssl rand -base64 18 | tr '+/' '-_'
}

signing_keys_create() {
    [ -z "$(as_service ls -A "$VAR/keys/signing" 2>/dev/null || true)" ] || return 0
    step "Create the signing keys"
    as_service "$VAR/app/bin/slipwayd" keys create "$VAR/keys/signing" >>"$SETUP_LOG" 2>&1 ||
        die "slipwayd could not create its keys in $VAR/keys/signing" "$(tail -n 2 "$SETUP_LOG")"
}

certificate_is_fine() {
    local cert=$VAR/tls/server.crt
    as_service test -s "$VAR/tls/server.key" &&
        as_service openssl x509 -in "$cert" -noout -checkend $((30 * 86400)) >/dev/null 2>&1 &&
        as_service openssl x509 -in "$cert" -noout -checkhost "$(host_name)" | grep -q 'does match'
}

certificate_create() {
    local name
    certificate_is_fine && return
    name=$(host_name)
    step "Create a TLS key and a self-signed certificate for localhost and $name"
    # shellcheck disable=SC2016
    as_service sh -c 'umask 077 && cd "$1" && openssl req -x509 -newkey ec \
        -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 365 -subj "/O=Slipway/CN=$2" \
        -addext "subjectAltName=DNS:localhost,DNS:$2,IP:127.0.0.1,IP:::1" \
        -addext "keyUsage=critical,digitalSignature" -addext "extendedKeyUsage=serverAuth" \
        -keyout server.key.new -out server.crt.new && mv server.key.new server.key &&
        mv server.crt.new server.crt' sh "$VAR/tls" "$name" >>"$SETUP_LOG" 2>&1 ||
        die "openssl could not create a certificate" "$(tail -n 2 "$SETUP_LOG")"
    APP_CHANGED=yes
}

secrets_create() {
    signing_keys_create
    certificate_create
}
