"""Checkpoints to which no commit points: expired offsets, offsets set by hand, states that are to be forgotten."""

import pytest

from schemas.errors import CheckpointError
from streams.state.pointer import FORGOTTEN, Position
from tests.state.world import HERE, World, saved


async def test_without_any_snapshot_an_offset_set_by_hand_is_where_it_begins() -> None:
    """Where nothing was ever saved there is only the offset to go by."""
    world = World()
    world.group.committed[HERE] = (42, "")
    worker = world.worker()
    assert {HERE: 42} == await worker.resume({HERE})
    assert 0 == worker.partitions[HERE].stage.total


async def test_an_expired_offset_loses_no_state() -> None:
    """Where the group has forgotten its offset, the newest snapshot says where to go on; it is pointed to again."""
    world = World()
    await saved(world, 1, 2)
    before = dict(world.group.committed)
    world.group.committed.clear()
    worker = world.worker()
    assert {HERE: 9} == await worker.resume({HERE})
    assert 3 == worker.partitions[HERE].stage.total
    assert await worker.checkpoint()
    assert before[HERE][0] == world.group.committed[HERE][0]
    assert Position.from_text(world.group.committed[HERE][1]) is not None


@pytest.mark.parametrize(("by_hand", "begins"), [(3, 9), (9, 9), (20, 20)])
async def test_an_offset_set_by_hand_loses_no_state(by_hand: int, begins: int) -> None:
    """Records that are in the state are not read again; those that the hand leaves out are left out."""
    world = World()
    await saved(world, 1, 2)
    world.group.committed[HERE] = (by_hand, "")
    worker = world.worker()
    assert {HERE: begins} == await worker.resume({HERE})
    assert 3 == worker.partitions[HERE].stage.total


async def test_what_is_to_be_forgotten_is_not_searched_for() -> None:
    """After `tocsin state reset` a stage begins without state, though its snapshots still lie there."""
    world = World()
    await saved(world, 1, 2)
    world.group.committed[HERE] = (7, FORGOTTEN)
    worker = world.worker()
    searches = world.store.searches
    assert {HERE: 7} == await worker.resume({HERE})
    assert 0 == worker.partitions[HERE].stage.total
    assert searches == world.store.searches


async def test_a_found_snapshot_that_cannot_be_read_is_told() -> None:
    """Going on without state where there was one would be a silent loss."""
    world = World()
    await saved(world, 1)
    world.group.committed.clear()
    world.store.lost = {0}
    with pytest.raises(CheckpointError, match="corrupt"):
        await world.worker().resume({HERE})
