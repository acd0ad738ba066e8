"""What the doors share: typed keys, errors, security, negotiation, paging, limits, language."""
