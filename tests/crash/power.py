# SPDX-License-Identifier: MIT
"""Power loss: a run of the program is traced (build/crash.so), then the files of its site are rebuilt as
of any moment with each write since that file's last sync kept, dropped or torn."""
import collections
import os
import shutil
import struct
import sys
import time

HEAD = struct.Struct("=cc6xqq")
FILES = {b"d": "lettermill.db", b"w": "lettermill.db-wal", b"j": "lettermill.db.journal/daily.proof"}
SECTOR = 512


def read_trace(path):
    """[(kind, file, offset, octets)] in the order of happening."""
    events = []
    with open(path, "rb") as f:
        data = f.read()
    at = 0
    while at < len(data):
        kind, file, offset, n = HEAD.unpack_from(data, at)
        at += HEAD.size
        events.append((kind, file, offset, data[at:at + n]))
        at += n
    return events


def put(content, kind, offset, octets):
    if kind == b"T":
        del content[offset:]
        content.extend(bytes(offset - len(content)))
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(octets)] = octets


def torn(random, octets):
    """Some sectors of a write, not all."""
    return [(i, octets[i:i + SECTOR]) for i in range(0, len(octets), SECTOR) if random.random() < 0.5]


def rebuild(random, before, events, cut):
    """What the disk may hold when the power fails after event `cut`."""
    synced = {file: -1 for file in FILES}
    for i in range(cut):
        if events[i][0] == b"S":
            synced[events[i][1]] = i
    files = {file: bytearray(before.get(file, b"")) for file in FILES}
    fate = random.choice(("drop all", "keep all", "each by lot"))
    for i in range(cut):
        kind, file, offset, octets = events[i]
        if kind not in (b"W", b"T"):
            continue
        if i < synced[file]:
            put(files[file], kind, offset, octets)
            continue
        lot = {"drop all": 0, "keep all": 1}.get(fate, random.random() * 3)
        if lot >= 2 and kind == b"W":
            for at, part in torn(random, octets):
                put(files[file], kind, offset + at, part)
        elif lot >= 1:
            put(files[file], kind, offset, octets)
    return files


def write_site(site, files):
    for file, content in files.items():
        path = os.path.join(site, FILES[file])
        if content:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(content)
        elif os.path.exists(path):
            os.unlink(path)
    if os.path.exists(os.path.join(site, "lettermill.db-shm")):
        os.unlink(os.path.join(site, "lettermill.db-shm"))


def read_site(site):
    return {file: open(os.path.join(site, name), "rb").read() for file, name in FILES.items()
            if os.path.exists(os.path.join(site, name))}


def scenario(run, name, traces, cuts):
    t, started = collections.Counter(), time.monotonic()
    for _ in range(traces):
        site = run.site(readers=300)
        try:
            one(run, site, t, cuts)
        except Exception as e:  # a rule broken, or a tool of the harness
            t["broken"] += 1
            print(f"{name}: {e!r}", file=sys.stderr)
        finally:
            site.close()
    run.tell(name, t, time.monotonic() - started)


def one(run, site, t, cuts):
    trace = site.log + ".trace"
    before = read_site(site.site)
    site.end(site.deliver(CRASH_TRACE=trace))
    events = read_trace(trace)
    copies_at = [(i, octets.decode()) for i, (kind, _, _, octets) in enumerate(events) if kind == b"D"]
    if len(copies_at) < site.readers:
        raise RuntimeError(f"the trace has {len(copies_at)} messages of {site.readers}")
    for _ in range(cuts):
        cut = run.random.randint(1, len(events))
        write_site(site.site, rebuild(run.random, before, events, cut))
        # What had left by then is there; the server begins a new record.
        left = collections.Counter(to for i, to in copies_at if i < cut)
        open(site.log, "w").close()
        site.time_passes()
        t["held"] += site.finish()
        t += site.judge(left + site.copies())
        t["troubles"] += 1
        t["issues"] += 1
