"""What every object store must do alike: a local folder, and an S3 server of its own."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from models.clock import utc_now
from models.errors import InvalidInput, NotFound, PermissionDenied, TooLarge, Unavailable
from models.ids import new_id
from server.objects.store import ObjectStore
from server.objects.writing import IN_MEMORY_BYTES, StoredObject
from tests.support.errors import has_code
from tests.support.private_broker import free_port
from tests.support.private_s3 import S3Server


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    if request.param == "folder":
        return ObjectStore((tmp_path / "objects with space").as_uri())
    server: S3Server = request.getfixturevalue("s3")
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    bucket = f"t{new_id()}"
    server.make_bucket(bucket)
    return ObjectStore(f"s3://{bucket}/some/prefix")


def kept(store: ObjectStore, data: bytes) -> str:
    sha256 = hashlib.sha256(data).hexdigest()
    store.put(sha256, data)
    return sha256


@pytest.mark.parametrize("data", [b"", b"x", os.urandom(700_000)])
def test_bytes_come_back_the_same_whether_whole_or_streamed(store: ObjectStore, data: bytes) -> None:
    sha256 = kept(store, data)
    assert store.read(sha256) == data
    assert store.size(sha256) == len(data)
    assert b"".join(store.stream(sha256)) == data
    assert b"".join(store.stream(sha256, len(data) // 3, len(data) - 1)) == data[len(data) // 3 : len(data) - 1]
    if len(data) > 100:
        assert store.read_range(sha256, 17, 50) == data[17:67]


def test_a_file_is_kept_like_its_bytes(store: ObjectStore, tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(b"from a file" * 1_000)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    store.put_file(sha256, path)
    assert store.read(sha256) == path.read_bytes()


def test_keeping_the_same_bytes_twice_is_one(store: ObjectStore) -> None:
    assert kept(store, b"same") == kept(store, b"same")
    assert store.read(kept(store, b"same")) == b"same"


def test_what_is_not_there_is_reported(store: ObjectStore) -> None:
    sha256 = "0" * 64
    assert not store.exists(sha256)
    for ask in (store.read, store.size, store.stream):
        with pytest.raises(NotFound) as reported:
            ask(sha256)
        assert reported.value.code == "object-unknown"
    store.delete(sha256)


@pytest.mark.parametrize("damage", [b"SAME", b"sa", b""])
def test_a_damaged_object_does_not_count_as_kept(store: ObjectStore, damage: bytes) -> None:
    sha256 = hashlib.sha256(b"same").hexdigest()
    store.put(sha256, damage)
    assert (store.keep(sha256), store.exists(sha256)) == (False, False)


def test_an_object_is_stored_anew_after_a_damaged_one_was_set_aside(store: ObjectStore) -> None:
    sha256 = hashlib.sha256(b"same").hexdigest()
    store.put(sha256, b"SAME")
    assert store.set_aside(sha256)
    assert (store.read(kept(store, b"same")), store.keep(sha256)) == (b"same", True)


def test_a_good_object_is_not_set_aside(store: ObjectStore) -> None:
    sha256 = kept(store, b"same")
    assert (store.set_aside(sha256), store.read(sha256)) == (False, b"same")


def test_an_object_that_was_set_aside_is_not_listed(store: ObjectStore) -> None:
    sha256 = hashlib.sha256(b"same").hexdigest()
    store.put(sha256, b"SAME")
    store.set_aside(sha256)
    assert list(store.listed()) == []


def test_what_is_deleted_is_gone(store: ObjectStore) -> None:
    sha256 = kept(store, b"gone")
    store.delete(sha256)
    assert not store.exists(sha256)


@pytest.mark.parametrize("key", ["", "../../etc/passwd", "A" * 64, "0" * 63, "/etc/passwd", "0" * 64 + "\n"])
def test_only_a_digest_is_a_key(store: ObjectStore, key: str) -> None:
    for ask in (store.read, store.exists, store.delete):
        with pytest.raises(InvalidInput):
            ask(key)


def test_a_folder_that_went_away_is_reported_as_such(tmp_path: Path) -> None:
    store = ObjectStore((tmp_path / "objects with space").as_uri())
    store.check()
    (tmp_path / "objects with space").rmdir()
    with pytest.raises(Unavailable) as reported:
        store.check()
    assert reported.value.code == "objects-unreachable"


def written(store: ObjectStore, pieces: list[bytes], most_bytes: int | None = None) -> StoredObject:
    """Store an object in pieces."""

    async def write() -> StoredObject:
        async with store.writer(most_bytes) as writer:
            for piece in pieces:
                await writer.write(piece)
            return await writer.finish()

    return asyncio.run(write())


@pytest.mark.parametrize("size", [0, 1, IN_MEMORY_BYTES, 3 * IN_MEMORY_BYTES + 17])
def test_an_object_in_pieces_is_stored_under_the_digest_of_all(store: ObjectStore, size: int) -> None:
    data = os.urandom(size)
    stored = written(store, [data[start : start + 65_536] for start in range(0, size, 65_536)])
    assert stored == StoredObject(hashlib.sha256(data).hexdigest(), size)
    assert store.read(stored.sha256) == data


def test_a_writer_that_is_left_stores_nothing(store: ObjectStore, tmp_path: Path) -> None:
    data = bytes(3 * IN_MEMORY_BYTES)

    async def leave() -> None:
        async with store.writer() as writer:
            await writer.write(data)

    asyncio.run(leave())
    assert not store.exists(hashlib.sha256(data).hexdigest())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_object_over_its_limit_is_refused_as_it_comes(store: ObjectStore) -> None:
    with pytest.raises(TooLarge):
        written(store, [b"12345", b"67890", b"x"], most_bytes=10)


def test_bucket_with_key_names_an_object(store: ObjectStore) -> None:
    sha256 = kept(store, b"named")
    assert store.require_allowed(store.bucket, store.object_key(sha256)) == sha256


@pytest.mark.parametrize("bucket", ["other", "", "../imageflow"])
def test_another_bucket_is_refused(store: ObjectStore, bucket: str) -> None:
    with pytest.raises(PermissionDenied):
        store.require_allowed(bucket, store.object_key("0" * 64))


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../" + "0" * 64,
        "0" * 64,
        "00/00/" + "0" * 63,
        "00/01/" + "0" * 64,
        "/00/00/" + "0" * 64,
        "00/00/../00/" + "0" * 64,
        "00/00/" + "0" * 64 + "\n",
        "00//00/" + "0" * 64,
        "%30%30/00/" + "0" * 64,
    ],
)
def test_what_is_no_key_of_the_store_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(PermissionDenied):
        store.require_allowed(store.bucket, key)


@pytest.mark.parametrize("further", [1, 12], ids=["few", "many"])
def test_several_objects_are_kept_at_once(store: ObjectStore, further: int) -> None:
    given = [b"", os.urandom(300_000), *(b"%d" % number for number in range(further))]
    contents = {hashlib.sha256(data).hexdigest(): data for data in given}
    store.put_many(contents)
    assert {sha256: store.read(sha256) for sha256 in contents} == contents
    store.put_many({})


@pytest.mark.parametrize("objects", [2, 12])
def test_no_object_has_its_name_before_its_bytes_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, objects: int
) -> None:
    store = ObjectStore(tmp_path.as_uri())

    def refused(_file: object) -> None:
        raise OSError(errno.EIO, "the disk is broken")

    kept(store, b"before")
    monkeypatch.setattr("server.objects.folder.sync_file", refused)
    given = [b"%d" % number for number in range(objects)]
    contents = {hashlib.sha256(data).hexdigest(): data for data in given}
    with pytest.raises(Unavailable) as reported:
        store.put_many(contents)
    assert reported.value.code == "objects-unreachable"
    assert not any(store.exists(sha256) for sha256 in contents)
    assert list(tmp_path.glob("**/*.part")) == []


@pytest.mark.parametrize("size", [0, 5, IN_MEMORY_BYTES, 3 * IN_MEMORY_BYTES + 17])
def test_what_can_be_made_again_is_read_by_its_name(store: ObjectStore, size: int) -> None:
    data = os.urandom(size)
    made = store.put_made([data[:7], memoryview(data)[7:]])
    assert (made.size, store.read(made.name)) == (size, data)


def test_what_was_made_before_stays_when_the_same_is_made_again(store: ObjectStore) -> None:
    first, second = (store.put_made([b"same"]) for _ in range(2))
    store.delete(second.name)
    assert store.read(first.name) == b"same"


def test_what_can_be_made_again_has_a_key_that_messages_may_name(store: ObjectStore) -> None:
    made = store.put_made([b"image"])
    assert store.require_allowed(store.bucket, store.object_key(made.name)) == made.name


def test_what_can_be_made_again_is_listed_for_the_collector(store: ObjectStore) -> None:
    made = store.put_made([b"image"])
    assert [(one.sha256, one.size) for one in store.listed()] == [(made.name, made.size)]


def test_what_can_be_made_again_has_no_name_before_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ObjectStore(tmp_path.as_uri())

    def refused(*_: object) -> None:
        raise OSError(errno.ENOSPC, "the disk is full")

    monkeypatch.setattr("server.objects.folder._write_all", refused)
    with pytest.raises(Unavailable, check=has_code("disk-full")):
        store.put_made([bytes(2 * IN_MEMORY_BYTES)])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"])
def test_a_wrong_credential_is_refused_by_s3(s3: S3Server, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    bucket = f"t{new_id()}"
    s3.make_bucket(bucket)
    for variable, value in {**s3.environment(), name: "wrong"}.items():
        monkeypatch.setenv(variable, value)
    store = ObjectStore(f"s3://{bucket}")
    for ask in (lambda: kept(store, b"x"), lambda: store.read("0" * 64), store.check):
        with pytest.raises(Unavailable, check=has_code("objects-unreachable")):
            ask()


@pytest.mark.slow
def test_a_missing_bucket_is_no_missing_object(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in s3.environment().items():
        monkeypatch.setenv(variable, value)
    store = ObjectStore(f"s3://t{new_id()}")
    for ask in (lambda: kept(store, b"x"), store.check):
        with pytest.raises(Unavailable, check=has_code("objects-unreachable")):
            ask()


@pytest.mark.slow
def test_an_s3_server_that_is_away_is_reported_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = S3Server(f"http://127.0.0.1:{free_port()}", "key", "secret").environment()
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    began = time.monotonic()
    with pytest.raises(Unavailable, check=has_code("objects-unreachable")):
        ObjectStore("s3://bucket").check()
    assert time.monotonic() - began < 20


@pytest.mark.slow
def test_a_presigned_address_gives_an_object_for_its_time(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in s3.environment().items():
        monkeypatch.setenv(variable, value)
    bucket = f"t{new_id()}"
    s3.make_bucket(bucket)
    store = ObjectStore(f"s3://{bucket}")
    url = store.presigned(kept(store, b"signed"), timedelta(minutes=1))
    assert url is not None
    assert httpx.get(url, trust_env=False, timeout=60).content == b"signed"
    assert httpx.get(url[:-1] + ("0" if url[-1] != "0" else "1"), trust_env=False, timeout=60).status_code == 403


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False])
def test_a_presigned_address_has_headers_where_the_secret_is_known(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    for variable, value in s3.environment().items():
        monkeypatch.setenv(variable, value)
    bucket = f"t{new_id()}"
    s3.make_bucket(bucket)
    store = ObjectStore(f"s3://{bucket}")
    sha256 = kept(store, b"signed")
    if not known:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    url = store.presigned(sha256, timedelta(minutes=1), {"content-type": "image/png"})
    assert url is not None
    answer = httpx.get(url, trust_env=False, timeout=60)
    assert (answer.status_code, answer.content) == (200, b"signed")
    assert (answer.headers.get("content-type") == "image/png") is known


@pytest.mark.slow
def test_headers_of_a_presigned_address_cannot_be_changed(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in s3.environment().items():
        monkeypatch.setenv(variable, value)
    bucket = f"t{new_id()}"
    s3.make_bucket(bucket)
    store = ObjectStore(f"s3://{bucket}")
    url = store.presigned(kept(store, b"signed"), timedelta(minutes=1), {"content-type": "image/png"})
    assert url is not None
    assert httpx.get(url.replace("image%2Fpng", "text%2Fhtml"), trust_env=False, timeout=60).status_code == 403


def test_a_folder_has_no_presigned_addresses(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path.as_uri())
    assert store.presigned(kept(store, b"x"), timedelta(minutes=1)) is None


def test_objects_are_listed_with_their_age(store: ObjectStore) -> None:
    digests = {kept(store, bytes([number])) for number in range(3)}
    listed = list(store.listed())
    assert {one.sha256 for one in listed} == digests
    assert all(abs((utc_now() - one.modified_at).total_seconds()) < 60 for one in listed)
