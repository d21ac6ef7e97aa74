"""Commands are found because their module is listed: a module nobody lists would be dead."""

from pkgutil import iter_modules

from hinomi.evidence.scripts.shell import commands, known
from hinomi.evidence.scripts.shell.machine import ShellMachine


def test_every_module_of_commands_is_listed():
    listed = {field.__name__.rpartition(".")[2] for field in known.FIELDS}
    assert listed == {module.name for module in iter_modules(commands.__path__)}


def test_the_machine_knows_what_the_modules_register():
    assert {"tar", "sed", "nohup", "curl", "crontab", "base64"} <= known.HANDLERS.keys()
    assert all(handler.__module__.startswith(commands.__name__) for handler in known.HANDLERS.values())
    assert ShellMachine.__module__ == "hinomi.evidence.scripts.shell.machine"
