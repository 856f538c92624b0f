"""Which files are documents."""

from pathlib import Path

import pytest

from pilothouse.files import select, skipped_words


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text", encoding="utf-8")


def test_a_folder_is_walked_and_other_formats_are_counted(tmp_path: Path) -> None:
    touch(tmp_path / "b.md", tmp_path / "deep/er/a.PDF", tmp_path / "x.png", tmp_path / "Makefile")
    selection = select([tmp_path])
    assert [path.name for path in selection.files] == ["b.md", "a.PDF"]
    assert selection.skipped == {".png": 1, "no ending": 1}


def test_hidden_files_and_folders_are_not_looked_at(tmp_path: Path) -> None:
    touch(tmp_path / ".git/notes.md", tmp_path / ".secret.txt")
    selection = select([tmp_path])
    assert selection.files == ()
    assert not selection.skipped


def test_a_named_file_is_always_taken(tmp_path: Path) -> None:
    touch(tmp_path / "photo.png")
    assert select([tmp_path / "photo.png"]).files == (tmp_path / "photo.png",)


def test_a_file_named_twice_is_taken_once(tmp_path: Path) -> None:
    touch(tmp_path / "a.txt")
    assert select([tmp_path / "a.txt", tmp_path]).files == (tmp_path / "a.txt",)


def test_a_link_back_to_a_parent_does_not_go_round(tmp_path: Path) -> None:
    touch(tmp_path / "sub/a.txt")
    (tmp_path / "sub/up").symlink_to(tmp_path, target_is_directory=True)
    assert len(select([tmp_path]).files) == 1


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        select([tmp_path / "nothing"])


def test_skipped_files_are_summed_up_in_words(tmp_path: Path) -> None:
    touch(tmp_path / "1.png", tmp_path / "2.png", tmp_path / "3.zip")
    assert skipped_words(select([tmp_path]).skipped) == (
        "3 files skipped, not a supported format: .png 2, .zip 1"
    )
