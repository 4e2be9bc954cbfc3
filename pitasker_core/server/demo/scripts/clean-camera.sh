#!/bin/sh
# Pretends to delete old pictures.
echo 'deleted 24 pictures older than 14 days'
