#!/bin/sh
# Pretends to water the tomatoes.
echo 'valve open for 3 seconds'
sleep 3
echo 'valve closed'
