"""Ends of veth pairs find each other, also where hosts of one make number their devices alike."""

from simnet.net.device import Veth
from simnet.scenario import snapshot
from tests.scenario.snapshot.test_uppers import link, write


def veth(name, index, peer, mac, address="", nsid=0, **more):
    return link(name, index, mac, "veth", address, link_index=peer, link_netnsid=nsid, **more)


def test_a_card_whose_end_is_elsewhere_takes_no_container_s(tmp_path):
    """h2's card is number 2, with 4 at its other end; so is the card of h1's container, which h1 has at docker0."""
    for host, card, peer in (("h1", 1, 3), ("h2", 2, 4)):
        bridge = link("docker0", 3, 16 * card, address="172.17.0.1", linkinfo={"info_kind": "bridge"})
        port = veth("veth0", 4, 2, 16 * card + 1, nsid=1, master="docker0")
        write(tmp_path, f"{host}/host", [veth("eth0", 2, peer, card, f"192.0.2.{card + 1}"), bridge, port])
        write(tmp_path, f"{host}/web", [veth("eth0", 2, 4, 16 * card + 2, "172.17.0.2")])
    network = snapshot.load(tmp_path)
    for host in ("h1", "h2"):
        card = network.find(f"{host}/web").devices["eth0"]
        assert isinstance(card, Veth) and card.peer is network.find(host).devices["veth0"]
    assert any(note.startswith("h2/host:eth0: the other end") for note in network.notes)
