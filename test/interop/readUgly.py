"""The other reader of ugly files: says which records a file holds, by the parsers of Python's own libraries.

Reads requests as JSON Lines from standard input, and answers each with a line:
  {"do":"read","path":…,"layout":…,"spelling":…,"key":[…],…}  ->  {"records":[{"item":…}|{"bad":…,"marks":[…]}],"stop":…,…}
  {"do":"parquet","path":…,"columns":[…],…}                   ->  {"ok":true}, and the file
  {"do":"zstd","path":…}                                      ->  the file packed, in several frames

A record is known by its mark, an attribute "m" such as "#17#". Behind a record that is broken, the next one begins where
something with a mark can be read.
"""
import base64
import csv
import io
import json
import re
import sys
import zlib
from decimal import Decimal

import pyarrow
import pyarrow.parquet
from amazon.ion import simpleion
from amazon.ion.core import IonType
from boto3.dynamodb.types import TypeDeserializer

csv.field_size_limit(1 << 30)
MARK = re.compile(r"#\d+#")
TYPES = {"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"}
LEVELS = 32
DESERIALIZER = TypeDeserializer()


class Bad(Exception):
    """One record is bad."""


class Stop(Exception):
    """The file cannot be read on."""


class Number(str):
    """A number as it is written."""


NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def number(text):
    """As DynamoDB holds it: 38 digits, 1E-130 to 9.99E+125."""
    if not NUMBER.fullmatch(text):
        raise Bad(f"{text!r} is not a number")
    value = Decimal(text)
    if value.is_zero():
        return "0"
    digits = "".join(map(str, value.as_tuple().digits)).strip("0")
    if len(digits) > 38:
        raise Bad("more than 38 digits")
    if not -130 <= value.adjusted() <= 125:
        raise Bad("out of range")
    return str(value)


def text_of(value):
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Bad("not UTF-8, or half a surrogate pair") from None
    return value


def check_level(level):
    if level > LEVELS:
        raise Bad("too deep")


def plain(value, level):
    """Ordinary JSON as an attribute value."""
    check_level(level)
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, Number):
        return {"N": number(value)}
    if isinstance(value, str):
        return {"S": text_of(value)}
    if isinstance(value, list):
        return {"L": [plain(one, level + 1) for one in value]}
    return {"M": {name: plain(one, level + 1) for name, one in value.items()}}


def binary(text):
    if not isinstance(text, str) or len(text) % 4:
        raise Bad("not base64")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Bad("not base64") from None


def typed(value, level):
    """DynamoDB JSON as an attribute value, checked."""
    check_level(level)
    if not isinstance(value, dict) or len(value) != 1:
        raise Bad("not an attribute value")
    ((kind, content),) = value.items()
    if kind not in TYPES:
        raise Bad(f"no type {kind!r}")
    is_text = isinstance(content, str) and not isinstance(content, Number)
    if kind == "S" and is_text:
        return {"S": text_of(content)}
    if kind == "N" and is_text:
        return {"N": number(content)}
    if kind == "B" and is_text:
        return {"B": base64.b64encode(binary(content)).decode()}
    if kind == "BOOL" and isinstance(content, bool):
        return {"BOOL": content}
    if kind == "NULL" and content is True:
        return {"NULL": True}
    if kind == "M" and isinstance(content, dict):
        return {"M": {name: typed(one, level + 1) for name, one in content.items()}}
    if kind == "L" and isinstance(content, list):
        return {"L": [typed(one, level + 1) for one in content]}
    if kind in ("SS", "NS", "BS") and isinstance(content, list) and content:
        return {kind: distinct(kind, [one for one in (typed({kind[0]: one}, level) for one in content)])}
    raise Bad(f"not the content of {kind}")


def distinct(kind, values):
    contents = [value[kind[0]] for value in values]
    if len({Decimal(one) if kind == "NS" else one for one in contents}) < len(contents):
        raise Bad("an element twice")
    return contents


def size(value):
    """At least what the service counts; only items far above or below its limit are generated."""
    if isinstance(value, dict):
        return sum(len(name.encode()) + size(one) for name, one in value.items())
    if isinstance(value, list):
        return sum(map(size, value))
    return len(value.encode()) if isinstance(value, str) else 1


def check_names(item):
    for name, value in item.items():
        if text_of(name) == "":
            raise Bad("an attribute without a name")
        check_inner(value)


def check_inner(value):
    for kind, content in value.items():
        if kind == "M":
            check_names(content)
        elif kind == "L":
            for one in content:
                check_inner(one)


def check_item(item, key):
    """That it can be an item of a table with this key."""
    check_names(item)
    if size(item) > 400 * 1024:
        raise Bad("too large")
    for place, part in enumerate(key):
        value = item.get(part["name"])
        if value is None:
            raise Bad(f"no {part['name']}")
        content = value.get(part["type"])
        if content is None:
            raise Bad(f"{part['name']} is of another type")
        if part["type"] != "N":
            length = len(base64.b64decode(content) if part["type"] == "B" else content.encode())
            if not 0 < length <= (2048, 1024)[place]:
                raise Bad("an empty or long key")
    # boto3 has a word in what is an item; it takes no number of more than 38 digits, zeros at the end counted.
    for value in item.values():
        if not re.search(r"[0-9.]{38,}|E", json.dumps(value)):
            DESERIALIZER.deserialize(unpacked(value))
    return item


def unpacked(value):
    """As an SDK hands it to the deserializer: bytes, and not base64."""
    ((kind, content),) = value.items()
    if kind == "B":
        return {"B": base64.b64decode(content)}
    if kind == "BS":
        return {"BS": [base64.b64decode(one) for one in content]}
    if kind == "L":
        return {"L": [unpacked(one) for one in content]}
    if kind == "M":
        return {"M": {name: unpacked(one) for name, one in content.items()}}
    return value


def no_constant(name):
    raise ValueError(f"{name} is not JSON")


JSON = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=no_constant)


def parse(text):
    try:
        return JSON.decode(text)
    except (ValueError, RecursionError) as error:
        raise Bad(f"not JSON: {error}") from None


def item_of(value, spelling, types):
    if not isinstance(value, dict):
        raise Bad("a record is an object")
    if spelling == "plain":
        value = {name: told(one, types[name]) if name in types else plain(one, 1) for name, one in value.items()}
        return value
    if spelling == "wrapped":
        if list(value) != ["Item"] or not isinstance(value["Item"], dict):
            raise Bad('not {"Item":{…}}')
        value = value["Item"]
    return {name: typed(one, 1) for name, one in value.items()}


def told(value, kind):
    """An attribute of ordinary JSON whose type was told."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        if kind in ("BOOL", "json", "ddb"):
            return plain(value, 1)
        raise Bad("a boolean")
    if isinstance(value, Number):
        if kind in ("N", "json"):
            return plain(value, 1)
        if kind == "S":
            # As DynamoDB writes a number: no exponent, and no zeros at its ends.
            written = format(Decimal(number(value)), "f")
            return {"S": written.rstrip("0").rstrip(".") if "." in written else written}
        raise Bad("a number")
    if isinstance(value, str):
        return cell(value, kind)
    if kind in ("json", "ddb"):
        return plain(value, 1)
    raise Bad("a list or map")


def cell(text, kind):
    """A cell that is not empty, of a column of that type."""
    text_of(text)
    if kind == "S":
        return {"S": text}
    text = text.strip(" \t\r\n\u00a0\ufeff")
    if kind == "N":
        return {"N": number(text)}
    if kind == "BOOL":
        if text.lower() not in ("true", "false"):
            raise Bad("neither true nor false")
        return {"BOOL": text.lower() == "true"}
    if kind == "NULL":
        if text.lower() not in ("null", "true"):
            raise Bad("not null")
        return {"NULL": True}
    if kind == "B":
        return {"B": base64.b64encode(binary(text)).decode()}
    return plain(parse(text), 1) if kind == "json" else typed(parse(text), 1)


# --- bytes

def unpack(data):
    """The bytes within gzip or zstd, and whether that is damaged."""
    if data[:2] == b"\x1f\x8b":
        parts = []
        while data:
            if data[:2] != b"\x1f\x8b":
                return b"".join(parts), bool(data.strip(b"\0"))
            member = zlib.decompressobj(wbits=31)
            # In small steps, and at the damage in steps of a byte, so that what stands in front of it is had.
            for start in range(0, len(data), 64):
                before = member.copy()
                step = data[start : start + 64]
                try:
                    parts.append(member.decompress(step))
                except zlib.error:
                    parts.append(to_the_damage(before, step))
                    return b"".join(parts), True
                if member.eof:
                    break
            if not member.eof:
                return b"".join(parts), True
            data = member.unused_data + data[start + 64 :]
        return b"".join(parts), False
    if data[:4] == b"\x28\xb5\x2f\xfd":
        stream = pyarrow.CompressedInputStream(pyarrow.BufferReader(data), "zstd")
        parts = []
        try:
            while True:
                part = stream.read(4096)
                if not part:
                    return b"".join(parts), False
                parts.append(part)
        except OSError:
            return b"".join(parts), True
    return data, False


def to_the_damage(member, step):
    parts = []
    try:
        for at in range(len(step)):
            parts.append(member.decompress(step[at : at + 1]))
    except zlib.error:
        pass
    return b"".join(parts)


def text_in(data):
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Stop("UTF-16")
    if len(data) > 1 and 0 in data[:2] and any(byte in b"{[" for byte in data[:2]):
        raise Stop("UTF-16 without a mark")
    if data[:3] == b"\xef\xbb\xbf":
        data = data[3:]
    return data.decode("utf-8", "surrogateescape")


def shown(text):
    return {"marks": MARK.findall(text), "count": 1}


# --- layouts

BLANK = re.compile(r"[ \t\r\n\ufeff]*")


def split_name(text, otherwise="S"):
    """A column's name and its type."""
    before, colon, kind = text.rpartition(":")
    return (before, kind) if colon and kind in ("S", "N", "BOOL", "NULL", "B", "json", "ddb") else (text, otherwise)


class Reader:
    def __init__(self, ask):
        self.ask = ask
        self.key = ask["key"]
        self.types = ask.get("types") or {}
        self.spelling = ask.get("spelling")
        self.records = []
        self.incomplete = False

    def take(self, raw, make):
        """A record, or why it is none."""
        try:
            text_of(raw)
            self.records.append({"item": check_item(make(), self.key), "marks": MARK.findall(raw)})
        except Bad as bad:
            self.records.append({"bad": str(bad), **shown(raw)})

    def lines(self, text, make):
        for line in re.split(r"\r\n|\n|\r", text):
            if line.strip(" \t\ufeff") == "":
                continue
            # Where files were put together, their marks stand between records.
            line = line.removeprefix("\ufeff")
            if self.is_long(line):
                continue
            self.take(line, lambda: make(line))

    def json_item(self, value):
        return item_of(value, self.spelling, self.types)

    def read(self):
        layout = self.ask["layout"]
        if layout == "parquet":
            self.parquet()
            return
        with open(self.ask["path"], "rb") as file:
            data, damaged = unpack(file.read())
        try:
            if not damaged or data:
                self.text(text_in(data), layout)
        finally:
            if damaged:
                raise Stop("damaged")

    def text(self, text, layout):
        if layout == "lines":
            self.lines(text, lambda line: self.json_item(parse(line)))
        elif layout == "rejects":
            self.lines(text, self.reject)
        elif layout == "ion":
            self.lines(text, self.ion)
        elif layout == "csv":
            self.csv(text)
        elif layout == "sequence":
            self.values(text, 0, None)
        elif layout == "array":
            # An empty file is an array without elements.
            if text.strip() != "":
                self.array(text, text.index("["))
        else:
            self.scan(text)

    def array(self, text, at):
        end = self.values(text, at + 1, "]")
        if text[end:].strip() != "":
            raise Stop("something follows the array")

    def scan(self, text):
        try:
            output = JSON.decode(text)
        except ValueError:
            output = None
        start = re.compile(r'"Items"\s*:\s*\[').search(text)
        if start is None:
            raise Stop("no Items")
        end = self.values(text, start.end(), "]")
        if output is None:
            # A record in it may be bad, and all else must be in order.
            try:
                output = JSON.decode(text[: start.end()] + "]" + text[end:])
            except ValueError:
                raise Stop("not scan output")
            count = sum(record.get("count", 1) for record in self.records)
        else:
            count = len(output["Items"])
        token = output.get("NextToken") or output.get("LastEvaluatedKey")
        told = output.get("Count")
        self.incomplete = bool(token) or (told is not None and Decimal(told) != count)

    def values(self, text, at, closing):
        """Values with commas between and a bracket behind, or one after another."""
        while True:
            at = BLANK.match(text, at).end()
            if at >= len(text):
                if closing is None:
                    return at
                raise Stop("not closed")
            if text[at] == closing:
                return at + 1
            found = self.value(text, at, closing)
            if found is None:
                end = self.resync(text, at, closing)
                if end is None:
                    raise Stop("cut in a record")
                self.records.append(
                    {"bad": "not JSON", "marks": MARK.findall(text[at:end]), "count": max(1, len(MARK.findall(text[at:end])))}
                )
                at = self.behind(text, end, closing)
            else:
                value, end = found
                raw = text[at:end]
                if self.is_long(raw):
                    at = self.behind(text, end, closing)
                    continue
                self.take(raw, lambda: self.json_item(value))
                at = self.behind(text, end, closing)

    def is_long(self, raw):
        limit = self.ask.get("lineBytesMax")
        if limit is None or len(raw.encode("utf-8", "surrogateescape")) <= limit:
            return False
        # Its reject has only the beginning, and so perhaps not its mark.
        self.records.append({"bad": "too long", "marks": [], "count": 1})
        return True

    def behind(self, text, end, closing):
        at = BLANK.match(text, end).end()
        return at + 1 if closing is not None and text[at : at + 1] == "," else at

    def value(self, text, at, closing):
        """A value and where it ends, if something stands behind it that may."""
        try:
            value, end = JSON.raw_decode(text, at)
        except (ValueError, RecursionError):
            return None
        after = text[end:].lstrip(" \t\r\n\ufeff")[:1]
        if closing is not None and after not in (",", closing, ""):
            return None
        if closing is None and not isinstance(value, (dict, list)) and text[end : end + 1].strip() != "":
            return None
        return value, end

    def resync(self, text, at, closing):
        """Where the broken value ends that begins there; None where the text ends within it."""
        for start in (match.start() for match in re.finditer(r"\{", text[at + 1 :])):
            found = self.value(text, at + 1 + start, closing)
            if found is not None and is_marked(found[0], self.spelling):
                end = at + 1 + start
                # What separates them belongs to neither.
                return at + len(re.sub(r"[\s,]*$", "", text[at:end])) if closing is not None else end
        end = -1 if closing is None else text.rfind(closing, at)
        # It may be the one of a list within, where the text is cut.
        if end != -1 and not is_open(text[at:end]):
            return end
        return None if is_open(text[at:]) else len(text)

    def csv(self, text):
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.ask.get("delimiter") or ",", strict=True)
        header = None
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise Stop(f"csv: {error}")
            if header is None:
                if not row or (len(row) == 1 and row[0].strip() == ""):
                    continue
                header = self.header(row)
            elif row and row != [""]:
                self.take("\x1f".join(row), lambda: self.row(row, header))

    def header(self, row):
        columns = []
        for name in row:
            name = name.strip(" \t\r\n\u00a0\ufeff")
            before, kind = split_name(name, None)
            try:
                text_of(before)
            except Bad:
                raise Stop("a name that is not UTF-8")
            if before == "":
                raise Stop("a column without a name")
            part = next((part["type"] for part in self.key if part["name"] == before), None)
            columns.append((before, self.types.get(before) or kind or part or "S"))
        names = [name for name, _ in columns]
        if len(set(names)) < len(names) or not set(self.types) <= set(names):
            raise Stop("a column twice, or a type for none")
        for part in self.key:
            kind = next((kind for name, kind in columns if name == part["name"]), None)
            if kind not in (part["type"], "ddb", "json"):
                raise Stop("no column with the key, or another type")
        return columns

    def row(self, row, header):
        if len(row) != len(header):
            raise Bad(f"{len(row)} cells")
        return {name: cell(text, kind) for text, (name, kind) in zip(row, header) if text != ""}

    def ion(self, line):
        try:
            values = simpleion.loads(line, single_value=False)
        except Exception as error:  # pylint: disable=broad-except
            raise Bad(f"not Ion: {error}") from None
        if len(values) != 1:
            raise Bad("several values")
        record = ion_value(values[0], 0)
        item = record.get("M", {}).get("Item", {}).get("M")
        if item is None or len(record["M"]) != 1:
            raise Bad("not {Item:{…}}")
        return item

    def reject(self, line):
        reject = parse_or_none(line)
        fields = {"code", "message", "place", "item", "raw", "rawBase64", "format", "columns", "delimiter", "truncated"}
        is_reject = isinstance(reject, dict) and {"code", "place"} <= set(reject) <= fields
        if not is_reject:
            # Somebody has put the record itself in its place.
            return self.any(line, None)
        if isinstance(reject.get("item"), dict):
            return self.any(json.dumps(reject["item"], cls=Written), "ddb-json")
        if reject.get("truncated") is True or not isinstance(reject.get("raw"), str):
            raise Bad("only a part of a record")
        if reject.get("rawBase64") is not None:
            raise Bad("not UTF-8")
        if reject.get("format") == "csv":
            rows = [row for row in csv.reader(io.StringIO(reject["raw"], newline=""), delimiter=reject.get("delimiter") or ",", strict=True) if row]
            if len(rows) != 1:
                raise Bad("not one row")
            columns = [split_name(name) for name in reject["columns"]]
            return self.row(rows[0], columns)
        return self.any(reject["raw"], reject.get("format"))

    def any(self, text, form):
        """A record in the spelling that it shows."""
        if form == "ion" or text.lstrip().startswith("$ion_1_0"):
            return self.ion(text)
        value = parse(text)
        if not isinstance(value, dict):
            raise Bad("a record is an object")
        if list(value) == ["Item"]:
            return item_of(value, "wrapped", {})
        if form != "ddb-json" and not all(isinstance(one, dict) for one in value.values()):
            return item_of(value, "plain", {})
        return item_of(value, "dynamodb", {})

    def parquet(self):
        try:
            table = pyarrow.parquet.read_table(self.ask["path"])
        except (OSError, pyarrow.ArrowException) as error:
            raise Stop(f"parquet: {error}")
        for part in self.key:
            if part["name"] not in table.column_names:
                raise Stop("no column with the key")
        for row in range(table.num_rows):
            values = [(field, table.column(place)[row].as_py()) for place, field in enumerate(table.schema)]
            marks = [value for field, value in values if field.name == "m" and value is not None]
            try:
                item = {field.name: arrow(value, field.type, 1) for field, value in values if value is not None}
                self.records.append({"item": check_item(item, self.key), "marks": marks})
            except Bad as bad:
                self.records.append({"bad": str(bad), "marks": marks, "count": 1})


class Written(json.JSONEncoder):
    def default(self, o):
        return str(o)


def arrow(value, kind, level):
    check_level(level)
    if value is None:
        return {"NULL": True}
    if pyarrow.types.is_map(kind):
        return {"M": {f"{name}": arrow(one, kind.item_type, level + 1) for name, one in value}}
    if pyarrow.types.is_list(kind):
        return {"L": [arrow(one, kind.value_type, level + 1) for one in value]}
    if pyarrow.types.is_struct(kind):
        return {"M": {name: arrow(one, kind.field(name).type, level + 1) for name, one in value.items() if one is not None}}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, (int, Decimal)):
        return {"N": number(str(value))}
    if isinstance(value, float):
        return {"N": number(repr(value))}
    if isinstance(value, bytes):
        return {"B": base64.b64encode(value).decode()}
    return {"S": value}


SETS = {"$dynamodb_SS": "SS", "$dynamodb_NS": "NS", "$dynamodb_BS": "BS"}


def ion_value(value, level):
    annotations = [symbol.text for symbol in getattr(value, "ion_annotations", ())]
    kind = getattr(value, "ion_type", IonType.NULL if value is None else None)
    if annotations:
        name = SETS.get(annotations[0])
        if name is None or kind != IonType.LIST:
            raise Bad("marked as something else")
        elements = [ion_value(one, level + 1) for one in value]
        if not elements or any(list(one) != [name[0]] for one in elements):
            raise Bad("a set of other things")
        return {name: distinct(name, elements)}
    if kind == IonType.NULL or value is None or type(value).__name__ == "IonPyNull":
        return {"NULL": True}
    check_level(level - 1)
    if kind == IonType.BOOL:
        return {"BOOL": bool(value)}
    if kind == IonType.STRING:
        return {"S": text_of(str(value))}
    if kind in (IonType.INT, IonType.DECIMAL):
        return {"N": number(str(value))}
    if kind == IonType.FLOAT:
        return {"N": number(repr(float(value)))}
    if kind == IonType.BLOB:
        return {"B": base64.b64encode(bytes(value)).decode()}
    if kind == IonType.LIST:
        return {"L": [ion_value(one, level + 1) for one in value]}
    if kind == IonType.STRUCT:
        members = list(value.iteritems()) if hasattr(value, "iteritems") else list(value.items())
        if len({name for name, _ in members}) < len(members):
            raise Bad("a name twice")
        return {"M": {name: ion_value(one, level + 1) for name, one in members}}
    raise Bad(f"no type for {kind}")


def parse_or_none(text):
    try:
        return JSON.decode(text)
    except ValueError:
        return None


def is_marked(value, spelling):
    if not isinstance(value, dict):
        return False
    if spelling == "wrapped":
        value = value.get("Item")
    mark = value.get("m") if isinstance(value, dict) else None
    if isinstance(mark, dict):
        mark = mark.get("S")
    return isinstance(mark, str) and MARK.fullmatch(mark) is not None


def is_open(text):
    """Whether brackets are open at its end, or a string is."""
    bare = re.sub(r'"(\\.|[^"\\\n\r])*("|(?=[\n\r]))', "", text)
    if '"' in bare:
        return True
    return bare.count("{") > bare.count("}") or bare.count("[") > bare.count("]")


def read(ask):
    reader = Reader(ask)
    stop = None
    try:
        reader.read()
    except Stop as why:
        stop = str(why)
    return {"records": reader.records, "stop": stop, "incomplete": reader.incomplete}


# --- files that TypeScript has no writer for

ARROW = {
    "string": pyarrow.string(),
    "large_string": pyarrow.large_string(),
    "int64": pyarrow.int64(),
    "int32": pyarrow.int32(),
    "double": pyarrow.float64(),
    "bool": pyarrow.bool_(),
    "binary": pyarrow.binary(),
    "decimal": pyarrow.decimal128(38, 10),
    "wide": pyarrow.decimal256(60, 5),
    "list": pyarrow.list_(pyarrow.string()),
    "struct": pyarrow.struct([("a", pyarrow.int64()), ("b", pyarrow.string())]),
    "map": pyarrow.map_(pyarrow.string(), pyarrow.int64()),
    "null": pyarrow.null(),
}


def arrow_cell(kind, value):
    if value is None:
        return None
    if kind == "binary":
        return base64.b64decode(value)
    if kind in ("decimal", "wide"):
        return Decimal(value)
    if kind == "double":
        return float(value)
    if kind == "map":
        return list(value.items())
    return value


def write_parquet(ask):
    fields = [pyarrow.field(column["name"], ARROW[column["type"]]) for column in ask["columns"]]
    arrays = [
        pyarrow.array([arrow_cell(column["type"], value) for value in column["values"]], type=field.type)
        for column, field in zip(ask["columns"], fields)
    ]
    pyarrow.parquet.write_table(
        pyarrow.table(arrays, schema=pyarrow.schema(fields)),
        ask["path"],
        compression=ask["compression"],
        row_group_size=ask["rowGroup"],
        use_dictionary=ask["dictionary"],
        data_page_version=ask["pageVersion"],
    )
    return {"ok": True}


def write_zstd(ask):
    with open(ask["path"], "rb") as file:
        data = file.read()
    codec = pyarrow.Codec("zstd")
    cut = ask["cut"]
    parts = [data[:cut], data[cut:]] if 0 < cut < len(data) else [data]
    with open(ask["path"], "wb") as file:
        file.write(b"".join(codec.compress(part).to_pybytes() for part in parts))
    return {"ok": True}


DO = {"read": read, "parquet": write_parquet, "zstd": write_zstd}

for request in sys.stdin:
    ask = json.loads(request)
    try:
        answer = DO[ask["do"]](ask)
    except Exception as error:  # pylint: disable=broad-except
        answer = {"error": f"{type(error).__name__}: {error} at line {error.__traceback__ and error.__traceback__.tb_next and error.__traceback__.tb_next.tb_lineno}"}
    print(json.dumps(answer), flush=True)
