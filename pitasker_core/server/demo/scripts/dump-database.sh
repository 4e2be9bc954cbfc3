#!/bin/sh
# Pretends to dump a database.
echo 'dumping smarthome ... 12.4 MB'
sleep 1
echo 'written: /srv/dumps/smarthome.sql.gz'
