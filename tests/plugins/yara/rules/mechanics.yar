/* What the plugin makes of a match: tags, metadata of all kinds, bounds, variables, modules, global and private rules. */
import "hash"
import "math"

global rule only_mechanics
{
  strings:
    $mark = "kvali-mechanics"
  condition:
    $mark
}

private rule helper
{
  condition:
    filesize > 0
}

rule many_matches : first second
{
  meta:
    text = "quotes \" and <tags> & \\ backslash"
    number = -5
    truth = true
    hash = "one"
    hash = "two"
    severity = "70"
  strings:
    $ab = "ab"
    $private = "tail" private
    $georgian = { E1 83 99 }
  condition:
    helper and #ab == 200 and $private and $georgian
}

rule variables
{
  meta:
    severity = "high"
  condition:
    filename == "mechanics.lnk" and filepath == "sample/mechanics.lnk" and extension == ".lnk" and filetype == "" and
    md5 == "" and owner == "" and size == filesize and not deleted
}

rule modules
{
  meta:
    severity = 5
  condition:
    hash.md5(0, 5) == "1a39bc4c70d18f9e2d5ccac3a1d1a3ee" or math.entropy(0, filesize) > 1.0
}
