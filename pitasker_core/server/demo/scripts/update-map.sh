#!/bin/sh
# Fails, because the server that it asks has moved.
echo 'asking weather.example.org for the map of today'
echo 'curl: (6) Could not resolve host: weather.example.org' >&2
exit 6
