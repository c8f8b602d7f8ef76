"""A source's traffic as an experiment: names become addresses, files become times, machines their CPUs and wires."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simnet.bundled import bundled
from simnet.errors import SourceError, UnknownName, UsageError
from simnet.lab.lab import Lab
from simnet.net.address import is_loopback, parse_ip
from simnet.net.device import InterfaceAddress
from simnet.net.namespace import NetNamespace
from simnet.scenario.plan import HostPlan, MachinePlan
from simnet.scenario.question import port_of
from simnet.scenario.source import Source
from simnet.scenario.times_file import read_times
from simnet.scenario.timing_plan import ON_OFF, POISSON, TIMES, ArrivalsPlan, TrafficPlan

if TYPE_CHECKING:
    from simnet.sim.experiment import Experiment, Plan
    from simnet.sim.hardware import Cpus, Wire
    from simnet.sim.prices.costs import Costs, Machine
    from simnet.sim.queueing.model import Arrivals
    from simnet.sim.traffic import Traffic

_BACKLOG = "net.core.netdev_max_backlog"
_LOOPBACK = 0x7F000001
_SECOND = 1_000_000_000
# how long a run is where nothing says it
DURATION = _SECOND


def experiment(source: Source, costs: str = "", names: Iterable[str] = ()) -> Experiment:
    """The experiment that a source's `traffic`, `wires` and CPUs describe, with prices by name or file.

    `costs` stands over what the source's `run` says; `names` are the traffic to take (all of it where empty).

    Raises:
        UsageError: Where the source has no traffic, or one of it leads nowhere.
        SourceError: Where a name, a file or a price list that it names cannot be taken.

    Example:
        >>> from simnet.scenario.source import read_source
        >>> source = read_source("scenarios/performance/many-ports.yaml")
        >>> [str(one) for one in experiment(source).traffic]
        ['first: connections, tcp from wan to 192.0.2.2:7000', 'last: connections, tcp from wan to 192.0.2.2:9000']
    """
    from simnet.sim.experiment import Experiment
    from simnet.sim.prices import costs as price_lists

    planned = _chosen(source, list(names))
    said = costs or (source.plan.timing.run.get("costs", "") if source.plan is not None else "")
    own_file = not costs and said.endswith((".yaml", ".yml"))
    prices = price_lists.load((str(_beside(source, said)) if own_file else said) or price_lists.DEFAULT)
    lab = source.open()
    traffic = [_traffic(source, lab, one) for one in planned]
    return Experiment(lambda: lab.network, traffic, prices, _cpus(source, lab, prices.machine),
                      _wires(source, prices))  # fmt: skip


def plan_of(source: Source, **overrides: Any) -> Plan:
    """How a source is to be run: what its `run` says, with `overrides` (fields of `Plan`; None is none) laid over it.

    A given end (`duration`, `exchanges`) takes the place of both; without any a run is a second long, or as long as the
    files of times that all of its traffic comes from.

    Example:
        >>> from simnet.scenario.source import read_source
        >>> plan_of(read_source("scenarios/performance/many-ports.yaml"), exchanges=100, seed=3)
        Plan(exchanges=100, duration=0, warmup=0, seed=3, replications=1, engine='auto')
    """
    from simnet.sim.experiment import Plan

    fields = dict(source.plan.timing.run) if source.plan is not None else {}
    fields.pop("costs", None)
    if "simulator" in fields:
        fields["engine"] = fields.pop("simulator")
    given = {key: value for key, value in overrides.items() if value is not None}
    if {"duration", "exchanges"} & given.keys():
        fields = {key: value for key, value in fields.items() if key not in {"duration", "exchanges"}}
    fields |= given
    if not fields.get("duration") and not fields.get("exchanges"):
        fields["duration"] = _length(source)
    return Plan(**fields).checked()


def _length(source: Source) -> int:
    """How long a run is where nothing says it."""
    planned = source.plan.timing.traffic if source.plan is not None else ()
    files = [one.arrivals.times if one.arrivals is not None else "" for one in planned]
    return max(read_times(_beside(source, name))[-1] for name in files) + 1 if files and all(files) else DURATION


def _chosen(source: Source, names: list[str]) -> list[TrafficPlan]:
    planned = source.plan.timing.traffic if source.plan is not None else ()
    if source.plan is None:
        raise UsageError(f"{source.name} is a snapshot, which says of no traffic; write a scenario with `traffic:`")
    if not planned:
        form = "traffic: {web: {from: wan, to: web, requests: {clients: 8}}}"
        raise UsageError(f"{source.name} has no traffic; write `{form}` into it")
    known = [one.name for one in planned]
    for name in names:
        if name not in known:
            raise UnknownName("traffic", name, known)
    return [one for one in planned if not names or one.name in names]


def _beside(source: Source, name: str) -> Path:
    """A file that a source names: beside it, where it is not named from the root."""
    base = Path(source.name)
    base = base if base.exists() else bundled(source.name) or base
    return (base if base.is_dir() else base.parent) / name


@contextmanager
def _at(planned: TrafficPlan) -> Iterator[None]:
    """Errors inside, told of the traffic in the file."""
    try:
        yield
    except SourceError:
        raise
    except UsageError as error:
        raise planned.origin.error(f"traffic {planned.name}: {error}") from None


def _traffic(source: Source, lab: Lab, planned: TrafficPlan) -> Traffic:
    from simnet.sim.traffic import Traffic

    with _at(planned):
        sender = _find(lab, planned.frm)
        address, port = _target(lab, planned)
        frm = planned.frm if lab.knows(planned.frm) else sender.place
        fields = dict(planned.fields)
        flows = fields.get("parallel", 1)
        arrivals = tuple(_arrivals(source, planned.arrivals, flows)) if planned.arrivals is not None else None
    try:
        found = Traffic(planned.name, frm, address, port, planned.proto, planned.kind, arrivals=arrivals, **fields)
        return found.checked()
    except UsageError as error:
        raise planned.origin.error(str(error)) from None


def _target(lab: Lab, planned: TrafficPlan) -> tuple[int, int]:
    """The address and port that `to` means: an address, or a place's own as seen from where the traffic comes from."""
    name, colon, port_text = planned.to.rpartition(":") if ":" in planned.to else (planned.to, "", "")
    if name[:1].isdigit():
        try:
            address = parse_ip(name)
        except ValueError:
            raise UsageError(f"to: {name!r} is no IPv4 address") from None
        if not colon:
            raise UsageError(f"to: {name!r} lacks a port, such as {name}:80")
        return address, port_of(port_text, f"to: {planned.to!r}")
    namespace = _find(lab, name)
    address = _address(lab, planned.frm, name, namespace)
    port = port_of(port_text, f"to: {planned.to!r}") if colon else _only_port(lab, namespace, planned, address)
    return address, port


def _find(lab: Lab, name: str) -> NetNamespace:
    """A place by its name, or by that of a container alone, where one host has it."""
    places = [f"{host}/{name}" for host, session in lab.sessions.items() if name in session.engine.containers]
    if len(places) > 1 and not lab.knows(name):
        raise UsageError(f"{name!r} may be {' or '.join(places)}")
    return lab.network.find(places[0] if places and not lab.knows(name) else name)


def _address(lab: Lab, frm: str, name: str, namespace: NetNamespace) -> int:
    """What a name means at a place: its own loopback, what DNS says, an address on a network of both, or the first."""
    sender = _find(lab, frm)
    if sender is namespace:
        return _LOOPBACK
    known = lab.terminal(sender.place).look_up(name)
    if known:
        return known[0]
    own = [one.address for one in _addresses(namespace) if not is_loopback(one.address)]
    shared = [address for address in own if any(address in one.network for one in _addresses(sender))]
    if not own:
        raise UsageError(f"to: {name} has no address")
    return (shared or own)[0]


def _addresses(namespace: NetNamespace) -> Iterator[InterfaceAddress]:
    for device in namespace.devices.values():
        yield from device.addresses


def _only_port(lab: Lab, namespace: NetNamespace, planned: TrafficPlan, address: int) -> int:
    """The port that a place listens on at an address, where it is one alone."""
    ports = sorted({server.port for server in lab.network.servers
                    if server.namespace is namespace and server.proto == planned.proto
                    and (server.address == address or not server.address)})  # fmt: skip
    if len(ports) == 1:
        return ports[0]
    heard = f"programs listen on {', '.join(map(str, ports))}" if ports else f"nothing listens for {planned.proto}"
    raise UsageError(f"to: {planned.to!r} lacks a port, and {heard} there; write {planned.to}:{(ports or [80])[0]}")


def _arrivals(source: Source, planned: ArrivalsPlan, flows: int) -> Iterator[Arrivals]:
    """The arrivals of each of some flows, which together are what was planned."""
    from simnet.sim.queueing.arrivals import Constant, FromTimes, OnOff, Poisson

    if planned.shape == TIMES:
        times = read_times(_beside(source, planned.times))
        yield from (FromTimes(times[number::flows]) for number in range(flows))
        return
    gap = max(round(_SECOND * flows / planned.rate), 1)
    for number in range(flows):
        if planned.shape == POISSON:
            yield Poisson(planned.rate / flows)
        elif planned.shape == ON_OFF:
            yield OnOff(planned.burst, planned.pause, gap)
        else:
            yield Constant(gap, gap * number // flows)


def _cpus(source: Source, lab: Lab, machine: Machine) -> dict[str, Cpus]:
    """The CPUs of each machine that the source describes; the others are the price list's."""
    from simnet.sim.hardware import BACKLOG, Cpus

    found: dict[str, Cpus] = {}
    planned: tuple[HostPlan | MachinePlan, ...] = (*source.plan.hosts, *source.plan.machines) if source.plan else ()
    for one in planned:
        backlog = lab.network.find(one.name).sysctls.get(_BACKLOG, "")
        given = one.hardware
        if given.cpus or given.steering or given.offload or backlog:
            if backlog and not backlog.isdigit():
                raise UsageError(f"{one.name}: {_BACKLOG} is {backlog!r}, which is no number")
            found[one.name] = Cpus(given.cpus or machine.cpus, given.steering or "rss", int(backlog or BACKLOG))
    return found


def _wires(source: Source, prices: Costs) -> dict[str, Wire]:
    """The wires that the source describes; what it does not say of one is as on the price list's machine."""
    from simnet.sim.hardware import Wire

    machine = {"rate": prices.machine.rate, "delay": prices.machine.delay}
    planned = source.plan.timing.wires if source.plan is not None else {}
    return {name: Wire(**(machine | dict(given))) for name, given in planned.items()}
