/*
  Marks that editors leave in documents and pictures. Honest people edit too: the severity is low where the mark alone is nothing,
  and higher where a scan or an official paper should not have it.
*/
rule pdf_from_image_editor : forgery pdf
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PDF that says it was made by a program for pictures or drawings"
    reference = "ISO 32000-1:2008, 14.3.3"
    attack = "T1565.001"
    severity = 40
  strings:
    $pdf = "%PDF-"
    $1 = /\/(Creator|Producer)\s{0,3}\(\s?(Adobe )?(Photoshop|Illustrator|GIMP|Pixelmator|Affinity (Photo|Designer)|CorelDRAW|Corel PDF Engine|Canva|Inkscape|Paint\.NET|Krita|Photopea|PhotoScape|Figma)/
    $2 = /<(xmp:CreatorTool|pdf:Producer)>\s?(Adobe )?(Photoshop|Illustrator|GIMP|Pixelmator|Affinity|CorelDRAW|Canva|Photopea)/
  condition:
    $pdf in (0..1024) and any of ($1, $2)
}

rule pdf_from_online_editor : forgery pdf
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PDF that went through a service on the web for editing"
    reference = "ISO 32000-1:2008, 14.3.3"
    attack = "T1565.001"
    severity = 35
  strings:
    $pdf = "%PDF-"
    $1 = /\/(Creator|Producer)\s{0,3}\([^)\r\n]{0,30}(iLovePDF|Sejda|Smallpdf|PDFescape|pdfFiller|DocHub|Soda PDF|PDF2Go|Xodo|pdf-lib|PDFzorro|PDFBuddy|LightPDF|airSlate|PDF Candy)/ nocase
  condition:
    $pdf in (0..1024) and $1
}

rule pdf_from_desktop_editor : forgery pdf
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PDF that was changed with a program which edits the text of finished PDFs"
    reference = "ISO 32000-1:2008, 14.3.3"
    attack = "T1565.001"
    severity = 35
  strings:
    $pdf = "%PDF-"
    $1 = /\/(Creator|Producer)\s{0,3}\([^)\r\n]{0,30}(Foxit (PhantomPDF|PDF Editor|Phantom)|PDF-XChange Editor|Nitro (Pro|PDF)|PDFelement|Master PDF Editor|Infix|Movavi PDF|PDF Architect|ABBYY FineReader PDF|Able2Extract|PDF Expert|inPixio)/ nocase
  condition:
    $pdf in (0..1024) and $1
}

rule pdf_metadata_rewritten : forgery pdf
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "PDF whose description was rewritten with ExifTool: the earlier one is still in the file"
    reference = "https://exiftool.org/TagNames/PDF.html"
    attack = "T1565.001, T1070.006"
    severity = 60
  strings:
    $pdf = "%PDF-"
    $1 = "%BeginExifToolUpdate"
    $2 = "%EndExifToolUpdate"
  condition:
    $pdf in (0..1024) and any of ($1, $2)
}

rule document_edit_history_of_pictures : forgery
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Document or picture whose own history (XMP) says that an image editor has saved it, more than once"
    reference = "https://developer.adobe.com/xmp/docs/XMPNamespaces/XMPDataTypes/ResourceEvent/"
    attack = "T1565.001"
    severity = 35
  strings:
    $event = /stEvt:action(>|=")(saved|converted|derived)/ ascii
    $agent = /stEvt:softwareAgent(>|=")Adobe (Photoshop|Illustrator|InDesign)/ ascii
    $from = /(xmpMM|stRef):(DerivedFrom|documentID)/ ascii
  condition:
    filesize < 200MB and #event > 2 and $agent and $from
}

rule scan_through_image_editor : forgery picture
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Picture from a scanner that an image editor has saved"
    reference = "https://www.cipa.jp/std/documents/download_e.html?DC-008-Translation-2023-E"
    attack = "T1565.001"
    severity = 50
  strings:
    $scanner = /(CanoScan|CanonScan|LiDE \d{2,3}|ScanJet|Perfection V?\d{2,4}|ScanSnap|EPSON (Scan|WF|L\d{3,4}|ET-)|HP (Scan|LaserJet|OfficeJet|DeskJet)|Xerox|KONICA MINOLTA|RICOH (IM|MP)|KYOCERA|Brother (DCP|MFC)|imageRUNNER|iR-ADV)/ ascii
    $editor1 = "Adobe Photoshop" ascii
    $editor2 = /GIMP \d\.\d/ ascii
    $editor3 = "paint.net" ascii nocase
    $editor4 = "Affinity Photo" ascii
    $editor5 = "PhotoScape" ascii
    $editor6 = "Pixelmator" ascii
  condition:
    // JPEG or TIFF; the tags stand near the beginning, or behind the picture in TIFF.
    (uint16be(0) == 0xFFD8 or uint32be(0) == 0x49492A00 or uint32be(0) == 0x4D4D002A) and filesize < 200MB and
    $scanner and any of ($editor*)
}

rule metadata_written_by_tool : forgery picture
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Picture whose description (XMP) was written by ExifTool, not by a camera, scanner or editor"
    reference = "https://exiftool.org/"
    attack = "T1070.006"
    severity = 30
  strings:
    $1 = /x:xmptk=["']Image::ExifTool/ ascii
  condition:
    (uint16be(0) == 0xFFD8 or uint32be(0) == 0x89504E47 or uint32be(0) == 0x49492A00 or uint32be(0) == 0x4D4D002A or
     uint32be(4) == 0x66747970) and $1
}

rule picture_made_by_generator : forgery picture
{
  meta:
    author = "kvali"
    date = "2026-11-25"
    description = "Picture made by a generator: its settings or its mark of origin are in the file"
    reference = "https://iptc.org/news/iptc-publishes-metadata-guidance-for-ai-generated-synthetic-media/"
    attack = "T1588.007"
    severity = 40
  strings:
    $png1 = "tEXtparameters\x00" ascii
    $png2 = /Steps: \d{1,3}, Sampler: / ascii
    $png3 = /tEXt(prompt|workflow)\x00\{"/ ascii
    $source1 = "digitalsourcetype/trainedAlgorithmicMedia" ascii
    $source2 = "digitalsourcetype/compositeWithTrainedAlgorithmicMedia" ascii
    $exif1 = "Steps: " wide
    $exif2 = "Sampler: " wide
    $exif3 = "CFG scale: " wide
  condition:
    (uint32be(0) == 0x89504E47 and (all of ($png1, $png2) or $png3)) or
    ((uint32be(0) == 0x89504E47 or uint16be(0) == 0xFFD8 or uint32be(0) == 0x52494646 or uint32be(4) == 0x66747970) and
     (any of ($source*) or all of ($exif*)))
}
