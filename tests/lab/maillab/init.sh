#!/bin/sh
# PID 1 of a machine of the lab: gives it a file tree of its own, then only stays alive.
# Arguments: the machine's folder in the state, its name. Runs inside the new namespaces.
set -eu
folder=$1 name=$2
# The builtin read makes no child, and this is still the old /proc: so the number is the outer PID.
read -r pid _ </proc/self/stat
echo "$pid" >"$folder/pid"

mount --make-rprivate /
hostname "$name"

# The upper layer on a tmpfs: it must not lie on the file system of the lower one, and it goes away by itself.
mkdir -p "$folder/tree"
mount -t tmpfs -o mode=0755 lab "$folder/tree"
cd "$folder/tree"
mkdir upper work root
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work lab root
cd root

mount -t proc proc proc
mount -t tmpfs -o mode=0755 run run
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=0755 dev dev
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr

# Nothing of what the outer machine's own mail may have written.
rm -rf var/log/mail* var/mail/* var/lib/postfix/*

# Queue IDs contain the inode, so the queue lies on a plain file system, not on the overlay.
if [ -d var/spool/postfix ]; then
    mkdir "$folder/queue"
    for each in var/spool/postfix/*; do
        mkdir "$folder/queue/${each##*/}"
        chown --reference="$each" "$folder/queue/${each##*/}"
        chmod --reference="$each" "$folder/queue/${each##*/}"
    done
    mount --bind "$folder/queue" var/spool/postfix
fi

ip link set lo up
mkdir -p mnt
pivot_root . mnt
umount -l /mnt
touch /run/lab-ready
# Orphans come to PID 1; the builtin wait collects them.
while :; do
    sleep 3600 &
    wait $!
done
