"""Scripts to rows: what a shell, PowerShell or JavaScript file does, from its syntax tree. Nothing is ever run."""

from hinomi.evidence.scripts.analysis import ScriptAnalysis, analyse

__all__ = ["ScriptAnalysis", "analyse"]
