#!/bin/sh
# Run once by PostgreSQL's image, on an empty volume: the two roles and the database.
set -eu
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username postgres --dbname postgres <<SQL
\set owner '$(cat /run/secrets/owner_password)'
\set app '$(cat /run/secrets/app_password)'
$(cat /parvis/database.sql)
SQL
