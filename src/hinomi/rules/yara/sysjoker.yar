// Strings: public analyses of Windows, Linux and macOS builds (Intezer, 2022-01-11). Rule text: Hinomi maintainers.
rule sysjoker {
  meta:
    title_en = "SysJoker backdoor"
    title_ja = "SysJokerバックドア"
    explanation_en = "{subject} is a native program with several texts of SysJoker: its folders, its commands, its dead drop ({patterns})."
    explanation_ja = "{subject} は、SysJokerのフォルダー名・コマンド・接続先の取得方法などの文字列を複数持つプログラムです（{patterns}）。"
    falsepositives_en = "None known with this many of the texts in one program."
    falsepositives_ja = "一つのプログラムにこれだけそろう例は知られていません。"
    severity = "critical"
    confidence = 90
    subject_type = "file"
    status = "stable"
    behaviours = "dead-drop-resolver, update-masquerade, system-discovery, command-execution"
    attack = "T1102.001, T1036.005, T1082, T1059"
    threats = "SysJoker"
    references = "https://www.intezer.com/blog/malware-analysis/new-backdoor-sysjoker/"
    responses = "isolate-host, preserve-evidence, stop-and-remove-implant, remove-persistence, scan-memory, find-the-way-in"
    license = "Apache-2.0"
    memory = true
  strings:
    $drop = "uc?export=download&id=" ascii wide nocase
    $token = "user_token=" ascii wide nocase
    $w1 = "\\SystemData\\" ascii wide nocase
    $w2 = "microsoft_Windows.dll" ascii wide nocase
    $w3 = "txc1.txt" ascii wide nocase
    $w4 = "tempo1.txt" ascii wide nocase
    $w5 = "wmic path win32_physicalmedia get SerialNumber" ascii wide nocase
    $w6 = "\\RecoverySystem" ascii wide nocase
    $w7 = "igfxCUIService" ascii wide nocase
    $l1 = "/.Library/" ascii nocase
    $l2 = "SystemServices" ascii nocase
    $l3 = "updateSystem" ascii nocase
    $l4 = "crontab -l | egrep -v" ascii nocase
    $l5 = "@reboot (" ascii nocase
    $l6 = "ip address | awk '/ether/{print $2}'" ascii nocase
    $m1 = "/Library/MacOsServices" ascii nocase
    $m2 = "com.apple.update.plist" ascii nocase
    $m3 = "updateMacOs" ascii nocase
    $m4 = "/Library/SystemNetwork" ascii nocase
  condition:
    (in_memory and $token and $drop and 2 of ($l*)) or
    filesize < 32MB and (
      (uint16(0) == 0x5a4d and (4 of ($w*) or (2 of ($w*) and all of ($drop, $token)))) or
      (uint32(0) == 0x464c457f and (4 of ($l*) or (2 of ($l*) and any of ($drop, $token)))) or
      ((uint32(0) == 0xfeedfacf or uint32(0) == 0xfeedface or uint32be(0) == 0xcafebabe) and
        (3 of ($m*) or (any of ($m*) and any of ($drop, $token))))
    )
}
