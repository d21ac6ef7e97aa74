"""Container images: whiteouts, opaque folders, nested indexes, what is missing."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile

import pytest

from hinomi.evidence.sources.image import open_image
from hinomi.model.errors import TargetError


def tar_of(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            if data is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(info)
            else:
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


LAYERS = [
    tar_of(
        {"etc/passwd": b"root:x:0:0::/:/bin/sh\n", "opt/secret": b"s", "srv/a": b"1", "srv/b": b"2", "bin/sh": b"#"}
    ),
    tar_of({"opt/.wh.secret": b"", "srv/.wh..wh..opq": b"", "srv/c": b"3", "etc/passwd": b"new"}),
    tar_of({"opt/.wh.never": b"", "new/.wh.x": b"", "new/y": b"4"}),
]


def docker_save(layers):
    names = [f"{n}/layer.tar" for n in range(len(layers))]
    manifest = [{"Config": "c.json", "RepoTags": ["appliance:1"], "Layers": names}]
    return tar_of({"manifest.json": json.dumps(manifest).encode(), **dict(zip(names, layers, strict=True))})


def oci(layers, images=1):
    blobs = {}

    def blob(data):
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return f"sha256:{digest}"

    manifest = blob(json.dumps({"layers": [{"digest": blob(gzip.compress(layer))} for layer in layers]}).encode())
    seal = blob(b'{"layers": []}')
    listed = [{"digest": manifest, "platform": {"os": "linux", "architecture": f"cpu{n}"}} for n in range(images)] + [
        {"digest": seal, "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    ]
    inner = blob(json.dumps({"manifests": listed}).encode())
    index = {"manifests": [{"digest": inner, "annotations": {"org.opencontainers.image.ref.name": "1.0"}}]}
    return tar_of({"oci-layout": b"{}", "index.json": json.dumps(index).encode(), **blobs})


def opened(tmp_path, data):
    path = tmp_path / "saved.tar"
    path.write_bytes(data)
    return open_image(path)


@pytest.mark.parametrize("build", [docker_save, oci])
def test_layers_lie_over_each_other(tmp_path, build):
    view = opened(tmp_path, build(LAYERS)).target.view
    assert view.listdir(b"/opt") == []
    assert view.listdir(b"/srv") == [b"c"]
    assert view.listdir(b"/new") == [b"y"]
    assert view.read(b"/etc/passwd", 10) == b"new"
    assert view.read(b"/bin/sh", 10) == b"#"


def test_several_images_are_several_targets(tmp_path):
    image = opened(tmp_path, oci(LAYERS, images=2))
    names = [one.target.name.rsplit("» ")[-1] for one in (image, *image.beside)]
    assert names == ["1.0 linux/cpu0", "1.0 linux/cpu1"]


def test_a_damaged_layer_is_said_and_the_rest_stands(tmp_path):
    image = opened(tmp_path, docker_save([LAYERS[0], b"no tar at all" * 99, LAYERS[2]]))
    assert image.target.view.listdir(b"/new") == [b"y"]
    assert [(place, reason) for place, reason, _ in image.tree.notes.missed] == [("layer 2", "unsupported")]


def test_a_missing_layer_is_an_error(tmp_path):
    broken = tar_of({"manifest.json": b'[{"Layers": ["gone.tar"]}]'})
    with pytest.raises(TargetError, match="missing"):
        opened(tmp_path, broken)


def test_a_tar_that_happens_to_hold_a_manifest_is_a_tar(tmp_path):
    image = opened(tmp_path, tar_of({"manifest.json": b'{"name": "app"}', "etc/x": b""}))
    assert image.target.view.listdir(b"/") == [b"etc", b"manifest.json"]
