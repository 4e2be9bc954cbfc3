#!/bin/sh
# Pretends to renew certificates.
echo 'pi.example.org: valid for another 61 days, nothing to do'
