import base64
import json
from pathlib import Path

import pytest

from hinomi.model.errors import CaseError, PermissionDeniedError
from hinomi.watch.profile.profile import Profile
from hinomi.watch.profile.sealed import PURPOSE, read_sealed, write_sealed
from hinomi.watch.signing import SealError, Signer, Trust, new_key

PROFILE = Profile("host", "2026-01-01", "2026-01-09", looks=7)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return new_key(tmp_path / "key.pem", None)


def test_what_was_sealed_is_read(tmp_path: Path, signer: Signer) -> None:
    path = tmp_path / "profiles" / "host.json"
    write_sealed(path, PROFILE, signer)
    found = read_sealed(path, Trust(signer.fingerprint))
    assert found.profile.looks == 7 and found.seal.fingerprint == signer.fingerprint
    assert list(path.parent.iterdir()) == [path]


def test_a_changed_profile_is_refused(tmp_path: Path, signer: Signer) -> None:
    path = tmp_path / "host.json"
    write_sealed(path, PROFILE, signer)
    body = json.loads(path.read_text())
    data = base64.b64decode(body["profile"]).replace(b'"looks":7', b'"looks":9')
    path.write_text(json.dumps(body | {"profile": base64.b64encode(data).decode()}))
    with pytest.raises(SealError) as raised:
        read_sealed(path)
    assert raised.value.code == "seal.broken"


def test_another_key_is_refused_where_one_is_trusted(tmp_path: Path, signer: Signer) -> None:
    other = new_key(tmp_path / "other.pem", None)
    path = tmp_path / "host.json"
    write_sealed(path, PROFILE, other)
    with pytest.raises(SealError) as raised:
        read_sealed(path, Trust(signer.fingerprint))
    assert raised.value.code == "seal.wrong-key"


def test_a_seal_for_something_else_is_no_profile(tmp_path: Path, signer: Signer) -> None:
    data = PROFILE.to_bytes()
    seal = signer.sign("baseline", data)
    assert PURPOSE != "baseline"
    body = {"schema": "x", "profile": base64.b64encode(data).decode(), "seal": seal.to_json()}
    (tmp_path / "host.json").write_text(json.dumps(body))
    with pytest.raises(SealError):
        read_sealed(tmp_path / "host.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"profile": "!", "seal": {}}', '{"profile": "QQ=="}'])
def test_damage_is_an_error_with_a_code(tmp_path: Path, text: str) -> None:
    (tmp_path / "host.json").write_text(text)
    with pytest.raises(CaseError) as raised:
        read_sealed(tmp_path / "host.json")
    assert raised.value.code == "profile.malformed"


def test_a_missing_profile_and_a_place_that_cannot_be_written(tmp_path: Path, signer: Signer) -> None:
    with pytest.raises(CaseError):
        read_sealed(tmp_path / "none.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(PermissionDeniedError):
        write_sealed(tmp_path / "file" / "host.json", PROFILE, signer)
