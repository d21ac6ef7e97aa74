import plistlib

from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.evidence.collectors.accounts import COLLECTOR
from hinomi.evidence.sources.memory import memory_target
from hinomi.model.findings import Coverage
from hinomi.model.tables.host import Account

PASSWD = (
    "root:x:0:0:root:/root:/bin/bash\n"
    "daemon:*:1:1::/:/usr/sbin/nologin\n"
    "acme:x:0:0::/:/bin/sh\n"
    "ann:x:1000:100:Ann:/home/ann:/bin/bash\n"
    "old:abJnggxhB/yWI:1001:100::/:/bin/sh\n"
    "open::1002:100::/:\n"
    "ghost:x:1003:7::/:/bin/sh\n"
)
SHADOW = "root:$y$j9T$a$b:19000:0:99999:7:::\ndaemon:*:19000::::::\nacme:$1$a$b:19700::::::\nann:!$6$a$b:0::::::\n"
GROUP = "root:x:0:\nusers:x:100:\nwheel:x:10:ann,acme\n"


def collect(files: dict, coverage: Coverage | None = None) -> list[Account]:
    return list(COLLECTOR.collect(memory_target(files), coverage or Coverage()))


def test_accounts_with_states_groups_and_sudo() -> None:
    files = {
        "/etc/passwd": PASSWD,
        "/etc/shadow": SHADOW,
        "/etc/group": GROUP,
        "/etc/sudoers": "root ALL=(ALL) ALL\n%wheel ALL=(ALL) NOPASSWD: ALL\n#includedir /etc/sudoers.d\n",
        "/etc/sudoers.d/x": "#1002 ALL=ALL\n",
        "/etc/passwd-": "backup:x:0:0::/:/bin/sh\n",
    }
    coverage = Coverage()
    rows = collect(files, coverage)
    assert coverage.complete
    assert [(r.name, r.uid, r.position, r.line, r.password_state, r.hash_method) for r in rows] == [
        ("root", 0, 0, 1, "hashed", "yescrypt"),
        ("daemon", 1, 1, 2, "locked", None),
        ("acme", 0, 2, 3, "hashed", "md5"),
        ("ann", 1000, 3, 4, "locked", "sha512"),
        ("old", 1001, 4, 5, "in-passwd", "des"),
        ("open", 1002, 5, 6, "empty", None),
        ("ghost", 1003, 6, 7, "missing", None),
    ]
    by_name = {r.name: r for r in rows}
    assert by_name["root"].password_changed == "2022-01-08"
    assert by_name["ann"].password_changed is None
    assert by_name["ann"].groups == ["users", "wheel"]
    assert by_name["ghost"].groups == ["7"]
    assert by_name["ann"].sudo == ["/etc/sudoers:2: %wheel ALL=(ALL) NOPASSWD: ALL"]
    assert by_name["root"].sudo == ["/etc/sudoers:1: root ALL=(ALL) ALL"]
    assert [r.name for r in rows if r.login] == ["root", "acme", "ann", "old", "open", "ghost"]
    assert not any("$" in str(r) for r in rows), "a hash may never leave its file"


def test_vendor_places_are_read_and_look_alikes_are_not() -> None:
    files = {
        "/etc/passwd": "root:x:0:0::/:/bin/sh\n",
        "/cf/conf/passwd": "hidden:x:0:0::/:/bin/sh\n",
        "/etc/master.passwd": "root:$2b$1$x:0:0:class:0:0:Charlie:/root:/bin/csh\n",
        "/cf/passwd": "this is no account file\n",
        "/etc/pam.d/passwd": "auth required x.so\n",
        "/cf/htpasswd": "user:$apr1$a$b\n",
    }
    assert [(r.path, r.name, r.uid, r.shell, r.password_state) for r in collect(files)] == [
        ("/etc/passwd", "root", 0, "/bin/sh", "missing"),
        ("/etc/master.passwd", "root", 0, "/bin/csh", "in-passwd"),
        ("/cf/conf/passwd", "hidden", 0, "/bin/sh", "missing"),
    ]


def test_unreadable_shadow_is_said(monkeypatch) -> None:
    target = memory_target({"/etc/passwd": "root:x:0:0::/:/bin/sh\n", "/etc/shadow": SHADOW})
    read = target.view.read

    def refused(path: bytes, limit: int) -> bytes:
        if path == b"/etc/shadow":
            raise PermissionError(13, "Permission denied")
        return read(path, limit)

    monkeypatch.setattr(target.view, "read", refused)
    coverage = Coverage()
    rows = list(COLLECTOR.collect(target, coverage))
    assert [r.password_state for r in rows] == ["unreadable"]
    assert [(m.area, m.subject, m.reason) for m in coverage.misses] == [("accounts", "/etc/shadow", "permission")]


def test_macos_records() -> None:
    record = {
        "name": ["jo", "Jo"],
        "uid": ["501"],
        "gid": ["20"],
        "home": ["/Users/jo"],
        "shell": ["/bin/zsh"],
        "ShadowHashData": [b"x"],
    }
    files = {
        "/var/db/dslocal/nodes/Default/users/jo.plist": plistlib.dumps(record, fmt=plistlib.FMT_BINARY),
        "/var/db/dslocal/nodes/Default/users/bad.plist": b"bplist00garbage",
    }
    coverage = Coverage()
    rows = collect(files, coverage)
    assert [(r.name, r.uid, r.shell, r.password_state, r.login) for r in rows] == [
        ("jo", 501, "/bin/zsh", "hashed", True)
    ]
    assert [(m.subject, m.reason) for m in coverage.misses] == [
        ("/var/db/dslocal/nodes/Default/users/bad.plist", "unparsable")
    ]


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.binary(max_size=300), st.text("root:x0\n,%=ALL@include \\", max_size=200))
def test_any_content_is_rows(data: bytes, text: str) -> None:
    files = {"/etc/passwd": data, "/etc/shadow": text, "/etc/group": data, "/etc/sudoers": text, "/cf/passwd": data}
    files["/var/db/dslocal/nodes/Default/users/a.plist"] = b"bplist00" + data
    for row in collect(files):
        assert row.position is None or row.position >= 0
