"""`python -m aitrade.ops.preflight.far_venue [MS]`: a venue at the far end of a socket, for probes of the order path.

It prints its port, takes one peer, and answers each line (an order as JSON) with the same order's id, MS later.
"""

import json
import socket
import sys
import time


def main() -> None:
    """Serve one peer on 127.0.0.1 until it hangs up."""
    delay = float(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 0.0
    with socket.create_server(("127.0.0.1", 0)) as server:
        sys.stdout.write(f"{server.getsockname()[1]}\n")
        sys.stdout.flush()
        peer, _address = server.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with peer, peer.makefile("rb") as lines:
        for line in lines:
            time.sleep(delay)
            peer.sendall(json.loads(line)["id"].encode() + b"\n")


if __name__ == "__main__":
    main()
