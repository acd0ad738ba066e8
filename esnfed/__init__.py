"""esnfed: the federated ActivityPub server of the Education and Solidarity Network."""

__version__ = "0.1.0"
