"""The state database: SQLite in WAL mode, or PostgreSQL by URL; opened, migrated, and told apart from a newer one."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError, OperationalError

from hinomi.model.errors import CaseError, PermissionDeniedError

HEAD = "0002"
MIGRATIONS = Path(__file__).with_name("migrations")


def open_state(url: str) -> Engine:
    """Open the state at an SQLAlchemy URL and bring it to this version's schema.

    Raises `CaseError` for a damaged database or one of a newer Hinomi, `PermissionDeniedError` where it cannot be
    written.
    """
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    try:
        _migrate(engine)
    except OperationalError as error:
        raise PermissionDeniedError(
            "case.not-writable", place=url, cause=str(error.orig), next_step="choose another folder with --case DIR"
        ) from error
    except DatabaseError as error:
        raise CaseError(
            "case.damaged", place=url, cause=str(error.orig), next_step="move the folder away and begin a new case"
        ) from error
    return engine


def _prepare_sqlite(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "busy_timeout=10000", "foreign_keys=ON", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(engine: Engine) -> None:
    with engine.begin() as connection:
        found = _version(connection)
        if found == HEAD:
            return
        if found is not None and not (MIGRATIONS / "versions" / f"v{found}.py").exists():
            raise CaseError(
                "case.newer",
                place=str(engine.url),
                cause=f"state version {found}",
                next_step="update Hinomi, or choose another case with --case DIR",
            )
        _upgrade(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
