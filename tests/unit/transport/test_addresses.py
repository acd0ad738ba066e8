"""Which addresses are globally routable, over every special range and every way to hide an IPv4 address."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from esnfed.federation.addresses import globally_routable

_INWARD_TEXT = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.1.2.3 169.254.169.254
172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1
192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1
255.255.255.255
:: ::1 ::2 100::1 100:0:0:1::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1 2001:db8::1
2001:2::1 2001:10::1 2001:20::1 2620:4f:8000::1 3fff::1 5f00::1 4000::1 e000::1 2606:4700::1111%eth0
::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 ::192.168.0.1 ::ffff:0:127.0.0.1
64:ff9b::127.0.0.1 64:ff9b::10.1.2.3 64:ff9b:1::192.168.1.1 64:ff9b:1:7f00:0:100::
64:ff9b:1:ffff::8.8.8.8 2002:7f00:1::1 2002:a00:1::1 2002:c0a8:101::1
2001:0:7f00:1::f7f7:f7f7 2001:0:808:808::80ff:fffe 2001:0:808:808::f5ff:fffe
"""
INWARD = _INWARD_TEXT.split()

_OUTWARD_TEXT = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 93.184.216.34 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1
169.253.255.255 172.15.255.255 172.32.0.1 192.0.1.1 192.167.255.255 192.169.0.1 198.17.255.255 198.20.0.1
223.255.255.255
2606:4700::1111 2a00:1450::8 2400:cb00::1 2001:4860:4860::8888 2001:200::1 2003::1 3ffe::1
::ffff:8.8.8.8 ::8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::8.8.8.8 64:ff9b:1::8.8.8.8 2002:808:808::1
2001:0:808:808::f7f7:f7f7
"""
OUTWARD = _OUTWARD_TEXT.split()


@pytest.mark.parametrize("address", INWARD)
def test_special_address_is_not_globally_routable(address: str) -> None:
    assert globally_routable(address) is False


@pytest.mark.parametrize("address", OUTWARD)
def test_public_address_is_globally_routable(address: str) -> None:
    assert globally_routable(address) is True
    assert globally_routable(ip_address(address)) is True


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "0x7f000001", "2130706433", "1.2.3.4.5", "::g", "8.8.8.8 "]
)
def test_what_is_no_address_is_not_routable(text: str) -> None:
    assert globally_routable(text) is False


def test_table_is_wide_enough() -> None:
    assert len(set(INWARD)) + len(set(OUTWARD)) > 90
