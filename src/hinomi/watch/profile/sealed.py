"""The profile's file: the profile as it was sealed, and the seal. Written whole or not at all."""

from __future__ import annotations

import base64
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hinomi.model.errors import CaseError, PermissionDeniedError
from hinomi.watch.profile.profile import Profile, profile_from
from hinomi.watch.signing import Seal, Signer, Trust, seal_from

PURPOSE = "profile"
SCHEMA = "hinomi.sealed-profile/1"
MAX_FILE = 256 << 20


@dataclass(frozen=True, slots=True)
class SealedProfile:
    """A profile with the seal that its file carries."""

    profile: Profile
    seal: Seal


def write_sealed(path: Path, profile: Profile, signer: Signer) -> Seal:
    """Seal a profile and write its file; `PermissionDeniedError` where it cannot be written."""
    data = profile.to_bytes()
    seal = signer.sign(PURPOSE, data)
    body = {"schema": SCHEMA, "profile": base64.b64encode(data).decode("ascii"), "seal": seal.to_json()}
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with beside.open("w", encoding="ascii") as file:
            json.dump(body, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise PermissionDeniedError("profile.not-writable", place=str(path), cause=error.strerror or "") from error
    return seal


def read_sealed(path: Path, trust: Trust | None = None) -> SealedProfile:
    """Read a profile whose seal holds: made by the trusted key, or, without `trust`, by the key that it names.

    `CaseError` for a file that is none or is missing, `SealError` for a seal that does not hold.
    """
    try:
        with path.open("rb") as file:
            body = json.loads(file.read(MAX_FILE))
        data = base64.b64decode(body["profile"], validate=True)
        given = body["seal"]
    except FileNotFoundError as error:
        raise CaseError("profile.missing", place=str(path), cause="no profile was learned") from error
    except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise CaseError("profile.malformed", place=str(path), cause=str(error)[:200]) from error
    seal = seal_from(given)
    (trust or Trust(seal.fingerprint)).check(seal, PURPOSE, data)
    return SealedProfile(profile_from(data, str(path)), seal)
