"""One TLS context for every connection of this process.

A context of its own per connection costs 700 KiB and 20 ms; shared, it costs nothing. Trusted are the packaged
authorities and those of the machine, `SSL_CERT_FILE` and `SSL_CERT_DIR` included; verification is never off.
"""

import functools
import ssl

import certifi


@functools.cache
def tls_context() -> ssl.SSLContext:
    """The context. Treat it as read-only: connections in many threads use it."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context
