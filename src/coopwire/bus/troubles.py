"""What the network between the hub and a broker has against us, in words that hold for every broker."""

from __future__ import annotations

import socket
import ssl

VARIABLE = "COOPWIRE_BUS"


def tls_failed(error: ssl.SSLError, scheme: str, tls_port: int) -> str:
    """Why TLS was not spoken; `scheme` is that of the address, `tls_port` the usual one."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"shows a certificate that is not trusted ({error.verify_message}): name the file of its authority in "
            f"{VARIABLE} ({scheme}://…?cafile=FILE), or write the host's name as it stands in the certificate"
        )
    plain = scheme.removesuffix("s")
    return (
        f"does not speak TLS on this port: name its TLS port ({tls_port} as a rule), "
        f"or write {plain}:// in {VARIABLE}"
    )


def away(error: BaseException) -> str:
    """What is wrong with a broker that does not answer."""
    if isinstance(error, ConnectionRefusedError):
        return "is not there: nobody listens"
    if isinstance(error, socket.gaierror):
        return "cannot be found: nobody knows the host's name"
    if isinstance(error, TimeoutError):
        return "gives no answer in time: it may be stopped, full, or no broker at all"
    return f"ended the talk ({type(error).__name__})"


def check(encrypted: bool, secure_scheme: str) -> str:
    """What to look at then."""
    if encrypted:
        return f"start it, or correct host and port in {VARIABLE}"
    return f"start it, or correct host and port in {VARIABLE}; where it expects TLS, write {secure_scheme}://"
