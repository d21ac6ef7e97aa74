"""What is learned, what surprises, and what a later look has that was never seen."""

import pytest

from hinomi.model.errors import CaseError
from hinomi.watch.profile.deviations import deviations
from hinomi.watch.profile.profile import Profile, profile_from
from hinomi.watch.profile.sighting import Look, Sighting, sightings


def process(pid: int, exe: str | None, ppid: int = 1, **more) -> dict:
    row = {
        "pid": pid, "ppid": ppid, "name": (exe or "x").rsplit("/", 1)[-1][:15], "exe": exe, "script": None,
        "cmdline": [exe or "x"], "uid": 0, "user": "root", "login_uid": None, "tty": None, "started": float(pid),
        "kernel_thread": False, "row": pid,
    }  # fmt: skip
    return row | more


def connection(pid: int, state: str, local: int, remote: str | None = None, port: int = 0) -> dict:
    return {
        "pid": pid, "protocol": "tcp", "local_address": "0.0.0.0", "local_port": local, "remote_address": remote,
        "remote_port": port, "state": state, "namespace": "net:[1]",
    }  # fmt: skip


INIT = process(1, "/sbin/init", 0)
WEB = process(50, "/usr/sbin/webd", cmdline=["webd", "-w", "4"])
LISTENING = [connection(50, "listen", 443), connection(50, "established", 443, "192.0.2.200", 51000)]


def look(name: str, *extra: dict, sockets: list[dict] = LISTENING) -> Look:
    return Look(name, tuple(sightings([INIT, WEB, *extra], sockets)))


@pytest.fixture
def profile() -> Profile:
    made = Profile("host", "2026-01-01", "2026-01-09")
    for number in range(20):
        made.learn(look(f"{number}", process(60 + number, f"/home/ann/tool{number}", tty="pts/0")))
    return made


def test_a_sighting_is_reduced_to_traits() -> None:
    (init, web, thread_less) = sightings([INIT, WEB, process(51, None, 2), process(52, "/bin/sh", 50)], LISTENING)
    assert init.traits["parent"] == {"-"} and web.traits["parent"] == {"/sbin/init"}
    assert web.traits["arguments"] == {"-w #"} and web.traits["user"] == {"root"}
    assert web.traits["listens"] == {"tcp 443 any"}
    assert web.traits["connects"] == frozenset()  # its clients called
    assert thread_less.program == "/bin/sh" and thread_less.traits["parent"] == {"/usr/sbin/webd"}


def test_scripts_are_programs_and_a_parent_is_never_younger() -> None:
    rows = [
        process(10, "/bin/sh", script="/srv/a.sh"),
        process(5, "/bin/x", 10),
        process(7, "/bin/sh", script="/dev/fd/3"),
    ]
    found = sightings(rows, [])
    assert [s.program for s in found] == ["/srv/a.sh", "/bin/x", "/bin/sh"]
    assert found[1].traits["parent"] == {"-"}  # the number was given again


def test_the_usual_is_no_deviation(profile: Profile) -> None:
    assert list(deviations(profile, look("now"))) == []


def test_a_daemon_that_calls_and_listens_for_the_first_time(profile: Profile) -> None:
    sockets = [*LISTENING, connection(50, "listen", 8081), connection(50, "established", 40000, "198.51.100.9", 8443)]
    found = {row.kind: row for row in deviations(profile, look("now", sockets=sockets))}
    assert set(found) == {"listens", "connects"}
    assert found["connects"].value == "tcp 198.51.100.0/24 8443" and found["connects"].usual == []
    assert found["listens"].usual == ["tcp 443 any"] and found["listens"].seen == found["listens"].looks == 20
    assert min(row.surprise for row in found.values()) > 90


def test_new_programs_surprise_among_services_and_not_among_what_users_start(profile: Profile) -> None:
    now = look("now", process(90, "/opt/new"), process(91, "/home/ann/other", tty="pts/0"))
    service, tool = deviations(profile, now)
    assert (service.kind, service.program, service.by_login) == ("program", "/opt/new", False)
    assert tool.by_login and service.surprise > 90 and tool.surprise < 10


def test_little_learning_surprises_little() -> None:
    young = Profile("host", "a", "b")
    young.learn(look("0"))
    assert young.surprise_of_program(False) < 50


def test_suspects_are_not_learned() -> None:
    made = Profile("host", "a", "b")
    made.learn(look("0", process(70, "/opt/odd")), leave_out=[70])
    assert "/opt/odd" not in made.programs and made.looks == 1


def test_a_profile_is_the_same_after_its_form(profile: Profile) -> None:
    data = profile.to_bytes()
    again = profile_from(data, "x")
    assert again.to_bytes() == data
    assert list(deviations(again, look("now", process(90, "/opt/new")))) == list(
        deviations(profile, look("now", process(90, "/opt/new")))
    )


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"schema":"other/1"}', b'{"schema":"hinomi.profile/1","programs":{"a":1}}']
)
def test_what_is_no_profile(data: bytes) -> None:
    with pytest.raises(CaseError) as raised:
        profile_from(data, "x")
    assert raised.value.code == "profile.malformed"


def test_sightings_are_plain_values() -> None:
    one = Sighting(1, "a", "/a", False, {})
    assert one == Sighting(1, "a", "/a", False, {})
