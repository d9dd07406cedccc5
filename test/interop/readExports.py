"""Reads what Headrace wrote with amazon.ion, and with boto3's deserializer, and prints both as DynamoDB JSON."""
import base64
import glob
import gzip
import json
import sys
from decimal import Decimal

from amazon.ion import simpleion
from amazon.ion.core import IonType
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

directory = sys.argv[1]
SETS = {"$dynamodb_SS": "SS", "$dynamodb_NS": "NS", "$dynamodb_BS": "BS"}


def number(value):
    return format(Decimal(str(value)), "f")


def attribute(value):
    annotations = [symbol.text for symbol in getattr(value, "ion_annotations", ())]
    kind = value.ion_type
    if annotations:
        name = SETS[annotations[0]]
        return {name: [next(iter(attribute(element).values())) for element in value]}
    if kind == IonType.NULL:
        return {"NULL": True}
    if kind == IonType.BOOL:
        return {"BOOL": bool(value)}
    if kind == IonType.STRING:
        return {"S": str(value)}
    if kind == IonType.DECIMAL:
        return {"N": number(value)}
    if kind == IonType.BLOB:
        return {"B": base64.b64encode(bytes(value)).decode()}
    if kind == IonType.LIST:
        return {"L": [attribute(element) for element in value]}
    if kind == IonType.STRUCT:
        return {"M": struct(value)}
    raise ValueError(kind)


def struct(value):
    return {name: attribute(member) for name, member in value.items()}


def wire(value):
    """What boto3 would send, with bytes as the wire has them."""
    (kind, content), = value.items()
    if kind == "B":
        return {"B": base64.b64encode(bytes(content)).decode()}
    if kind == "BS":
        return {"BS": [base64.b64encode(bytes(one)).decode() for one in content]}
    if kind == "N":
        return {"N": number(content)}
    if kind == "NS":
        return {"NS": [number(one) for one in content]}
    if kind == "L":
        return {"L": [wire(one) for one in content]}
    if kind == "M":
        return {"M": {name: wire(one) for name, one in content.items()}}
    return value


def unpacked(value):
    """As an SDK hands it to the deserializer: bytes, and not base64."""
    (kind, content), = value.items()
    if kind == "B":
        return {"B": base64.b64decode(content)}
    if kind == "BS":
        return {"BS": [base64.b64decode(one) for one in content]}
    if kind == "L":
        return {"L": [unpacked(one) for one in content]}
    if kind == "M":
        return {"M": {name: unpacked(one) for name, one in content.items()}}
    return value


with open(f"{directory}/items.ion", "rb") as file:
    ion = [struct(value["Item"]) for value in simpleion.load(file, single_value=False)]
deserializer, serializer = TypeDeserializer(), TypeSerializer()
boto = []
for path in sorted(glob.glob(f"{directory}/native/data/*.json.gz")):
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in file:
            item = {name: deserializer.deserialize(unpacked(value)) for name, value in json.loads(line)["Item"].items()}
            boto.append({name: wire(serializer.serialize(value)) for name, value in item.items()})
print(json.dumps({"ion": ion, "boto3": boto}))
