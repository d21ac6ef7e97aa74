// Strings: public analyses (MITRE ATT&CK S0385; Microsoft's name is Bladabindi). Rule text: Hinomi maintainers.
rule njrat {
  meta:
    title_en = "njRAT (Bladabindi)"
    title_ja = "遠隔操作マルウェアnjRAT（Bladabindi）"
    explanation_en = "{subject} is a Windows program with several texts of the remote-access trojan njRAT ({patterns})."
    explanation_ja = "{subject} は、遠隔操作型マルウェアnjRATの文字列を複数持つWindowsプログラムです（{patterns}）。"
    falsepositives_en = "None known with four of the texts in one program."
    falsepositives_ja = "一つのプログラムに四つそろう例は知られていません。"
    severity = "critical"
    confidence = 90
    subject_type = "file"
    status = "stable"
    behaviours = "remote-access-trojan, command-execution, run-key-persistence, keylogging"
    attack = "T1219, T1547.001, T1562.004, T1056.001"
    threats = "njRAT, Bladabindi"
    references = "https://attack.mitre.org/software/S0385/"
    responses = "isolate-host, preserve-evidence, stop-and-remove-implant, scan-memory, investigate-log4shell"
    license = "Apache-2.0"
  strings:
    $mask = "SEE_MASK_NOZONECHECKS" ascii wide nocase
    $fail = "Download ERROR" ascii wide nocase
    $ping = "cmd.exe /c ping 0 -n 2 & del \"" ascii wide nocase
    $wall = "netsh firewall delete allowedprogram \"" ascii wide nocase
    $add = "netsh firewall add allowedprogram \"" ascii wide nocase
    $sys = "[+] System : " ascii wide nocase
    $exec = "Executed As " ascii wide nocase
    $upd = "Update ERROR" ascii wide nocase
  condition:
    uint16(0) == 0x5a4d and filesize < 8MB and 4 of them
}
