"""A graph whose labels want to be scripts, in files with names, texts and pictures, and a model of it."""

import struct
import zlib

import numpy as np

from skotkge import MultimodalTriples, OTKGEClassifier, save

HOSTILE = [
    "<script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked=1">',
    "' onmouseover='window.hacked=1",
    "</script><script>window.hacked=1</script>",
    "{{ constructor.constructor('window.hacked=1')() }}",
    "`${window.hacked = 1}`",
    "javascript:window.hacked=1",
    "a\ttab and a\nline & an &amp; \\ %2F /",
    "مرحبا ‮ reversed",
]
RELATIONS = ["likes", "<b onclick=alert(1)>knows</b>", "next to"]
PLAIN = [f"Q{number}" for number in range(31)]
NAMES = {"Q0": "Ada", "Q1": "Bob <b>bold</b>", "Q2": "Cid", "Q3": "Dán Müller", "Q4": "Cid"}


def hostile_triples():
    """A ring of all entities, each liking the next, and some more links."""
    rng = np.random.RandomState(3)
    labels = [*PLAIN, *HOSTILE]
    ring = [(label, "likes", labels[(place + 1) % len(labels)]) for place, label in enumerate(labels)]
    drawn = rng.randint([len(labels), 3, len(labels)], size=(120, 3))
    more = [(labels[h], RELATIONS[r], labels[t]) for h, r, t in drawn if h != t]
    return list(dict.fromkeys([*ring, *more]))


def fit_and_save(path, triples=None, names=NAMES):
    """A model that is trained in a moment, in a file."""
    X = MultimodalTriples(hostile_triples() if triples is None else triples, names=names)
    options = dict(evidence=("structure", "rules", "neighbors"), embedding_dim=8, max_iter=3, device="cpu")
    model = OTKGEClassifier(**options, random_state=0).fit(X)
    save(model, path)
    return model


def write_folder(folder):
    """The folder of the graph, with further triples, texts and pictures."""
    (folder / "pictures").mkdir(parents=True)
    lines = ["Q0\tlikes\tQ9", "Q0\tlikes\tnewcomer", "Q5\tinvented by\tQ6"]
    (folder / "test.tsv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    (folder / "texts.tsv").write_text("Q0\tThe <i>first</i> of all.\n", encoding="utf-8")
    (folder / "pictures.tsv").write_text("Q0\tpictures/ada.png\nQ1\tpictures/gone.png\n", encoding="utf-8")
    (folder / "pictures" / "ada.png").write_bytes(png(8, 8))
    (folder / "secret.txt").write_text("nothing for a browser")
    return folder


def png(width, height):
    """A picture of one colour."""
    rows = b"".join(b"\0" + b"\x2f\x7d\x8c" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
