// Strings: public analyses of the Go builds for Windows and Linux (2021). Rule text: Hinomi maintainers.
rule habitsrat {
  meta:
    title_en = "HabitsRAT"
    title_ja = "遠隔操作マルウェアHabitsRAT"
    explanation_en = "{subject} is a Go program with several texts of HabitsRAT: the places it installs itself to and its servers ({patterns})."
    explanation_ja = "{subject} は、HabitsRATの設置先や接続先の文字列を複数持つGo言語のプログラムです（{patterns}）。"
    falsepositives_en = "None known."
    falsepositives_ja = "知られていません。"
    severity = "critical"
    confidence = 85
    subject_type = "file"
    status = "stable"
    behaviours = "remote-access-trojan, service-persistence, scheduled-persistence"
    attack = "T1219, T1543.002, T1053.005, T1036.005"
    threats = "HabitsRAT"
    references = "https://github.com/stamparm/maltrail"
    responses = "isolate-host, preserve-evidence, stop-and-remove-implant, remove-persistence, scan-memory, investigate-log4shell"
    license = "Apache-2.0"
    memory = true
  strings:
    $go1 = "Go build ID:" ascii nocase
    $go2 = "runtime.goexit" ascii nocase
    $go3 = "go.buildid" ascii nocase
    $p1 = ".config/polkitd/polkitd" ascii wide nocase
    $p2 = "/systemd/user/" ascii wide nocase
    $p3 = "polkitd.service" ascii wide nocase
    $p4 = "WindowsDefender\\MsMpEng.exe" ascii wide nocase
    $p5 = "WindowsDefender.xml" ascii wide nocase
    $p6 = "schtasks" ascii wide nocase
    $c1 = "krebsonfellatio" ascii wide nocase
    $c2 = "brian-krebs-" ascii wide nocase
    $k1 = "BEGIN PUBLIC KEY" ascii wide nocase
    $k2 = "rsa.VerifyPKCS1v15" ascii wide nocase
  condition:
    (in_memory and 3 of ($p1, $p4, $p5, $c*)) or
    (uint16(0) == 0x5a4d or uint32(0) == 0x464c457f) and filesize < 32MB and any of ($go*) and
    (2 of ($p1, $p3, $p4, $p5, $c*) or (any of ($p1, $p4, $c*) and any of ($p2, $p6) and any of ($k*)))
}
