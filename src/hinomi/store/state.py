"""The state database: SQLite in WAL mode, or PostgreSQL by URL; opened, migrated, and told apart from a newer one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, ExceptionContext, Table, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from hinomi.model.errors import CaseError, ConfigError, PermissionDeniedError

HEAD = "0005"
MIGRATIONS = Path(__file__).with_name("migrations")
DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
"""The databases that can hold the state, by what their URL begins with."""
_MIGRATING = 0x48696E6F6D69
"""The PostgreSQL advisory lock that is held while the schema is brought up to date: "Hinomi" in ASCII."""


def open_state(url: str) -> Engine:
    """Open the state at an SQLAlchemy URL and bring it to this version's schema.

    Raises `CaseError` for a damaged database or one of a newer Hinomi, `PermissionDeniedError` where it cannot be
    reached or written, `ConfigError` for a URL of anything but SQLite and PostgreSQL or where the driver is missing.
    """
    engine = _engine(url)
    try:
        _migrate(engine)
    except DatabaseError as error:
        engine.dispose()
        raise _refused(engine, error) from error
    except CaseError:
        engine.dispose()
        raise
    event.listen(engine, "handle_error", _lost)
    return engine


@contextmanager
def sole_writer(engine: Engine, table: Table) -> Iterator[Connection]:
    """Begin a transaction in which nobody else writes to `table`: what is read in it stays true until it is written.

    Readers go on. SQLite knows one writer at a time anyway, but must be told at the beginning that we are one.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))
        yield connection


def _engine(url: str) -> Engine:
    try:
        parts = make_url(url)
        engine = create_engine(parts.set(drivername=DRIVERS[parts.get_backend_name()]), pool_pre_ping=True)
    except (ArgumentError, KeyError, ValueError) as error:
        raise ConfigError(
            "state.unknown", place=url.partition("://")[0][:40], cause="neither sqlite:// nor postgresql://"
        ) from error
    except ModuleNotFoundError as error:
        raise ConfigError("state.no-driver", place=shown(parts), cause=str(error)) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def shown(url: URL) -> str:
    """Return the URL as it may be shown: without its password, and without a query that may hold one."""
    plain = url.set(drivername=url.get_backend_name(), query={})
    return plain.render_as_string(hide_password=True)


def _lost(context: ExceptionContext) -> None:
    """Give a state that goes away in the middle (server stopped, disk full) an error of ours, with a next step."""
    if isinstance(context.sqlalchemy_exception, OperationalError):
        cause = " ".join(str(context.original_exception).split())
        raise PermissionDeniedError("state.lost", cause=cause) from context.original_exception


def _refused(engine: Engine, error: DatabaseError) -> CaseError | PermissionDeniedError:
    place, cause = shown(engine.url), " ".join(str(error.orig).split())
    if engine.dialect.name != "sqlite":
        return PermissionDeniedError("state.unreachable", place=place, cause=cause)
    if isinstance(error, OperationalError):
        return PermissionDeniedError(
            "case.not-writable", place=place, cause=cause, next_step="choose another folder with --case DIR"
        )
    return CaseError("case.damaged", place=place, cause=cause, next_step="move the folder away and begin a new case")


def _prepare_sqlite(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "busy_timeout=10000", "foreign_keys=ON", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection:
        if _version(connection) == HEAD:
            return
    with engine.begin() as connection:
        _begin_migrating(connection)
        found = _version(connection)
        if found == HEAD:
            return
        if found is not None and not (MIGRATIONS / "versions" / f"v{found}.py").exists():
            raise CaseError(
                "case.newer",
                place=shown(engine.url),
                cause=f"state version {found}",
                next_step="update Hinomi, or choose another case with --case DIR",
            )
        _upgrade(connection)


def _begin_migrating(connection: Connection) -> None:
    """Let one process bring the schema up to date, while others that open the same new state wait for it."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})


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
