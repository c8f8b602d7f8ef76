"""What a host sends is not trusted: only a snapshot's own files come out of a tar, and a folder appears whole."""

import io
import tarfile

import pytest

from simnet.errors import SourceError, UsageError
from simnet.live.snapshot.files import NEEDED, check_target, is_name, read_tar, write

HOST = {f"host/{name}": name.encode() for name in NEEDED}


def tar(*members, compressed=""):
    """A tar of a whole host `h1` and of these: names with their content, or ready-made headers."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=f"w{compressed}") as archive:
        for name, content in [*((f"h1/{path}", content) for path, content in HOST.items()), *members]:
            header = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            header.size = len(content) if header.isreg() else header.size
            archive.addfile(header, io.BytesIO(content))
    return packed.getvalue()


def header(name, kind, **fields):
    made = tarfile.TarInfo(name)
    made.type = kind
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def test_files_come_by_their_path_below_the_host():
    members = [(header("h1/", tarfile.DIRTYPE), b""), (header("h1/web", tarfile.DIRTYPE), b""),
               ("h1/web/sysctl", b"a=1"), ("h1/docker-inspect.json", b"[]")]  # fmt: skip
    assert read_tar(tar(*members), "h") == {**HOST, "web/sysctl": b"a=1", "docker-inspect.json": b"[]"}


@pytest.mark.parametrize("member", [
    "../x", "/etc/passwd", "h1/../../x", "h1/web/../../../x", "h1/web/deeper/listen", "h1/.ssh/listen", "h1/-rf/listen",
    "h1/$(touch x)/listen", "h1/a;b/listen", "h1/a\nb/listen", "h1/a b/listen", "h1/é/listen", "h1//listen", "h1",
    "h1/web/authorized_keys", "h1/web/listen\n", "h1/listen", "h1/docker-inspect.json/listen/x", "h1/host/listen/",
    f"h1/{'a' * 300}/listen", "listen", "../web/listen", "/web/listen", "h2/web/listen",
])  # fmt: skip
def test_a_file_that_belongs_to_no_snapshot_is_refused(member):
    with pytest.raises(SourceError, match="which belongs to no snapshot"):
        read_tar(tar((member, b"x")), "ssh://h")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_anything_but_a_file_is_refused(kind):
    with pytest.raises(SourceError, match="'h1/web/listen' came, which belongs to no snapshot"):
        read_tar(tar((header("h1/web/listen", kind, linkname="/etc/passwd"), b"")), "ssh://h")


def test_a_file_with_holes_is_refused():
    """It says to be larger than what came."""
    sparse = header(
        "h1/web/listen", tarfile.REGTYPE, pax_headers={"GNU.sparse.size": str(1 << 40), "GNU.sparse.map": "0,1"}
    )
    with pytest.raises(SourceError, match="belongs to no snapshot"):
        read_tar(tar((sparse, b"x")), "ssh://h")


def test_a_file_that_comes_twice_is_refused():
    with pytest.raises(SourceError, match=r"'h1/host/ip-addr\.json' came"):
        read_tar(tar(("h1/host/ip-addr.json", b"[]")), "ssh://h")


@pytest.mark.parametrize("packed", [b"", b"Welcome to h!\n" * 100, tar()[:900], tar()[:512], tar(compressed=":gz")])
def test_what_is_no_whole_tar_is_refused(packed):
    with pytest.raises(SourceError, match="ssh://h: "):
        read_tar(packed, "ssh://h")


def test_without_the_rules_it_is_no_snapshot():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("h1/host/ip-addr.json"), io.BytesIO())
    with pytest.raises(SourceError, match=r"ip-route\.json, iptables-save did not come"):
        read_tar(packed.getvalue(), "ssh://h")


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_made_and_gets_more_hosts(tmp_path):
    write(tmp_path / "snap", {"h1": HOST, "h2": {**HOST, "web/listen": b""}})
    write(tmp_path / "snap", {"wan": HOST})
    assert sorted(path.name for path in (tmp_path / "snap").iterdir()) == ["h1", "h2", "wan"]
    assert files_of(tmp_path / "snap/h2") == {**HOST, "web/listen": b""}
    assert [path.name for path in tmp_path.iterdir()] == ["snap"]


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "snap").mkdir()
    write(tmp_path / "snap", {"h1": HOST})
    assert files_of(tmp_path / "snap/h1") == HOST


def test_a_host_is_replaced_only_when_asked(tmp_path):
    write(tmp_path / "snap", {"h1": {**HOST, "web/listen": b"old"}})
    with pytest.raises(UsageError, match="holds 'h1' already; --force replaces it"):
        write(tmp_path / "snap", {"h1": HOST})
    assert (tmp_path / "snap/h1/web/listen").read_bytes() == b"old"
    write(tmp_path / "snap", {"h1": HOST}, replace=True)
    assert files_of(tmp_path / "snap/h1") == HOST
    assert [path.name for path in tmp_path.iterdir()] == ["snap"]


@pytest.mark.parametrize("replace", [False, True])
def test_a_folder_of_other_things_stays_as_it_is(tmp_path, replace):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/mother").write_text("Dear")
    with pytest.raises(UsageError, match="holds 'mother', which is no host's snapshot"):
        write(tmp_path / "letters", {"h1": HOST}, replace=replace)
    assert files_of(tmp_path) == {"letters/mother": b"Dear"}


def test_a_folder_needs_a_place(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file; name a folder"):
        check_target(tmp_path / "file", ["h1"])
    with pytest.raises(UsageError, match="no folder"):
        check_target(tmp_path / "nowhere/snap", ["h1"])


def test_where_writing_fails_nothing_is_left(tmp_path):
    with pytest.raises(OSError, match="File name too long"):
        write(tmp_path / "snap", {"h1": {**HOST, f"web/{'x' * 300}": b""}})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["", ".", "..", "web\n", "\x1b[2J", "é", "a/b", "a b", "-rf", "_x", "$(touch x)", "a" * 256]
)
def test_no_other_word_becomes_a_folder(name):
    assert not is_name(name)
