#!/bin/sh
# Pretends to copy the photos to another place.
for part in 1 2 3 4; do
    printf '\rTransferred: %d of 4 files' "$part"
    sleep 0.5
done
printf '\n\033[32mDone.\033[0m\n'
