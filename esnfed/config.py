"""One frozen Config, read once from a TOML file and the environment, then handed down."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal

Environment = Literal["production", "demo", "test"]


@dataclass(frozen=True, slots=True)
class Config:
    """Everything an operator sets. See docs/install.md for the file; every field has a paragraph there."""

    domain: str
    """Authority of every web address of this node (host, with port only in demo and test), normalised."""

    data_dir: Path
    """Folder of the database, the lock and the control socket."""

    environment: Environment = "production"
    account_domain: str = ""
    """Domain in handles (@name@here); empty means the same as `domain`."""

    name: str = "esnfed"
    description: str = ""
    languages: tuple[str, ...] = ("fr", "en", "es")
    """Languages of the node, the first is the default of its pages."""

    organisation_type: str = "other"
    contact: str = ""
    """E-mail address of the people who run the node; shown on the about page and in NodeInfo."""

    database: str = ""
    """Empty: SQLite in the data folder. Else `postgresql://user:password@host/name`."""

    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    """SQLite durability. NORMAL may lose the last acknowledged writes in a power cut, never corrupt."""

    listen: str = "127.0.0.1"
    port: int = 8000
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks whose X-Forwarded-* headers are believed; nobody else's are."""

    log_format: Literal["text", "json"] = "text"

    proofs: Literal["organisations", "everybody"] = "organisations"
    """Whose public activities carry a proof (FEP-8b32). Persons' only by choice: a proof cannot be denied."""

    authorised_fetch: bool = False
    """Whether actors, objects and collections are given to signed requests only; the node actor is to all."""

    first_contact_activities: int = 300
    """Activities that a server nobody here has met may deliver in its first hour."""

    first_contact_mentions: int = 20
    """Of these, posts that mention somebody here unasked."""

    hosts: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Test only: host name -> loopback address and port where it is served."""

    tls_authority: Path | None = None
    """Test only: certificate authority that the client trusts instead of the system's."""

    tls_certificate: tuple[Path, Path] | None = None
    """Test only: certificate and key with which this node serves."""

    def __post_init__(self) -> None:
        if not self.account_domain:
            object.__setattr__(self, "account_domain", self.domain)

    @property
    def scheme(self) -> str:
        """`https`, and `http` only in the demo."""
        return "http" if self.environment == "demo" else "https"

    @property
    def origin(self) -> str:
        """Scheme and authority, without a slash at the end."""
        return f"{self.scheme}://{self.domain}"

    @property
    def loopback_only(self) -> bool:
        """True in demo and test: nothing but loopback is served or asked."""
        return self.environment != "production"
