"""A port with two listening sockets: new callers go to the second while it listens, else to the first.

Linux calls such sockets a reuseport group and asks a program of classic BPF which of them gets a connection
(``SO_ATTACH_REUSEPORT_CBPF`` in socket(7)). Ours is one instruction: the second. Where there is no second one, the
answer is none, and Linux takes the first.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys

_SO_ATTACH_REUSEPORT_CBPF = 51  # asm-generic/socket.h; the module ``socket`` has no name for it.
_RETURN_CONSTANT = 0x06  # BPF_RET | BPF_K of linux/bpf_common.h
_SECOND = 1


def let_share(listener: socket.socket) -> bool:
    """Allow another socket of this user to listen at the address of ``listener``; return whether the system can.

    To be allowed only once the address is bound: two servers that both allow it from the start would share by chance.
    """
    if sys.platform != "linux":
        return False
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError:
        return False
    return True


def give_callers_to_second(listener: socket.socket) -> None:
    """Give the new connections of a shared address to the socket that came to ``listener``, as long as it listens.

    Raises:
        OSError: when no other socket has listened there, or one of another address family.
    """
    # struct sock_filter and struct sock_fprog of linux/filter.h
    instruction = ctypes.create_string_buffer(struct.pack("HBBI", _RETURN_CONSTANT, 0, 0, _SECOND), 8)
    program = struct.pack("HP", 1, ctypes.addressof(instruction))
    listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, program)
