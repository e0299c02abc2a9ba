"""carvefiles: makes the files of the carving set: real ones, each by the tool or library that people make them with.

MAKERS maps a format to a function (Task) -> bytes or Made. The same task gives the same bytes, as long as the tools have
the same versions; programs and fonts are those of the system that it runs on.
"""
import base64
import bz2
import dataclasses
import email.message
import email.policy
import functools
import glob
import gzip
import io
import lzma
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import tarfile
import zipfile

CONVERT = shutil.which("convert-im6.q16") or "convert"
EPOCH = 1600000000
WORDS = ("case report river window letter market evening road stone account winter harbour number paper station teacher "
         "bridge morning family village engine garden office border copper silver customs invoice witness meeting "
         "transfer delivery warehouse photograph message telephone passport contract payment vehicle").split()


@dataclasses.dataclass
class Made:
    data: bytes
    variant: str = ""
    parts: list = dataclasses.field(default_factory=list)  # (format, offset, size): files inside, stored as they are


@dataclasses.dataclass
class Task:
    format: str
    number: int  # of this format
    folder: str  # empty, for this task alone
    rng: random.Random
    small: bool
    corpus: str = ""

    def size(self, least, most):  # small things are more frequent, as on a medium
        most = max(least, most // 6) if self.small else most
        return int(least * (most / least) ** self.rng.random())

    def run(self, *command, stdin=None):
        env = dict(os.environ, TZ="UTC", LC_ALL="C", SOURCE_DATE_EPOCH=str(EPOCH), OMP_NUM_THREADS="1")
        done = subprocess.run(command, cwd=self.folder, env=env, input=stdin, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)[:300]}: {done.stderr[-500:]!r}")
        return done.stdout

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        os.utime(self.path(name), (EPOCH, EPOCH))


def text(rng, size):
    out, have = [], 0
    while have < size:
        line = " ".join(rng.choices(WORDS, k=rng.randint(4, 14))).capitalize() + (".\n" if rng.random() < .8 else ".\n\n")
        out.append(line)
        have += len(line)
    return "".join(out)[:size]


def payload(task, size):  # what people put into archives: text, some of it hard to compress
    rng = task.rng
    if rng.random() < .7:
        return text(rng, size).encode()
    return rng.randbytes(size)


def convert(task, out, *options, side=(64, 900), pattern=None):
    rng = task.rng
    low, high = side
    width, height = task.size(low, high), task.size(low, high)
    what = pattern or rng.choice(["plasma:fractal", "plasma:red-blue", "plasma:tomato-steelblue", "gradient:white-navy"])
    task.run(CONVERT, "-seed", str(rng.randrange(1 << 30)), "-size", f"{width}x{height}", what, "-attenuate",
             f"{rng.random() / 2:.2f}", "+noise", "Gaussian", "-depth", "8", *options, "-strip", out)
    return task.read(out.split(":")[-1])


# ------------------------------------------------------------------ pictures

def exif_segment(rng, thumbnail):
    def entry(tag, kind, count, value):
        return struct.pack("<HHII", tag, kind, count, value)
    make = b"Example Works\0"
    when = f"20{rng.randrange(10, 25)}:0{rng.randrange(1, 9)}:1{rng.randrange(9)} 12:{rng.randrange(10, 59)}:00\0".encode()
    ifd0 = 8
    after0 = ifd0 + 2 + 12 * 3 + 4
    ifd1 = after0 + len(make) + len(when)
    after1 = ifd1 + 2 + 12 * 3 + 4
    tiff = b"II*\0" + struct.pack("<I", ifd0) + struct.pack("<H", 3)
    tiff += entry(0x10f, 2, len(make), after0) + entry(0x112, 3, 1, 1) + entry(0x132, 2, len(when), after0 + len(make))
    tiff += struct.pack("<I", ifd1) + make + when + struct.pack("<H", 3)
    tiff += entry(0x103, 3, 1, 6) + entry(0x201, 4, 1, after1) + entry(0x202, 4, 1, len(thumbnail)) + bytes(4)
    body = b"Exif\0\0" + tiff + thumbnail
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body, 4 + 6 + after1


def jpeg(task):
    rng = task.rng
    kind = ["baseline", "progressive", "exif", "restart", "grey"][task.number % 5]
    options = ["-quality", str(rng.choice([50, 75, 85, 92, 97])), "-sampling-factor", rng.choice(["1x1", "2x1", "2x2"])]
    options += ["-interlace", "JPEG" if kind == "progressive" else "None"]
    if kind == "grey":
        options += ["-colorspace", "Gray"]
    if kind == "restart":
        convert(task, "in.ppm", side=(64, 1400))
        return Made(task.run("cjpeg", "-quality", "80", "-restart", "2", "-optimize", "in.ppm"), kind)
    data = convert(task, "out.jpg", *options, side=(64, 1600))
    if kind != "exif":
        return Made(data, kind)
    thumbnail = task.run(CONVERT, "out.jpg", "-thumbnail", "160x120", "-strip", "jpg:-")
    segment, at = exif_segment(rng, thumbnail)
    return Made(data[:2] + segment + data[2:], kind, [("jpeg", 2 + at, len(thumbnail))])


def png(task):
    options, kind = task.rng.choice([([], "rgb"), (["-interlace", "PNG"], "interlaced"), (["-ordered-dither", "o4x4,4", "-type", "palette"], "palette"),
                                     (["-depth", "16"], "16 bit"), (["-colorspace", "Gray"], "grey"),
                                     (["-alpha", "set"], "alpha")])
    return Made(convert(task, "out.png", *options, "-define", "png:exclude-chunks=date,time", side=(64, 900)), kind)


def gif(task):
    frames = task.rng.choice([1, 1, 3, 6])
    if frames == 1:
        return Made(convert(task, "out.gif", "-ordered-dither", "o4x4,6", *task.rng.choice([[], ["-interlace", "GIF"]]), side=(40, 700)), "still")
    for i in range(frames):
        convert(task, f"f{i}.png", "-ordered-dither", "o4x4,6", side=(100, 101))
    task.run(CONVERT, "-delay", "20", "-loop", "0", *(f"f{i}.png" for i in range(frames)), "out.gif")
    return Made(task.read("out.gif"), "animated")


def bmp(task):
    options, kind = task.rng.choice([([], "24 bit"), (["-ordered-dither", "o4x4,6", "-type", "palette"], "palette"),
                                     (["-monochrome"], "1 bit"),
                                     (["-ordered-dither", "o4x4,3", "-type", "palette", "-compress", "RLE"], "run-length")])
    name = task.rng.choice(["bmp3:out.bmp", "bmp:out.bmp"])
    return Made(convert(task, name, *options, side=(64, 600)), f"{kind} {name[:4]}")


def tiff(task):
    kind = task.rng.choice(["None", "LZW", "Zip", "JPEG", "Group4", "RLE"])
    options = ["-compress", kind] + (["-monochrome"] if kind == "Group4" else [])
    options += task.rng.choice([[], ["-define", "tiff:endian=msb"], ["-define", "tiff:rows-per-strip=16"],
                                ["-define", "tiff:tile-geometry=64x64"]])
    return Made(convert(task, "out.tif", *options, side=(64, 700)), kind)


def webp(task):
    options, kind = task.rng.choice([(["-quality", "80"], "lossy"), (["-define", "webp:lossless=true"], "lossless"),
                                     (["-alpha", "set", "-channel", "A", "-evaluate", "set", "50%", "+channel"], "alpha")])
    return Made(convert(task, "out.webp", *options, side=(64, 1200)), kind)


# ------------------------------------------------------------------ documents

def pdf(task):
    rng = task.rng
    pages = []
    for _ in range(rng.randint(1, 12)):
        lines = [line.replace("(", "").replace(")", "") for line in text(rng, 1800).splitlines()]
        pages.append("/Times-Roman findfont 11 scalefont setfont\n" + "\n".join(
            f"72 {760 - 14 * k} moveto ({line[:90]}) show" for k, line in enumerate(lines[:48])) + "\nshowpage\n")
    picture = rng.random() < .4
    task.write("in.ps", ("%!PS\n" + "".join(pages)).encode())
    sources = ["in.ps"]
    if picture:
        convert(task, "in.jpg", "-quality", "85", side=(200, 800))
        width, height = (int(x) for x in task.run("identify", "-format", "%w %h", "in.jpg").split())
        task.write("jpg.ps", (f"%!PS\ngsave 72 200 translate 400 400 scale /DeviceRGB setcolorspace\n"
                              f"<< /ImageType 1 /Width {width} /Height {height} /BitsPerComponent 8 /Decode [0 1 0 1 0 1]\n"
                              f"/ImageMatrix [{width} 0 0 -{height} 0 {height}]\n"
                              f"/DataSource (in.jpg) (r) file /DCTDecode filter >> image grestore showpage\n").encode())
        sources.append("jpg.ps")
    task.run("gs", "-q", "-dBATCH", "-dNOPAUSE", "-dNOSAFER", "-sDEVICE=pdfwrite", "-dOmitInfoDate=true", "-dOmitID=true",
             "-dOmitXMP=true", "-sOutputFile=gs.pdf", *sources)
    kind = rng.choice(["ghostscript", "linearized", "object streams", "qpdf", "incremental", "encrypted"])
    if kind == "encrypted":
        task.run("qpdf", "--static-aes-iv", "--deterministic-id", "gs.pdf", "id.pdf")
        task.run("qpdf", "--static-id", "--static-aes-iv", "--allow-weak-crypto", "--encrypt", "", "owner", "128",
                 "--use-aes=n", "--", "id.pdf", "out.pdf")
        return Made(task.read("out.pdf"), kind)
    if kind in ("ghostscript", "incremental"):
        data = task.read("gs.pdf")
        return Made(pdf_update(rng, data) if kind == "incremental" else data, kind)
    option = {"linearized": ["--linearize"], "object streams": ["--object-streams=generate"], "qpdf": []}[kind]
    task.run("qpdf", "--deterministic-id", *option, "gs.pdf", "out.pdf")
    return Made(task.read("out.pdf"), kind)


def pdf_update(rng, data):  # as a program does that adds a note: a new object, table and trailer behind the old ones
    previous = int(data[data.rindex(b"startxref") + 9:].split()[0])
    trailer = data[data.rindex(b"trailer"):]
    count = int(trailer[trailer.index(b"/Size") + 5:].split()[0].rstrip(b"/>"))
    root = trailer[trailer.index(b"/Root") + 5:].split()[0]
    body = f"{count} 0 obj\n<</Title({' '.join(rng.choices(WORDS, k=4))})>>\nendobj\n".encode()
    at = len(data)
    table = f"xref\n{count} 1\n{at:010} 00000 n \ntrailer\n<</Size {count + 1}/Root {root.decode()} 0 R/Info {count} 0 R"
    return data + body + f"{table}/Prev {previous}>>\nstartxref\n{at + len(body)}\n%%EOF\n".encode()


def package(task, members, parts_wanted=()):
    """A ZIP package of (name, bytes, stored?)."""
    out, parts = io.BytesIO(), []
    with zipfile.ZipFile(out, "w") as archive:
        for name, data, stored in members:
            info = zipfile.ZipInfo(name, (2021, 3, 4, 5, 6, 8))
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
            if stored and name.endswith((".jpeg", ".png")):
                with_header = info.header_offset + len(info.FileHeader())
                parts.append((name.rsplit(".", 1)[1], with_header, len(data)))
    return out.getvalue(), parts


XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
OFFICE = "http://schemas.openxmlformats.org/"


def types(*overrides):
    return (XML + f'<Types xmlns="{OFFICE}package/2006/content-types"><Default Extension="rels" ContentType="application/'
            'vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="jpeg" ContentType="image/jpeg"/>' +
            "".join(f'<Override PartName="{part}" ContentType="application/vnd.openxmlformats-officedocument.{kind}+xml"/>'
                    for part, kind in overrides) + "</Types>")


def relations(*rows):
    return (XML + f'<Relationships xmlns="{OFFICE}package/2006/relationships">' + "".join(
        f'<Relationship Id="rId{k + 1}" Type="{OFFICE}officeDocument/2006/relationships/{kind}" Target="{target}"/>'
        for k, (kind, target) in enumerate(rows)) + "</Relationships>")


def docx(task):
    rng = task.rng
    paragraphs = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in
                         text(rng, task.size(2000, 400000)).splitlines())
    members = [("[Content_Types].xml", types(("/word/document.xml", "wordprocessingml.document.main")), False),
               ("_rels/.rels", relations(("officeDocument", "word/document.xml")), False),
               ("word/document.xml", XML + '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/'
                f'main"><w:body>{paragraphs}</w:body></w:document>', False),
               ("word/_rels/document.xml.rels", relations(("image", "media/image1.jpeg")), False)]
    if rng.random() < .7:
        members.append(("word/media/image1.jpeg", convert(task, "in.jpg", "-quality", "85", side=(100, 900)), True))
    else:
        members.pop()
    return Made(*with_variant(package(task, members), "with a picture" if len(members) > 4 else "text"))


def with_variant(made, variant):
    return made[0], variant, made[1]


def xlsx(task):
    rng = task.rng
    rows = "".join("<row>" + "".join(f"<c><v>{rng.randrange(10 ** 6)}</v></c>" for _ in range(8)) + "</row>"
                   for _ in range(task.size(20, 8000)))
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    book = (f'<workbook xmlns="{space}" xmlns:r="{OFFICE}officeDocument/2006/relationships"><sheets>'
            '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>')
    members = [("[Content_Types].xml", types(("/xl/workbook.xml", "spreadsheetml.sheet.main"),
                                             ("/xl/worksheets/sheet1.xml", "spreadsheetml.worksheet")), False),
               ("_rels/.rels", relations(("officeDocument", "xl/workbook.xml")), False),
               ("xl/workbook.xml", XML + book, False),
               ("xl/_rels/workbook.xml.rels", relations(("worksheet", "worksheets/sheet1.xml")), False),
               ("xl/worksheets/sheet1.xml", XML + f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>',
                False)]
    return package(task, members)[0]


def odt(task):
    rng = task.rng
    space = "urn:oasis:names:tc:opendocument:xmlns:"
    paragraphs = "".join(f"<text:p>{line}</text:p>" for line in text(rng, task.size(2000, 400000)).splitlines())
    manifest = (f'{XML}<manifest:manifest xmlns:manifest="{space}manifest:1.0"><manifest:file-entry manifest:full-path="/" '
                'manifest:media-type="application/vnd.oasis.opendocument.text"/><manifest:file-entry manifest:full-path='
                '"content.xml" manifest:media-type="text/xml"/></manifest:manifest>')
    members = [("mimetype", "application/vnd.oasis.opendocument.text", True),
               ("content.xml", f'{XML}<office:document-content xmlns:office="{space}office:1.0" xmlns:text="{space}text:1.0">'
                f"<office:body><office:text>{paragraphs}</office:text></office:body></office:document-content>", False)]
    if rng.random() < .5:
        members.append(("Thumbnails/thumbnail.png", convert(task, "in.png", side=(64, 256)), True))
    members.append(("META-INF/manifest.xml", manifest, False))
    return Made(*with_variant(package(task, members), ""))


def ole2(task):
    rng = task.rng
    samples = sorted(path for path in glob.glob(os.path.join(task.corpus, "document", "*")) if task.corpus and
                     open(path, "rb").read(8) == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    if samples and task.number % 2 == 0:  # a sample with other letters in its running text
        path = samples[task.number // 2 % len(samples)]
        data = bytearray(open(path, "rb").read())
        letters = range(ord("a"), ord("z") + 1)
        run = 0
        for i in range(1536, len(data)):
            run = run + 1 if data[i] in letters or data[i] == 32 else 0
            if run > 30 and data[i] in letters and rng.random() < .3:
                data[i] = rng.choice(letters)
        return Made(bytes(data), os.path.basename(path))
    script = ("use Spreadsheet::WriteExcel; my $b = Spreadsheet::WriteExcel->new('out.xls'); my $s = $b->add_worksheet();"
              "my $r = 0; while (<STDIN>) { chomp; my $c = 0; $s->write($r, $c++, $_) for split / /; $r++ } $b->close();")
    task.run("perl", "-e", script, stdin=text(rng, task.size(1000, 300000)).encode())
    return Made(task.read("out.xls"), "xls")


# ------------------------------------------------------------------ sound and moving pictures

EXACT = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1", "-threads", "1"]


def ffmpeg(task, out, video, audio, *options, seconds=(.5, 3)):
    rng = task.rng
    length = rng.uniform(*seconds) * (.6 if task.small else 1)
    inputs = []
    if video:
        source = rng.choice(["testsrc2", "mandelbrot", "testsrc"])
        inputs += ["-f", "lavfi", "-i", f"{source}=size={rng.choice(['160x120', '320x240', '352x288'])}:rate=15"]
    if audio:
        rate = rng.choice([22050, 44100, 48000])
        inputs += ["-f", "lavfi", "-i", f"anoisesrc=seed={rng.randrange(1 << 30)}:amplitude={rng.uniform(.02, .3):.3f}:"
                   f"color={rng.choice(['pink', 'brown', 'white'])}:sample_rate={rate}"]
    if video and audio:
        inputs += ["-map", "0:v", "-map", "1:a"]
    task.run("ffmpeg", "-nostdin", "-v", "error", "-y", *inputs, "-t", f"{length:.3f}", *video, *audio, *options, *EXACT,
             "-metadata", f"title={' '.join(rng.choices(WORDS, k=3))} {task.number}", out)
    return task.read(out)


H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
AAC = ["-c:a", "aac", "-b:a", "64k"]


def mp4(task):
    kind, options = task.rng.choice([("index last", []), ("index first", ["-movflags", "+faststart"]),
                                     ("fragmented", ["-movflags", "+frag_keyframe+empty_moov"])])
    video = task.rng.choice([H264, ["-c:v", "mpeg4", "-q:v", "6"]])
    return Made(ffmpeg(task, "out.mp4", video, task.rng.choice([AAC, []]), *options), kind)


def mov(task):
    video = task.rng.choice([["-c:v", "mjpeg", "-q:v", "8", "-pix_fmt", "yuvj420p"], H264, ["-c:v", "prores"]])
    return Made(ffmpeg(task, "out.mov", video, task.rng.choice([["-c:a", "pcm_s16le"], AAC, []]), seconds=(.3, 1.5)),
                video[1])


def avi(task):
    video = task.rng.choice([["-c:v", "mpeg4", "-q:v", "6"], ["-c:v", "mjpeg", "-q:v", "8", "-pix_fmt", "yuvj420p"]])
    return Made(ffmpeg(task, "out.avi", video, task.rng.choice([["-c:a", "libmp3lame", "-ar", "44100"],
                                                                ["-c:a", "pcm_s16le"], []])), video[1])


def mkv(task):
    video, audio, name = task.rng.choice([(H264, AAC, "out.mkv"), (["-c:v", "libvpx", "-deadline", "realtime", "-b:v",
                                          "300k"], ["-c:a", "libvorbis"], "out.webm"), (H264, ["-c:a", "flac"], "out.mkv")])
    return Made(ffmpeg(task, name, video, audio), name[4:])


def wav(task):
    codec = task.rng.choice(["pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_mulaw", "adpcm_ms"])
    return Made(ffmpeg(task, "out.wav", [], ["-c:a", codec], seconds=(.2, 5)), codec)


def mp3(task):
    rng = task.rng
    options = rng.choice([["-b:a", "128k"], ["-q:a", "4"], ["-b:a", "64k", "-ac", "1"]])
    tags = rng.choice([["-id3v2_version", "3"], ["-id3v2_version", "4"], ["-id3v2_version", "0"],
                       ["-id3v2_version", "3", "-write_id3v1", "1"], ["-id3v2_version", "0", "-write_xing", "0"]])
    return Made(ffmpeg(task, "out.mp3", [], ["-c:a", "libmp3lame", "-ar", "44100"], *options, *tags, seconds=(1, 12)),
                " ".join(options + tags))


def flac(task):
    return ffmpeg(task, "out.flac", [], ["-c:a", "flac"], seconds=(.3, 5))


def ogg(task):
    codec = task.rng.choice(["libvorbis", "libopus"])
    rate = ["-ar", "48000"] if codec == "libopus" else []
    return Made(ffmpeg(task, "out.ogg", [], ["-c:a", codec, *rate], seconds=(1, 10)), codec)


# ------------------------------------------------------------------ archives

def files_for_archive(task, most=1 << 20):
    rng = task.rng
    names = []
    for k in range(rng.randint(1, 6)):
        name = f"{rng.choice(WORDS)}{k}.{rng.choice(['txt', 'bin', 'log'])}"
        task.write(name, payload(task, task.size(500, most // 2)))
        names.append(name)
    return names


def zip_(task):
    rng = task.rng
    kind = rng.choice(["zip", "zip -0", "deflated", "bzip2", "streamed", "comment", "encrypted"])
    if kind == "zip -0" or kind == "zip":
        task.run("zip", "-q", *(["-0"] if kind == "zip -0" else []), "out.zip", *files_for_archive(task))
        return Made(task.read("out.zip"), kind)
    if kind == "encrypted":
        names = files_for_archive(task)
        task.run("7z", "a", "-tzip", "-mtc=off", "-pword", "-mem=AES256", "-bd", "out.zip", *names)
        return Made(task.read("out.zip"), kind)

    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def tell(self):
            raise OSError

        def seek(self, *_):
            raise OSError
    out = Pipe() if kind == "streamed" else io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in files_for_archive(task):
            info = zipfile.ZipInfo(name, (2020, 2, 2, 2, 2, 2))
            info.compress_type = zipfile.ZIP_BZIP2 if kind == "bzip2" else zipfile.ZIP_DEFLATED
            with archive.open(info, "w") as member:
                member.write(task.read(name))
        if kind == "comment":
            archive.comment = text(rng, 300).encode()
    return Made(out.getvalue(), kind)


def sevenzip(task):
    kind = task.rng.choice([["-mx=5"], ["-mx=0"], ["-mx=9", "-ms=on"], ["-m0=bzip2"], ["-m0=ppmd"], ["-mhc=off"]])
    task.run("7z", "a", "-t7z", "-mtc=off", "-mta=off", "-mmt=1", "-bd", *kind, "out.7z", *files_for_archive(task))
    return Made(task.read("out.7z"), " ".join(kind))


def gz(task):
    out = io.BytesIO()
    name = task.rng.choice(["", "letter.txt"])
    with gzip.GzipFile(name, "wb", task.rng.choice([1, 6, 9]), out, EPOCH) as file:
        file.write(payload(task, task.size(500, 2 << 20)))
    return out.getvalue()


def bz2_(task):
    return bz2.compress(payload(task, task.size(500, 2 << 20)), task.rng.choice([1, 9]))


def xz(task):
    check = task.rng.choice([lzma.CHECK_CRC32, lzma.CHECK_CRC64, lzma.CHECK_SHA256, lzma.CHECK_NONE])
    if task.rng.random() < .3:
        task.write("in", payload(task, task.size(50000, 2 << 20)))
        return Made(task.run("xz", "-c", "--threads=1", "--block-size=65536", "in"), "blocks")
    return Made(lzma.compress(payload(task, task.size(500, 2 << 20)), check=check, preset=task.rng.choice([0, 6])),
                f"check {check}")


def tar(task):
    kind = task.rng.choice([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        for name in files_for_archive(task, 1 << 19):
            info = tarfile.TarInfo(name)
            data = task.read(name)
            info.size, info.mtime = len(data), EPOCH + (.5 if kind == tarfile.PAX_FORMAT else 0)
            archive.addfile(info, io.BytesIO(data))
    return Made(out.getvalue(), ["ustar", "gnu", "pax"][kind])


# ------------------------------------------------------------------ data, programs, letters

def sqlite(task):
    rng = task.rng
    path = task.path("out.db")
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA page_size={rng.choice([512, 1024, 4096, 4096, 8192])}")
    db.execute(f"PRAGMA auto_vacuum={rng.choice([0, 0, 1, 2])}")
    db.execute("CREATE TABLE message(id INTEGER PRIMARY KEY, sender TEXT, body TEXT, photo BLOB)")
    db.execute("CREATE INDEX by_sender ON message(sender)")
    db.execute("BEGIN")
    for _ in range(task.size(5, 4000)):
        photo = rng.randbytes(rng.randrange(9000)) if rng.random() < .03 else None
        db.execute("INSERT INTO message(sender, body, photo) VALUES(?, ?, ?)",
                   (f"+99532{rng.randrange(10 ** 7):07}", text(rng, rng.randrange(10, 200)), photo))
    db.execute("COMMIT")
    if rng.random() < .5:
        db.execute("DELETE FROM message WHERE id % 3 = 0")
    db.close()
    return task.read("out.db")


@functools.lru_cache
def system_files(patterns, magic, least, most):
    seen, found = set(), []
    for path in sorted(path for pattern in patterns for path in glob.glob(pattern, recursive=True)):
        real = os.path.realpath(path)
        if real in seen or not os.path.isfile(real) or not least <= os.path.getsize(real) <= most:
            continue
        seen.add(real)
        with open(real, "rb") as file:
            if file.read(len(magic)) == magic:
                found.append(real)
    return found


def choose(task, paths):
    if task.number >= len(paths):
        return None
    order = sorted(paths)
    random.Random(f"{task.format} order").shuffle(order)
    path = order[task.number]
    return Made(open(path, "rb").read(), os.path.basename(path))


def elf(task):
    most = 100000 if task.small else 600000
    return choose(task, system_files(("/usr/bin/*", "/usr/lib/x86_64-linux-gnu/*.so.*"), b"\x7fELF", 8192, most))


def pe(task):
    """Programs of the system, beside ones from an assembler and a linker."""
    found = system_files(("/usr/lib/python3*/**/*.exe", "/usr/lib/systemd/boot/**/*.efi", "/usr/share/python*/**/*.exe"),
                         b"MZ", 2048, 600000)
    if task.number < len(found):
        return choose(task, found)
    rng = task.rng
    bits = rng.choice(["32", "64"])
    task.write("blob.bin", payload(task, task.size(2000, 300000)))
    task.write("in.s", f""".globl start
.text
start: xor %eax,%eax
ret
.space {rng.randrange(16, 3000)},0x90
.data
.incbin "blob.bin"
""".encode())
    task.run("as", f"--{bits}", "in.s", "-o", "in.o")
    task.run("ld", "-m", {"32": "i386pe", "64": "i386pep"}[bits], "--no-insert-timestamp", "-e", "start",
             *rng.choice([["-s"], []]), "in.o", "-o", "out.exe")
    return Made(task.read("out.exe"), f"ld {bits}")


def ttf(task):
    most = 120000 if task.small else 600000
    return choose(task, system_files(("/usr/share/fonts/**/*.ttf",), b"\0\1\0\0", 8192, most))


def letter(task, attachments=True):
    rng = task.rng
    message = email.message.EmailMessage(policy=email.policy.SMTP if rng.random() < .5 else email.policy.default)
    sender, receiver = (f"{rng.choice(WORDS)}@{rng.choice(WORDS)}.example" for _ in range(2))
    message["Received"] = f"from mx.{sender.split('@')[1]} by mail.example with ESMTP id {rng.randrange(1 << 40):x}"
    message["From"], message["To"] = sender, receiver
    message["Subject"] = " ".join(rng.choices(WORDS, k=5))
    message["Date"] = f"Tue, 0{rng.randrange(1, 9)} Mar 2022 10:{rng.randrange(10, 59)}:00 +0400"
    message["Message-ID"] = f"<{rng.randrange(1 << 60):x}@mail.example>"
    body = text(rng, task.size(200, 20000))
    message.set_content(body)
    if rng.random() < .5:
        message.add_alternative(f"<html><body><p>{body}</p></body></html>", subtype="html")
    if attachments and rng.random() < .7:
        message.add_attachment(rng.randbytes(task.size(1000, 200000)), maintype="application", subtype="octet-stream",
                               filename=f"{rng.choice(WORDS)}.bin")
    if message.is_multipart():
        message.set_boundary(f"=={rng.randrange(1 << 60):016x}==")
        for part in message.walk():
            if part.is_multipart() and part is not message:
                part.set_boundary(f"=={rng.randrange(1 << 60):016x}==")
    return message


def eml(task):
    message = letter(task)
    return Made(message.as_bytes(), "multipart" if message.is_multipart() else "plain")


def mbox(task):
    out = []
    for _ in range(task.rng.randint(2, 9)):
        message = letter(task)
        body = message.as_bytes(policy=message.policy.clone(linesep="\n"))
        body = b"\n".join(b">" + line if line.startswith(b"From ") else line for line in body.split(b"\n"))
        out.append(f"From {message['From']} Tue Mar  1 10:00:00 2022\n".encode() + body.rstrip(b"\n") + b"\n\n")
    return b"".join(out)


def vcf(task):
    rng = task.rng
    end = rng.choice(["\r\n", "\n"])
    version = rng.choice(["2.1", "3.0", "4.0"])
    out = []
    for _ in range(rng.randint(1, 40)):
        name = " ".join(rng.choices(WORDS, k=2)).title()
        rows = ["BEGIN:VCARD", f"VERSION:{version}", f"N:{';'.join(reversed(name.split()))};;;", f"FN:{name}",
                f"TEL;TYPE=CELL:+9955{rng.randrange(10 ** 8):08}"]
        if rng.random() < .2 and version == "3.0":
            photo = base64.b64encode(rng.randbytes(rng.randrange(300, 9000))).decode()
            rows.append("PHOTO;ENCODING=b;TYPE=JPEG:" + photo[:40])
            rows += [" " + photo[k:k + 74] for k in range(40, len(photo), 74)]
        rows.append("END:VCARD")
        out.append(end.join(rows) + end)
    return Made("".join(out).encode(), version)


def prime(rng, bits):
    while True:
        n = rng.getrandbits(bits) | 1 | 3 << (bits - 2)
        if all(n % p for p in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31)) and (n - 1) % 65537 and all(
                pow(a, n - 1, n) == 1 for a in (2, 3, 5)):
            return n


def der(tag, body):
    size = len(body)
    head = bytes([size]) if size < 128 else bytes([0x80 | (size.bit_length() + 7) // 8]) + size.to_bytes(
        (size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + head + body


def pem(task):
    rng = task.rng
    kind = ["rsa", "pkcs8", "ec", "ed25519"][task.number % 4]
    if kind in ("rsa", "pkcs8"):
        p, q = prime(rng, 512), prime(rng, 512)
        d = pow(65537, -1, (p - 1) * (q - 1))
        numbers = (0, p * q, 65537, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
        key = der(0x30, b"".join(der(2, n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in numbers))
        task.write("in.der", key)
        command = ["openssl", "rsa", "-inform", "DER", "-in", "in.der", "-traditional"] if kind == "rsa" else [
            "openssl", "pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-in", "in.der"]
    elif kind == "ec":
        curve = bytes.fromhex("06082a8648ce3d030107")
        task.write("in.der", der(0x30, der(2, b"\1") + der(4, rng.randbytes(31).rjust(32, b"\1")) + der(0xa0, curve)))
        command = ["openssl", "ec", "-inform", "DER", "-in", "in.der"]
    else:
        task.write("in.der", der(0x30, der(2, b"\0") + der(0x30, bytes.fromhex("06032b6570")) +
                                 der(4, der(4, rng.randbytes(32)))))
        command = ["openssl", "pkey", "-inform", "DER", "-in", "in.der"]
    return Made(task.run(*command), kind)


MAKERS = {"jpeg": jpeg, "png": png, "gif": gif, "bmp": bmp, "tiff": tiff, "webp": webp, "pdf": pdf, "zip": zip_,
          "docx": docx, "xlsx": xlsx, "odt": odt, "ole2": ole2, "mp4": mp4, "mov": mov, "avi": avi, "wav": wav, "mkv": mkv,
          "mp3": mp3, "flac": flac, "ogg": ogg, "7z": sevenzip, "gz": gz, "bz2": bz2_, "xz": xz, "tar": tar,
          "sqlite": sqlite, "elf": elf, "pe": pe, "eml": eml, "mbox": mbox, "vcf": vcf, "pem": pem, "ttf": ttf}


def frames(data):
    """The pictures of a film in Motion JPEG, or of a PDF: each is a JPEG file of its own."""
    at = data.find(b"\xff\xd8\xff")
    while at >= 0:
        end = data.find(b"\xff\xd9", at) + 2
        if end < 2:
            return
        yield "jpeg", at, end - at
        at = data.find(b"\xff\xd8\xff", end)


def packages(data):
    """ZIP packages in an OLE2 file, such as a document's theme."""
    at = data.find(b"PK\3\4")
    while at >= 0:
        end = data.find(b"PK\5\6", at) + 22
        if end < 22:
            return
        if zipfile.is_zipfile(io.BytesIO(data[at:end])):
            yield "zip", at, end - at
        at = data.find(b"PK\3\4", end)


def make(task):
    made = MAKERS[task.format](task)
    made = made if made is None or isinstance(made, Made) else Made(made)
    if made is not None:
        made.parts += inside(task.format, made.variant, made.data)
    return made


def inside(kind, variant, data):
    if variant == "mjpeg" or kind == "pdf":
        return list(frames(data))
    return list(packages(data)) if kind == "ole2" else []
