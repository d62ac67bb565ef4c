"""Every URL of a webhook leads to the public internet or is refused."""

from collections.abc import Callable

import pytest

from chalicelib.providers.url_guard import NoAddress, NotAllowed, Target, check_url, find_address, is_public, resolve

NOBODY: frozenset[str] = frozenset()


def answering(*addresses: str) -> Callable[[str, int], tuple[str, ...]]:
    return lambda _host, _port: addresses


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com",
        "https://hooks.example.com:443/a/b?c=d%00",
        "https://HOOKS.example.com/",
        "https://93.184.216.34/x",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/x",
        "https://xn--mnchen-3ya.example/hook",
    ],
)
def test_public_urls_are_taken(url: str) -> None:
    assert check_url(url, NOBODY).port == 443


CORPUS = [
    # not https, or another port
    "http://hooks.example.com/",
    "ftp://hooks.example.com/",
    "//hooks.example.com/",
    "hooks.example.com",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "https://hooks.example.com:8443/",
    "https://hooks.example.com:22/",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:99999/",
    "https://hooks.example.com:https/",
    # a foreign host behind a misleading user name
    "https://user@hooks.example.com/",
    "https://hooks.example.com:pass@evil.example/",
    "https://hooks.example.com@169.254.169.254/",
    "https://hooks.example.com\\@169.254.169.254/",
    "https://hooks.example.com%00.evil.example/",
    "https://hooks.example.com#@evil.example/",
    "https://hooks.example.com\t/",
    "https://hooks.example.com\n.evil.example/",
    " https://hooks.example.com/",
    "https://hooks.example.com /",
    "https:///path",
    "https://",
    "",
    # loopback, metadata, private: plain, decimal, hexadecimal, octal, short, mixed
    "https://localhost/",
    "https://localhost./",
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://0127.0.0.1/",
    "https://0/",
    "https://0.0.0.0/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://0251.0376.0251.0376/",
    "https://169.254.43518/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://198.18.0.1/",
    "https://192.0.0.192/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    # IPv6: loopback, mapped, compatible, NAT64, 6to4, Teredo, unique local, link local with a zone, metadata
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[0:0:0:0:0:ffff:a9fe:a9fe]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001::1]/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[2606:2800:220:1::1%25eth0]/",
    "https://[ff02::1]/",
    "https://[::1",
    "https://[v1.example]/",
    "https://[v7.127.0.0.1]/",
    "https://[hooks.example.com]/",
    # characters that become others: full width and circled digits, a dotless full stop, soft hyphens
    "https://①②⑦.0.0.1/",
    "https://127。0。0。1/",
    "https://１２７.0.0.1/",
    "https://loc\u00adalhost/",
    "https://ⓛocalhost/",
    "https://münchen.example/",
    # names of a private network, or invalid names
    "https://intranet/",
    "https://metadata/",
    "https://-hooks.example.com/",
    "https://hooks..example.com/",
    "https://hooks_.example.com/",
    f"https://{'a' * 64}.example.com/",
    f"https://hooks.example.com/{'a' * 2048}",
]


@pytest.mark.parametrize("url", CORPUS)
def test_nothing_else_is(url: str) -> None:
    with pytest.raises(NotAllowed):
        check_url(url, NOBODY)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:2800:220:1::1", "2a00:1450::1", "2620:0:2d0::1"],
)
def test_public_addresses_are_known(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address", ["", "hooks.example.com", "8.8.8", "010.8.8.8", "8.8.8.8 ", "1e2.1.1.1", "::ffff:8.8.8.8"]
)
def test_what_is_no_plain_public_address_is_none(address: str) -> None:
    assert not is_public(address)


class TestNames:
    TARGET = Target("hooks.example.com", 443, is_trusted=False)

    def test_the_address_that_was_checked_is_the_one_to_connect_to(self) -> None:
        answers = [("93.184.216.34",), ("127.0.0.1",)]
        # A name that answers differently the second time is asked once.
        assert find_address(self.TARGET, lambda _host, _port: answers.pop(0)) == "93.184.216.34"
        assert answers == [("127.0.0.1",)]

    @pytest.mark.parametrize("bad", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fe80::1%2"])
    def test_one_bad_address_among_good_ones_closes_the_name(self, bad: str) -> None:
        for found in ((bad,), ("93.184.216.34", bad), (bad, "2606:2800:220:1::1")):
            with pytest.raises(NotAllowed):
                find_address(self.TARGET, answering(*found))

    def test_ipv4_goes_first(self) -> None:
        assert find_address(self.TARGET, answering("2606:2800:220:1::1", "93.184.216.34")) == "93.184.216.34"

    def test_a_name_without_an_address_is_told_apart(self) -> None:
        with pytest.raises(NoAddress):
            find_address(self.TARGET, answering())

    def test_a_name_that_cannot_be_is_without_an_address(self) -> None:
        assert resolve("nowhere.invalid\x00", 443) == ()

    def test_this_machine_is_found_under_its_name(self) -> None:
        assert set(resolve("localhost", 443)) <= {"127.0.0.1", "::1"}


class TestAllowList:
    ALLOWED = frozenset({"127.0.0.1:9000", "hooks.intern:443"})

    @pytest.mark.parametrize(
        ("url", "host"),
        [
            ("http://127.0.0.1:9000/x", "127.0.0.1"),
            ("https://127.0.0.1:9000/x", "127.0.0.1"),
            ("https://hooks.intern/", "hooks.intern"),
        ],
    )
    def test_what_the_installation_names_is_taken_as_it_is(self, url: str, host: str) -> None:
        target = check_url(url, self.ALLOWED)
        assert (target.host, target.is_trusted) == (host, True)
        assert find_address(target, answering("10.0.0.7")) == "10.0.0.7"

    @pytest.mark.parametrize(
        "url",
        ["http://127.0.0.1:9001/", "http://user@127.0.0.1:9000/", "http://hooks.intern/", "ftp://127.0.0.1:9000/"],
    )
    def test_and_nothing_beside_it(self, url: str) -> None:
        with pytest.raises(NotAllowed):
            check_url(url, self.ALLOWED)
