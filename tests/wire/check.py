#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""check.py DIR DOMAIN SELECTOR=PUBLIC...: read the copies that `wire` wrote as a mail program does.

Every message parses without a defect, has the header fields it ought to have and no other, says in
subject and parts what was put in and nothing more, and each signature verifies, and no longer does
once the message is changed. PUBLIC is the DNS record of the key.
"""
import email
import email.policy
import html
import pathlib
import re
import sys
import urllib.parse

import dkim

FIELDS = [
    "From", "Reply-To", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe",
    "List-Unsubscribe-Post", "List-Id", "Precedence", "Feedback-ID", "MIME-Version", "Content-Type",
]


def fitted(value):
    """The value as render.h promises it: controls as spaces, U+FFFD for what is not UTF-8."""
    text, i = "", 0
    while i < len(value):
        for n in (1, 2, 3, 4):
            try:
                text += value[i:i + n].decode()
                i += n
                break
            except UnicodeDecodeError:
                pass
        else:
            text += "\ufffd"
            i += 1
    return re.sub("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", " ", text)


def check(condition, file, what, *more):
    if not condition:
        sys.exit(f"{file}: {what} {' '.join(map(repr, more))}")


def expected_text(name, city):
    shown = fitted(name) if name else "friend"
    if city == b"Oslo":
        middle = ".cold\n"
    elif b"ork" in city:
        middle = "From work\n"
    elif city:
        middle = f"elsewhere: {fitted(city)}\n"
    else:
        middle = "nowhere\n"
    return f"Dear {shown},\n{middle}.end\nhttps://news.example.org/u/abc?x=1&y=2\n"


def expected_html(name):
    value = html.escape(fitted(name)).replace("&#x27;", "&#39;")
    url = urllib.parse.quote(fitted(name), safe="")
    return (f'<p title="{value}">{value or "friend"}.</p>\n'
            f'<a href="https://x.example/?n={url}&amp;z">x</a>\n'
            "<a href=https://news.example.org/u/abc?x=1&amp;y=2>leave</a>\n")


def check_parts(file, message, name, city):
    for part in message.walk():
        check(not part.defects, file, "defects", part.defects)
        for field, value in part.items():
            check(not value.defects, file, "defects of " + field, value.defects)
    types = [part.get_content_type() for part in message.walk()]
    check(types == ["multipart/alternative", "text/plain", "text/html"], file, "parts", types)
    text, page = (
        part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    check(text == expected_text(name, city), file, "text", text, expected_text(name, city))
    check(page == expected_html(name), file, "html", page, expected_html(name))


def check_head(file, message, signatures, name):
    names = [n for n in message.keys() if n != "DKIM-Signature"]
    check(names == FIELDS, file, "fields", names)
    check(message.keys().count("DKIM-Signature") == signatures, file, "signatures")
    subject = " ".join(("Hello " + (fitted(name) if name else "friend")).split(" ")).strip()
    subject = re.sub(" +", " ", subject)
    check(message["Subject"] == subject, file, "subject", message["Subject"], subject)
    check(message["To"].addresses[0].addr_spec == "ann@reader.example", file, "to")
    check(message["Date"].datetime.timestamp() == 1762149600, file, "date")


def check_lines(file, raw):
    check(raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n"), file, "line ends")
    for line in raw.split(b"\r\n"):
        check(len(line) <= 78 and not line.startswith(b".") and line.isascii(), file, "line", line)


def main(directory, domain, *keys):
    records = {}
    for key in keys:
        selector, record = key.split("=", 1)
        records[f"{selector}._domainkey.{domain}.".encode()] = record.encode()

    def verifies(raw, i):
        try:
            return dkim.DKIM(raw).verify(idx=i, dnsfunc=lambda name, timeout=5: records.get(name))
        except dkim.DKIMException:
            return False

    files = sorted(pathlib.Path(directory).glob("*.eml"))
    for file in files:
        raw = file.read_bytes()
        name = file.with_suffix(".value").read_bytes()
        city = file.with_suffix(".city").read_bytes()
        message = email.message_from_bytes(raw, policy=email.policy.default)
        check_lines(file, raw)
        check_head(file, message, len(keys), name)
        check_parts(file, message, name, city)
        for i in range(len(keys)):
            check(verifies(raw, i), file, "signature", i)
            for old, new in ((b"leave", b"stay!"), (b"=One-Click", b"=Two-Click"),
                             (b"From: ", b"From: x@y.example\r\nFrom: ")):
                changed = raw.replace(old, new)
                check(changed != raw and not verifies(changed, i),
                      file, "signature of a changed message", old)
    print(f"{len(files)} copies")


main(*sys.argv[1:])
