"""The gateway as a process of its own, so that its memory can be measured: prints its port.

python -m tests.servers.gateway_process NEXT_HOP_PORT PEM_FILE
"""

import asyncio
import signal
import ssl
import sys

import uvloop

from maysend.policy import Policy
from maysend.servers.submission import Gateway, GatewaySettings, NextHop, PasswordLogins


async def serve(next_hop_port: int, pem_file: str) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem_file)
    policy = Policy.from_parameters(
        {
            "smtpd_relay_restrictions": "permit_mynetworks, reject",
            "mynetworks": "127.0.0.0/8",
            "smtpd_reject_unlisted_recipient": "no",
        }
    )
    settings = GatewaySettings(
        hostname="gateway.example",
        next_hops=(NextHop("127.0.0.1", next_hop_port),),
        port=0,
        tls=tls,
        tls_required=False,
    )
    logins = PasswordLogins(lambda login, password: None)
    gateway = Gateway(settings, policy, logins, lambda line: None)
    await gateway.start()
    print(gateway.port, flush=True)
    await stopped.wait()
    await gateway.stop()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1]), sys.argv[2]))
