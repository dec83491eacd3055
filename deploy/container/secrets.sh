#!/bin/sh
# Fresh keys and passwords for compose.yaml, in secrets/ beside this file; what is there is kept.
# The folder is closed to everybody else on this machine; its files are open, because each container reads those it is
# given as a user of its own.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
chmod 0700 secrets

password() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }
keep() { # NAME VALUE
    if [ ! -e "secrets/$1" ]; then
        printf '%s\n' "$2" >"secrets/$1"
        chmod 0444 "secrets/$1"
        echo "written: secrets/$1"
    fi
}
keep secret_key "$(head -c 48 /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_')"
keep file_keys "k1:$(head -c 32 /dev/urandom | base64)"
keep postgres_password "$(password)"
keep owner_password "$(password)"
keep app_password "$(password)"
keep database_url "postgresql://parvis_app:$(cat secrets/app_password)@postgres/parvis"
keep database_owner_url "postgresql://parvis_owner:$(cat secrets/owner_password)@postgres/parvis"
echo "Copy secrets/file_keys to a safe, away from this machine: without it the files are noise."
