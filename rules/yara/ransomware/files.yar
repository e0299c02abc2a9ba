/*
  Files that ransomware has changed.
*/
rule encrypted_by_wannacry : ransomware encrypted
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "File encrypted by WannaCry: its mark, the length of a key of 256 bytes, and the kind"
    reference = "https://www.cisa.gov/news-events/alerts/2017/05/12/indicators-associated-wannacry-ransomware"
    attack = "T1486"
    severity = 80
  strings:
    $mark = "WANACRY!"
  condition:
    $mark at 0 and uint32(8) == 256 and filesize > 280
}

rule encrypted_by_stop_djvu : ransomware encrypted
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "File encrypted by STOP/Djvu: the mark that it puts at the end"
    reference = "https://www.bleepingcomputer.com/forums/t/671473/"
    attack = "T1486"
    severity = 80
  strings:
    $mark = "{36A698B9-D67C-4E07-BE82-0EC5B14B4DF5}" ascii
  condition:
    // The mark ends the file, behind the victim's id of 40 characters; elsewhere it is a program that knows it.
    filesize > 78 and $mark at (filesize - 38)
}
