"""Stories: what belongs together is told together, and nothing else is."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hinomi.detect.story import joined, tell
from hinomi.detect.tactics import OTHER, PHASES, phase_of
from hinomi.model.findings import Finding
from hinomi.model.text import Bilingual


def implant(finding) -> list[Finding]:
    """One implant: twins that watch each other, started at boot, one adds an account, one asks a database."""
    return [
        finding(
            "watch", "/bin/alpha", related=("/bin/beta",), severity="high", attack=("T1543",), threats=("UNC4540",)
        ),
        finding(
            "watch", "/bin/beta", related=("/bin/alpha",), severity="high", attack=("T1543",), threats=("UNC4540",)
        ),
        finding("boot", "/etc/rc.local", related=("/bin/alpha",), attack=("T1037.004",)),
        finding("account", "/bin/gamma", related=("vex", "/bin/alpha"), severity="high", attack=("T1136.001",)),
        finding("uid0", "vex", subject_type="account", severity="high", attack=("T1078.003",), threats=("UNC4540",)),
        finding("query", "/bin/beta", attack=("T1555",), threats=("UNC4540", "Other")),
        finding("indicator:filename", "/bin/beta", rule_kind="indicator", severity="low", confidence=30),
    ]


def test_one_implant_is_one_story_in_order_of_the_attack(finding) -> None:
    findings = implant(finding)
    (story,) = tell(findings)
    assert set(story.findings) == {f.id for f in findings}
    assert story.threats == ("UNC4540",)
    assert story.severity == "critical"  # high, borne out by three phases
    assert story.confidence >= 95
    order = [next(f.rule_id for f in findings if f.id == i) for i in story.findings]
    assert order.index("uid0") < order.index("watch") < order.index("query") < order.index("indicator:filename")
    assert "UNC4540" in story.title.en and "UNC4540" in story.title.ja
    assert "永続化" in story.explanation.ja and "Persistence" in story.explanation.en


def test_two_common_findings_name_nobody(finding) -> None:
    """An account without a password that is root as well: in a report on somebody, and on many machines."""
    common = [
        finding("uid0", "vex", subject_type="account", severity="high", attack=("T1078.003",), threats=("UNC4540",)),
        finding("empty", "vex", subject_type="account", severity="high", attack=("T1078.003",), threats=("UNC4540",)),
    ]
    (story,) = tell(common)
    assert "UNC4540" not in story.title.en and "UNC4540" not in story.title.ja
    code = finding("tinyshell", "/bin/x", rule_kind="yara", related=("vex",), severity="high", threats=("UNC4540",))
    (story,) = tell([*common, code])
    assert "UNC4540" in story.title.en, "its own code was found"


def test_unrelated_findings_stay_alone(finding) -> None:
    others = [
        finding("a", "/opt/x", severity="high"),
        finding("b", "/srv/y", severity="high", related=("/etc/passwd",)),
        finding("c", "/srv/z", related=("/etc/passwd",)),
        finding("d", "/srv/w", related=("bash",)),
        finding("e", "/bin/bash"),
    ]
    assert tell(others) == []
    (story,) = tell([*implant(finding), *others])
    assert not {f.id for f in others} & set(story.findings)


def test_names_alone_make_no_story(finding) -> None:
    names = [
        finding(f"indicator:{kind}", "/usr/sbin/some", rule_kind="indicator", severity="low")
        for kind in ("filename", "filepath")
    ]
    assert tell(names) == []
    assert tell([*names, finding("r", "/usr/sbin/some", severity="low")]) == []
    assert len(tell([*names, finding("r", "/usr/sbin/some", severity="medium")])) == 1


def test_one_rule_twice_info_and_advisories_make_no_story(finding) -> None:
    assert tell([finding("a", "/x", severity="high"), finding("a", "/y", severity="high", related=("/x",))]) == []
    assert tell([finding("a", "/x", severity="high"), finding("b", "/x", severity="info")]) == []
    assert (
        tell([finding("a", "/x", severity="high"), finding("b", "/x", rule_kind="advisory", severity="critical")]) == []
    )


def test_targets_are_kept_apart(finding) -> None:
    both = [finding(rule, "/x", target=target, severity="high") for target in ("one", "two") for rule in ("a", "b")]
    assert [story.target for story in tell(both)] == ["one", "two"]
    assert tell([both[0], both[3]]) == []


def test_a_process_number_is_no_file_name(finding) -> None:
    assert (
        tell([finding("a", "7", subject_type="process", severity="high"), finding("b", "/opt/7", severity="high")])
        == []
    )
    process = finding("a", "7", subject_type="process", severity="high", related=("/opt/7",))
    assert len(tell([process, finding("b", "/opt/7", severity="high")])) == 1
    assert len(tell([process, finding("c", "7", subject_type="process")])) == 1


def test_a_library_inside_an_archive_belongs_to_the_archive(finding) -> None:
    (story,) = tell([finding("a", "/x.jar » y", severity="high"), finding("b", "/x.jar")])
    assert len(story.findings) == 2


def test_joined_findings_know_their_story_and_names_gain_confidence(finding) -> None:
    findings = [*implant(finding), finding("a", "/lone", severity="high")]
    stories = tell(findings)
    result = joined(findings, stories)
    assert [f.id for f in result] == [f.id for f in findings]
    assert {f.story for f in result} == {stories[0].id, None}
    assert next(f for f in result if f.rule_id == "indicator:filename").confidence == 60
    assert joined(result, tell(result)) == result, "telling again changes nothing"
    assert tell(result)[0].findings == stories[0].findings


def test_hostile_subjects_are_shown_printable(finding) -> None:
    (story,) = tell([finding("a", "/x\x1b[2J\n", severity="high"), finding("b", "/x\x1b[2J\n")])
    assert "\x1b" not in story.explanation.en
    # a line for the count and one for each phase: the newline in the name adds none
    assert story.explanation.en.count("\n") == story.explanation.ja.count("\n") == 1


def test_many_findings_are_told_briefly(finding) -> None:
    many = [finding(f"r{i}", "/x", severity="high", title=Bilingual("t" * 50, "題")) for i in range(500)]
    (story,) = tell(many)
    assert "and 495 more" in story.explanation.en and len(story.explanation.en) < 2000


SUBJECTS = st.sampled_from(["/a", "/b", "/c/a", "a", "b", "/etc/passwd", "", "7"])
PARTS = st.lists(st.tuples(st.sampled_from("pqrs"), SUBJECTS, st.lists(SUBJECTS, max_size=3)), max_size=12)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(PARTS, st.randoms(use_true_random=False))
def test_stories_are_disjoint_and_do_not_depend_on_order(parts, random) -> None:
    findings = [
        Finding(
            id=f"{n:x}",
            rule_id=rule,
            rule_kind="sql",
            title=Bilingual("t", "t"),
            explanation=Bilingual("e", "e"),
            severity="medium",
            confidence=50,
            target="t",
            subject_type="file",
            subject_key=subject,
            related=tuple(related),
        )
        for n, (rule, subject, related) in enumerate(parts)
    ]
    stories = tell(findings)
    listed = [f for story in stories for f in story.findings]
    assert len(listed) == len(set(listed))
    assert all(len(story.findings) >= 2 for story in stories)
    shuffled = list(findings)
    random.shuffle(shuffled)
    assert {frozenset(s.findings) for s in tell(shuffled)} == {frozenset(s.findings) for s in stories}


def test_phases_know_each_technique_once() -> None:
    assert phase_of(["T1037.004"]).name == "persistence"
    assert phase_of(["T9999", "T1555.003"]).name == "credentials"
    assert phase_of([]) is OTHER
    assert len({phase.name for phase in PHASES}) == len(PHASES)
