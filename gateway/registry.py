"""Which kinds of backends there are. Names only: an adapter is imported when a configuration asks for it."""

from importlib import import_module
from typing import cast

from gateway.adapter import Adapter
from gateway.simulator import Simulator

_ADAPTERS = {
    "xivo": "adapters.xivo:XivoAdapter",
    "kazoo": "adapters.kazoo:KazooAdapter",
    "ringcentral": "adapters.ringcentral:RingCentralAdapter",
    "bandwidth": "adapters.bandwidth:BandwidthAdapter",
    "telphin": "adapters.telphin:TelphinAdapter",
}
_SIMULATORS = {
    "xivo": "adapters.xivo.simulated:simulate",
    "kazoo": "adapters.kazoo.simulated:simulate",
    "ringcentral": "adapters.ringcentral.simulated:simulate",
    "bandwidth": "adapters.bandwidth.simulated:simulate",
    "telphin": "adapters.telphin.simulated:simulate",
}


def kinds() -> tuple[str, ...]:
    """Give all kinds, in the order they are shown."""
    return tuple(_ADAPTERS)


def adapter_type(kind: str) -> type[Adapter]:
    """Import the adapter of a kind.

    Errors: KeyError for a kind that is none of `kinds`.
    """
    return cast("type[Adapter]", _load(_ADAPTERS[kind]))


def simulator(kind: str) -> Simulator:
    """Import the simulator of a kind.

    Errors: KeyError for a kind that is none of `kinds`.
    """
    return cast("Simulator", _load(_SIMULATORS[kind]))


def _load(reference: str) -> object:
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
