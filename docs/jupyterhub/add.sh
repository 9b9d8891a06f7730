#!/bin/sh
# Gives people accounts and puts them into the class: add.sh nbgrader-attention NAME... for learners,
# add.sh formgrade-attention NAME... for instructors. An account that is already there is only put into the group.
set -eu
group=$1
shift
for name in "$@"; do
    id "$name" >/dev/null 2>&1 || useradd --create-home --user-group --shell /bin/bash "$name"
    chmod 700 "/home/$name"
    usermod --append --groups "$group" "$name"
done
