"""Bytes of canonical Avro, written by another hand than the product's: the avro library of Python and the schemas.

    single("lead", event)     single-object encoding of an event given as canonical JSON
    datum("lead", event)      the same without the ten bytes of its header
"""
import datetime
import io
import json
import struct

import avro.io
import avro.schema
import harness

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def schema_text(name):
    return (harness.ROOT / "schemas" / f"{name}.avsc").read_text(encoding="utf-8")


def canonical(schema):
    """The parsing canonical form of the Avro specification, of records, enums, arrays, unions and primitive types."""
    if isinstance(schema, list):
        return "[" + ",".join(canonical(s) for s in schema) + "]"
    if isinstance(schema, str):
        return json.dumps(schema)
    kind = schema["type"]
    if not isinstance(kind, str):
        return canonical(kind)
    name = '"name":' + json.dumps(full_name(schema)) + ',"type":' + json.dumps(kind) if "name" in schema else None
    if kind == "record":
        fields = ",".join('{"name":' + json.dumps(f["name"]) + ',"type":' + canonical(f["type"]) + "}" for f in schema["fields"])
        return "{" + name + ',"fields":[' + fields + "]}"
    if kind == "enum":
        return "{" + name + ',"symbols":' + json.dumps(schema["symbols"], separators=(",", ":")) + "}"
    if kind in ("array", "map"):
        of = "items" if kind == "array" else "values"
        return '{"type":' + json.dumps(kind) + f',"{of}":' + canonical(schema[of]) + "}"
    return json.dumps(kind)


def full_name(schema):
    return schema["name"] if "." in schema["name"] else "paceline." + schema["name"]


def fingerprint(text):
    """CRC-64-AVRO of the specification."""
    empty = 0xC15D213AA4D7A795
    value = empty
    for byte in text.encode():
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (empty & -(value & 1))
    return value


def header(name):
    return b"\xc3\x01" + struct.pack("<Q", fingerprint(canonical(json.loads(schema_text(name)))))


def is_instant(kind):
    kinds = kind if isinstance(kind, list) else [kind]
    return any(isinstance(k, dict) and k.get("logicalType") == "timestamp-millis" for k in kinds)


def plain(schema):
    """Without logical types: instants are written as the numbers they are."""
    if isinstance(schema, list):
        return [plain(s) for s in schema]
    if isinstance(schema, dict):
        return {key: plain(value) if key in ("type", "fields", "items", "values") else value for key, value in schema.items()
                if key != "logicalType"}
    return schema


def datum(name, event):
    text = json.loads(schema_text(name))
    values = {f["name"]: f.get("default") for f in text["fields"]}
    for field in text["fields"]:
        value = event.get(field["name"])
        if isinstance(value, str) and is_instant(field["type"]):
            value = (datetime.datetime.fromisoformat(value.replace("Z", "+00:00")) - EPOCH) // datetime.timedelta(milliseconds=1)
        if value is not None:
            values[field["name"]] = value
    out = io.BytesIO()
    avro.io.DatumWriter(avro.schema.parse(json.dumps(plain(text)))).write(values, avro.io.BinaryEncoder(out))
    return out.getvalue()


def single(name, event):
    return header(name) + datum(name, event)
