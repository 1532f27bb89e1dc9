"""Checkpoints against a store and a group that live in memory."""

from functools import partial

import pytest

from schemas.errors import CheckpointError
from streams.state.pointer import Position
from tests.state.world import HERE, THERE, Slow, World, apply, saved


async def test_a_new_partition_begins_at_the_start_of_its_log() -> None:
    """Nothing was committed, so reading begins with the oldest record there is."""
    assert {HERE: 7} == await World().worker().resume({HERE})


async def test_state_and_offset_come_back_together() -> None:
    """After a kill, state and offset are those of the last checkpoint, whatever was applied since."""
    world = World()
    worker = await saved(world, 1, 2)
    apply(worker, 99)
    reborn = world.worker()
    assert {HERE: 9} == await reborn.resume({HERE})
    assert 3 == reborn.partitions[HERE].stage.total


@pytest.mark.parametrize(("later", "away"), [(3_600_000, 3_600_000), (0, 0)])
async def test_a_stage_is_told_how_long_nobody_did_its_work(later: int, away: int) -> None:
    """From the time of the snapshot to now; one that begins anew is told nothing."""
    world = World()
    first = await saved(world, 1)
    assert -1 == first.partitions[HERE].stage.away_ms
    world.clock.advance(later)
    reborn = world.worker()
    await reborn.resume({HERE})
    assert away == reborn.partitions[HERE].stage.away_ms


async def test_outputs_are_delivered_before_the_commit() -> None:
    """With an output undelivered nothing is committed, and the error is raised."""
    world = World()
    worker = await saved(world, 1)
    before = dict(world.group.committed)
    world.outputs.error = OSError("no broker")
    apply(worker, 2)
    with pytest.raises(OSError, match="no broker"):
        await worker.checkpoint()
    assert before == world.group.committed
    assert [3, 3] == world.outputs.waited


async def test_what_is_saved_is_the_state_at_the_offset_beside_it() -> None:
    """A stage that writes its state down later, while chunks come, is saved as it was frozen."""
    world = World()
    worker = world.worker(Slow)
    await worker.resume({HERE})
    apply(worker, 3)
    world.store.before_write = partial(apply, worker, 4)
    assert await worker.checkpoint()
    reborn = world.worker(Slow)
    assert ({HERE: 8}, 3) == (await reborn.resume({HERE}), reborn.partitions[HERE].stage.total)
    assert worker.partitions[HERE].dirty


async def test_one_partition_is_frozen_at_a_time() -> None:
    """Copies of all states at once would take as much memory as all states."""
    world = World()
    worker = world.worker(Slow)
    await worker.resume({HERE, THERE})
    for partition in worker.partitions.values():
        partition.touched()
    waiting: list[int] = []
    world.store.before_write = lambda: waiting.append(Slow.frozen)
    assert await worker.checkpoint()
    assert ([1, 1], 1) == (waiting, worker.commits)


async def test_a_partition_without_changes_is_not_saved_again() -> None:
    """Idle partitions cost nothing."""
    world = World()
    worker = await saved(world, 1)
    assert await worker.checkpoint()
    assert (1, 1) == (len(world.store.blobs), worker.commits)


async def test_the_snapshot_before_is_used_when_the_last_is_corrupt() -> None:
    """The state and the offset of the snapshot before are restored, and saving goes on from there."""
    world = World()
    await saved(world, 1, 2)
    world.store.lost = {1}
    reborn = world.worker()
    assert {HERE: 8} == await reborn.resume({HERE})
    assert 1 == reborn.partitions[HERE].stage.total
    apply(reborn, 5)
    assert await reborn.checkpoint()
    assert {HERE: 9} == await world.worker().resume({HERE})


async def test_without_any_readable_snapshot_it_does_not_start() -> None:
    """An empty state would be wrong silently, so the error is raised."""
    world = World()
    await saved(world, 1, 2)
    world.store.lost = {0, 1}
    with pytest.raises(CheckpointError, match="is corrupt"):
        await world.worker().resume({HERE})


async def test_a_refused_commit_is_tried_again() -> None:
    """The partition stays dirty when the group refuses, and the next checkpoint saves it."""
    world = World()
    worker = await saved(world, 1)
    apply(worker, 2)
    world.group.refusing = True
    assert not await worker.checkpoint()
    world.group.refusing = False
    assert await worker.checkpoint()
    assert 9 == world.group.committed[HERE][0]


async def test_a_member_of_an_older_generation_commits_nothing() -> None:
    """A rebalance in the middle of a checkpoint makes its commit void."""
    world = World()
    worker = await saved(world, 1)
    apply(worker, 2)

    def rebalance() -> None:
        world.group.generation += 1

    world.store.before_write = rebalance
    assert not await worker.checkpoint()
    assert 8 == world.group.committed[HERE][0]


async def test_a_state_stays_warm_over_a_rebalance() -> None:
    """When nobody else has had the partition, what was applied since the checkpoint is kept."""
    world = World()
    worker = await saved(world, 1)
    apply(worker, 2)
    assert {HERE: 9} == await worker.resume({HERE})
    assert (3, 0) == (worker.partitions[HERE].stage.total, worker.restores)


async def test_a_zombie_takes_over_what_others_have_saved() -> None:
    """A worker that slept through a change of owner drops its own state for the saved one."""
    world = World()
    zombie = await saved(world, 1)
    apply(zombie, 100)
    other = world.worker()
    await other.resume({HERE})
    apply(other, 5)
    assert await other.checkpoint()
    assert {HERE: 9} == await zombie.resume({HERE})
    assert 6 == zombie.partitions[HERE].stage.total


async def test_a_partition_that_went_away_is_forgotten() -> None:
    """Its state goes with it, so memory holds only what this worker owns."""
    worker = await saved(World(), 1)
    assert {} == await worker.resume(set())
    assert {} == worker.partitions


async def test_after_a_failure_nothing_is_saved() -> None:
    """A state that broke in the middle of a chunk is not written down."""
    world = World()
    worker = await saved(world, 1)
    apply(worker, 2)
    worker.close()
    assert await worker.checkpoint()
    assert 8 == world.group.committed[HERE][0]


async def test_a_failure_during_the_write_stops_the_commit() -> None:
    """Closing while a snapshot is on its way leaves the commit out."""
    world = World()
    worker = await saved(world, 1)
    apply(worker, 2)
    world.store.before_write = worker.close
    assert await worker.checkpoint()
    assert 8 == world.group.committed[HERE][0]


async def test_each_commit_points_to_two_snapshots() -> None:
    """The metadata names the current snapshot and the one before, in different slots."""
    world = World()
    await saved(world, 1, 2, 3)
    position = Position.from_text(world.group.committed[HERE][1])
    assert position is not None
    assert position.previous is not None
    assert (2, 1) == (position.current.first, position.previous.first)
    assert position.current.slot != position.previous.slot
