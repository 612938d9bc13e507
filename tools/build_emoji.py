"""Build the bundled emoji graph from Unicode data and the Noto Emoji font.

The script writes, into one folder:

- ``train.tsv``, ``valid.tsv``, ``test.tsv``: one triple a line, head, relation and tail, separated by tabs;
- ``entities.tsv``: one entity a line, code points, character and English name, in the order of every feature matrix;
- ``images_32px_sheet.png``: the 32 pixel picture of every entity, 42 pictures a row, in the order of ``entities.tsv``.

An entity is an emoji without skin tone. Its key is its code points without variation selector 16. The relations are:

- ``annotated_with``: a CLDR keyword of the head is the CLDR name of the tail, in at least two languages;
- ``same_category_as``: the tail is the first emoji of the subgroup of the head;
- ``composed_of``: the tail is a part of the head, a sequence held together by zero width joiners;
- ``woman_form_of``, ``man_form_of``: the head is the tail with a gender;
- ``on_globe``: the tail is the globe that shows the continent of the flag;
- ``member_of``: from a flag to the flag of the European Union, the United Nations or the United Kingdom;
- ``official_language_of``, ``spoken_language_of``: from a flag to the flag of the likely home of a language used there;
- ``uses_currency_of``, ``formerly_used_currency_of``: from a flag to the flag of the issuer of its currency;
- ``banknote``: from a flag to the banknote of its currency.

Relations with fewer than 20 triples and entities with fewer than 2 triples are dropped until none is left. The split is
80/10/10 by unordered entity pair, so that no test pair is linked in train, and keeps every entity in train. It is drawn
anew from the seed: nothing is read from an earlier build.

The text embeddings and the visual features (a PCA of the pictures) of the bundled graph are not rebuilt here.

Sources, as packaged by Debian 12 (other versions give another graph):

- unicode-data 15.0: ``emoji-test.txt``;
- unicode-cldr-core 41: annotations, supplementalData, likelySubtags;
- fonts-noto-color-emoji 2.042: pictures.

Licences: the Unicode data files are under the Unicode licence (Unicode-DFS-2016, https://www.unicode.org/license.txt);
the triples are derived from them, so the data are modified. The pictures come from Noto Emoji, Copyright 2022 Google
Inc., under the SIL Open Font License 1.1, and are cropped and scaled. Both notices must go with the built files.

Needs numpy, pillow and fonttools (``pip install ".[data]"``). Usage::

    apt-get install unicode-data unicode-cldr-core fonts-noto-color-emoji
    python tools/build_emoji.py OUTPUT_FOLDER --check skotkge/datasets/data/emoji
"""

from __future__ import annotations

import argparse
import io
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn
from xml.etree import ElementTree

import numpy as np
from fontTools.ttLib import TTFont
from PIL import Image

Key = tuple[int, ...]
Triple = tuple[Key, str, Key]


class Emoji(NamedTuple):
    """An emoji of emoji-test.txt; the subgroup of a component (hair) is None."""

    character: str
    name: str
    subgroup: str | None


SPLITS = ("train", "valid", "test")
SHEET = "images_32px_sheet.png"

ZERO_WIDTH_JOINER = 0x200D
VARIATION_SELECTOR_16 = 0xFE0F
SKIN_TONES = range(0x1F3FB, 0x1F400)
FEMALE_SIGN, MALE_SIGN = 0x2640, 0x2642
WOMAN, MAN, PERSON = 0x1F469, 0x1F468, 0x1F9D1
BLACK_FLAG = 0x1F3F4
TAG_OFFSET = 0xE0000
REGIONAL_INDICATOR_A = 0x1F1E6

MIN_EMOJI_NAMED = 1000
MIN_LANGUAGES = 2
MIN_SPEAKERS_PERCENT = 5.0
MIN_RELATION_TRIPLES = 20
MIN_ENTITY_TRIPLES = 2
SPLIT_SEED = 0

# UN M49 codes: Europe and Africa, the Americas, Asia and Oceania.
GLOBES = {(0x1F30D,): ("150", "002"), (0x1F30E,): ("019",), (0x1F30F,): ("142", "009")}
BANKNOTES = {"JPY": (0x1F4B4,), "CNY": (0x1F4B4,), "USD": (0x1F4B5,), "EUR": (0x1F4B6,), "GBP": (0x1F4B7,)}

SHEET_COLUMNS = 42
PICTURE_SIZE = 32


def fail(message: str) -> NoReturn:
    """Stop with a one-line error."""
    print(f"build_emoji: error: {message}", file=sys.stderr)
    raise SystemExit(2)


def emoji_key(text: str) -> Key:
    """Code points of an emoji, without variation selector 16."""
    return tuple(ord(character) for character in text if ord(character) != VARIATION_SELECTOR_16)


def format_key(key: Key) -> str:
    """Write a key as in the TSV files."""
    return "-".join(f"{code_point:X}" for code_point in key)


def flag_key(territory: str) -> Key:
    """Key of the flag of a two-letter territory; any other code gives the key of no emoji."""
    return tuple(REGIONAL_INDICATOR_A + ord(letter) - ord("A") for letter in territory)


def read_emoji(path: Path) -> dict[Key, Emoji]:
    """Read emoji-test.txt: every emoji and component without a skin tone, in the order of the file."""
    emoji = {}
    subgroup = ""
    line_format = re.compile(r"([0-9A-F ]+?)\s*; (fully-qualified|component)\s*# \S+ E[\d.]+ (.+)")
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# subgroup:"):
            subgroup = line.partition(":")[2].strip()
        elif match := line_format.fullmatch(line):
            character = "".join(chr(int(code_point, 16)) for code_point in match[1].split())
            if not any(ord(part) in SKIN_TONES for part in character):
                category = subgroup if match[2] == "fully-qualified" else None
                emoji[emoji_key(character)] = Emoji(character, match[3], category)
    return emoji


def read_annotations(cldr: Path, language: str) -> tuple[dict[Key, str], dict[Key, list[str]]]:
    """Read the name and the keywords of every emoji in a language, in lower case."""
    names: dict[Key, str] = {}
    keywords: dict[Key, list[str]] = {}
    for folder in ("annotations", "annotationsDerived"):
        path = cldr / folder / f"{language}.xml"
        if not path.exists():
            continue
        for element in ElementTree.parse(path).iter("annotation"):
            key = emoji_key(element.get("cp", ""))
            text = (element.text or "").lower()
            if element.get("type") == "tts":
                names[key] = text
            else:
                keywords[key] = [word.strip() for word in text.split("|")]
    return names, keywords


def annotation_triples(cldr: Path, emoji: dict[Key, Emoji]) -> Iterator[Triple]:
    """Link an emoji to those whose name is one of its keywords in at least two languages."""
    # Variants of a language (en_GB, sr_Latn) would count it twice. So would a language that names few emoji because it
    # completes another one, as Norwegian Nynorsk does. That leaves 106 languages of CLDR 41.
    languages = sorted(path.stem for path in (cldr / "annotations").glob("*.xml") if "_" not in path.stem)
    votes: Counter[tuple[Key, Key]] = Counter()
    for language in languages:
        names, keywords = read_annotations(cldr, language)
        named = defaultdict(set)
        for key in emoji.keys() & names.keys():
            named[names[key]].add(key)
        if sum(map(len, named.values())) < MIN_EMOJI_NAMED:
            continue
        for head in emoji.keys() & keywords.keys():
            tails = set().union(*(named.get(word, ()) for word in keywords[head]))
            votes.update((head, tail) for tail in tails - {head})
    return ((head, "annotated_with", tail) for (head, tail), count in votes.items() if count >= MIN_LANGUAGES)


def category_triples(emoji: dict[Key, Emoji]) -> Iterator[Triple]:
    """Link an emoji to the first one of its subgroup."""
    first: dict[str, Key] = {}
    for key, entry in emoji.items():
        if entry.subgroup is not None:
            tail = first.setdefault(entry.subgroup, key)
            if tail != key:
                yield key, "same_category_as", tail


def sequence_parts(key: Key) -> list[Key]:
    """Split a key at its zero width joiners."""
    parts: list[list[int]] = [[]]
    for code_point in key:
        if code_point == ZERO_WIDTH_JOINER:
            parts.append([])
        else:
            parts[-1].append(code_point)
    return [tuple(part) for part in parts]


def sequence_triples(emoji: dict[Key, Emoji]) -> Iterator[Triple]:
    """Link a joined sequence to its parts and a gendered emoji to the one without gender."""
    for key in emoji:
        parts = sequence_parts(key)
        if len(parts) > 1:
            # The gender signs have relations of their own.
            yield from ((key, "composed_of", part) for part in parts if part not in ((FEMALE_SIGN,), (MALE_SIGN,)))
        for relation, sign, adult in (("woman_form_of", FEMALE_SIGN, WOMAN), ("man_form_of", MALE_SIGN, MAN)):
            if key[-2:] == (ZERO_WIDTH_JOINER, sign):
                yield key, relation, key[:-2]
            if key[:2] == (adult, ZERO_WIDTH_JOINER):
                yield key, relation, (PERSON, *key[1:])


def territories_in(code: str, contains: dict[str, list[str]]) -> set[str]:
    """Territories of a region, with those of its subregions."""
    if code not in contains:
        return {code}
    return set().union(*(territories_in(member, contains) for member in contains[code]))


def geography_triples(supplemental: ElementTree.Element, emoji: dict[Key, Emoji]) -> Iterator[Triple]:
    """Link a flag to its globe and to the unions that it is a member of."""
    contains: dict[str, list[str]] = defaultdict(list)
    for group in supplemental.iterfind("territoryContainment/group"):
        code, members = group.get("type", ""), group.get("contains", "").split()
        if code in ("EU", "UN"):
            yield from ((flag_key(member), "member_of", flag_key(code)) for member in members)
        elif group.get("status") is None and group.get("grouping") is None:
            contains[code] += members
    for globe, continents in GLOBES.items():
        for continent in continents:
            for territory in territories_in(continent, contains):
                yield flag_key(territory), "on_globe", globe
    for key in emoji:
        # The flag of a subdivision is a black flag followed by its code in tag characters, such as gbeng.
        if key[0] == BLACK_FLAG and all(code_point > TAG_OFFSET for code_point in key[1:3]):
            country = "".join(chr(code_point - TAG_OFFSET) for code_point in key[1:3]).upper()
            yield key, "member_of", flag_key(country)


def language_triples(supplemental: ElementTree.Element, likely_subtags: ElementTree.Element) -> Iterator[Triple]:
    """Link a flag to the flags of the likely homes of the languages used there."""
    home = {}
    for subtag in likely_subtags.iter("likelySubtag"):
        home[subtag.get("from", "")] = subtag.get("to", "").rpartition("_")[2]
    for territory in supplemental.iterfind("territoryInfo/territory"):
        for language in territory.iter("languagePopulation"):
            # The base language decides: Chinese in traditional script is still at home in China. The undetermined
            # language "und", which CLDR gives to territories without inhabitants, has the United States as its home.
            base = language.get("type", "").partition("_")[0]
            status = language.get("officialStatus")
            percent = float(language.get("populationPercent", "0"))
            if status in ("official", "de_facto_official"):
                relation = "official_language_of"
            elif status == "official_regional" or percent >= MIN_SPEAKERS_PERCENT:
                relation = "spoken_language_of"
            else:
                continue
            yield flag_key(territory.get("type", "")), relation, flag_key(home.get(base, ""))


def currency_triples(supplemental: ElementTree.Element) -> Iterator[Triple]:
    """Link a flag to the issuers of its present and former currencies and to its banknote."""
    for region in supplemental.iterfind("currencyData/region"):
        head = flag_key(region.get("iso3166", ""))
        for currency in region.iter("currency"):
            code = currency.get("iso4217", "")
            # The first two letters of an ISO 4217 code are the territory of the issuer.
            issuer = flag_key(code[:2])
            if currency.get("to") is not None:
                yield head, "formerly_used_currency_of", issuer
                continue
            yield head, "uses_currency_of", issuer
            if code in BANKNOTES:
                yield head, "banknote", BANKNOTES[code]


def collect_triples(cldr: Path, emoji: dict[Key, Emoji]) -> set[Triple]:
    """All triples between two different emoji, before rare relations and entities are dropped."""
    supplemental = ElementTree.parse(cldr / "supplemental" / "supplementalData.xml").getroot()
    likely_subtags = ElementTree.parse(cldr / "supplemental" / "likelySubtags.xml").getroot()
    candidates = {
        *annotation_triples(cldr, emoji),
        *category_triples(emoji),
        *sequence_triples(emoji),
        *geography_triples(supplemental, emoji),
        *language_triples(supplemental, likely_subtags),
        *currency_triples(supplemental),
    }
    return {(head, rel, tail) for head, rel, tail in candidates if head in emoji and tail in emoji and head != tail}


def entity_degrees(triples: Iterable[Triple]) -> Counter[Key]:
    """Count the triples of every entity."""
    return Counter(entity for head, _, tail in triples for entity in (head, tail))


def drop_rare(triples: set[Triple]) -> set[Triple]:
    """Drop rare relations and entities; each drop can make others rare, so repeat until nothing changes."""
    while True:
        relations = Counter(relation for _, relation, _ in triples)
        kept = {triple for triple in triples if relations[triple[1]] >= MIN_RELATION_TRIPLES}
        degrees = entity_degrees(kept)
        kept = {triple for triple in kept if min(degrees[triple[0]], degrees[triple[2]]) >= MIN_ENTITY_TRIPLES}
        if kept == triples:
            return kept
        triples = kept


def split_triples(triples: set[Triple]) -> dict[str, list[Triple]]:
    """Split 80/10/10 by unordered entity pair: test first, then valid, then train, in a shuffled order of pairs."""
    groups = defaultdict(list)
    for triple in sorted(triples):
        groups[min(triple[0], triple[2]), max(triple[0], triple[2])].append(triple)
    pairs = sorted(groups)
    random.Random(SPLIT_SEED).shuffle(pairs)

    splits: dict[str, list[Triple]] = {name: [] for name in SPLITS}
    in_train = entity_degrees(triples)
    quota = len(triples) // 10
    for pair in pairs:
        group = groups[pair]
        held_out = next((name for name in ("test", "valid") if len(splits[name]) < quota), None)
        # Held-out triples must leave each of their entities at least one triple in train.
        if held_out and all(in_train[entity] > len(group) for entity in pair):
            splits[held_out] += group
            in_train.subtract(dict.fromkeys(pair, len(group)))
        else:
            splits["train"] += group
    return splits


def read_pictures(path: Path, keys: list[Key]) -> list[Image.Image]:
    """Read the colour bitmaps of some emoji from the font.

    An emoji of several code points is a ligature. The tables of the font are read directly, because Pillow draws
    ligatures only where it finds the Raqm library.
    """
    font = TTFont(path, lazy=True)
    characters = font.getBestCmap()
    bitmaps = font["CBDT"].strikeData[0]
    glyphs = {(glyph,): glyph for glyph in characters.values()}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            for first, ligatures in getattr(table, "ligatures", {}).items():
                glyphs.update({(first, *ligature.Component): ligature.LigGlyph for ligature in ligatures})

    pictures = []
    for key in keys:
        glyph = glyphs.get(tuple(characters.get(code_point) for code_point in key))
        if glyph not in bitmaps:
            fail(f"{path} has no picture of {format_key(key)}: install the Debian package fonts-noto-color-emoji 2.042")
        pictures.append(Image.open(io.BytesIO(bitmaps[glyph].imageData)).convert("RGBA"))
    return pictures


def multiply_255(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Multiply two channels on the scale 0 to 255, with the rounding of FreeType and Pillow."""
    product = left * right + 128
    return (product + (product >> 8)) >> 8


def blend_on_transparent(picture: Image.Image) -> Image.Image:
    """Give a bitmap the values that Pillow's text drawing leaves on a transparent canvas.

    FreeType multiplies the colours by the opacity, Pillow divides them again and then blends them with the canvas. The
    rounding of each step shows in the pixels, so each is repeated here.
    """
    pixels = np.asarray(picture).astype(np.int32)
    colours, opacity = pixels[..., :3], pixels[..., 3:]
    glyph = np.minimum(255 * multiply_255(colours, opacity) // np.maximum(opacity, 1), 255)
    return Image.fromarray(np.concatenate([multiply_255(glyph, opacity), opacity], axis=2).astype(np.uint8))


def draw_sheet(pictures: list[Image.Image]) -> Image.Image:
    """Crop every picture to its visible part, centre it in a square, scale it and place it on the sheet."""
    rows = -(-len(pictures) // SHEET_COLUMNS)
    sheet = Image.new("RGBA", (SHEET_COLUMNS * PICTURE_SIZE, rows * PICTURE_SIZE))
    for index, picture in enumerate(pictures):
        visible = blend_on_transparent(picture.crop(picture.getchannel("A").getbbox()))
        side = max(visible.size)
        square = Image.new("RGBA", (side, side))
        square.paste(visible, ((side - visible.width) // 2, (side - visible.height) // 2))
        row, column = divmod(index, SHEET_COLUMNS)
        scaled = square.resize((PICTURE_SIZE, PICTURE_SIZE), Image.Resampling.LANCZOS)
        sheet.paste(scaled, (column * PICTURE_SIZE, row * PICTURE_SIZE))
    return sheet


def write_tsv(path: Path, rows: Iterable[tuple[str, ...]]) -> None:
    """Write rows of text separated by tabs."""
    path.write_bytes("".join("\t".join(row) + "\n" for row in rows).encode())


def build(output: Path, cldr: Path, emoji_test: Path, font: Path) -> None:
    """Write every file of the graph into the output folder."""
    emoji = read_emoji(emoji_test)
    triples = drop_rare(collect_triples(cldr, emoji))
    entities = sorted(entity_degrees(triples))
    output.mkdir(parents=True, exist_ok=True)
    for name, split in split_triples(triples).items():
        rows = ((format_key(head), relation, format_key(tail)) for head, relation, tail in split)
        write_tsv(output / f"{name}.tsv", rows)
    rows = ((format_key(key), emoji[key].character, emoji[key].name) for key in entities)
    write_tsv(output / "entities.tsv", rows)
    draw_sheet(read_pictures(font, entities)).save(output / SHEET, optimize=True)


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file."""
    if not path.is_file():
        fail(f"{path} not found")
    return path.read_text(encoding="utf-8").splitlines()


def describe_difference(built: list[str], reference: list[str]) -> str:
    """Say how two lists of lines differ; say nothing when they are identical."""
    if built == reference:
        return ""
    missing, extra = Counter(reference) - Counter(built), Counter(built) - Counter(reference)
    if not missing and not extra:
        return "same lines in another order"
    return f"{missing.total()} missing, {extra.total()} extra"


def compare_sheets(built: Path, reference: Path) -> str:
    """Say how two sheets differ; say nothing when their pixels are identical."""
    pixels = [np.asarray(Image.open(path).convert("RGBA")).astype(np.int32) for path in (built, reference)]
    if pixels[0].shape != pixels[1].shape:
        return f"{pixels[0].shape[:2]} pixels instead of {pixels[1].shape[:2]}"
    difference = np.abs(pixels[0] - pixels[1])
    return f"mean absolute pixel difference {difference.mean():.4f} of 255" if difference.any() else ""


def compare_folders(output: Path, reference: Path) -> Iterator[tuple[str, int, str]]:
    """Yield name, size and difference of every file and relation; the difference is empty where they are identical."""
    folders = (output, reference)
    for name in ("entities", *SPLITS):
        built, expected = (read_lines(folder / f"{name}.tsv") for folder in folders)
        yield f"{name}.tsv", len(expected), describe_difference(built, expected)

    by_relation: list[defaultdict[str, list[str]]] = [defaultdict(list), defaultdict(list)]
    for folder, relations in zip(folders, by_relation, strict=True):
        for line in sorted(line for name in SPLITS for line in read_lines(folder / f"{name}.tsv")):
            relations[line.split("\t")[1]].append(line)
    for relation in sorted(by_relation[0].keys() | by_relation[1].keys()):
        built, expected = (relations[relation] for relations in by_relation)
        yield relation, len(expected), describe_difference(built, expected)

    if (reference / SHEET).is_file():
        size = len(read_lines(reference / "entities.tsv"))
        yield SHEET, size, compare_sheets(output / SHEET, reference / SHEET)


def check(output: Path, reference: Path) -> bool:
    """Compare the built files with those of a reference folder, print a line for each and say whether all agree."""
    agreed = True
    for name, size, difference in compare_folders(output, reference):
        print(f"{name}: {difference or f'identical ({size})'}")
        agreed = agreed and not difference
    if not (reference / SHEET).is_file():
        print(f"{SHEET}: not in the reference folder, not compared")
    return agreed


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Build the emoji graph from Unicode data and the Noto Emoji font.")
    parser.add_argument("output", type=Path, metavar="OUTPUT_FOLDER", help="folder to write to")
    parser.add_argument("--cldr", type=Path, default=Path("/usr/share/unicode/cldr/common"), help="CLDR common folder")
    parser.add_argument("--emoji-test", type=Path, default=Path("/usr/share/unicode/emoji/emoji-test.txt"))
    parser.add_argument("--font", type=Path, default=Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"))
    parser.add_argument("--check", type=Path, metavar="REFERENCE_FOLDER", help="compare; exit 1 when the files differ")
    return parser.parse_args()


def main() -> int:
    """Run the command line."""
    arguments = parse_arguments()
    needed = (
        (arguments.emoji_test, "unicode-data"),
        (arguments.cldr / "annotations" / "en.xml", "unicode-cldr-core"),
        (arguments.cldr / "annotationsDerived" / "en.xml", "unicode-cldr-core"),
        (arguments.cldr / "supplemental" / "supplementalData.xml", "unicode-cldr-core"),
        (arguments.cldr / "supplemental" / "likelySubtags.xml", "unicode-cldr-core"),
        (arguments.font, "fonts-noto-color-emoji"),
    )
    for path, package in needed:
        if not path.is_file():
            fail(f"{path} not found: install the Debian package {package} (apt-get install {package})")
    build(arguments.output, arguments.cldr, arguments.emoji_test, arguments.font)
    return 0 if arguments.check is None or check(arguments.output, arguments.check) else 1


if __name__ == "__main__":
    sys.exit(main())
