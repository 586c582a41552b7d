# Debian packages: packages.txt says which, dpkg says which are missing, and only then root is
# needed.

packages_of() {
    local group
    for group in "$@"; do
        awk -v group="$group" '$1 == group { print $2 }' "$ROOT/server/third_party/packages.txt"
    done
}

# Of the names on stdin, those not installed; a virtual package counts when something provides it.
packages_missing() {
    local name have
    # shellcheck disable=SC2016
    have=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}, ${Provides},\n' 2>/dev/null |
        sed -n 's/^ii *//p' | tr ',' '\n' | sed 's/^ *//; s/[ (].*//' | sort -u)
    while read -r name; do
        grep -qxF -- "$name" <<<"$have" || echo "$name"
    done
}

# The web needs node 20.19: where the machine's own is older, fetch brings a pinned one.
node_is_new() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        node -e 'const [a, b] = process.versions.node.split(".").map(Number);
                 process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}

use_node() {
    node_is_new || PATH=$THIRD_PARTY/node/bin:$PATH
}

# Debian's postgresql package would start a cluster of its own on port 5432: ours is under var/.
keep_debian_cluster_away() {
    [ -e /etc/postgresql-common/createcluster.conf ] && return
    $sudo mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' |
        $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
}

apt_install() {
    # shellcheck disable=SC2206
    local apt=($sudo env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 apt-get -y -q
        -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
    keep_debian_cluster_away
    "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "$@"
}

packages_require() {
    local missing sudo=
    [ -e /etc/debian_version ] && command -v apt-get >/dev/null ||
        die "this is not a Debian system" "use Debian 12, or the image of docker/"
    node_is_new || set -- "$@" node
    mapfile -t missing < <(packages_of "$@" | packages_missing)
    [ ${#missing[@]} -gt 0 ] || return 0
    step "Install ${#missing[@]} Debian packages: ${missing[*]}"
    if ! i_am_root; then
        command -v sudo >/dev/null ||
            die "packages are missing and sudo is not installed" \
                "as root: apt-get install --no-install-recommends ${missing[*]}"
        sudo=sudo
        [ -t 0 ] || sudo="sudo -n"
        $sudo -v || die "packages are missing and only root may install them" \
            "as root: apt-get install --no-install-recommends ${missing[*]}"
    fi
    logged apt_install "${missing[@]}" ||
        die "apt-get could not install the packages" \
            "see the lines above; then: apt-get install --no-install-recommends ${missing[*]}"
}
