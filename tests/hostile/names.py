"""Names and addresses that contain code, hide text, or imitate another one."""

from tests.hostile.request import Ask

CONTACTS = "/v1/contacts"
#: Stored unchanged; every page and message must escape them.
KEPT = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "{% for a in b %}",
    "\u202eevil\u202c",
    "\u200f\u05d0\u05d1", "a\u200bb", "Zoe\u0308", "\N{PILE OF POO}" * 50, "' OR 1=1 --", "${jndi:ldap://x}", "=1+1",
    "@SUM(A1)", "%00", "../../etc/passwd", "x" * 200, "\ufeffBOM", "\u0600" * 200, "A\r\nBcc: eve@example.com",
)  # fmt: skip
#: Refused with the field and the limit, if there is one.
REFUSED = (
    ("x" * 10_000, "200"), ("x" * 201, "200"), ("a\x00b", "control"), ("\x1b[31m", "control"), ("a\x7f", "control"),
)  # fmt: skip
#: Invalid addresses, and addresses that imitate another one.
NO_ADDRESS = (
    "\N{CYRILLIC SMALL LETTER A}dmin@example.com", "admin@exa mple.com", "a\u200bb@example.com", "\u202ea@example.com",
    "a@\u202eexample.com", "ada@example.com\r\nBcc: eve@example.com", "ada@example.com,eve@example.com",
    "Ada <ada@example.com>", '"a b"@example.com', "a@[127.0.0.1]", "a@localhost", "a@127.0.0.1",
    "x" * 65 + "@example.com",
    "a@" + "x" * 64 + ".com", "a@" + "x." * 130 + "com", "\N{FULLWIDTH LATIN SMALL LETTER A}@example.com",
    "a@exam\u0000ple.com", "@", "a@@example.com", ".a@example.com", "a.@example.com", "a@-example.com",
    "x" * 400 + "@x.de",
)  # fmt: skip
#: Two spellings of one address, and its stored form.
ONE_ADDRESS = (
    ("ada@\N{FULLWIDTH LATIN SMALL LETTER E}xample.com", "ada@example.com", "ada@example.com"),
    ("ada@EXAMPLE.com", "ADA@example.com", "ada@example.com"),
    ("ada@\N{CYRILLIC SMALL LETTER A}pple.com", "ada@xn--pple-43d.com", "ada@xn--pple-43d.com"),
    ("ada@b\u00fccher.example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
    ("ada@bu\u0308cher.example", "ada@b\u00fccher.example", "ada@xn--bcher-kva.example"),
)  # fmt: skip
#: Addresses that look like a stored one but belong to another contact.
LOOKALIKES = (
    "ada@apple.com",
    "ada@\N{CYRILLIC SMALL LETTER A}pple.com",
    "ada@app1e.com",
    "ada@appIe.com",
    "ada@ap\u0440le.com",
)


def asks() -> list[Ask]:
    """Return all names and addresses as new contacts."""
    kept = [Ask(f"name {name[:12]!r}", CONTACTS, {"externalId": "x", "firstName": name}) for name in KEPT]
    refused = [Ask(f"name {name[:9]!r}", CONTACTS, {"firstName": name}, ("firstName", word)) for name, word in REFUSED]
    wrong = [Ask(f"address {each[:20]!r}", CONTACTS, {"email": each}, ("email",)) for each in NO_ADDRESS]
    long = {
        "10 kB tag": {"tags": ["x" * 10_000]},
        "10 kB attribute": {"attributes": {"a": "x" * 10_000}},
        "10 kB name of an attribute": {"attributes": {"a" * 10_000: 1}},
        "formula for an attribute": {"attributes": {"=1+1": 1}},
        "10 kB externalId": {"externalId": "x" * 10_000},
        "10 kB phone": {"phone": "+" + "1" * 10_000},
        "10 kB time zone": {"timezone": "../" * 3_000},
        "10 kB token": {"pushTokens": ["x" * 1_000_000]},
        "10 kB uid": {"uid": "x" * 10_000},
    }
    return [*kept, *refused, *wrong, *(Ask(name, CONTACTS, body) for name, body in long.items())]
