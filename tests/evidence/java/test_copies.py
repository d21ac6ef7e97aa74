"""What a copy of Log4j is, decided by constant pools: bands, renaming, shading, mitigations, look-alikes."""

from __future__ import annotations

import pytest

RCE = {"CVE-2021-44228", "CVE-2021-45046"}
EXPECTED = {
    "beta": ("vulnerable", {"CVE-2021-44228", "CVE-2021-45046", "CVE-2021-45105", "CVE-2021-44832"}),
    "open": ("vulnerable", {"CVE-2021-44228", "CVE-2021-45046", "CVE-2021-45105", "CVE-2021-44832"}),
    "hosts": ("vulnerable", {"CVE-2021-45046", "CVE-2021-45105", "CVE-2021-44832"}),
    "enabled": ("below-fix", {"CVE-2021-45105", "CVE-2021-44832"}),
    "lookup": ("below-fix", {"CVE-2021-44832"}),
    "jdbc": ("fixed", set()),
}


@pytest.mark.parametrize("band", EXPECTED)
def test_every_band_by_content(java, libraries, band):
    (row,), coverage = libraries.scan(java.jar(java.core_members(band)))
    state, cves = EXPECTED[band]
    assert (row.state, set(row.cves)) == (state, cves)
    assert row.name == "org.apache.logging.log4j:log4j-core"
    assert coverage.complete


@pytest.mark.parametrize("band", EXPECTED)
@pytest.mark.parametrize(
    "layout",
    [
        {"core": "com/acme/shaded/logging/core"},
        {"core": "a/b"},
        {"root": "BOOT-INF/classes/"},
        {"root": "WEB-INF/classes/", "core": "x/y/z"},
        {"root": "inst/", "suffix": ".classdata"},
        {"root": "agent/", "suffix": ".esclazz"},
        {"root": "META-INF/versions/9/"},
    ],
)
def test_moved_and_renamed_copies_stay_what_they_are(java, libraries, band, layout):
    members = {"org/other/Main.class": java.java_class("org/other/Main", ["hello"])} | java.core_members(band, **layout)
    assert libraries.states(java.jar(members)) == [EXPECTED[band][0]]


@pytest.mark.parametrize("band", ["open", "enabled", "lookup", "jdbc"])
def test_classes_with_meaningless_names(java, libraries, band):
    kind = {"jdbc": "lookup", "lookup": "lookup"}.get(band, "open")
    members = {
        "q/a.class": java.manager(band, name="q/a"),
        "q/b.class": java.lookup(kind, name="q/b", of="q/a"),
        "q/c.class": java.java_class("q/c", ["nothing of interest, " * 5]),
    }
    assert libraries.states(java.jar(members)) == [EXPECTED[band][0]]


def test_method_names_gone_but_strings_kept(java, libraries):
    texts = ["java.naming.factory.initial", "java.naming.provider.url", "lookup", "log4j2.enableJndi", "Jdbc", "Lookup"]
    members = {
        "a/a.class": java.java_class("a/a", texts),
        "a/b.class": java.java_class(
            "a/b", ["java:comp/env/", "jndi", "Lookup"], ["a/a", "javax/naming/NamingException"]
        ),
    }
    assert libraries.states(java.jar(members)) == ["fixed"]
    members["a/a.class"] = java.java_class("a/a", [*texts[:3], "JNDI InitialContextFactory class name [{}] was"])
    assert libraries.states(java.jar(members)) == ["vulnerable"]


def test_release_2_12_2_answers_lookups_with_a_warning(java, libraries):
    core = java.CORE
    members = {
        f"{core}/net/JndiManager.class": java.manager("enabled"),
        f"{core}/lookup/JndiLookup.class": java.lookup("disabled"),
    }
    (row,), _ = libraries.scan(java.jar(members | java.pom("2.12.2")))
    assert (row.state, row.version) == ("below-fix", "2.12.2")


def test_exactly_2_17_0_is_a_finding_and_2_17_1_is_not(java, libraries):
    (row,), _ = libraries.scan(java.jar(java.core_members("lookup") | java.pom("2.17.0")))
    assert (row.state, row.version, "CVE-2021-44832" in row.cves) == ("below-fix", "2.17.0", True)
    (row,), _ = libraries.scan(java.jar(java.core_members("jdbc") | java.pom("2.17.1")))
    assert (row.state, row.purl) == ("fixed", "pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1")


@pytest.mark.parametrize(
    ("version", "cves"),
    [
        ("2.3.2", {"CVE-2017-5645", "CVE-2025-68161", "CVE-2026-34480"}),
        ("2.25.3", {"CVE-2026-34477", "CVE-2026-34478", "CVE-2026-34480"}),
        ("2.25.4", set()),
    ],
)
def test_fixed_says_which_later_cves_remain(java, libraries, version, cves):
    (row,), _ = libraries.scan(java.jar(java.core_members("jdbc") | java.pom(version)))
    assert (row.state, set(row.cves)) == ("fixed", cves)


def test_metadata_never_decides(java, libraries):
    (row,), _ = libraries.scan(java.jar(java.core_members("open") | java.pom("2.17.1")))
    assert row.state == "vulnerable" and set(row.cves) >= RCE
    assert row.version == "2.17.1" and "metadata says 2.17.1" in row.why
    (row,), _ = libraries.scan(java.jar(java.core_members("jdbc") | java.pom("2.14.1")))
    assert row.state == "fixed" and "metadata says 2.14.1" in row.why and row.cves == []


def test_file_name_alone_names_the_version(java, libraries):
    (row,), _ = libraries.scan({"/opt/log4j-core-2.14.1.jar": java.jar(java.core_members("open"))})
    assert row.version == "2.14.1"


def test_fixed_copy_never_hides_a_vulnerable_one(java, libraries):
    both = java.core_members("jdbc") | java.core_members("open", core="shaded/log/core")
    assert libraries.states(java.jar(both)) == ["fixed", "vulnerable"]
    assert libraries.states(java.jar(dict(reversed(both.items())))) == ["fixed", "vulnerable"]


@pytest.mark.parametrize("first", ["jdbc", "open"])
def test_same_names_twice_in_one_jar(java, libraries, first):
    second = "open" if first == "jdbc" else "jdbc"
    members = [*java.core_members(first).items(), *java.core_members(second).items()]
    assert "vulnerable" in libraries.states(java.jar(members))


def test_lookup_removed_is_mitigated(java, libraries):
    members = java.core_members("open")
    del members[f"{java.CORE}/lookup/JndiLookup.class"]
    (row,), _ = libraries.scan(java.jar(members))
    assert row.state == "mitigated" and not RCE & set(row.cves) and "CVE-2021-44832" in row.cves


@pytest.mark.parametrize("size", [0, 1])
def test_emptied_lookup_is_mitigated(java, libraries, size):
    members = java.core_members("open") | {f"{java.CORE}/lookup/JndiLookup.class": b"\0" * size}
    assert libraries.states(java.jar(members)) == ["mitigated"]


@pytest.mark.parametrize(
    "name", ["JndiLookup.vulne", "JndiLookup.class.bak", "_JndiLookup.class", "../gone/JndiLookup.class"]
)
def test_renamed_lookup_cannot_be_loaded(java, libraries, name):
    members = java.core_members("open")
    data = members.pop(f"{java.CORE}/lookup/JndiLookup.class")
    members[f"{java.CORE}/lookup/{name}"] = data
    (row,), _ = libraries.scan(java.jar(members))
    assert row.state == "mitigated" and "cannot be loaded" in row.why


def test_renamed_lookup_of_2_0(java, libraries):
    members = java.core_members("beta")
    members[f"{java.CORE}/lookup/JndiLookup.off"] = members.pop(f"{java.CORE}/lookup/JndiLookup.class")
    assert libraries.states(java.jar(members)) == ["mitigated"]


def test_lookup_alone(java, libraries):
    path = f"{java.CORE}/lookup/JndiLookup.class"
    assert libraries.states(java.jar({path: java.lookup("open")})) == ["vulnerable"]
    assert libraries.states(java.jar({path: java.lookup("lookup")})) == ["fixed"]
    assert libraries.states(java.jar({path: java.lookup("lookup")} | java.pom("2.17.0"))) == ["below-fix"]
    guard = {"x/Source.class": java.java_class("x/Source", ["log4j2.enableJndiJdbc=true JNDI must be enabled"])}
    assert libraries.states(java.jar({path: java.lookup("lookup")} | guard | java.pom("2.17.0"))) == ["fixed"]


def test_metadata_only_and_core_without_the_family(java, libraries):
    (row,), _ = libraries.scan(java.jar(java.pom("2.14.1") | {"readme.txt": b"x" * 999}))
    assert (row.state, row.version, row.cves) == ("metadata-only", "2.14.1", [])
    filler = {f"{java.CORE}/Filler.class": java.java_class(f"{java.CORE}/Filler", ["f" * 99])}
    assert libraries.states(java.jar(java.pom("2.14.1") | filler)) == ["mitigated"]
    assert libraries.states(java.jar(java.pom("2.0-beta2") | filler)) == ["metadata-only"]


def test_look_alikes_are_nothing(java, libraries):
    spring = ["java:comp/env/", "convertJndiName", "resourceRef", "lookup"]
    members = {
        "org/springframework/jndi/JndiLocatorSupport.class": java.java_class(
            "org/springframework/jndi/JndiLocatorSupport", spring, ["javax/naming/NamingException"]
        ),
        "com/intellij/JndiLookup.class": java.java_class("com/intellij/JndiLookup", ["JndiLookup", "psi", "lookup"]),
        "org/quartz/JNDIConnectionProvider.class": java.java_class(
            "org/quartz/JNDIConnectionProvider",
            ["java.naming.factory.initial", "java.naming.provider.url", "lookup", "getConnection"],
            ["javax/naming/InitialContext"],
        ),
        "org/apache/logging/log4j/Logger.class": java.java_class("org/apache/logging/log4j/Logger", ["JNDI"] * 9),
        "x/JmsManager.class": java.java_class(
            "x/JmsManager", ["java.naming.factory.initial", "java.naming.provider.url", "lookup"], ["javax/jms/Session"]
        ),
    }
    rows, coverage = libraries.scan(java.jar(members | java.pom("2.14.1", artifact="log4j-api")))
    assert [(r.name, r.state) for r in rows] == [("org.apache.logging.log4j:log4j-api", "present")]
    assert coverage.complete


def test_foreign_holder_of_jndi_beside_a_fixed_log4j(java, libraries):
    quartz = java.java_class("org/q/P", ["java.naming.factory.initial", "java.naming.provider.url", "lookup"])
    assert libraries.states(java.jar(java.core_members("jdbc") | {"org/q/P.class": quartz})) == ["fixed"]


def test_log4j_1_is_told_apart(java, libraries):
    head = ["No appenders could be found for logger (", "Please initialize the log4j system properly."]
    jms = [
        "java.naming.factory.initial",
        "java.naming.provider.url",
        "lookup",
        "TopicConnectionFactoryBindingName",
        "ProviderURL",
    ]
    members = {
        "org/apache/log4j/Hierarchy.class": java.java_class("org/apache/log4j/Hierarchy", head),
        "org/apache/log4j/net/JMSAppender.class": java.java_class(
            "org/apache/log4j/net/JMSAppender", jms, ["javax/jms/Session"]
        ),
    }
    (row,), _ = libraries.scan(java.jar(members | java.pom("1.2.17", "log4j", "log4j")))
    assert (row.name, row.state, row.version, row.cves) == ("log4j:log4j", "end-of-life", "1.2.17", ["CVE-2021-4104"])
    fork, _ = libraries.scan(java.jar(members | java.pom("1.2.25", "ch.qos.reload4j", "reload4j")))
    assert [(r.name, r.state) for r in fork] == [("ch.qos.reload4j:reload4j", "present")]
    bridge = java.java_class("org/apache/log4j/Hierarchy", head, ["org/apache/logging/log4j/LogManager"])
    assert libraries.states(java.jar({"org/apache/log4j/Hierarchy.class": bridge})) == []


def test_shaded_is_said(java, libraries):
    plain, _ = libraries.scan(java.jar(java.core_members("open")))
    moved, _ = libraries.scan(java.jar(java.core_members("open", core="x/core")))
    uber, _ = libraries.scan(java.jar(java.core_members("open") | {"com/a/B.class": java.java_class("com/a/B", ["b"])}))
    assert [plain[0].shaded, moved[0].shaded, uber[0].shaded] == [False, True, True]
