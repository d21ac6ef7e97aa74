"""How a table is declared: `@table(...)` on a frozen dataclass of `column(...)` fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from typing import Any, ClassVar, TypeVar, dataclass_transform, get_type_hints

R = TypeVar("R", bound="Row")


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table's name, its one-line purpose, and which column names the subject of a row."""

    name: str
    doc: str
    subject: str


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column's name, Python type (`str`, `int`, `float`, `bool`, `list[str]`; maybe `| None`) and doc line."""

    name: str
    type: Any
    doc: str


class Row:
    """Base of every table's row class: it compares, hashes and shows itself as any frozen dataclass does."""

    __slots__ = ()
    table_info: ClassVar[TableInfo]

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")


def column(doc: str, *, default: Any = MISSING, default_factory: Any = MISSING) -> Any:
    """Declare a column with its doc line; give `default` for columns that may be unknown."""
    if default_factory is not MISSING:
        return field(default_factory=default_factory, metadata={"doc": doc})
    if default is not MISSING:
        return field(default=default, metadata={"doc": doc})
    return field(metadata={"doc": doc})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(column,))
def table(name: str, doc: str, *, subject: str) -> Callable[[type[R]], type[R]]:
    """Make a frozen, keyword-only row class of the decorated class and register it as table `name`."""

    def declare(cls: type[R]) -> type[R]:
        made = dataclass(init=False, repr=False, eq=False)(cls)  # `Row` has those for all: compiling them takes long
        made.__init__ = _beginning(made)  # type: ignore[method-assign]
        made.table_info = TableInfo(name, doc, subject)
        return made

    return declare


def _beginning(cls: type[R]) -> Callable[..., None]:
    """Return an `__init__` that sets all columns at once: a frozen dataclass sets one after the other, four times as
    slowly, and a scan makes a row for every file there is.
    """
    declared = fields(cls)  # type: ignore[arg-type]
    blank = {f.name: None if f.default is MISSING else f.default for f in declared}
    made = {f.name: f.default_factory for f in declared if f.default_factory is not MISSING}
    required = {f.name for f in declared if f.default is MISSING and f.default_factory is MISSING}
    number = len(blank)

    def __init__(self: R, **values: Any) -> None:  # noqa: N807 - it becomes the class's own
        row = blank | values
        if len(row) != number or not required <= values.keys():
            wrong = sorted((required - values.keys()) | (values.keys() - blank.keys()))
            raise TypeError(f"{cls.__name__}: missing or unknown columns {wrong}")
        for name, make in made.items():
            if name not in values:
                row[name] = make()
        self.__dict__.update(row)

    return __init__


def row_of(cls: type[R], columns: dict[str, Any]) -> R:
    """Return a row made of `columns`, which it keeps: every column, in declared order. Nothing is checked: this is for
    rows that are made by the hundred thousand.
    """
    made = object.__new__(cls)
    object.__setattr__(made, "__dict__", columns)
    return made


def table_of(cls: type[Row]) -> TableInfo:
    """Return the declaration of a row class."""
    return cls.table_info


def columns_of(cls: type[Row]) -> tuple[ColumnInfo, ...]:
    """Return the columns of a row class in declared order."""
    hints = get_type_hints(cls)
    return tuple(ColumnInfo(f.name, hints[f.name], f.metadata["doc"]) for f in fields(cls))  # type: ignore[arg-type]
