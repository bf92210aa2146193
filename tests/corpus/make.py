"""Small files that are broken in ways which readers are known to trip over. `python make.py` writes them anew."""

import gzip
import io
import struct
import zipfile
import zlib
from pathlib import Path

HERE = Path(__file__).parent


def put(name, data):
    (HERE / name).write_bytes(data)


def npy(header, body=b""):
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def npz(**arrays):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, data in arrays.items():
            z.writestr(f"{name}.npy", data)
    return out.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


put("empty.onnx", b"")
put("huge_field.onnx", b"\x3a\xff\xff\xff\xff\x0f")  # a graph that claims 4 GiB
put("deep.onnx", b"\x3a\x7e" * 60)
put("text.nir", b"hello, this is a text file\n")
put("cut.nir", b"\x89HDF\r\n\x1a\n\x02\x08\x08\x00" + b"\xff" * 40)
put("header.safetensors", struct.pack("<Q", 1 << 62) + b"{}")
put("offsets.safetensors", (lambda h: struct.pack("<Q", len(h)) + h)(b'{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,16]}}') + b"\0" * 16)
put("overflow.npz", npz(x=npy("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }")))
put("negative.npz", npz(x=npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4), }", b"\0" * 16)))
put("zero.npz", npz(x=npy("{'descr': '|u1', 'fortran_order': False, 'shape': (0, 28, 28), }")))
put("object.npz", npz(x=npy("{'descr': '|O', 'fortran_order': False, 'shape': (1, 1), }", b"\0" * 8)))
put("overflow.npy", npy("{'descr': [('x', '<i2'), ('y', '<i2'), ('t', '<i8'), ('p', '|b1')], 'fortran_order': False, 'shape': (99999999999,), }", b"\0" * 26))
put("idx_overflow-idx3-ubyte", b"\0\0\x08\x03" + b"\xff" * 12)
put("idx_rank-idx3-ubyte", b"\0\0\x08\xff" + b"\0\0\0\x01" * 8)
put("bomb-idx3-ubyte.gz", gzip.compress(b"\0\0\x08\x03" + struct.pack(">III", 1 << 20, 28, 28) + b"\0" * 100000))
put("label.bin", bytes([200]) + b"\0" * 3072)
put("odd.bin", b"\x01" * 3001)
put("billion.pt", b"\x80\x02" + b"(" * 4096 + b"." )
put("global.pt", b"\x80\x02cos\nsystem\nX\x04\0\0\0echoq\0\x85R.")
put("empty.ckpt", b"")
put("pointer.pt", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
put("self.pkl", b"\x80\x02}q\x01X\x05\0\0\0modelh\x01s.")  # a dictionary that contains itself
put("zip.pt", b"PK\x03\x04" + b"\0" * 40)
put("wide.png", b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + struct.pack(">IIBBBBB", 1 << 30, 1 << 30, 8, 6, 0, 0, 0) + b"\0\0\0\0")
put("nested.json", b'{"a":' * 5000 + b"1" + b"}" * 5000)
put("recipe.toml", b"[recipe]\nsteps = 99999999999999999999\n")
put("net.arch.toml", b'input = [1, 28, 28]\nlayers = ["flatten", { op = "linear", key = "fc1" }\n')
put("entities.xml", b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>\n<annotation><object><name>&b;</name></object></annotation>')
put("deep.xml", b"<annotation>" + b"<object>" * 1000)
put("reversed.xml", b"<annotation><object><name>a</name><bndbox><xmin>5</xmin><ymin>1</ymin><xmax>2</xmax><ymax>3</ymax></bndbox></object></annotation>")
put("dangling.coco.json", b'{"images": [{"id": 1}], "categories": [{"id": 1}], "annotations": [{"id": 1, "image_id": 2, "category_id": 1, "bbox": [0, 0, 1, 1]}]}')
put("twice.coco.json", b'{"images": [{"id": 1}, {"id": 1.0}], "categories": [], "annotations": []}')
put("deep.coco.json", b'{"images": ' + b"[" * 5000)
put("nan.results.json", b'[{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": NaN}]')
put("empty.results.json", b"")
put("color_mask.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 6, 5, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(b"\0" * 95)) + chunk(b"IEND", b""))
put("flat.maps.npz", npz(pred=npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }", b"\0" * 4), target=npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }", b"\0" * 4)))

# Recordings of event cameras that claim more than they hold, or hold what the format does not have.
put("claims.events.npy", npy("{'descr': [('x', '<i2'), ('y', '<i2'), ('t', '<i8'), ('p', '?')], 'fortran_order': False, 'shape': (4611686018427387904,), }", b"\0" * 13))
put("cut.aedat4", b"#!AER-DAT4.0\r\n" + struct.pack("<I", 1 << 30))
put("offsets.aedat4", b"#!AER-DAT4.0\r\n" + struct.pack("<I", 8) + struct.pack("<Ii", 0x7FFFFFFF, -(1 << 31)))
put("outside.es", b"Event Stream\x02\x00\x00\x01" + struct.pack("<HH", 8, 8) + b"\x03" + struct.pack("<HH", 8, 0))
put("trigger.dat", b"% Version 2\n\x0e\x08" + b"\0" * 8)
put("word.raw", b"% evt 3.0\n% end\n" + struct.pack("<H", 0x1234))
put("half.raw", b"% evt 2.0\n% end\n" + struct.pack("<IH", 8 << 28, 1))
