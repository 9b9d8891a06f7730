"""The system calls that no notebook needs, each with a reason, and their numbers on the machines that are known.

A deny-list: a course's libraries may use whatever else there is. What Linux gets after `NEWEST` is not there for a
notebook until somebody has looked at it here.
"""

from __future__ import annotations

# From here on all machines count alike.
COMMON = 424
# `file_setattr`, Linux 6.17.
NEWEST = 469

# name: (number on x86_64, number on aarch64 or None where it has none, why)
DENIED: dict[str, tuple[int, int | None, str]] = {
    # Parts of the kernel that are large, young, and where its holes have been found year after year.
    "io_uring_setup": (425, 425, "queues of operations that pass by filters like this one; many holes"),
    "io_uring_enter": (426, 426, "as io_uring_setup"),
    "io_uring_register": (427, 427, "as io_uring_setup"),
    "userfaultfd": (323, 282, "stops the kernel at a chosen page, which makes its races easy to win"),
    "bpf": (321, 280, "loads programs into the kernel"),
    "perf_event_open": (298, 241, "watches processors and other processes; a large part of the kernel, many holes"),
    "keyctl": (250, 219, "the kernel's key rings, which are not in every namespace; several holes"),
    "add_key": (248, 217, "as keyctl"),
    "request_key": (249, 218, "as keyctl; starts a program of the machine's"),
    "fanotify_init": (300, 262, "watches whole file systems"),
    "fanotify_mark": (301, 263, "as fanotify_init"),
    "vmsplice": (278, 75, "puts a process's pages into a pipe, from where they were written to files before"),
    "modify_ldt": (154, None, "segments of 16-bit programs"),
    # Ways out of the namespaces that a notebook is in, or into such where it would be root.
    "unshare": (272, 97, "new namespaces: in a user namespace of its own a notebook reaches what only root can"),
    "setns": (308, 268, "enters other namespaces"),
    "mount": (165, 40, "changes what lies where in the file system"),
    "umount2": (166, 39, "uncovers what was covered"),
    "pivot_root": (155, 41, "another root of the file system"),
    "chroot": (161, 51, "another root of the file system"),
    "open_tree": (428, 428, "as mount"),
    "move_mount": (429, 429, "as mount"),
    "fsopen": (430, 430, "as mount"),
    "fsconfig": (431, 431, "as mount"),
    "fsmount": (432, 432, "as mount"),
    "fspick": (433, 433, "as mount"),
    "mount_setattr": (442, 442, "as mount"),
    "open_tree_attr": (467, 467, "as mount"),
    "open_by_handle_at": (304, 265, "opens files by number, past every folder's rights"),
    # Looking into other processes: they are the notebook's own, so this closes nothing but the way to holes.
    "ptrace": (101, 117, "steers another process"),
    "process_vm_readv": (310, 270, "reads another process's memory"),
    "process_vm_writev": (311, 271, "writes another process's memory"),
    "pidfd_getfd": (438, 438, "takes another process's open files"),
    "kcmp": (312, 272, "tells where things lie in the kernel"),
    "move_pages": (279, 239, "moves another process's memory; tells where it lies"),
    "migrate_pages": (256, 238, "moves another process's memory"),
    "memfd_secret": (447, 447, "memory that nobody can look at"),
    # A filter of a notebook's own could answer for the kernel to programs that it starts.
    "seccomp": (317, 277, "filters of one's own, and answering another process's system calls"),
    # The machine itself. All of it is root's, which a notebook never is: a second lock.
    "kexec_load": (246, 104, "starts another kernel"),
    "kexec_file_load": (320, 294, "starts another kernel"),
    "init_module": (175, 105, "loads a driver"),
    "finit_module": (313, 273, "loads a driver"),
    "delete_module": (176, 106, "removes a driver"),
    "reboot": (169, 142, "stops the machine"),
    "swapon": (167, 224, "the machine's swap"),
    "swapoff": (168, 225, "the machine's swap"),
    "acct": (163, 89, "the machine's accounting"),
    "quotactl": (179, 60, "the machine's disks"),
    "quotactl_fd": (443, 443, "the machine's disks"),
    "iopl": (172, None, "the machine's ports"),
    "ioperm": (173, None, "the machine's ports"),
    "settimeofday": (164, 170, "the machine's clock"),
    "clock_settime": (227, 112, "the machine's clock"),
    "clock_adjtime": (305, 266, "the machine's clock"),
    "adjtimex": (159, 171, "the machine's clock"),
    "sethostname": (170, 161, "the machine's name"),
    "setdomainname": (171, 162, "the machine's name"),
    "syslog": (103, 116, "the kernel's messages, with addresses in them"),
    "vhangup": (153, 58, "the machine's terminals"),
    "personality": (135, 92, "how old programs are run: without random addresses, with memory that can be executed"),
    "lookup_dcookie": (212, 18, "what profilers once used"),
    "nfsservctl": (180, 42, "what NFS servers once used"),
}

# Looked at by what they are asked for.
CLONE, CLONE3 = (56, 220), (435, 435)
SOCKET, SOCKETPAIR = (41, 198), (53, 199)
PRCTL = (157, 167)

# Flags of `clone` that make namespaces: of mounts, control groups, host names, IPC, users, processes and networks.
NEW_NAMESPACES = 0x20000 | 0x2000000 | 0x4000000 | 0x8000000 | 0x10000000 | 0x20000000 | 0x40000000
# Sockets of these families alone: of one machine and of the internet; there is no network behind the latter. No vsock,
# which reaches a virtual machine's host, and no packet socket.
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
# Of the kernel's own sockets the one that lists network interfaces, as `socket.if_nameindex` does.
NETLINK_ROUTE = 0
# A process that may not be looked at would not have its memory counted; and seccomp by its older name.
PR_SET_DUMPABLE, PR_SET_SECCOMP = 4, 22
