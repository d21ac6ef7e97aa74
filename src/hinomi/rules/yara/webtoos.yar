// Strings: names under which the family is publicly described (Microsoft: Trojan:Win32/WebToos). Rule text: Hinomi maintainers.
rule webtoos {
  meta:
    title_en = "Webtoos"
    title_ja = "DDoSの機能を持つマルウェアWebtoos"
    explanation_en = "{subject} is a Windows program with several texts of the family Webtoos, which attacks other sites and stays after a restart ({patterns})."
    explanation_ja = "{subject} は、DDoSや持続化の機能を持つWebtoosの文字列を複数含むWindowsプログラムです（{patterns}）。"
    falsepositives_en = "None known."
    falsepositives_ja = "知られていません。"
    severity = "critical"
    confidence = 80
    subject_type = "file"
    status = "stable"
    behaviours = "ddos-capability, remote-access-trojan, service-persistence"
    attack = "T1498, T1543.003, T1036.005"
    threats = "Webtoos"
    references = "https://www.microsoft.com/en-us/security/blog/2021/12/11/guidance-for-preventing-detecting-and-hunting-for-cve-2021-44228-log4j-2-exploitation/"
    responses = "isolate-host, preserve-evidence, stop-and-remove-implant, remove-persistence, scan-memory, investigate-log4shell"
    license = "Apache-2.0"
  strings:
    $name = "WebToos" ascii wide nocase
    $log = "IEctrl.log" ascii wide nocase
    $svch = "svch0st.exe" ascii wide nocase
    $task = "taskh0st.exe" ascii wide nocase
    $ini = "s_svost.ini" ascii wide nocase
    $class = "New CIEThreadEx" ascii wide nocase
  condition:
    uint16(0) == 0x5a4d and filesize < 16MB and 3 of them
}
