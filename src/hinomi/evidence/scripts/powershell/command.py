"""A PowerShell command after expansion, and the public names of cmdlets, aliases and tools."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hinomi.evidence.scripts.values import Value

if TYPE_CHECKING:
    from tree_sitter import Node

PROVIDERS = ("env:", "function:", "variable:", "alias:")  # copied and removed like files, but no files
ALIASES = {
    "iex": "invoke-expression", "iwr": "invoke-webrequest", "curl": "invoke-webrequest", "wget": "invoke-webrequest",
    "irm": "invoke-restmethod",
    "saps": "start-process", "start": "start-process", "sleep": "start-sleep", "gps": "get-process",
    "ps": "get-process", "sp": "set-itemproperty",
    "spps": "stop-process", "kill": "stop-process", "spsv": "stop-service", "cp": "copy-item", "copy": "copy-item",
    "cpi": "copy-item", "mv": "move-item",
    "move": "move-item", "ren": "rename-item", "rm": "remove-item", "del": "remove-item", "erase": "remove-item",
    "ri": "remove-item", "rd": "remove-item",
    "ac": "add-content", "gc": "get-content", "cat": "get-content", "type": "get-content", "gwmi": "get-wmiobject",
    "icm": "invoke-command", "ipmo": "import-module", "sal": "set-alias", "ni": "new-item", "where": "where-object",
    "?": "where-object",
    "gcim": "get-ciminstance", "iwmi": "invoke-wmimethod", "rni": "rename-item", "schtasks": "schtasks",
    "tee": "tee-object",
}  # fmt: skip
COLLECTS = {
    "systeminfo": "system", "tasklist": "processes", "ipconfig": "interfaces", "whoami": "users",
    "hostname": "host-name", "netstat": "sockets", "quser": "users",
    "get-computerinfo": "system", "get-wmiobject": "hardware", "get-ciminstance": "hardware", "wmic": "hardware",
    "get-netipaddress": "interfaces",
    "get-netipconfiguration": "interfaces", "get-nettcpconnection": "sockets", "get-localuser": "users",
    "get-clipboard": "clipboard",
    "arp": "interfaces", "route": "interfaces", "nltest": "domain", "dsquery": "domain", "query": "users",
    "get-hotfix": "system", "getmac": "interfaces",
    "get-netadapter": "interfaces", "get-localgroupmember": "users",
}  # fmt: skip
QUIET = frozenset(
    """
    write-host write-output write-verbose write-error write-warning write-debug out-null out-string
    select-object sort-object foreach-object where-object format-table format-list measure-object get-date
    get-item get-childitem join-path split-path resolve-path new-object set-variable get-variable get-command
    get-member test-path set-location push-location pop-location import-module get-content get-process
    get-service convertto-json convertfrom-json param echo cd dir ls exit return throw break continue
    set-strictmode get-help add-member group-object compare-object select-string get-location read-host
    clear-host cls % ? select sort foreach tee-object get-itemproperty get-itempropertyvalue
    convertto-securestring out-default write-progress get-acl set-acl get-random remove-variable update-typedata
    new-variable set-psdebug export-modulemember get-host convertto-html export-csv import-csv
    get-executionpolicy set-executionpolicy start-transcript stop-transcript test-connection new-timespan
    get-unique unblock-file mkdir md pushd popd set-psreadlineoption disable-warning get-psdrive new-psdrive
    attrib icacls chcp rem title color cls timeout assert describe it should begin process end trap
    """.split()
)


@dataclass(slots=True)
class Command:
    """A command after expansion; parameter names are lower case, without the dash."""

    path: Value
    line: int
    text: str
    operator: str
    piped: Value | None
    parameters: dict[str, Value] = field(default_factory=dict)
    words: list[Value] = field(default_factory=list)
    blocks: list[Node] = field(default_factory=list)
    block_value: Value | None = None

    @property
    def name(self) -> str:
        """Lower-case name, aliases resolved, `.exe` and the folder dropped."""
        text = self.path.text.strip("'\" ").lower()
        base = text.replace("/", "\\").rsplit("\\", 1)[-1].removesuffix(".exe").removesuffix(".com")
        return ALIASES.get(base, base)

    def get(self, *names: str) -> Value | None:
        """Return a parameter by name or unique beginning of it (`-Uri`, `-OutF`)."""
        for name in names:
            for given, value in self.parameters.items():
                if given == name or (len(given) > 2 and name.startswith(given)):
                    return value
        return None

    def first(self, *names: str) -> Value | None:
        """Return a parameter, else the first word, else what is piped in."""
        given = self.get(*names)
        return given if given is not None else self.words[0] if self.words else self.piped
