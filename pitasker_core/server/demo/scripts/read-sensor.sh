#!/bin/sh
# Pretends to read the greenhouse's sensor.
printf '%s temperature=21.%d humidity=63\n' "$(date +%H:%M)" "$(($$ % 10))"
