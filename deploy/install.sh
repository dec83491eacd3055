#!/bin/sh
# Installs Parvis on Debian 12 (or another Linux with systemd 250 and Python 3.11), or brings it to this release; safe to
# run again. From a checkout it downloads the locked dependencies; from an offline bundle (bundle.sh) it needs no network.
# docs/install.md tells the whole of it.
set -eu
umask 022

usage() {
    cat <<'TEXT'
usage: install.sh [options]
  --base-url URL          the public address, as https://portail.hopital.example (asked for the first time only)
  --with-local-database   make the roles and the database on this machine's PostgreSQL (package postgresql)
  --with-backups          make what the backups' units need: their folder, keys and role (docs/backup.md, Set up)
  --with-redis            also install the client of Redis and Valkey
  --with-traces           also install what sends traces (PORTAL_OTLP_URL)
  --workers N             how many workers run on this machine (0 for a machine that only serves; at first 2, then as
                          many as there are)
  --no-start              install, and start or restart nothing
  --back                  go back to the release before this one (docs/upgrade.md says when one may)
  --dry-run               say what would be done, and do nothing
  --root FOLDER           put everything under FOLDER, and make neither user nor service (packages, tests)
  PYTHON=…                another Python than python3
TEXT
}

base_url='' local_database=no backups=no redis=no traces=no workers='' start=yes back=no dry=no top=''
while [ $# -gt 0 ]; do
    case $1 in
    --base-url) base_url=${2:?--base-url needs an address} && shift ;;
    --with-local-database) local_database=yes ;;
    --with-backups) backups=yes ;;
    --with-redis) redis=yes ;;
    --with-traces) traces=yes ;;
    --workers) workers=${2:?--workers needs a number} && shift ;;
    --no-start) start=no ;;
    --back) back=yes ;;
    --dry-run) dry=yes ;;
    --root) top=${2:?--root needs a folder} && shift ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift
done

here=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}
place=$top/srv/parvis-backup
opt=$top/opt/parvis etc=$top/etc/parvis state=$top/var/lib/parvis units=$top/etc/systemd/system sbin=$top/usr/local/sbin

say() { printf '%s\n' "$*"; }
fail() {
    printf 'install.sh: %s\n' "$*" >&2
    exit 1
}
run() {
    if [ "$dry" = yes ]; then
        say "would run: $*"
    else
        "$@"
    fi
}
# As `run`, for what concerns the whole machine: not under --root.
system() {
    if [ -z "$top" ]; then
        run "$@"
    fi
}
# A file made once, from standard input, with a mode; an existing one is left alone.
keep() {
    mode=$1 path=$2
    if [ -e "$path" ]; then
        cat >/dev/null
        say "kept: $path"
    elif [ "$dry" = yes ]; then
        cat >/dev/null
        say "would write: $path"
    else
        (umask 077 && cat >"$path.new")
        chmod "$mode" "$path.new"
        mv "$path.new" "$path"
        say "written: $path"
    fi
}

# -- what the machine must have ------------------------------------------------------------------------------------

check_machine() {
    [ "$(uname -s)" = Linux ] || fail "Parvis is installed on Linux."
    command -v "$python" >/dev/null || fail "$python is missing. On Debian: apt-get install python3 python3-venv"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$python is older than Python 3.11."
    "$python" -c 'import venv, ensurepip' 2>/dev/null || fail "venv is missing. On Debian: apt-get install python3-venv"
    case $workers in *[!0-9]*) fail "--workers $workers: a number is needed" ;; esac
    case $base_url in '' | https://?*) ;; *) fail "--base-url $base_url: it begins with https://" ;; esac
    if [ "$dry" = no ] && [ -z "$top" ]; then
        [ "$(id -u)" = 0 ] || fail "Run it as root, or with --dry-run to see what it would do."
        [ -d /run/systemd/system ] || fail "systemd does not run here. docs/install.md says how to do without it."
        version=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
        [ "$version" -ge 250 ] || fail "systemd $version is too old: 250 is the oldest that hands secrets over as files."
        if [ "$local_database" = yes ]; then
            command -v psql >/dev/null || fail "PostgreSQL is missing. On Debian: apt-get install postgresql"
        fi
    fi
}

# -- one release: its environment, in a folder of its own ------------------------------------------------------------

find_wheel() {
    wheels=$here/wheels
    if [ -d "$wheels" ]; then
        say "Checking the bundle…"
        (cd "$here" && sha256sum --quiet --check SHA256SUMS) || fail "The bundle is damaged: do not use it."
        wheel=$(find "$wheels" -maxdepth 1 -name 'parvis-*.whl' | sort | tail -n 1)
        [ -n "$wheel" ] || fail "The bundle holds no wheel of Parvis."
    elif [ "$dry" = yes ]; then
        wheels=''
        wheel="parvis-$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/pyproject.toml")-py3-none-any.whl"
        say "would run: deploy/build-wheel.sh"
    else
        wheels=''
        say "Building the wheel…"
        built=$(mktemp -d)
        trap 'rm -rf "$built"' EXIT INT TERM
        wheel=$(PYTHON=$python "$here/deploy/build-wheel.sh" "$built")
    fi
    version=${wheel##*/}
    version=${version#parvis-}
    version=${version%%-*}
    if [ -e "$wheel" ]; then
        # Two builds of one version are two releases: what runs is named by what it holds.
        digest=$(cat "$wheel" "$here"/requirements/runtime.lock "$here"/requirements/redis.lock \
            "$here"/requirements/otlp.lock | sha256sum | cut -c1-8)
    else
        digest=dryrun
    fi
    release=$version-$digest
    [ "$redis" = no ] || release=$release-redis
    [ "$traces" = no ] || release=$release-traces
    folder=$opt/releases/$release
}

install_release() {
    if [ -e "$folder/.complete" ]; then
        say "kept: $folder"
        return
    fi
    run rm -rf "$folder"
    run mkdir -p "$folder"
    run "$python" -m venv "$folder/.venv"
    set -- --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$here/requirements/runtime.lock"
    [ "$redis" = no ] || set -- "$@" -r "$here/requirements/redis.lock"
    [ "$traces" = no ] || set -- "$@" -r "$here/requirements/otlp.lock"
    [ -z "$wheels" ] || set -- --no-index --find-links "$wheels" "$@"
    say "Installing the locked dependencies in $folder…"
    run "$folder/.venv/bin/python" -m pip install "$@"
    run "$folder/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-index "$wheel"
    run "$folder/.venv/bin/python" -m compileall -q "$folder/.venv/lib"
    run cp -R "$here/docs" "$here/deploy" "$folder/"
    if [ "$dry" = no ]; then
        static=$(cd "$folder/.venv" && find lib -maxdepth 4 -type d -path '*/site-packages/portal')/static
        [ -d "$folder/.venv/$static/dist" ] || fail "The release holds no style sheets."
        ln -s ".venv/$static" "$folder/static"
        touch "$folder/.complete"
    fi
}

# -- the user, the folders, the settings, the secrets ----------------------------------------------------------------

make_user() {
    # The second is the backups', whose units systemd refuses to load a user for when there is none.
    for user in parvis parvis-backup; do
        if [ -z "$top" ] && ! getent passwd "$user" >/dev/null; then
            run useradd --system --home-dir "/var/lib/$user" --no-create-home --shell /usr/sbin/nologin "$user"
        fi
    done
}

make_folders() {
    run mkdir -p "$opt/releases" "$etc/credentials" "$etc/listen-his" "$state/files" "$units" "$sbin"
    run chmod 0700 "$etc/credentials" "$state"
    system chown parvis:parvis "$state" "$state/files"
}

make_settings() {
    sed "s|https://portail.hopital.example|${base_url:-https://portail.hopital.example}|" "$here/deploy/parvis.env" |
        keep 0644 "$etc/parvis.env"
}

make_secrets() {
    if [ -e "$etc/credentials/secret_key" ] && [ -e "$etc/credentials/file_keys" ]; then
        say "kept: $etc/credentials/secret_key, file_keys"
    elif [ "$dry" = yes ]; then
        say "would write: $etc/credentials/secret_key, file_keys (parvis keygen)"
    else
        fresh=$("$folder/.venv/bin/parvis" keygen)
        printf '%s\n' "$fresh" | sed -n 's/^PORTAL_SECRET_KEY=//p' | keep 0600 "$etc/credentials/secret_key"
        printf '%s\n' "$fresh" | sed -n 's/^PORTAL_FILE_KEYS=//p' | keep 0600 "$etc/credentials/file_keys"
        unset fresh
        say "Copy $etc/credentials/file_keys to a safe, away from this machine: without it the files are noise."
    fi
}

password() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }

make_database() {
    [ "$local_database" = yes ] || return 0
    if [ -e "$etc/credentials/database_url" ] && [ -e "$etc/credentials/database_owner_url" ]; then
        say "kept: $etc/credentials/database_url, database_owner_url"
        return
    fi
    if [ "$dry" = yes ] || [ -n "$top" ]; then
        say "would make: roles parvis_owner and parvis_app, database parvis"
        return
    fi
    owner=$(password) app=$(password)
    # The passwords go through standard input: arguments are seen by everybody on the machine.
    cd /
    runuser -u postgres -- psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 <<SQL
\set owner '$owner'
\set app '$app'
$(cat "$here/deploy/database.sql")
SQL
    printf 'postgresql://parvis_owner:%s@127.0.0.1/parvis\n' "$owner" >"$etc/credentials/database_owner_url"
    printf 'postgresql://parvis_app:%s@127.0.0.1/parvis\n' "$app" >"$etc/credentials/database_url"
    chmod 0600 "$etc/credentials/database_owner_url" "$etc/credentials/database_url"
    unset owner app
}

make_backups() {
    [ "$backups" = yes ] || return 0
    run mkdir -p "$place"
    run chmod 0700 "$place"
    system chown parvis-backup:parvis-backup "$place"
    if [ "$dry" = yes ]; then
        say "would write: PORTAL_BACKUP_URL in $etc/parvis.env, $etc/credentials/backup_keys (parvis backup keygen)"
    else
        if ! grep -q '^PORTAL_BACKUP_URL=' "$etc/parvis.env"; then
            printf 'PORTAL_BACKUP_URL=file:/srv/parvis-backup\n' >>"$etc/parvis.env"
        fi
        make_backup_keys
    fi
    make_backup_role
    look_at_backup_place
}

make_backup_keys() {
    if [ -s "$etc/credentials/backup_keys" ]; then
        say "kept: $etc/credentials/backup_keys"
        return
    fi
    rm -f "$etc/credentials/backup_keys"
    fresh=$("$folder/.venv/bin/parvis" backup keygen) || fail "parvis backup keygen failed: no key was written."
    fresh=$(printf '%s\n' "$fresh" | sed -n 's/^PORTAL_BACKUP_KEYS=//p')
    [ -n "$fresh" ] || fail "parvis backup keygen printed no key: none was written."
    printf '%s\n' "$fresh" | keep 0600 "$etc/credentials/backup_keys"
    unset fresh
    say "Copy $etc/credentials/backup_keys to a safe, away from this machine and from the backups."
}

# Backups on the disk that they are for burn with it, and fill it.
look_at_backup_place() {
    [ -z "$top" ] || return 0
    kept_at=$(sed -n 's|^PORTAL_BACKUP_URL=file:\(//\)\{0,1\}||p' "$etc/parvis.env" 2>/dev/null | tail -n 1)
    kept_at=${kept_at:-$place}
    mountpoint -q "$kept_at" && return
    backups=unmounted
    cat >&2 <<TEXT

*** WARNING: BACKUPS WERE NOT ENABLED ***
$kept_at is not a mount point of its own: backups would be kept on the very disk that they are for.
Mount the file system of another machine there (docs/backup.md, Set up), then run this again, --with-backups.

TEXT
}

make_backup_role() {
    if [ -e "$etc/credentials/backup_database_url" ]; then
        say "kept: $etc/credentials/backup_database_url"
    elif [ "$local_database" = no ]; then
        say "Run deploy/backup.sql on the database and write $etc/credentials/backup_database_url (docs/backup.md)."
    elif [ "$dry" = yes ] || [ -n "$top" ]; then
        say "would make: role parvis_backup"
    else
        secret=$(password)
        cd /
        runuser -u postgres -- psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --dbname parvis <<SQL
\set backup '$secret'
$(cat "$here/deploy/backup.sql")
SQL
        printf 'postgresql://parvis_backup:%s@127.0.0.1/parvis\n' "$secret" >"$etc/credentials/backup_database_url"
        chmod 0600 "$etc/credentials/backup_database_url"
        unset secret
    fi
}

make_units() {
    for unit in "$here"/deploy/systemd/*; do
        run install -m 0644 "$unit" "$units/${unit##*/}"
    done
    run install -m 0755 "$here/deploy/parvis" "$sbin/parvis"
    run install -m 0755 "$here/deploy/parvis-credentials" "$sbin/parvis-credentials"
    if [ -n "$top" ]; then
        PARVIS_TOP=$top run "$sbin/parvis-credentials"
    else
        run "$sbin/parvis-credentials"
    fi
}

# -- which release runs ----------------------------------------------------------------------------------------------

point() { # LINK RELEASE: in one step, so that nobody finds no release at all
    run ln -s "releases/$2" "$opt/.$1.new"
    run mv -T "$opt/.$1.new" "$opt/$1"
}

switch_to() {
    now=$(readlink "$opt/current" 2>/dev/null || true)
    now=${now#releases/}
    if [ "$now" = "$1" ]; then
        say "kept: $opt/current is $1"
    else
        # Pages that the former release wrote still ask for its style sheets: the proxy finds them in `former`.
        [ -z "$now" ] || point former "$now"
        point current "$1"
    fi
}

count_workers() {
    [ -z "$workers" ] || return 0
    workers=0
    for enabled in "$units"/parvis.target.wants/parvis-work@*.service; do
        [ ! -e "$enabled" ] || workers=$((workers + 1))
    done
    [ "$workers" -gt 0 ] || [ -d "$units/parvis.target.wants" ] || workers=2
}

restart_all() {
    system systemctl enable --quiet parvis.target parvis-web.socket parvis-web.service parvis-check.timer
    # Workers first: they know the jobs that the new pages ask for.
    system systemctl try-restart 'parvis-work@*.service'
    one=1
    while [ "$one" -le "$workers" ]; do
        system systemctl enable --quiet --now "parvis-work@$one.service"
        one=$((one + 1))
    done
    for enabled in "$units"/parvis.target.wants/parvis-work@*.service; do
        number=${enabled##*@}
        number=${number%.service}
        case $number in '' | *[!0-9]*) continue ;; esac
        if [ "$number" -gt "$workers" ]; then
            system systemctl disable --quiet --now "parvis-work@$number.service"
        fi
    done
    system systemctl start parvis.target parvis-web.socket parvis-check.timer
    system systemctl restart parvis-web.service
    system systemctl try-restart 'parvis-listen-his@*.service' parvis-backup-wal.service
    if [ "$backups" = yes ] && { [ "$dry" = yes ] || [ -e "$etc/credentials/backup_database_url" ]; }; then
        system systemctl enable --quiet --now parvis-backup-wal.service parvis-backup.timer parvis-backup-verify.timer
    fi
}

# -- in order ----------------------------------------------------------------------------------------------------------

check_machine
count_workers
if [ "$back" = yes ]; then
    former=$(readlink "$opt/former" 2>/dev/null || true)
    [ -n "$former" ] || fail "No release was installed before this one."
    switch_to "${former#releases/}"
    [ "$start" = no ] || restart_all
    say "Parvis is back at ${former#releases/}."
    exit 0
fi
find_wheel
make_user
make_folders
install_release
make_settings
make_secrets
make_database
make_backups
make_units
if [ "$dry" = no ]; then
    for secret in database_url database_owner_url; do
        if [ ! -e "$etc/credentials/$secret" ]; then
            say "Write $etc/credentials/$secret (docs/install.md, The database), then run this again."
            start=no
        fi
    done
fi
if [ "$start" = no ]; then
    # Nothing of this release runs yet: the next run, or the operator, migrates first.
    [ -e "$opt/current" ] || switch_to "$release"
    say "Installed in $folder. Nothing was started."
    exit 0
fi
say "Bringing the schema to this release; the one before serves meanwhile…"
system systemctl start "parvis-migrate@$release.service"
switch_to "$release"
restart_all
if [ -z "$top" ]; then
    run "$sbin/parvis" check || say "parvis check found trouble, above: each line says what."
fi
say "Parvis $release runs. Next: parvis establishment add, parvis admin invite (docs/install.md)."
