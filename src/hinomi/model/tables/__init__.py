"""The evidence tables. Each is one frozen dataclass whose fields carry their documentation.

The Arrow schema, the SQL view, the reference page and the console's labels are all made from these declarations.
`TABLES` maps the table's name to its row class; a module of this package that declares a table is found by itself.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from hinomi.model.tables.base import Row, column, columns_of, table, table_of

__all__ = ["TABLES", "Row", "column", "columns_of", "table", "table_of"]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

TABLES: dict[str, type[Row]] = {
    table_of(cls).name: cls for cls in sorted(Row.__subclasses__(), key=lambda c: table_of(c).name)
}
