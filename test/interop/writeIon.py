"""Writes items with amazon.ion, each a line as an export of DynamoDB has it."""
import sys
from decimal import Decimal

from amazon.ion import simpleion
from amazon.ion.core import IonType
from amazon.ion.simple_types import IonPyList

directory = sys.argv[1]


def marked(name, values):
    return IonPyList.from_value(IonType.LIST, values, annotations=(name,))


item = {
    "id": "theirs é€😀 \"quoted\" \n\t\\ \u2028 \x00",
    "n": Decimal("-1234567890.12345678901234567890"),
    "small": Decimal("1E-130"),
    "large": Decimal("9.9999999999999999999999999999999999999E+125"),
    "whole": Decimal("42"),
    "b": bytes(range(256)),
    "null": None,
    "true": True,
    "list": ["x", [Decimal("1.50")], {"deep": {"a.b c": "y"}}],
    "SS": marked("$dynamodb_SS", ["a", "b"]),
    "NS": marked("$dynamodb_NS", [Decimal("1"), Decimal("2.5")]),
    "BS": marked("$dynamodb_BS", [b"\x00", b"\xff"]),
    "odd name $0 'x'": "",
}
with open(f"{directory}/theirs.ion", "wb") as file:
    for _ in range(3):
        file.write(b"$ion_1_0 " + simpleion.dumps({"Item": item}, binary=False).replace("$ion_1_0 ", "").encode() + b"\n")
