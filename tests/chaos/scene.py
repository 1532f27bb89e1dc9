"""The scene: three brokers, a line to each, and a small disk for the first, where this machine can have one."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from deploy.kafka.cluster import Node, passing_cluster
from deploy.ports import free_ports
from tests.chaos.disk import Disk, DiskError, small_disk
from tests.chaos.faults import ON_DISKS, Kind
from tests.chaos.proxy import Proxy

NODES = 3


class Cluster:
    """Where a run takes place: brokers, the lines to them, and the small disk of the first broker."""

    def __init__(self, nodes: Sequence[Node], proxies: Sequence[Proxy], disk: Disk | None) -> None:
        self.nodes, self.proxies, self.disk = nodes, proxies, disk
        self.direct = ",".join(f"127.0.0.1:{node.port}" for node in nodes)
        self.through = ",".join(proxy.address for proxy in proxies)


@asynccontextmanager
async def scene(
    libs: Path, folder: Path
) -> AsyncIterator[tuple[Cluster, Collection[Kind], list[str]]]:
    """The cluster, the kinds of faults that cannot be had here, and a line that says why for each reason.

    Raises:
        UnavailableError: no Java or no jars.

    """
    async with AsyncExitStack() as stack:
        without: Collection[Kind] = ()
        skipped: list[str] = []
        disk: Disk | None = None
        try:
            disk = stack.enter_context(small_disk(folder))
        except DiskError as error:
            without = ON_DISKS
            skipped = [f"{' and '.join(sorted(ON_DISKS))}: {error}"]
        fronts = free_ports(NODES)
        proxies = [await stack.enter_async_context(Proxy(port)) for port in fronts]
        nodes = stack.enter_context(
            passing_cluster(
                libs,
                [(p.address, port) for p, port in zip(proxies, fronts, strict=True)],
                {} if disk is None else {0: disk.folder},
            )
        )
        yield Cluster(nodes, proxies, disk), without, skipped
