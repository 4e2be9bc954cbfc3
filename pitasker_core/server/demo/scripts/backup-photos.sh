#!/bin/sh
# Pretends to back up photos; the newest copy fails because the disk is full.
printf '\033[1mBackup of /srv/photos\033[0m\n'
printf 'checking the disk ... \033[33mslow to answer\033[0m\n'
sleep 1
echo 'copied: 2026/autumn/IMG_2043.jpg'
printf '\033[31merror:\033[0m /mnt/backup/2026/autumn/IMG_2044.jpg: No space left on device\n' >&2
exit 2
