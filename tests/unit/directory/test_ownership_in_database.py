"""The database answers ownership as the same directory in memory does (S2.4, S2.5)."""

import threading
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from maysend.directory import Directory, ownership, schema
from tests.unit.directory.conftest import open_directory_table
from tests.unit.directory.test_ownership import ADDRESSES, worlds
from tests.unit.directory.worlds import World


def store(directory: Directory, world: World) -> None:
    with directory._database.writing() as connection:
        for table in (schema.grants, schema.aliases, schema.accounts):
            connection.execute(delete(table))
    for login, may_act in world.active.items():
        directory.accounts.add(login)
        if not may_act:
            directory.accounts.disable(login)
    for alias, rows in world.rows.items():
        for row in rows:
            if row.send or row.receive:
                directory.aliases.add(alias, [row.target], send=row.send, receive=row.receive)
    for holder in world.granted:
        directory.grants.add(holder.login, holder.address)


def as_stored(world: World) -> World:
    """`world` as the stores keep it: the last rights given to a target are the ones it has."""
    kept = World(active=world.active, granted=world.granted)
    for alias, rows in world.rows.items():
        last = {row.target: row for row in rows if row.send or row.receive}
        if last:
            kept.rows[alias] = list(last.values())
    return kept


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(worlds(), st.lists(st.sampled_from(ADDRESSES), min_size=1, max_size=6))
def test_database_and_memory_agree(
    directory: Directory, world: World, addresses: list[str]
) -> None:
    store(directory, world)
    kept = as_stored(world)
    for address in addresses:
        expected = ownership.owners(kept, address, "+").logins
        assert directory.owners(address.upper(), "+").logins == expected


def test_threads_may_ask_while_others_write(tmp_path: Path) -> None:
    with Directory.open(tmp_path / "d.db") as directory:
        table = open_directory_table(directory, "owners")
        failures: list[BaseException] = []
        stop = threading.Event()

        def ask() -> None:
            try:
                while not stop.is_set():
                    for i in range(20):
                        assert table.lookup(f"u{i}@example.com") in (None, f"u{i}@example.com")
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for i in range(20):
            directory.accounts.add(f"u{i}@example.com")
        stop.set()
        for thread in threads:
            thread.join()
        assert failures == []
