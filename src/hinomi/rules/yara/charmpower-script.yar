// Strings: public analyses (Check Point, 2022-01-11; MITRE ATT&CK S0674). Rule text: Hinomi maintainers.
rule charmpower_script {
  meta:
    title_en = "CharmPower PowerShell toolkit"
    title_ja = "CharmPower（PowerShellツールキット）"
    explanation_en = "{subject} is a script with several habits and texts of CharmPower ({patterns})."
    explanation_ja = "{subject} は、CharmPowerの特徴的な文字列や処理を複数含むスクリプトです（{patterns}）。"
    falsepositives_en = "Reports and teaching texts that quote the script."
    falsepositives_ja = "スクリプトを引用した報告書や教材。"
    severity = "high"
    confidence = 82
    subject_type = "file"
    status = "stable"
    behaviours = "powershell-toolkit, system-discovery, data-exfiltration, screen-capture"
    attack = "T1059.001, T1105, T1082, T1041"
    threats = "CharmPower, APT35"
    references = "https://attack.mitre.org/software/S0674/"
    responses = "isolate-host, preserve-evidence, stop-and-remove-implant, investigate-log4shell, scan-memory"
    license = "Apache-2.0"
  strings:
    $stack = "Stack=Overflow" ascii wide nocase
    $hi = "hi=hi" ascii wide nocase
    $note = "\\Ni.txt" ascii wide nocase
    $bucket = "doclibrarysales" ascii wide nocase
    $wlan = "netsh wlan show profiles" ascii wide nocase
    $iex = "Invoke-Expression" ascii wide nocase
    $iex2 = /\biex\b/ ascii wide nocase
    $rest = "Invoke-RestMethod" ascii wide nocase
    $web = "System.Net.WebClient" ascii wide nocase
    $loop = /while\s*\(\s*(\$true|1|1\s*-eq\s*1)\s*\)/ ascii wide nocase
    $ftp = "FtpWebRequest" ascii wide nocase
    $copy = "CopyFromScreen" ascii wide nocase
    $code = /(^|[\r\n;{])\s{0,40}\$[a-z_]\w{0,40}\s{0,4}=\s{0,4}[^=\s]/ ascii wide nocase // a script, not a text about one
  condition:
    filesize < 2MB and uint16(0) != 0x5a4d and uint32(0) != 0x464c457f and uint32(0) != 0x04034b50 and
    $code and 2 of ($stack, $hi, $note, $bucket) and any of ($iex, $iex2) and any of ($rest, $web, $ftp, $copy, $wlan, $loop)
}
