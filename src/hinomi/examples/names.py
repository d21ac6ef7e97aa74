"""Names of the replica: those of the published case for seed 0, invented ones for every other seed.

A rule that only knows the published names finds nothing in the replicas of the other seeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

_SYLLABLES = (
    "ba",
    "co",
    "dri",
    "el",
    "fu",
    "gra",
    "hin",
    "jo",
    "ka",
    "lum",
    "mo",
    "net",
    "or",
    "pli",
    "ras",
    "so",
    "tu",
)


@dataclass(frozen=True, slots=True)
class Names:
    """Every name, path, number and address of one replica."""

    folder: str  # where the implant lies
    main: str
    twin: str
    helper: str  # what the patched vendor program calls
    implant: str  # the ELF program
    hook: str  # the firmware loop
    vendor: str  # the patched vendor daemon
    vendor_peers: tuple[str, ...]
    account: str
    boot_file: str
    firmware: str  # the new image that the upgrade puts down
    mount: str
    session_database: str
    session_table: str
    user_column: str
    secret_column: str
    loot: str
    host: str
    port: int
    time: str
    interval: int
    watch_interval: int
    near_copy: bool  # the twin is the main script with the names exchanged


def names(seed: int) -> Names:
    """Return the names of a seed; the same seed gives the same names."""
    return _published() if seed == 0 else _invented(Random(seed))


def _published() -> Names:
    return Names(
        folder="/bin", main="firewalld", twin="iptabled", helper="ifconfig6", implant="httpsd", hook="geoBotnetd",
        vendor="firebased", vendor_peers=("sessiond", "netextd", "policyd", "wafd"), account="acme",
        boot_file="/etc/rc.d/rc.local", firmware="/cf/FIRMWARE/NEW/INITRD.GZ", mount="/tmp/zzz",
        session_database="/tmp/temp.db", session_table="Sessions", user_column="userName", secret_column="password",
        loot="/tmp/syslog.db", host="198.51.100.77", port=443, time="0315", interval=10, watch_interval=30,
        near_copy=True,
    )  # fmt: skip


def _word(rng: Random) -> str:
    return "".join(rng.sample(_SYLLABLES, rng.randint(2, 3)))


def _invented(rng: Random) -> Names:
    words = [f"{_word(rng)}{n}" for n in range(12)]  # the number keeps them apart
    store = rng.choice(("/data/fw", "/mnt/flash/upgrade", "/config/next", "/var/pending"))
    return Names(
        folder=rng.choice(("/bin", "/usr/sbin", "/opt/" + words[10], "/usr/lib/." + words[10], "/data/" + words[10])),
        main=words[0], twin=words[1] + rng.choice(("", "d", ".sh")), helper=words[2], implant=words[3], hook=words[4],
        vendor=words[5] + "d", vendor_peers=tuple(w + "d" for w in words[6:10]), account=words[11],
        boot_file=rng.choice(("/etc/rc.local", "/etc/rc.d/rc.local", "/etc/init.d/S99local", "/etc/init.d/rcS")),
        firmware=f"{store}/{rng.choice(('root', 'image', 'ramdisk'))}{rng.choice(('.gz', '.img.gz', '.bin'))}",
        mount=f"/tmp/{_word(rng)}", session_database=f"/var/run/{_word(rng)}.db", session_table=_word(rng).title(),
        user_column=rng.choice(("user", "login", "user_name", "account")),
        secret_column=rng.choice(("passwd", "password_hash", "pwhash", "password", "sessionid")),
        loot=f"/var/tmp/{_word(rng)}.{rng.choice(('db', 'sqlite', 'mdb', 'dat.db'))}",
        host=f"203.0.113.{rng.randint(1, 254)}", port=rng.randint(1025, 60000), time=f"{rng.randint(0, 23):02}30",
        interval=rng.choice((5, 15, 20, 60)), watch_interval=rng.choice((3, 30, 45, 300)),
        near_copy=rng.random() < 0.5,
    )  # fmt: skip
