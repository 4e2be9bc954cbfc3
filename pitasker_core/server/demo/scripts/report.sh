#!/bin/sh
# Pretends to send a report.
echo 'collecting figures of the week'
sleep 1
echo 'sent to 3 people'
