#!/bin/sh
# A machine of its own for the test, in private mount and process namespaces: what is made here, accounts included, is
# gone when the first process ends. Arguments: the repository, then folders that stay visible (the Python environment).
set -eu
repository=$1
shift
umask 022
stage=/run/stage
mount -t tmpfs -o mode=755 tmpfs /run
mkdir $stage
count=0
for kept in "$repository" "$@"; do
    mkdir $stage/$count
    mount --rbind "$kept" $stage/$count
    count=$((count + 1))
done

# The documented places.
cp -a /etc $stage/etc
mount --bind $stage/etc /etc
for place in /opt /srv /home /root /tmp /var/lib; do
    mount -t tmpfs -o mode=755 tmpfs $place
done
chmod 1777 /tmp

# The environment where it was, below folders that everyone may pass; of the repository nothing but the learner's package.
cover() {
    [ "$1" = / ] && return
    cover "$(dirname "$1")"
    [ -d "$1" ] || return 0
    case $(stat -c %a "$1") in
        *[1357]) ;;
        *) mount -t tmpfs -o mode=755 tmpfs "$1" ;;
    esac
}
for kept in "$repository" "$@"; do
    cover "$(dirname "$kept")"
done
mkdir -p "$repository"
mount -t tmpfs -o mode=755 tmpfs "$repository"
mkdir -p "$repository/src"
mount --bind $stage/0/src "$repository/src"
count=1
for kept in "$@"; do
    mkdir -p "$kept"
    mount --rbind $stage/$count "$kept"
    count=$((count + 1))
done

mkdir -p /opt/attention /opt/course
mount --bind "$1" /opt/attention
for part in autograder docs solutions src nbgrader_config.py; do
    cp -R "$stage/0/$part" /opt/course
done
chmod 700 $stage
echo ready
exec cat
