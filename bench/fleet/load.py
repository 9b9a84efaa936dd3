#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Does things of a kind so many times a second: load.py calls|files|network|process RATE SECONDS."""
import glob
import os
import socket
import sys
import time

SLICE = 0.02


def calls(number):
    # Of five kinds, one of which fails now and then, as in a program that does a little of everything.
    kind = number % 5
    try:
        if kind == 0:
            os.getppid()
        elif kind == 1:
            os.stat("/etc/hostname" if number % 50 else "/etc/nothing")
        elif kind == 2:
            os.pread(0x3, 64, 0)
        elif kind == 3:
            os.lseek(3, number % 64, os.SEEK_SET)
        else:
            os.sched_yield()
    except OSError:
        pass


PATHS = sorted(glob.glob("/usr/share/doc/*/copyright"))[:500] + [f"/var/lib/app/data-{i:04}.json" for i in range(50)]


def files(number):
    try:
        os.close(os.open(PATHS[number % len(PATHS)], os.O_RDONLY))
    except OSError:
        pass


def network(_):
    with socket.create_connection(PLACE) as client:
        server, _ = LISTENER.accept()
        with server:
            client.sendall(b"x" * 300)
            server.recv(1000)


def process(number):
    pid = os.posix_spawn("/bin/true", ["/bin/true", "--job", str(number)], os.environ)
    os.waitpid(pid, 0)


def main():
    global LISTENER, PLACE
    do, rate, seconds = globals()[sys.argv[1]], int(sys.argv[2]), float(sys.argv[3])
    os.dup2(os.open("/etc/services", os.O_RDONLY), 3)
    LISTENER = socket.create_server(("127.0.0.1", 0))
    PLACE = LISTENER.getsockname()
    begun, done = time.monotonic(), 0
    while (now := time.monotonic()) < begun + seconds:
        while done < (now - begun) * rate:
            do(done)
            done += 1
        time.sleep(SLICE)
    print(done)


main()
