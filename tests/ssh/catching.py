"""Runs commands where every packet to elsewhere is counted; run by test_nobody_else.py inside a network
namespace of its own: `python catching.py`, with [server, commands] as JSON on standard input. The
server runs while the commands do.

Every address but loopback is routed to a wire that this program listens to, name servers included.
Prints JSON: for each command its exit status and output, and the packets that were seen meanwhile.
"""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import time

_ALL = 0x0003  # ETH_P_ALL
_ICMPV6 = 58
_SETUP = """
set -e
ip link set lo up
ip link add wire type veth peer name end
for one in wire end; do echo 1 > /proc/sys/net/ipv6/conf/$one/accept_dad || true; ip link set $one up; done
ip addr add 192.0.2.1/24 dev wire
ip route add default via 192.0.2.254
ip neigh add 192.0.2.254 lladdr 02:00:00:00:00:01 dev wire
ip -6 addr add 2001:db8::1/64 dev wire nodad
ip -6 route add default via 2001:db8::ff
ip -6 neigh add 2001:db8::ff lladdr 02:00:00:00:00:01 dev wire
"""


def sent(wire: socket.socket, seconds: float) -> list[str]:
    """What leaves within this time, but for the kernel's own chatter (neighbours, multicast groups)."""
    found: list[str] = []
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([wire], [], [], left)[0]:
            packet, (_, kind, *_) = wire.recvfrom(2048)
            own = kind == 0x86DD and packet[20] in (0, _ICMPV6)
            if not own:
                found.append(f"{kind:#06x} {packet[14:74].hex()}")
    return found


def main() -> None:
    subprocess.run(["sh", "-c", _SETUP], check=True, stdout=sys.stderr)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL)) as wire:
        wire.bind(("wire", 0))
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        sent(wire, 0.5)
        server, commands = json.load(sys.stdin)
        answers = []
        with subprocess.Popen(server, stdout=sys.stderr) as running:
            sent(wire, 0.5)
            for command in commands:
                done = subprocess.run(command, capture_output=True, text=True, timeout=60)
                packets = sent(wire, 0.5)
                answers.append([done.returncode, done.stdout, done.stderr, packets])
            running.kill()
    print(json.dumps(answers))  # noqa: T201


if __name__ == "__main__":
    main()
