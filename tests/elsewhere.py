"""Takes from this process, when it is imported, what only Linux has of Python's modules, and macOS has not.

``import elsewhere`` before all else, or ``PYTHONPATH=tests pytest -p elsewhere`` for any of the tests. Not taken are
``/proc``, which a process cannot be without, and what the driver in C has of its own.
"""

import importlib
import os
import select
import selectors
import signal
import socket
import time

# By the manuals of these modules: "Availability: Linux". And poll, which Python removes where macOS's does not work.
_LINUX = {
    os: "copy_file_range eventfd getrandom memfd_create O_DIRECT O_LARGEFILE O_NOATIME O_PATH O_RSYNC "
    "pidfd_open pipe2 posix_fadvise posix_fallocate sched_getaffinity sched_setaffinity sched_setscheduler setns "
    "setresuid setresgid splice unshare",
    selectors: "EpollSelector PollSelector",
    select: "epoll EPOLLIN EPOLLOUT EPOLLONESHOT poll POLLERR POLLHUP POLLIN POLLNVAL POLLOUT POLLPRI",
    signal: "pidfd_send_signal sigtimedwait sigwaitinfo SIGRTMIN SIGRTMAX",
    socket: "SOCK_CLOEXEC SOCK_NONBLOCK SO_BINDTODEVICE SO_PEERCRED TCP_KEEPIDLE TCP_USER_TIMEOUT AF_NETLINK",
    time: "CLOCK_BOOTTIME clock_getcpuclockid",
}

for _module, _names in _LINUX.items():
    for _name in _names.split():
        if hasattr(_module, _name):
            delattr(_module, _name)
importlib.reload(selectors)
