# SPDX-License-Identifier: MIT
# deliver.py MESSAGE PORT CONNECTIONS MESSAGES: Python's smtplib, a thread a connection; each message is composed from
# the parts of MESSAGE for its reader.
import email
import email.message
import email.policy
import smtplib
import sys
import threading

raw, port, connections, messages = open(sys.argv[1], "rb").read(), *map(int, sys.argv[2:5])
source = email.message_from_bytes(raw, policy=email.policy.default)
text, html = (source.get_body((kind,)).get_content() for kind in ("plain", "html"))
numbers = iter(range(messages))
lock = threading.Lock()


def work():
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        while True:
            with lock:
                n = next(numbers, None)
            if n is None:
                return
            m = email.message.EmailMessage()
            m["From"], m["To"], m["Subject"] = "The Daily <daily@news.example.org>", f"reader{n}@example.org", "Good morning"
            m["List-Unsubscribe"] = f"<https://news.example.org/u/{n}>"
            m.set_content(text, cte="quoted-printable")
            m.add_alternative(html, subtype="html", cte="quoted-printable")
            smtp.send_message(m)


threads = [threading.Thread(target=work) for _ in range(connections)]
for t in threads:
    t.start()
for t in threads:
    t.join()
