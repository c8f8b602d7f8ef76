"""`simnet draw`: what is on the picture, that nothing on it meets anything else, and the file that it becomes."""

import subprocess
import sys
from functools import cache
from itertools import combinations

import pytest
from click.testing import CliRunner
from matplotlib.backends.backend_agg import FigureCanvasAgg

from simnet.cli.draw import command
from simnet.cli.main import main
from simnet.draw.layout import lay_out
from simnet.draw.path import draw_path, figure_of
from simnet.draw.scene import Node, Scene, scene_of
from simnet.errors import UsageError
from simnet.net.address import parse_ip
from simnet.net.conversation import Probe
from simnet.scenario.question import Listen, ask
from simnet.scenario.source import open_source

MODES, OVERLAY = "scenarios/snapshots/seed-modes-28.5", "scenarios/snapshots/overlay-28.5"
SSH = "h1/csphere-nat2:tcp:0.0.0.0:22"

# name: source, from, to, port, protocol, servers, more of the probe
CASES = {
    "published": (MODES, "wan", "192.0.2.2", 2222, "tcp", (SSH,), {}),
    "masquerade": (MODES, "h1/csphere-nat", "192.0.2.1", 80, "tcp", ("wan:tcp:0.0.0.0:80",), {}),
    "bridge": (MODES, "h1/csphere-nat", "172.17.0.3", 22, "tcp", (SSH,), {}),
    "proxy": (MODES, "h1", "127.0.0.1", 2222, "tcp", (SSH,), {}),
    "hairpin": (MODES, "h1/csphere-nat2", "192.0.2.2", 2222, "tcp", (SSH,), {}),
    "hairpin to another": (MODES, "h1/csphere-nat", "192.0.2.2", 2222, "tcp", (SSH,), {}),
    "host mode": (MODES, "wan", "192.0.2.2", 80, "tcp", ("h1/csphere-host:tcp:0.0.0.0:80",), {}),
    "shared": (MODES, "h1/csphere-con", "127.0.0.1", 80, "tcp", ("h1/csphere-nat:tcp:0.0.0.0:80",), {}),
    "none": (MODES, "h1/csphere-none", "192.0.2.1", 80, "tcp", (), {}),
    "overlay": (OVERLAY, "h1/a1", "10.99.0.21", 80, "tcp", ("h2/b1:tcp:0.0.0.0:80",), {}),
    "dropped": (MODES, "wan", "172.17.0.3", 22, "tcp", (), {}),
    "refused": (MODES, "h1/csphere-nat", "192.0.2.1", 80, "tcp", (), {}),
    "no neighbour": (MODES, "wan", "192.0.2.9", 80, "tcp", (), {}),
    "ttl": (MODES, "h1/csphere-nat", "192.0.2.1", 80, "udp", (), {"ttl": 1}),
    "fragments": (MODES, "h1/csphere-nat", "192.0.2.1", 80, "udp", ("wan:udp:0.0.0.0:80",), {"size": 4000}),
    "ping": (MODES, "h1/csphere-nat", "192.0.2.1", 0, "icmp", (), {}),
}
DROPS = {"none", "dropped", "refused", "no neighbour", "ttl"}


@cache
def answer_to(name):
    source, frm, to, port, proto, listens, more = CASES[name]
    probe = Probe(frm, parse_ip(to), port, proto, **more)
    return ask(lambda: open_source(source), probe, tuple(Listen.parse(text) for text in listens))


def scene_for(name, **options):
    return scene_of(answer_to(name).trace, open_source(CASES[name][0]), **options)


def steps_of(scene):
    return [f"{arrow.tail} > {arrow.head}" for arrow in scene.arrows]


def notes_of(scene):
    return {arrow.number: arrow.notes for arrow in scene.arrows if arrow.notes}


@cache
def drawn(name, both):
    scene = scene_for(name, both=both)
    figure = figure_of(scene, answer_to(name))
    FigureCanvasAgg(figure).draw()
    return scene, figure


def extents(figure):
    """Each label's rectangle in pixels, with its frame where it has one."""
    renderer = figure.canvas.get_renderer()
    found = {}
    for text in figure.axes[0].texts:
        frame = text.get_bbox_patch()
        found[text] = (frame or text).get_window_extent(renderer)
    return found


def overlap(one, other, slack=0.5):
    return (
        min(one.x1, other.x1) - max(one.x0, other.x0) > slack and min(one.y1, other.y1) - max(one.y0, other.y0) > slack
    )


def crosses(start, end, rectangle):
    """Whether an upright or level line goes through a rectangle."""
    (x0, x1), (y0, y1) = sorted((start[0], end[0])), sorted((start[1], end[1]))
    return x0 < rectangle[2] and x1 > rectangle[0] and y0 < rectangle[3] and y1 > rectangle[1]


each_picture = pytest.mark.parametrize("both", [False, True], ids=["there", "both"])
each_case = pytest.mark.parametrize("name", CASES)


@each_picture
@each_case
def test_no_label_meets_another_and_all_are_inside(name, both):
    _, figure = drawn(name, both)
    rectangles = extents(figure)
    assert len(rectangles) > 5
    meeting = [
        (one.get_text(), other.get_text())
        for one, other in combinations(rectangles, 2)
        if overlap(rectangles[one], rectangles[other])
    ]
    assert meeting == []
    page = figure.bbox
    assert all(r.x0 >= 0 and r.y0 >= 0 and r.x1 <= page.x1 and r.y1 <= page.y1 for r in rectangles.values())


@each_picture
@each_case
def test_lines_cross_no_node_and_no_label_but_their_own(name, both):
    scene, figure = drawn(name, both)
    inverse = figure.axes[0].transData.inverted()
    labels = {text.get_text(): inverse.transform(box).ravel() for text, box in extents(figure).items()}
    notes = {"\n".join(arrow.notes) for arrow in scene.arrows if arrow.notes}
    # (a node's title stands inside its node; a box's title and the notes are what a line could meet)
    labels = {text: box for text, box in labels.items() if text in notes or text in {*scene.titles.values()}}
    for arrow in scene.arrows:
        for start, end in zip(arrow.line, arrow.line[1:], strict=False):
            for node in scene.nodes.values():
                half = node.width / 2 - 0.01, node.height / 2 - 0.01
                box = node.x - half[0], node.y - half[1], node.x + half[0], node.y + half[1]
                assert not crosses(start, end, box), f"arrow {arrow.number} runs through {node}"
            for text, box in labels.items():
                assert not crosses(start, end, box), f"arrow {arrow.number} runs through {text!r}"


@each_picture
@each_case
def test_boxes_hold_their_own_and_do_not_meet(name, both):
    scene = scene_for(name, both=both)
    grid = lay_out(scene, lambda text, points, bold: (len(text) * points * (0.0105 if bold else 0.009), points / 55))
    for boxes in (grid.hosts, grid.namespaces):
        for one, other in combinations(boxes, 2):
            apart = one.right < other.left or other.right < one.left or one.top < other.bottom or other.top < one.bottom
            assert apart, f"{one.name} meets {other.name}"
    for node in scene.nodes.values():
        box = next(box for box in grid.namespaces if box.name == node.place)
        host = next(box for box in grid.hosts if box.name == node.host)
        assert host.left < box.left < node.x - node.width / 2 < node.x + node.width / 2 < box.right < host.right
        assert host.bottom < box.bottom < node.y - node.height / 2 < node.y + node.height / 2 < box.top < host.top
    for one, other in combinations(scene.nodes.values(), 2):
        apart = abs(one.x - other.x) >= (one.width + other.width) / 2
        assert apart or abs(one.y - other.y) >= (one.height + other.height) / 2, f"{one} meets {other}"


@each_case
def test_drop_marker_where_it_ends(name):
    scene, figure = drawn(name, both=False)
    crosses_drawn = [line for line in figure.axes[0].lines if line.get_gid() == "drop"]
    drops = [node for node in scene.nodes.values() if node.kind == "drop"]
    assert len(drops) == (name in DROPS)
    # one in the picture, one in its legend
    assert len(crosses_drawn) == 2 * (name in DROPS)
    assert any(node.delivered for node in scene.nodes.values()) == (name not in DROPS)


def test_published_port_step_by_step():
    scene = scene_for("published")
    assert steps_of(scene) == [
        "wan/host:client > wan/host:br0",
        "wan/host:br0 > wan/host:p0",
        "wan/host:p0 > h1/host:eth0",
        "h1/host:eth0 > h1/host:docker0",
        "h1/host:docker0 > h1/host:vethe1e88b2",
        "h1/host:vethe1e88b2 > h1/csphere-nat2:eth0",
        "h1/csphere-nat2:eth0 > h1/csphere-nat2:server",
    ]
    assert notes_of(scene) == {
        4: ("nat DOCKER 2", "DNAT 192.0.2.2:2222", "→ 172.17.0.3:22", "filter DOCKER 1: ACCEPT"),
    }
    assert [arrow.number for arrow in scene.arrows] == [1, 2, 3, 4, 5, 6, 7]
    assert scene.nodes["h1/csphere-nat2", "server"].lines == ["tcp 0.0.0.0:22"]


def test_both_adds_the_answer_in_another_line_style():
    scene, figure = drawn("published", both=True)
    assert [(way.packet, way.answer) for way in scene.ways] == [(1, False), (2, True)]
    back = [arrow for arrow in scene.arrows if arrow.way.answer]
    assert [str(arrow.head) for arrow in back][-1] == "wan/host:client"
    assert any("SNAT 172.17.0.3:22" in arrow.notes for arrow in back)
    styles = {patch.get_linestyle() for patch in figure.axes[0].patches if hasattr(patch, "get_arrowstyle")}
    assert styles & {(0, (4, 2))}
    assert styles - {(0, (4, 2))}


def test_masquerade_is_written_where_it_happens():
    assert notes_of(scene_for("masquerade"))[4] == (
        "filter DOCKER-FORWARD 4: ACCEPT",
        "nat POSTROUTING 1: MASQUERADE",
        "SNAT 172.17.0.2:40000",
        "→ 192.0.2.2:40000",
    )


def test_docker_proxy_has_both_legs():
    scene = scene_for("proxy")
    assert [way.packet for way in scene.ways] == [1, 6]
    proxy = scene.nodes["h1/host", "docker-proxy"]
    assert (proxy.kind, proxy.delivered) == ("program", True)
    assert proxy.lines == ["tcp 0.0.0.0:2222", "from 172.17.0.1:49155"]
    assert steps_of(scene)[1:3] == ["h1/host:lo > h1/host:docker-proxy", "h1/host:docker-proxy > h1/host:docker0"]


def test_overlay_goes_through_the_tunnel():
    scene = scene_for("overlay")
    assert notes_of(scene) == {5: ("into VXLAN 4097", "to 192.0.2.3"), 10: ("out of VXLAN 4097",)}
    assert steps_of(scene)[4] == "h1/1-hi5mijpgbq:vxlan0 > h1/host:eth0"
    # the tunnel's own packet is no second one: no program sends it
    assert [node.name for node in scene.nodes.values() if node.kind == "program"] == ["client", "server"]


def test_no_route_is_an_origin_and_a_cross():
    scene = scene_for("none")
    assert steps_of(scene) == ["h1/csphere-none:client > h1/csphere-none:✗"]
    assert "ENETUNREACH" in " ".join(scene.nodes["h1/csphere-none", "✗"].lines)


def test_shared_namespace_names_its_sharers():
    scene = scene_for("shared")
    assert scene.titles == {"h1/csphere-nat": "h1/csphere-nat  (shared with csphere-con)"}
    assert [node.name for node in scene.nodes.values()] == ["client", "lo", "server"]


def test_fragments_are_one_way():
    scene = scene_for("fragments")
    steps = steps_of(scene)
    assert len(steps) == len(set(steps))
    assert ("fragmented into 3",) in notes_of(scene).values()


def test_kernel_answers_begin_at_the_kernel():
    scene = scene_for("ttl", both=True)
    assert next(str(arrow.tail) for arrow in scene.arrows if arrow.way.answer) == "h1/host:kernel"


def test_one_packet_alone():
    scene = scene_for("published", packet=2)
    assert [way.packet for way in scene.ways] == [2]
    assert steps_of(scene)[0] == "h1/csphere-nat2:server > h1/csphere-nat2:eth0"
    with pytest.raises(UsageError, match="no packet 99: the conversation has the packets 1 to 11"):
        scene_for("published", packet=99)
    with pytest.raises(UsageError, match="has no packet at all"):
        scene_for("none", packet=1)


def test_every_packet_can_be_drawn():
    for name in ("proxy", "overlay"):
        for number in range(1, 10):
            scene = scene_for(name, packet=number)
            assert scene.arrows
            figure = figure_of(scene, answer_to(name))
            FigureCanvasAgg(figure).draw()
            assert not any(overlap(one, other) for one, other in combinations(extents(figure).values(), 2))


def test_dollar_signs_are_no_formula():
    scene = Scene()
    scene.nodes["h1/a", "$x^2$"] = Node("h1/a", "$x^2$", "device", ["$1 and $2"])
    FigureCanvasAgg(figure_of(scene, answer_to("none"))).draw()


def test_graph_is_a_networkx_graph():
    graph = scene_for("published").graph()
    assert graph.number_of_edges() == 7
    assert graph.nodes["h1/host:docker0"] == {"place": "h1/host", "host": "h1", "kind": "bridge"}


# --- the file ---------------------------------------------------------------------------------------------------------

BEGINS = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}
ARGUMENTS = [MODES, "--from", "wan", "--to", "192.0.2.2:2222", "--listen", SSH]


@pytest.mark.parametrize("suffix", BEGINS)
def test_the_suffix_chooses_the_format(tmp_path, suffix):
    path = tmp_path / f"way.{suffix}"
    draw_path(answer_to("published"), open_source(MODES), path)
    assert path.read_bytes().startswith(BEGINS[suffix])
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_picture_is_the_same_file(tmp_path):
    for name in ("one.svg", "two.svg"):
        draw_path(answer_to("published"), open_source(MODES), tmp_path / name, both=True)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


@pytest.mark.parametrize("name", ["way.gif", "way", ".png"])
def test_another_suffix_is_a_usage_error(tmp_path, name):
    with pytest.raises(UsageError, match=r"png.*svg.*pdf"):
        draw_path(answer_to("published"), open_source(MODES), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    with pytest.raises(UsageError, match="no folder"):
        draw_path(answer_to("published"), open_source(MODES), tmp_path / "gone" / "way.png")
    taken = tmp_path / "taken.png"
    taken.mkdir()
    with pytest.raises(UsageError, match=r"taken\.png"):
        draw_path(answer_to("published"), open_source(MODES), taken)
    assert list(tmp_path.iterdir()) == [taken]


def test_a_full_disk_keeps_the_old_picture(tmp_path, monkeypatch):
    path = tmp_path / "way.svg"
    path.write_text("old")

    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    with pytest.raises(UsageError, match="No space left"):
        draw_path(answer_to("published"), open_source(MODES), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_command_prints_the_path_and_nothing_else(tmp_path):
    path = tmp_path / "way.png"
    result = CliRunner().invoke(command, [*ARGUMENTS, "-o", str(path)])
    assert result.exit_code == 0
    assert result.stdout == f"{path}\n"
    assert "7 arrows" in result.stderr
    assert path.exists()


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    for more, said in (
        (["-o", "x.bmp"], "bmp"),
        (["-o", str(tmp_path / "x.png"), "--both", "--packet", "1"], "--both"),
    ):
        with pytest.raises(SystemExit) as stopped:
            main(["draw", *ARGUMENTS, *more])
        assert stopped.value.code == 2
        output = capsys.readouterr()
        assert output.out == ""
        assert said in output.err
        assert output.err.count("\n") == 1


def test_it_runs_by_itself(tmp_path):
    path = tmp_path / "example.svg"
    subprocess.run([sys.executable, "-m", "simnet.draw.path", str(path)], check=True, timeout=60)
    assert "<svg" in path.read_text(encoding="utf-8")


def test_importing_it_imports_no_drawing_library():
    code = "import sys, simnet.cli.draw; assert not {'matplotlib', 'networkx', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
