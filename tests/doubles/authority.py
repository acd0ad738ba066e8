"""A throwaway certificate authority for servers on loopback."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme


class Authority:
    """Signs certificates for test names; `path` is what `Config.tls_authority` takes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.path = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.path))

    def server_context(self, *names: str) -> ssl.SSLContext:
        """Return the server side's context with a certificate for these names or IP addresses."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*names).configure_cert(context)
        return context

    def files(self, *names: str) -> tuple[Path, Path]:
        """Return certificate and key files for these names: what `Config.tls_certificate` takes."""
        issued = self._authority.issue_cert(*names)
        certificate, key = (self._folder / f"{names[0]}.{kind}.pem" for kind in ("certificate", "key"))
        for number, part in enumerate(issued.cert_chain_pems):
            part.write_to_path(str(certificate), append=number > 0)
        issued.private_key_pem.write_to_path(str(key))
        return certificate, key
