"""Which files of a folder are taken, under which names, and that nothing outside of it is read."""

import os
from pathlib import Path

import pytest

from pilothouse_core.problem import Problem
from pilothouse_ingest.bulk.command import chosen_part
from pilothouse_ingest.bulk.folder import Part, list_folder
from pilothouse_ingest.bulk.reading import digest, read

MOST = 1000


def write(path: Path, data: bytes = b"text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def codes(root: Path) -> dict[str, str]:
    """What is refused, and why."""
    return {failure.name: failure.code for failure in list_folder(root).refused}


def test_files_are_named_by_their_path_below_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "a.txt")
    write(tmp_path / "policies" / "leave" / "2024.md")
    found = list_folder(tmp_path)
    assert found.files == {"a.txt": "a.txt", "policies/leave/2024.md": "policies/leave/2024.md"}
    assert (found.refused, found.left_out.total()) == ([], 0)


def test_hidden_files_and_what_is_no_file_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / ".git" / "config")
    write(tmp_path / ".DS_Store")
    os.mkfifo(tmp_path / "pipe.txt")
    found = list_folder(tmp_path)
    assert (found.files, found.refused) == ({}, [])
    assert found.left_out == {"hidden": 2, "not_a_file": 1}


def test_links_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.txt")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file.txt").symlink_to(secret)
    (folder / "all").symlink_to(tmp_path)
    (folder / "upwards.txt").symlink_to("../secret.txt")
    (folder / "nowhere.txt").symlink_to("gone")
    assert list_folder(folder).files == {}
    assert codes(folder) == {
        "file.txt": "outside_folder",
        "all": "outside_folder",
        "upwards.txt": "outside_folder",
        "nowhere.txt": "unreadable_file",
    }


def test_links_inside_the_folder_make_no_second_document(tmp_path: Path) -> None:
    write(tmp_path / "a" / "file.txt")
    (tmp_path / "again.txt").symlink_to("a/file.txt")
    (tmp_path / "a" / "round").symlink_to("..")
    found = list_folder(tmp_path)
    assert list(found.files) == ["a/file.txt"]
    assert found.left_out == {"link": 2}


def test_a_mounted_config_map_is_read_through_its_links(tmp_path: Path) -> None:
    write(tmp_path / "..2024_11_25" / "file.txt", b"mounted")
    write(tmp_path / "..2024_11_25" / "sub" / "other.txt")
    (tmp_path / "..data").symlink_to("..2024_11_25")
    (tmp_path / "file.txt").symlink_to("..data/file.txt")
    (tmp_path / "sub").symlink_to("..data/sub")
    found = list_folder(tmp_path)
    assert set(found.files) == {"file.txt", "sub/other.txt"}
    with read(found.root, found.files["file.txt"], name="file.txt", max_bytes=MOST).file as file:
        file.seek(0)
        assert file.read() == b"mounted"


def test_links_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    write(tmp_path / ".hidden" / "file.txt")
    (tmp_path / ".hidden" / "round").symlink_to("../.hidden")
    (tmp_path / "a").symlink_to(".hidden")
    (tmp_path / "loop").symlink_to("loop")
    assert list(list_folder(tmp_path).files) == ["a/file.txt"]


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        (b"caf\xe9.txt", "caf%E9.txt"),
        (b"100% caf\xe9.txt", "100%25 caf%E9.txt"),
        (b"100%.txt", "100%.txt"),
        (b"two\nlines.txt", "two%0Alines.txt"),
        ("Überstunden 加班.txt".encode(), "Überstunden 加班.txt"),
    ],
)
def test_a_name_that_cannot_be_stored_is_written_otherwise(tmp_path: Path, raw: bytes, stored: str) -> None:
    with open(os.path.join(os.fsencode(tmp_path), raw), "wb") as file:
        file.write(b"text")
    found = list_folder(tmp_path)
    assert list(found.files) == [stored]
    incoming = read(found.root, found.files[stored], name=stored, max_bytes=MOST).incoming
    assert incoming.external_id == incoming.filename == stored


def test_a_path_that_is_too_long_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "/".join(["x" * 200] * 6) / "file.txt")
    assert list(codes(tmp_path).values()) == ["name_too_long"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "closed" / "file.txt").parent.chmod(0)
    assert codes(tmp_path) == {"closed/": "unreadable_file"}


def test_every_file_is_in_exactly_one_part(tmp_path: Path) -> None:
    for number in range(40):
        write(tmp_path / f"{number}.txt")
    found = list_folder(tmp_path)
    parts = [found.names(Part(at, 3)) for at in range(3)]
    assert sorted(name for names in parts for name in names) == sorted(found.files)
    assert all(parts)


def test_the_part_comes_from_the_argument_or_from_the_jobs_index() -> None:
    assert chosen_part("2/4", 1, {}) == Part(1, 4)
    assert chosen_part(None, 4, {"JOB_COMPLETION_INDEX": "3"}) == Part(3, 4)
    assert chosen_part(None, 1, {}) == Part(0, 1)


@pytest.mark.parametrize("argument", ["0/4", "5/4", "4", "a/b", "1/0", "-1/4"])
def test_a_part_that_is_none_is_refused(argument: str) -> None:
    with pytest.raises(ValueError, match="not a part"):
        chosen_part(argument, 1, {})


def test_parts_without_a_number_are_refused() -> None:
    with pytest.raises(ValueError, match="--part 1/4"):
        chosen_part(None, 4, {})
    with pytest.raises(ValueError, match="not a part"):
        chosen_part(None, 4, {"JOB_COMPLETION_INDEX": "4"})


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("large.txt", b"x" * (MOST + 1), "too_large"),
        ("empty.pdf", b"", "empty_file"),
        ("picture.pdf", b"\x89PNG", "unsupported_media_type"),
    ],
)
def test_a_file_is_refused_for_the_apis_reasons(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    write(tmp_path / name, data)
    with pytest.raises(Problem) as refusal:
        read(str(tmp_path), name, name=name, max_bytes=MOST)
    assert refusal.value.code == code


def test_a_file_that_becomes_a_link_after_the_listing_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "secrets" / "a.txt", b"secret")
    write(tmp_path / "folder" / "a.txt")
    write(tmp_path / "folder" / "sub" / "a.txt")
    root = list_folder(tmp_path / "folder").root
    (tmp_path / "folder" / "a.txt").unlink()
    (tmp_path / "folder" / "a.txt").symlink_to("../secrets/a.txt")
    (tmp_path / "folder" / "sub").rename(tmp_path / "moved")
    (tmp_path / "folder" / "sub").symlink_to("../secrets")
    for path in ("a.txt", "sub/a.txt"):
        with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
            read(root, path, name=path, max_bytes=MOST)
        assert digest(root, path, max_bytes=MOST) is None


def test_a_file_that_becomes_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(OSError, match="no file any more"):
        read(str(tmp_path), "a.txt", name="a.txt", max_bytes=MOST)
